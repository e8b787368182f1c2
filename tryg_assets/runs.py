"""Running the jobs from the command line: the same jobs, on the same TRYG_HOME, as in the Dagster UI."""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

from tryg_assets import paths
from tryg_assets.errors import (
    ConfigurationError,
    CorpusMismatch,
    DataFileError,
    ServerUnavailable,
    TrygError,
)
from tryg_assets.settings import Settings, ensure_writable
from tryg_assets.stamps import Stamps
from tryg_assets.storage import Lake, write_text


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the run of one municipality ended. ``work`` is what was run: all, or the crawl only as nothing had changed.

    ``kinds`` are the names of the errors meant for a person that ended it.
    """

    slug: str
    ok: bool
    work: str
    message: str = ""
    kinds: frozenset[str] = frozenset()


def prepare_home(settings: Settings) -> None:
    """Make TRYG_HOME ready: writable, bound to one corpus, with Dagster's own folder.

    Raises:
        ConfigurationError: it cannot be written.
        CorpusMismatch: it holds another corpus.
    """
    ensure_writable(settings.home)
    corpus: dict[str, str] = {"source": settings.source}
    if settings.sites_file is not None:
        corpus["sites_file"] = str(settings.sites_file.resolve())
    bound = settings.home / "corpus.json"
    if bound.exists():
        try:
            earlier = json.loads(bound.read_text(encoding="utf-8"))
        except json.JSONDecodeError as problem:
            remedy = "Delete it if you know which corpus this folder holds; it is then written anew."
            raise DataFileError(bound, f"row {problem.lineno}", "it is damaged", remedy) from None
        if (earlier["source"], earlier.get("sites_file")) != (corpus["source"], corpus.get("sites_file")):
            raise CorpusMismatch(
                f"{settings.home} holds the corpus {_name(earlier)}, not {_name(corpus)}; two corpora never share a number. "
                "Choose another folder: --home DIR, or TRYG_HOME=DIR."
            )
    write_text(bound, json.dumps(corpus, indent=2) + "\n")
    write_text(settings.dagster_home / "dagster.yaml", paths.DAGSTER_YAML.read_text(encoding="utf-8"))


def _name(corpus: dict[str, str]) -> str:
    return f"'{corpus['source']}'" + (f" ({corpus['sites_file']})" if "sites_file" in corpus else "")


def environment(settings: Settings, sample_address: str | None) -> dict[str, str]:
    """Return the variables that make another process see the same settings."""
    values = {
        f"TRYG_{name.upper()}": str(value) for name, value in settings.model_dump(exclude_none=True).items()
    }
    if sample_address:
        values["TRYG_SAMPLE_ADDRESS"] = sample_address
    return {
        **values,
        "TRYG_HOME": str(settings.home.resolve()),
        "DAGSTER_HOME": str(settings.dagster_home.resolve()),
    }


def run_municipalities(slugs: list[str], variables: dict[str, str], workers: int) -> Iterator[Outcome]:
    """Refresh the municipalities, ``workers`` at a time, and yield each outcome as it comes."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        min(workers, len(slugs)), mp_context=spawn, initializer=_start, initargs=(variables,)
    ) as pool:
        pool.submit(create_storage).result()
        running = {pool.submit(refresh, slug): slug for slug in slugs}
        for future in as_completed(running):
            problem = future.exception()
            if problem is None:
                yield future.result()
            else:
                # A damaged file or a killed worker is one municipality's misfortune.
                yield Outcome(running[future], False, "crashed", f"{type(problem).__name__}: {problem}")


