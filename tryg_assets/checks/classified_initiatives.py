"""Checks of stage 3."""

from __future__ import annotations

import polars as pl

from tryg_assets.checks._factory import Verdict, contract_check, municipality_check
from tryg_assets.domain.coding.interface import Page
from tryg_assets.storage import Lake


def every_kept_page_coded(lake: Lake, slug: str) -> Verdict:
    """Judge whether the coded pages are exactly the kept pages."""
    kept = lake.read("filtered_pages", slug).filter(pl.col("verdict") == "kept")
    coded = lake.read("page_codings", slug)
    missing = kept.join(coded, on="page_id", how="anti").select("page_id", "url", problem=pl.lit("not coded"))
    extra = coded.join(kept, on="page_id", how="anti").select(
        "page_id", "url", problem=pl.lit("coded but not kept")
    )
    wrong = pl.concat([missing, extra])
    return Verdict(
        wrong.is_empty(), f"{coded.height} of {kept.height} kept pages coded.", tuple(wrong.to_dicts())
    )


def quotes_on_page(lake: Lake, slug: str) -> Verdict:
    """Judge whether the quote of every yes stands in one of its evidence sentences on the page."""
    texts = {row["page_id"]: row for row in lake.read("raw_crawl", slug).iter_rows(named=True)}
    wrong = []
    said_yes = lake.read("page_codings", slug).filter(pl.col("is_initiative") == "yes")
    for row in said_yes.iter_rows(named=True):
        raw = texts.get(row["page_id"])
        page = Page.of(row["page_id"], slug, row["url"], raw["title"], raw["text"]) if raw else None
        if page is None or not page.says(row["quote"], row["evidence_ids"]):
            wrong.append(
                {
                    "page_id": row["page_id"],
                    "url": row["url"],
                    "quote": row["quote"],
                    "sentences": row["evidence_ids"],
                }
            )
    return Verdict(
        not wrong,
        f"{said_yes.height - len(wrong)} of {said_yes.height} quotes found on their page.",
        tuple(wrong),
    )


def pages_exist(lake: Lake, slug: str) -> Verdict:
    """Judge whether every initiative points to pages that are kept and coded yes."""
    yes = set(lake.read("page_codings", slug).filter(pl.col("is_initiative") == "yes")["page_id"])
    initiatives = lake.read("classified_initiatives", slug)
    wrong = [
        {"initiative_id": row["initiative_id"], "name": row["name"], "pages": row["pages"]}
        for row in initiatives.iter_rows(named=True)
        if not row["pages"] or not set(row["pages"]) <= yes or row["evidence_page"] not in row["pages"]
    ]
    return Verdict(not wrong, f"{initiatives.height} initiatives on {len(yes)} pages.", tuple(wrong))


checks = [
    contract_check("page_codings"),
    contract_check("classified_initiatives"),
    contract_check("spend"),
    municipality_check(
        "page_codings",
        "every_kept_page_coded",
        "The engine has coded exactly the pages that the cleaning step kept.",
        "Materialise page_codings of this municipality again; pages read since the last coding are not coded yet.",
        every_kept_page_coded,
    ),
    municipality_check(
        "page_codings",
        "quotes_on_page",
        "The quote behind every yes is found in its evidence sentence on the page.",
        "Compare quote and page. A quote that is not there must never count: the engine's evidence rule has a bug.",
        quotes_on_page,
    ),
    municipality_check(
        "classified_initiatives",
        "pages_exist",
        "Every initiative points to pages that exist and were coded yes.",
        "Materialise classified_initiatives of this municipality again.",
        pages_exist,
    ),
]
