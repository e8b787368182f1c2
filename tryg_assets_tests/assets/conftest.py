"""One municipality's lake, made by the real domain functions, so that a test can break exactly one thing in it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tryg_assets.contracts import contract
from tryg_assets.domain.actors.entities import actor_rows
from tryg_assets.domain.coding import coder
from tryg_assets.domain.coding.initiatives import resolve
from tryg_assets.domain.coding.pages import code_pages, kept_pages
from tryg_assets.domain.filtering.rules import cleaning_rules
from tryg_assets.domain.filtering.verdicts import filter_pages
from tryg_assets.ids import content_hash, stable_id
from tryg_assets.storage import Lake

SLUG = "albertslund"
NOW = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
TEXTS = {
    "/plan": "# Tryghedsplan for bymidten\nByrådet har vedtaget en tryghedsplan for bymidten.\n"
    "Planen gennemføres sammen med Københavns Vestegns Politi og Natteravnene.\n"
    "Der er afsat 800.000 kr. til tryghedsvandringer og bedre lys.",
    "/kontakt": "# Kontakt\nDu kan trygt kontakte os på telefon i åbningstiden, hvis du har spørgsmål til din sag.",
    "/sundhed": "# Mål dit blodtryk\nFå målt dit blodtryk på sundhedscenteret hver mandag fra klokken 9 til 11.",
}


def raw_row(path: str, text: str) -> dict[str, Any]:
    url = f"https://albertslund.dk{path}"
    return {
        "page_id": stable_id(SLUG, url),
        "municipality": SLUG,
        "url": url,
        "final_url": url,
        "canonical": None,
        "title": text.split("\n")[0].removeprefix("# "),
        "text": text,
        "published_date": date(2024, 3, 1),
        "updated_date": None,
        "date_source": "meta",
        "language": "da",
        "kind": "html",
        "status": 200,
        "word_forms": [{"form": "tryg", "count": 1}],
        "hits": 1,
        "text_sha256": content_hash(text),
        "archive_record": "albertslund/x.warc.gz#1",
        "crawled_at": NOW,
    }


def log_row(path: str, outcome: str) -> dict[str, Any]:
    url = f"https://albertslund.dk{path}"
    blank = dict.fromkeys(contract("crawl_log").schema)
    known = {"municipality": SLUG, "url": url, "outcome": outcome, "reused": False, "bytes": 10, "depth": 1}
    return {**blank, **known, "fetched_at": NOW}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A sound lake of one municipality: three hits, two kept, one initiative with actors."""
    lake = Lake(tmp_path, "offline-rules")
    raw = contract("raw_crawl").frame([raw_row(path, text) for path, text in TEXTS.items()])
    log = contract("crawl_log").frame([log_row(path, "hit") for path in TEXTS])
    filtered = contract("filtered_pages").frame(filter_pages(raw.to_dicts(), cleaning_rules()))
    pages = kept_pages(raw, filtered)
    engine = coder("offline-rules")
    codings = contract("page_codings").frame(code_pages(pages, engine))
    by_id = {row["page_id"]: row for row in raw.to_dicts()}
    initiatives = contract("classified_initiatives").frame(resolve(codings.to_dicts(), by_id, [], NOW.date()))
    mentions, entities = actor_rows(
        initiatives.to_dicts(), {page.page_id: page for page in pages}, engine, SLUG
    )
    for table, rows in (
        ("crawl_log", log),
        ("raw_crawl", raw),
        ("filtered_pages", filtered),
        ("page_codings", codings),
        ("classified_initiatives", initiatives),
        ("actor_mentions", contract("actor_mentions").frame(mentions)),
        ("actor_entities", contract("actor_entities").frame(entities)),
    ):
        lake.write(table, rows, SLUG)
    return lake


def change(lake: Lake, table: str, *columns: pl.Expr, only: pl.Expr | None = None) -> None:
    """Write ``table`` again with changed columns, or only the rows that ``only`` lets through."""
    rows = lake.read(table, SLUG)
    lake.write(table, (rows if only is None else rows.filter(only)).with_columns(*columns), SLUG)
