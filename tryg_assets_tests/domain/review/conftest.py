"""A desk with a small corpus, and scripts that fill in and spoil workbooks as people do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from tryg_assets.clock import fixed_clock
from tryg_assets.contracts import contract
from tryg_assets.domain.coding import coder
from tryg_assets.domain.coding.interface import Page
from tryg_assets.domain.coding.pages import coding_row
from tryg_assets.domain.reference import focus_areas
from tryg_assets.domain.review.desk import Desk
from tryg_assets.domain.review.inbox import Receipt, import_file
from tryg_assets.domain.review.words import review_words
from tryg_assets.ids import content_hash, stable_id
from tryg_assets.state import open_state
from tryg_assets.storage import Lake

NOW = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
SLUG = "albertslund"
AREAS = list(focus_areas())
FORMULA = "=1+1 er ikke en formel, men begyndelsen på en side om tryghed."
TEXTS = {
    "/plan": "# Tryghedsplan\nByrådet har vedtaget en tryghedsplan for bymidten.\nDer er afsat 800.000 kr. til tryghedsvandringer.",
    "/kontakt": "# Kontakt\nDu kan trygt kontakte os på telefon i åbningstiden.",
    "/formel": FORMULA,
    "/plus": "+45 43 68 68 68 er nummeret på den trygge linje.\n-10 er ikke et tal her.\n@kommunen svarer trygt.",
    "/tegn": "Trygge 🚲 cykelstier\u00ad til børn: _x0041_ & <b>fed</b> \"citat\" 'x'.\nTo\tord og et \x07 tegn.",
    "/lang": "\n".join(
        f"Sætning {n} i en lang redegørelse om tryghed i nattelivet og på stationen." for n in range(900)
    ),
    "/vandring": "# Tryghedsvandring\nKommunen og politiet går hvert år en tryghedsvandring i Nordmarken.",
    "/ferie": "# Trygt på ferie\nHusk at låse døren, så er det trygt at rejse.",
}
Fill = Callable[[str, Mapping[str, str]], Mapping[str, object]]


def page_id(path: str, slug: str = SLUG) -> str:
    return stable_id(slug, f"https://{slug}.dk{path}")


def rows(table: str, *values: Mapping[str, Any]) -> pl.DataFrame:
    """Typed rows of a table; what a row leaves out is null where allowed, else a plain value of its type."""
    plain = {"str": "x", "int": 1, "float": 0.5, "bool": False, "date": NOW.date(), "datetime": NOW}
    blank = {c.name: None if c.nullable else plain.get(c.data_type, []) for c in contract(table).columns}
    return contract(table).frame([{**blank, **row} for row in values])


def raw_row(path: str, text: str, slug: str = SLUG) -> dict[str, Any]:
    return {
        "page_id": page_id(path, slug),
        "municipality": slug,
        "url": f"https://{slug}.dk{path}",
        "title": text.split("\n")[0].removeprefix("# ")[:80],
        "text": text,
        "text_sha256": content_hash(text),
        "archive_record": f"{slug}/20261121.warc.gz#{path}",
        "crawled_at": NOW,
    }


def put(lake: Lake, texts: Mapping[str, str], slug: str = SLUG) -> None:
    """Write the pages of one municipality, coded by the engine, and a sample of all of them."""
    raw = [raw_row(path, text, slug) for path, text in texts.items()]
    lake.write("raw_crawl", rows("raw_crawl", *raw), slug)
    engine = coder("offline-rules")
    pages = [
        Page.of(*(row[name] for name in ("page_id", "municipality", "url", "title", "text"))) for row in raw
    ]
    lake.write(
        "page_codings", contract("page_codings").frame([coding_row(page, engine) for page in pages]), slug
    )
    drawn = {"engine": engine.engine, "purpose": "estimate", "stratum": "all", "inclusion_probability": 1.0}
    drawn |= {"stratum_size": len(raw), "stratum_sampled": len(raw)}
    where = [{name: row[name] for name in ("page_id", "municipality", "url")} for row in raw]
    lake.write("review_sample", rows("review_sample", *(row | drawn for row in where)))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    lake = Lake(tmp_path / "lake", "offline-rules")
    put(lake, TEXTS)
    state = open_state(f"sqlite:///{tmp_path / 'state.db'}")
    yield Desk(
        state, lake, tmp_path / "review", "sample", 7, {SLUG: "Albertslund Kommune"}, fixed_clock(NOW), str
    )
    state.dispose()


def headings(sheet: Any) -> dict[str, int]:
    return {cell.value: cell.column for cell in sheet[1] if cell.value}


def answer_sheet(book: Any) -> Any:
    """Return the sheet with the rows to answer."""
    return book.worksheets[1]


def fill(path: Path, said: Fill, target: Path | None = None) -> Path:
    """Play a person: ``said`` gets page_id and the row's cells by column, and returns what to type by column."""
    words = review_words()
    book = openpyxl.load_workbook(path)
    sheet = answer_sheet(book)
    at = headings(sheet)
    for row in range(2, sheet.max_row + 1):
        shown = {name: sheet.cell(row, column).value for name, column in at.items()}
        subject = str(shown[words.columns["row_id"]]).partition("-")[0]
        for column, value in said(subject, shown).items():
            sheet.cell(row, at[words.heading(column)]).value = value
    target = target or path.with_name(f"udfyldt-{path.name}")
    book.save(target)
    book.close()
    return target


def spoil(path: Path, change: Callable[[Any], None], name: str = "aendret.xlsx") -> Path:
    """Change a workbook's answer sheet as a person might."""
    book = openpyxl.load_workbook(path)
    change(answer_sheet(book))
    target = path.with_name(name)
    book.save(target)
    book.close()
    return target


def everything(decision: str = "indsats", area: str = "nej") -> Fill:
    return lambda _page, _row: {"decision": decision, **dict.fromkeys(AREAS, area)}


def import_filled(desk: Desk, path: Path, said: Fill) -> Receipt:
    return import_file(desk, fill(path, said))


def day() -> date:
    return NOW.date()
