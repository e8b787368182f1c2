"""Checks of stage 6: do the national numbers add up, and is anyone missing?"""

from __future__ import annotations

import polars as pl

from tryg_assets.assets.aggregates import MARTS
from tryg_assets.checks._factory import Verdict, contract_check, country_check
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
        "municipality_overview",
        "coverage",
        "At least 95 of 98 websites have been read. Red closes publication.",
        "Materialise the municipalities in the table; read the failed run of each for the reason.",
        coverage,
        blocking=False,
    ),
]
