"""The review round trip for 500 pages: export and import, beside a plain pandas round trip of the same cells."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import openpyxl
import pandas as pd

from tryg_assets.clock import fixed_clock
from tryg_assets.contracts import contract
from tryg_assets.domain.reference import focus_areas
from tryg_assets.domain.review.desk import Desk
from tryg_assets.domain.review.export import export_coding
from tryg_assets.domain.review.inbox import import_file
from tryg_assets.domain.review.words import review_words
from tryg_assets.ids import content_hash, stable_id
from tryg_assets.state import open_state
from tryg_assets.storage import Lake

PAGES, CHARACTERS = 500, 6_000
NOW = datetime(2026, 11, 21, tzinfo=UTC)
T = TypeVar("T")


def corpus(lake: Lake) -> None:
    """Write pages of one municipality (some 6,000 characters each) and a sample of all of them."""
    plain = {"str": "x", "int": 1, "float": 0.5, "bool": False, "date": NOW.date(), "datetime": NOW}

    def write(table: str, rows: list[dict[str, object]], slug: str | None) -> None:
        blank = {c.name: None if c.nullable else plain.get(c.data_type, []) for c in contract(table).columns}
        lake.write(table, contract(table).frame([{**blank, **row} for row in rows]), slug)

    pages = []
    for number in range(PAGES):
        sentence = f"Byrådet har i sag {number} vedtaget at gøre det tryggere at færdes i bymidten efter mørkets frembrud."
        text = " ".join([sentence] * (CHARACTERS // len(sentence)))
        where = {
            "page_id": stable_id(str(number)),
            "municipality": "aarhus",
            "url": f"https://aarhus.dk/{number}",
        }
        pages.append({**where, "text": text, "text_sha256": content_hash(text), "crawled_at": NOW})
    write("raw_crawl", pages, "aarhus")
    write("review_sample", [{**page, "engine": lake.engine} for page in map(_where, pages)], None)


def _where(page: dict[str, object]) -> dict[str, object]:
    return {name: page[name] for name in ("page_id", "municipality", "url")}


def fill(path: Path) -> None:
    """Answer every page, as a person would in a spreadsheet program."""
    words, book = review_words(), openpyxl.load_workbook(path)
    sheet = book.worksheets[1]
    at = {cell.value: cell.column for cell in sheet[1]}
    for row in range(2, sheet.max_row + 1):
        sheet.cell(row, at[words.columns["decision"]]).value = "indsats"
        for area in focus_areas():
            sheet.cell(row, at[words.heading(area)]).value = "nej"
    book.save(path)


def timed(work: Callable[[], T]) -> tuple[T, float]:
    started = time.perf_counter()
    return work(), time.perf_counter() - started


def report() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        lake = Lake(home / "lake", "offline-rules")
        corpus(lake)
        desk = Desk(
            open_state(f"sqlite:///{home / 'state.db'}"), lake, home / "review", "sample", 1,
            {"aarhus": "Aarhus Kommune"}, fixed_clock(NOW), str,
        )  # fmt: skip
        review_words()
        (path,), export_seconds = timed(lambda: export_coding(desk, ["script"], None, "xlsx"))
        fill(path)
        receipt, import_seconds = timed(lambda: import_file(desk, path))
        assert receipt.taken == PAGES, receipt.text()
        table, read_seconds = timed(lambda: pd.read_excel(path, sheet_name=1))
        _, write_seconds = timed(lambda: table.to_excel(home / "peer.xlsx", engine="openpyxl"))
        desk.state.dispose()
    print(f"\n== review workbook, {PAGES} pages of some {CHARACTERS:,} characters ==")
    print(
        f"export: {export_seconds:.2f} s, {export_seconds / write_seconds:.2f} times pandas' plain to_excel"
    )
    print(
        f"import: {import_seconds:.2f} s, {import_seconds / read_seconds:.2f} times pandas' plain read_excel"
    )


if __name__ == "__main__":
    report()
