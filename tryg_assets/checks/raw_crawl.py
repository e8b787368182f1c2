"""Checks of stage 1."""

from __future__ import annotations

import polars as pl

from tryg_assets.checks._factory import Verdict, contract_check, municipality_check
from tryg_assets.storage import Lake

_MOST_ERRORS = 0.10


def crawl_health(lake: Lake, slug: str) -> Verdict:
    """Judge how many requests ended in an error."""
    log = lake.read("crawl_log", slug)
    bad = log.filter(pl.col("outcome").is_in(["error", "too_large", "limit", "left_alone"]))
    share = bad.height / max(1, log.height)
    return Verdict(
        share <= _MOST_ERRORS,
        f"{bad.height} of {log.height} requests ended in an error.",
        tuple(bad.select("url", "status", "outcome", "detail", "found_on").to_dicts()),
        warn_only=True,
    )


def has_safety_pages(lake: Lake, slug: str) -> Verdict:
    """Judge whether the municipality has any page with the stem; none is a result, but worth a look."""
    hits, tried = lake.read("raw_crawl", slug).height, lake.read("crawl_log", slug).height
    return Verdict(hits > 0, f"{hits} pages with the stem among {tried} addresses tried.", warn_only=True)


checks = [
    contract_check("crawl_log"),
    contract_check("raw_crawl"),
    municipality_check(
        "crawl_log",
        "crawl_health",
        "At most a tenth of the requests end in an error.",
        "Open some of the addresses in a browser. Broken links are the site's own; if they work there, look at status and detail.",
        crawl_health,
        blocking=False,
    ),
    municipality_check(
        "raw_crawl",
        "has_safety_pages",
        "The website has at least one page with the word stem. None is a valid result that someone should have looked at.",
        "Search the website for 'tryghed'. If it has such pages, look in crawl_log for why they were not read.",
        has_safety_pages,
        blocking=False,
    ),
]
