"""Checks of stage 2."""

from __future__ import annotations

import polars as pl

from tryg_assets.checks._factory import Verdict, contract_check, municipality_check
from tryg_assets.storage import Lake


def funnel_adds_up(lake: Lake, slug: str) -> Verdict:
    """Judge whether every hit page is kept or dropped exactly once, and every duplicate points to a kept page."""
    raw, filtered = lake.read("raw_crawl", slug), lake.read("filtered_pages", slug)
    unjudged = raw.join(filtered, on="page_id", how="anti").select(
        "page_id", "url", problem=pl.lit("no verdict")
    )
    unknown = filtered.join(raw, on="page_id", how="anti").select(
        "page_id", "url", problem=pl.lit("not a raw page")
    )
    kept = filtered.filter(pl.col("verdict") == "kept")
    adrift = (
        filtered.filter(pl.col("duplicate_of").is_not_null())
        .filter(~pl.col("duplicate_of").is_in(kept["page_id"].implode()))
        .select("page_id", "url", problem=pl.lit("duplicate of a page that is not kept"))
    )
    wrong = pl.concat([unjudged, unknown, adrift])
    return Verdict(
        wrong.is_empty(),
        f"{raw.height} hits = {kept.height} kept + {filtered.height - kept.height} dropped."
        if wrong.is_empty()
        else f"{wrong.height} pages do not add up.",
        tuple(wrong.to_dicts()),
    )


checks = [
    contract_check("filtered_pages"),
    municipality_check(
        "filtered_pages",
        "funnel_adds_up",
        "Every hit page is kept or dropped once; every duplicate points to a page that is kept.",
        "Materialise raw_crawl and filtered_pages of this municipality together; if it stays red, the cleaning step has a bug.",
        funnel_adds_up,
    ),
]