def run_country(variables: dict[str, str], *, only_if_changed: bool) -> Outcome:
    """Run :func:`publish` in a process of its own, so that its memory is given back."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=_start, initargs=(variables,)) as pool:
        return pool.submit(publish, only_if_changed).result()


# The terminal shows the outcome of each run; its events are in the Dagster UI.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def _start(variables: dict[str, str]) -> None:
    """Begin a worker process: it sees the settings, and ends with the process that started it."""
    os.environ.update(variables)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End at once when the parent is gone: a pool's workers would crawl on beside the run that is started next."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def create_storage() -> None:
    """Make Dagster create its SQLite files; two processes doing so at once would trip over each other."""
    import dagster as dg

    with dg.DagsterInstance.get():
        pass


def refresh(slug: str) -> Outcome:
    """Refresh one municipality: crawl it and, only if something has changed since, derive the rest.

    Two runs, so that a website that is down fails its crawl and leaves no mark on the checks of later stages.
    """
    import dagster as dg

    from tryg_assets.automation import DERIVED_TABLES
    from tryg_assets.definitions import defs
    from tryg_assets.resources import Corpus

    with dg.DagsterInstance.get() as instance:

        def run(job: str) -> Any:
            return defs.resolve_job_def(job).execute_in_process(
                run_config=_QUIET, partition_key=slug, instance=instance, raise_on_error=False
            )

        corpus = Corpus()
        stamps, lake = corpus.stamps, Lake(corpus.settings.lake, corpus.settings.engine)
        result = run("crawl_municipality")
        if not result.success:
            return _noted(stamps, _outcome(slug, "crawl only", result))
        raw = lake.read("raw_crawl", slug)
        if stamps.is_derived(slug, raw) and all(lake.path(table, slug).exists() for table in DERIVED_TABLES):
            return _outcome(slug, "crawl only", result)
        # No stamp while tables are being made: a run killed in between is done again.
        stamps.derived(slug).unlink(missing_ok=True)
        result = run("derive_municipality")
        # What the server rejected is asked again by the next run, which a stamp would keep from it.
        if result.success and not _had_rejections(result):
            stamps.stamp_derived(slug, raw)
        return _noted(stamps, _outcome(slug, "all", result))


# What a server answered is for the terminal: it may tell more than the report should.
_SERVER_FAILED = "Sprogmodellens server svarede ikke, eller den svarede med en fejl. Siderne er ikke kodet."


def _had_rejections(result: Any) -> bool:
    """Whether a step of the run told that the server of a model rejected a question: that is no answer."""
    told = (
        event.materialization.metadata.get("rejected") for event in result.get_asset_materialization_events()
    )
    return any(count is not None and count.value for count in told)


def _noted(stamps: Stamps, outcome: Outcome) -> Outcome:
    """Keep the reason of a failure for the report, which names every municipality whose latest run failed."""
    if not outcome.ok:
        is_of_server = ServerUnavailable.__name__ in outcome.kinds or (
            stamps.engine == "claude"
            and outcome.work == "all"
            and ConfigurationError.__name__ in outcome.kinds
        )
        write_text(stamps.failure_note(outcome.slug), _SERVER_FAILED if is_of_server else outcome.message)
    return outcome


def publish(only_if_changed: bool) -> Outcome:
    """Run the publish job; with ``only_if_changed`` not if the report is made of the same tables by the same rules."""
    import dagster as dg

    from tryg_assets.definitions import defs
    from tryg_assets.domain.reporting.publication import DRAFT, PUBLISHED
    from tryg_assets.domain.review.inbox import waiting_files
    from tryg_assets.domain.review.store import review_version
    from tryg_assets.resources import Corpus

    corpus = Corpus()
    settings = corpus.settings
    made = settings.warehouse.exists() and any(
        (settings.report / name).exists() for name in (PUBLISHED, DRAFT)
    )
    sites = repr([(site.slug, site.name, site.type) for site in corpus.sites.values()])
    # Taken before the job reads the inbox: answers that come in meanwhile make the next run publish again.
    answers = review_version(corpus.desk.state)
    parts = (
        sites,
        str(settings.seed),
        str(settings.review_sample_size),
        answers,
        str(corpus.ledger.totals()),
    )
    unread = waiting_files(settings.review)
    if only_if_changed and made and not unread and corpus.stamps.is_country_made(corpus.sites, *parts):
        return Outcome("", True, "unchanged")
    with dg.DagsterInstance.get() as instance:
        result = defs.resolve_job_def("publish_report").execute_in_process(
            run_config=_QUIET, instance=instance, raise_on_error=False
        )
        if result.success:
            corpus.stamps.stamp_country(corpus.sites, *parts)
        return _outcome("", "publish", result)


def _outcome(slug: str, work: str, result: Any) -> Outcome:
    if result.success:
        return Outcome(slug, True, work)
    errors = [_told(data.error) for data in _failures(result) if data.error is not None]
    kinds = frozenset(error.cls_name for error in errors if _is_for_a_person(error))
    return Outcome(slug, False, work, " ".join(dict.fromkeys(_reasons(result))), kinds)


def _failures(result: Any) -> Iterator[Any]:
    for event in result.filter_events(lambda entry: entry.is_step_failure):
        yield event.step_failure_data


def _is_for_a_person(error: Any) -> bool:
    return bool(error.message.startswith(f"{TrygError.__module__}."))


def _told(error: Any) -> Any:
    """Return the first error of a chain of causes that is meant for a person, else the one that began it."""
    while not _is_for_a_person(error) and error.cause is not None:
        error = error.cause
    return error


def _message(error: Any) -> str:
    """Return what an error says; an error that is meant for a person is told without the name of its class."""
    message: str = error.message.strip()
    return message.partition(": ")[2] if _is_for_a_person(error) else message


def _reasons(result: Any) -> Iterator[str]:
    for failure in _failures(result):
        described = failure.user_failure_data.description if failure.user_failure_data else None
        yield described or (_message(_told(failure.error)) if failure.error else "unknown failure")
    for event in result.filter_events(lambda entry: entry.event_type_value == "ASSET_CHECK_EVALUATION"):
        evaluation = event.event_specific_data
        if not evaluation.passed and evaluation.blocking and evaluation.severity.value == "ERROR":
            yield f"Check {evaluation.check_name} of {evaluation.asset_key.to_user_string()} is red: {evaluation.description}"
