"""From the kept pages of a municipality to rows of ``page_codings``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

import polars as pl

from tryg_assets.domain.coding.interface import Coder, Page, verify
from tryg_assets.storage import Lake


def kept_pages(raw: pl.DataFrame, filtered: pl.DataFrame) -> list[Page]:
    """Return the pages that the cleaning step kept, sorted by id, with numbered sentences."""
    kept = raw.join(filtered.filter(pl.col("verdict") == "kept").select("page_id"), on="page_id").sort(
        "page_id"
    )
    return [
        Page.of(row["page_id"], row["municipality"], row["url"], row["title"], row["text"])
        for row in kept.iter_rows(named=True)
    ]


def all_kept_pages(lake: Lake, slugs: Iterable[str]) -> Iterator[Page]:
    """Yield the kept pages of these municipalities as they were last read, one municipality in memory at a time."""
    for slug in slugs:
        yield from kept_pages(lake.read("raw_crawl", slug), lake.read("filtered_pages", slug))


def code_pages(pages: Sequence[Page], engine: Coder) -> list[dict[str, Any]]:
    """Code each page and apply the evidence rule; returns rows of ``page_codings``."""
    engine.prepare(pages)
    return [coding_row(page, engine) for page in pages]


def coding_row(page: Page, engine: Coder) -> dict[str, Any]:
    """Code one page and apply the evidence rule; returns a row of ``page_codings``."""
    checked = verify(page, engine.code(page))
    coding = checked.coding
    return {
        "page_id": page.page_id,
        "municipality": page.municipality,
        "url": page.url,
        "engine": engine.engine,
        "is_initiative": coding.is_initiative,
        "criterion": coding.criterion,
        "confidence": coding.confidence,
        "confident": coding.confident,
        "evidence_ids": list(coding.evidence_ids),
        "quote": coding.quote,
        "quote_verified": checked.quote_verified,
        "rationale": coding.rationale,
        "focus_areas": list(coding.focus_areas),
        "themes": list(coding.themes),
        "initiatives": [
            {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(entry).items()}
            for entry in coding.initiatives
        ],
        "problem": coding.problem,
        "cut": coding.cut,
        "codebook_hash": engine.codebook_hash,
        "prompt_hash": coding.prompt_hash,
        "input_tokens": coding.input_tokens,
        "output_tokens": coding.output_tokens,
        "cache_read_tokens": coding.cache_read_tokens,
        "cache_write_tokens": coding.cache_write_tokens,
        "cost_usd": coding.cost_usd,
    }
