"""Stage 1: from a municipality's website to every page that has the word stem."""

import json
import warnings
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import polars as pl

from tryg_assets.assets._spec import CODEBOOK, out
from tryg_assets.contracts import contract
from tryg_assets.domain.crawling.crawl import CrawlResult, Previous
from tryg_assets.errors import ConfigurationError, OutsideTheNight, SiteUnreachable
from tryg_assets.partitions import municipalities
from tryg_assets.resources import Corpus, LakeResource
from tryg_assets.stamps import content_version, reading_version
from tryg_assets.storage import Lake, write_text

_RULES = [CODEBOOK / name for name in ("crawling.yml", "dates.yml", "walls.yml")]


@dg.multi_asset(
    name="crawl",
    outs={
        "raw_crawl": out("raw_crawl", kinds={"python", "parquet"}, rules=_RULES),
        "crawl_log": out("crawl_log", kinds={"python", "parquet"}, rules=_RULES),
    },
    partitions_def=municipalities,
)
def crawl_site(
    context: dg.AssetExecutionContext, corpus: Corpus, lake: LakeResource
) -> Iterator[dg.Output[pl.DataFrame]]:
    """Crawl one municipality, asking only for what has changed since the crawl before."""
    slug = context.partition_key
    state_file = corpus.settings.home / "crawl_state" / f"{slug}.json"
    try:
        # A yielded table is stored before this goes on: a run killed until then goes on from the unfinished archive.
        with corpus.crawl(slug, _previous(lake.lake, slug, state_file), context.log.info) as result:
            yield from _tables(result, state_file)
    except (ConfigurationError, OutsideTheNight, SiteUnreachable) as problem:
        raise dg.Failure(description=str(problem), allow_retries=False) from problem


def _tables(result: CrawlResult, state_file: Path) -> Iterator[dg.Output[pl.DataFrame]]:
    log = contract("crawl_log").frame(result.log)
    raw = contract("raw_crawl").frame(result.raw)
    # The state names the reading it belongs to: a run killed before the tables are written leaves a state nobody uses.
    state = {"reading": reading_version(), "of": content_version(raw), "furniture": sorted(result.furniture)}
    write_text(state_file, json.dumps(state, ensure_ascii=False))
    outcomes = dict(log.group_by("outcome").len().sort("outcome").iter_rows())
    with warnings.catch_warnings():
        # Data versions are a beta feature of the pinned Dagster; a second run compares them to see what has changed.
        warnings.simplefilter("ignore", dg.BetaWarning)
        pages = dg.Output(
            raw,
            output_name="raw_crawl",
            metadata={"hits": raw.height},
            data_version=dg.DataVersion(content_version(raw)),
        )
    # Pages before log: a run killed in between must not leave a log that calls unread pages unchanged.
    yield pages
    yield dg.Output(
        log,
        output_name="crawl_log",
        metadata={**outcomes, "reused": int(log["reused"].sum()), "bytes": int(log["bytes"].sum())},
    )


def _previous(lake: Lake, slug: str, state_file: Path) -> Previous:
    """Return what the crawl before left; nothing if it was not whole, or pages are read by other rules since then."""
    log, raw = lake.read("crawl_log", slug), lake.read("raw_crawl", slug)
    if log.is_empty() or not state_file.exists():
        return Previous()
    try:
        state = json.loads(state_file.read_text(encoding="utf-8"))
    except json.JSONDecodeError:
        return Previous()
    if state.get("reading") != reading_version() or state.get("of") != content_version(raw):
        return Previous()
    pages = {row["url"]: row for row in raw.iter_rows(named=True)}
    return Previous(
        log={
            row["url"]: row
            for row in log.iter_rows(named=True)
            if row["outcome"] != "hit" or row["url"] in pages
        },
        raw=pages,
        furniture=frozenset(state["furniture"]),
    )
