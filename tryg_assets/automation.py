"""Jobs, schedules and sensors, each with its reason."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import dagster as dg

from tryg_assets.domain.coding.pages import all_kept_pages
from tryg_assets.domain.review.inbox import waiting_files
from tryg_assets.ids import stable_id
from tryg_assets.partitions import municipalities
from tryg_assets.resources import Corpus, LakeResource
from tryg_assets.settings import load_settings

COPENHAGEN = "Europe/Copenhagen"
TONIGHT = 14

CRAWLED = dg.AssetSelection.assets("crawl_log", "raw_crawl")
DERIVED_TABLES = (
    "filtered_pages",
    "page_codings",
    "classified_initiatives",
    "actor_mentions",
    "actor_entities",
)
DERIVED = dg.AssetSelection.assets(*DERIVED_TABLES)
COUNTRY = dg.AssetSelection.all() - CRAWLED - DERIVED

# What changes when people's answers come in; the numbers and the report wait for the next publication.
REVIEW = dg.AssetSelection.assets(
    "review_inbox", "human_codings", "municipality_replies", "agreement", "corrected_estimates"
)

# One run is one municipality in one process: starting a process a step costs ten times the work itself, and one bad
# website must fail one run and nothing else. Parallelism comes from runs.
refresh = dg.define_asset_job(
    "refresh_municipality",
    selection=CRAWLED | DERIVED,
    executor_def=dg.in_process_executor,
    description="Crawl, clean, code and find actors for one municipality; what the nightly schedule runs.",
)
crawl_only = dg.define_asset_job(
    "crawl_municipality",
    selection=CRAWLED.without_checks(),
    executor_def=dg.in_process_executor,
    description="Ask one website what has changed; used by `tryg run`, which checks and derives only if something has.",
)
derive = dg.define_asset_job(
    "derive_municipality",
    selection=DERIVED | dg.AssetSelection.checks_for_assets("crawl_log", "raw_crawl"),
    executor_def=dg.in_process_executor,
    description="Clean, code and find actors for one municipality from what was last read.",
)
publish = dg.define_asset_job(
    "publish_report",
    selection=COUNTRY,
    executor_def=dg.in_process_executor,
    description="Sample, agreement, warehouse and report for the whole country; refuses to publish if a gate is closed.",
)
read_answers = dg.define_asset_job(
    "read_answers",
    selection=REVIEW,
    executor_def=dg.in_process_executor,
    description="Read what lies in the review inbox and measure agreement again.",
)


@dg.op(
    description="Send what the engine claude would ask about every kept page, in batches at half the price."
)
def ask_in_batches(context: dg.OpExecutionContext, corpus: Corpus, lake: LakeResource) -> None:
    """Submit the questions of all municipalities that have been cleaned."""
    slugs = lake.lake.municipalities("filtered_pages")
    asker = corpus.asker(context.run_id)
    sent = asker.submit(all_kept_pages(lake.lake, slugs))
    context.log.info(
        f"{sent} questions of {len(slugs)} municipalities sent. The sensor batch_answers fetches the answers."
    )
    if asker.batches.left:
        context.log.warning(asker.batches.left)


# Nothing waits while a batch is answered, for up to a day: this job ends when all is sent, and the sensor goes on from there.
@dg.job(
    executor_def=dg.in_process_executor,
    description="Send what the engine claude has to ask about all municipalities in batches, for half the price.",
)
def submit_batches() -> None:
    """Send all questions that can be asked now."""
    ask_in_batches()


jobs: list[Any] = [refresh, crawl_only, derive, publish, read_answers, submit_batches]


def stalest(keys: Iterable[str], last_tried: Mapping[str, int], most: int = TONIGHT) -> list[str]:
    """Return up to ``most`` keys to refresh tonight: never tried first, then the longest ago; ties by name.

    ``last_tried`` maps a key to a number that grows with time. Tries count, not successes: websites that stay down
    must not take every place of every night.
    """
    return sorted(keys, key=lambda key: (last_tried.get(key, -1), key))[:most]


def last_tried(instance: dg.DagsterInstance, asset: str) -> Mapping[str, int]:
    """Return, for each partition of ``asset`` that a run ever set out to make, a number that grows with time."""
    return instance.get_latest_storage_id_by_partition(
        dg.AssetKey(asset), dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED
    )


@dg.schedule(job=refresh, cron_schedule="15 1 * * *", execution_timezone=COPENHAGEN)
def nightly_refresh(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
    """Refresh the stalest 14 municipalities: all 98 within a week, at an hour when websites have few visitors."""
    night = f"{context.scheduled_execution_time:%Y-%m-%d}"
    tried = last_tried(context.instance, "crawl_log")
    for slug in stalest(municipalities.get_partition_keys(), tried):
        yield dg.RunRequest(run_key=f"{night}-{slug}", partition_key=slug)


@dg.schedule(job=publish, cron_schedule="30 6 * * *", execution_timezone=COPENHAGEN)
def morning_publication(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Publish once a night, after the refreshes: not after each of them, and without waiting for a site that is down."""
    return dg.RunRequest(run_key=f"{context.scheduled_execution_time:%Y-%m-%d}")


@dg.sensor(job=read_answers, minimum_interval_seconds=30)
def review_inbox_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Read files dropped into TRYG_HOME/review/inbox, once they lie still: a file being copied has another size next time."""
    files = {
        path.name: [path.stat().st_size, path.stat().st_mtime_ns]
        for path in waiting_files(load_settings().review)
    }
    seen, now = context.cursor or "{}", json.dumps(files, sort_keys=True)
    if not files or seen != now:
        return dg.SensorResult(
            skip_reason="The inbox is empty." if not files else "Waiting for the files to lie still.",
            cursor=now,
        )
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=stable_id(now))], cursor=now)


@dg.sensor(job=derive, minimum_interval_seconds=300)
def batch_answers(
    context: dg.SensorEvaluationContext, corpus: Corpus, lake: LakeResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Look at the open batches; store what has ended, send what follows from it, and derive what is then complete.

    Off until switched on, as it asks and spends. Few questions that are left are asked by the derive run itself. The cursor is the
    moment up to which ended batches were looked at, whoever stored them: a look that fails forgets none.
    """
    if corpus.settings.engine != "claude":
        yield dg.SkipReason("The engine asks nobody.")
        return
    asker = corpus.asker()
    asker.batches.collect()
    for name, trouble in asker.batches.troubles.items():
        context.log.warning(f"Batch {name}: {trouble} To give it up: `tryg batches --drop {name}`.")
    ended = asker.batches.ended_since(context.cursor or "")
    ready = sorted(ended)
    pages = {slug: list(all_kept_pages(lake.lake, [slug])) for slug in ready}
    every = [page for of_slug in pages.values() for page in of_slug]
    if asker.has_much_to_ask(every):
        asker.submit(every)
        ready = [slug for slug in ready if asker.knows_all(pages[slug])]
    for slug in ready:
        yield dg.RunRequest(run_key=f"{slug}-{ended[slug]}", partition_key=slug)
    if not ready:
        yield dg.SkipReason(f"{len(asker.batches.open())} batches have not ended.")
    context.update_cursor(max(ended.values(), default=context.cursor or ""))


schedules = [nightly_refresh, morning_publication]
sensors = [review_inbox_sensor, batch_answers]
