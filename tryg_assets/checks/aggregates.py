"""Checks of stage 6: do the national numbers add up, and is anyone missing?"""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from tryg_assets.assets.aggregates import MARTS
from tryg_assets.checks._factory import Verdict, contract_check, country_check
from tryg_assets.clock import Clock, system_clock
from tryg_assets.domain.reliability.gate import Gate
from tryg_assets.storage import Lake


def funnel_adds_up(lake: Lake) -> Verdict:
    """Judge whether hits equal kept plus dropped in the whole country."""
    numbers = dict(lake.read("funnel").select("stage", "n").iter_rows())
    dropped = int(lake.read("funnel_drops")["n"].sum())
    passed = numbers["raw_crawl"] == numbers["filtered_pages"] + dropped
    return Verdict(
        passed, f"{numbers['raw_crawl']} hits, {numbers['filtered_pages']} kept, {dropped} dropped."
    )


def coverage(lake: Lake) -> Verdict:
    """Judge whether enough of the websites have been read."""
    overview = lake.read("municipality_overview")
    missing = overview.filter(pl.col("status") == "ikke læst")
    read = overview.height - missing.height
    return Verdict(
        read >= Gate.load().least_share_of_sites * overview.height,
        f"{read} of {overview.height} websites read.",
        tuple(missing.select("municipality", "name", "status").to_dicts()),
    )


def none_is_stale(lake: Lake, clock: Clock = system_clock) -> Verdict:
    """Judge whether every website that was ever read has been asked again lately."""
    overview = lake.read("municipality_overview")
    since = (clock() - overview["last_crawl"]).alias("since")
    stale = overview.select("municipality", "name", "status", "last_crawl", since).filter(
        pl.col("since") > _STALE_AFTER
    )
    return Verdict(
        stale.is_empty(),
        f"{stale.height} of {overview.height} websites were last asked more than {_STALE_AFTER.days} days ago.",
        tuple(stale.sort("last_crawl").drop("since").to_dicts()),
        warn_only=True,
    )


def corrected_counts_are_the_published(lake: Lake) -> Verdict:
    """Judge whether the machine's counts that were corrected are those the marts publish."""
    text = {
        "about": pl.String,
        "item": pl.String,
        "type": pl.String,
        "unit": pl.String,
        "published": pl.Int64,
    }
    published: list[tuple[str, str, str, str, int]] = []
    for row in lake.read("funnel").filter(pl.col("stage") == "classified_initiatives").iter_rows(named=True):
        published.append(("alle", "alle", "alle", "indsatser", row["n"]))
    for row in lake.read("focus_area_coverage").iter_rows(named=True):
        published.append(("focus_area", row["focus_area"], "alle", "kommuner", row["municipalities"]))
    for row in lake.read("focus_area_by_type").iter_rows(named=True):
        published.append(("focus_area", row["focus_area"], row["type"], "kommuner", row["municipalities"]))
    for row in lake.read("top_actors").iter_rows(named=True):
        published.append(("actor", row["subcategory"], "alle", "indsatser", row["initiatives"]))
    key = ["about", "item", "type", "unit"]
    marts = pl.DataFrame(published, schema=text, orient="row")
    both = marts.join(lake.read("corrected_estimates").select(*key, "machine"), on=key, how="left")
    wrong = both.filter(pl.col("machine").ne_missing(pl.col("published")))
    summary = f"{both.height - wrong.height} of {both.height} published counts are those that were corrected."
    return Verdict(wrong.is_empty(), summary, tuple(wrong.to_dicts()))


# The nightly schedule reaches every website within a week; a day more is a night that failed.
_STALE_AFTER = timedelta(days=8)

checks = [
    *(contract_check(name) for name in MARTS),
    country_check(
        "funnel",
        "funnel_adds_up",
        "In the whole country, pages with the stem equal kept plus dropped pages.",
        "Find the municipality whose own funnel check is red and materialise it again.",
        funnel_adds_up,
    ),
    country_check(
        "focus_area_coverage",
        "corrected_counts_are_the_published",
        "The machine's counts in corrected_estimates are the counts the marts publish, so that a correction stands beside the number it corrects.",
        "Materialise corrected_estimates and the warehouse again, in one run of publish_report. If it stays red, the marts and domain/reliability/corrected.py count differently.",
        corrected_counts_are_the_published,
    ),
    country_check(
        "municipality_overview",
        "coverage",
        "At least 95 of 98 websites have been read. Red closes publication.",
        "Materialise the municipalities in the table; read the failed run of each for the reason.",
        coverage,
        blocking=False,
    ),
    country_check(
        "municipality_overview",
        "none_is_stale",
        "Every website that was ever read was asked again within 8 days. Red only warns.",
        "Read the failed runs of the municipalities in the table; see that the daemon runs and the schedule nightly_refresh is on.",
        none_is_stale,
        blocking=False,
    ),
]
