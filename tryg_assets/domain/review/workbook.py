"""The workbooks that go out: coding, adjudication and a municipality's reply. Read back by ``workbook_reader``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from tryg_assets.domain.reference import focus_areas
from tryg_assets.domain.review.pages import ReviewPage, plain, sealed
from tryg_assets.domain.review.words import ReviewWords, review_words
from tryg_assets.storage import atomic_path

# The hidden sheet: what the file is, and the lists the answer cells offer (a list in the cell itself may have 255 characters only).
META_SHEET, META_MARK, META_FORMAT = "Lister", "tryg-assets review", 1
_LONGEST_LINK = 2_000
_ANSWERS = {"decision": "decision", "rest": "rest", "reply": "reply"}
_TYPED = ("comment", "missing_name", "missing_link")
_TEXT_WIDTH, _GUIDE_WIDTH = 80, 100  # in characters of the default font, as Excel counts
_LINE, _TALLEST = 15.0, 300.0  # in points; a row may have 409
_WIDTHS = {
    "municipality": 14,
    "title": 26,
    "text": _TEXT_WIDTH,
    "url": 22,
    "archive": 22,
    "decision": 14,
    "rest": 14,
    "comment": 36,
    "row_id": 18,
    "first": 24,
    "second": 24,
    "engine": 34,
    "name": 34,
    "kind": 18,
    "areas": 30,
    "quote": 70,
    "reply": 10,
    "missing_name": 50,
    "missing_link": 60,
}
_AREA_WIDTH = 6
_TALL = ("text", "first", "second", "engine", "quote")
_BLANK_ROWS = 100
_A4 = 9  # as Excel numbers paper


@dataclass(frozen=True, slots=True)
class Origin:
    """What a workbook says about itself: whose it is, of which corpus, and the day of the newest text in it."""

    kind: str
    reviewer: str
    corpus: str
    day: date


@dataclass(frozen=True, slots=True)
class Voices:
    """What was said about a page that is to be adjudicated: two coders, and the engine as a third voice."""

    first: str
    second: str
    engine: str


@dataclass(frozen=True, slots=True)
class Link:
    """A cell that leads somewhere."""

    address: str
    text: str


def write_coding(path: Path, pages: Sequence[ReviewPage], origin: Origin, copies: str) -> None:
    """Write one reviewer's workbook: a row per page in the order given, no engine's answer in it.

    ``copies`` is the name of the file beside it that has the pages as they were read (:func:`copies_html`).
    """
    rows = [_page_cells(page, copies) for page in pages]
    _write_pages(path, origin, "coding", [], rows)


def write_adjudication(
    path: Path, pages: Sequence[ReviewPage], voices: Mapping[str, Voices], origin: Origin, copies: str
) -> None:
    """Write the sheet of disagreements: a row per page with both answers and the engine's beside the text."""
    rows = [
        {
            **_page_cells(page, copies),
            "first": voices[page.page_id].first,
            "second": voices[page.page_id].second,
            "engine": voices[page.page_id].engine,
        }
        for page in pages
    ]
    _write_pages(path, origin, "adjudication", ["first", "second", "engine"], rows)


def write_reply(path: Path, initiatives: Iterable[Mapping[str, Any]], origin: Origin) -> None:
    """Write what was found about one municipality: a row per initiative with its evidence, and room for what is missing."""
    areas = focus_areas()
    rows = [
        {
            "name": plain(row["name"]),
            "kind": row["kind"].replace("_", " "),
            "areas": ", ".join(areas[area].name for area in row["focus_areas"]),
            "quote": plain(row["quote"]),
            "url": Link(row["evidence_url"], row["evidence_url"]),
            "row_id": reply_row_id(row["initiative_id"], row["quote"]),
        }
        for row in initiatives
    ]
    with _workbook(path, origin) as sheets:
        sheets.table("reply", ["name", "kind", "areas", "quote", "url", "reply", "comment", "row_id"], rows)
        sheets.table("missing", ["missing_name", "missing_link", "comment"], [{}] * _BLANK_ROWS)


def reply_row_id(initiative_id: str, quote: str) -> str:
    """Return the id of an initiative's row, which also seals the quote shown."""
    return sealed(initiative_id, "reply", plain(quote))


def _page_cells(page: ReviewPage, copies: str) -> dict[str, str | Link]:
    return {
        "municipality": page.municipality_name,
        "title": page.title,
        "text": page.text,
        "url": Link(page.url, page.url),
        "archive": Link(
            f"external:{copies}#{page.page_id}", f"{page.read_on:%d.%m.%Y}, {page.archive_record}"
        ),
        "row_id": page.row_id,
    }


def _write_pages(
    path: Path, origin: Origin, sheet: str, voices: list[str], rows: list[dict[str, str | Link]]
) -> None:
    with _workbook(path, origin) as sheets:
        answers = ["decision", *focus_areas(), "rest", "comment"]
        shown = ["municipality", "title", "text", *voices]
        sheets.table(sheet, [*shown, *answers, "url", "archive", "row_id"], rows)


@contextmanager
def _workbook(path: Path, origin: Origin) -> Iterator[_Sheets]:
    """Write guide, tables and hidden lists to ``path`` atomically. The same content gives the same bytes."""
    with atomic_path(path) as part:
        book = xlsxwriter.Workbook(str(part))
        book.set_properties({"created": datetime.combine(origin.day, time()), "author": "Tryg Assets"})
        sheets = _Sheets(book, review_words())
        sheets.guide(origin)
        yield sheets
        sheets.lists(origin)
        book.close()


def _height(text: str, width: int) -> float:
    """Return the height of a row that shows ``text``, wrapped at ``width`` characters, in points.

    LibreOffice does not fit the rows of a file it opens, so they must come with their height.
    """
    lines = sum(1 + len(line) // width for line in text.split("\n"))
    return min(_TALLEST, _LINE * max(2, lines))


class _Sheets:
    """The sheets of one workbook, with their formats."""

    def __init__(self, book: Any, words: ReviewWords) -> None:
        self.book, self.words = book, words
        base = {"valign": "top", "font_size": 11}
        self.shown = book.add_format({**base, "text_wrap": True})
        self.small = book.add_format({**base, "font_size": 8, "font_color": "#52616F", "text_wrap": True})
        self.link = book.add_format(
            {**base, "font_color": "#1F5A7D", "underline": True, "text_wrap": True, "font_size": 9}
        )
        self.answer = book.add_format(
            {
                **base,
                "bg_color": "#FFF7DB",
                "border": 1,
                "border_color": "#D9E1E7",
                "locked": False,
                "text_wrap": True,
            }
        )
        head = {"bold": True, "text_wrap": True, "bg_color": "#1F5A7D", "font_color": "#FFFFFF"}
        self.head = book.add_format({**head, "valign": "vcenter"})
        self.head_up = book.add_format({**head, "rotation": 90, "align": "center", "valign": "bottom"})
        self.title = book.add_format({"bold": True, "font_size": 16})
        self.lists_at: dict[str, str] = {}
        column = 2
        for question in words.choices:
            letter, last = xl_col_to_name(column), len(words.labels(question))
            self.lists_at[question] = f"={META_SHEET}!${letter}$1:${letter}${last}"
            column += 1

    def guide(self, origin: Origin) -> None:
        """Write the first sheet: what to do, in the words of the codebook."""
        sheet = self.book.add_worksheet(self.words.sheets["guide"])
        sheet.set_column(0, 0, _GUIDE_WIDTH, self.shown)
        first, *rest = self.words.guide[origin.kind]
        sheet.write_string(0, 0, f"{first} · {origin.reviewer}", self.title)
        for number, paragraph in enumerate(rest, 2):
            sheet.write_string(number, 0, paragraph, self.shown)
            sheet.set_row(number, _height(paragraph, _GUIDE_WIDTH) + _LINE / 2)
        # LibreOffice does not shrink a single column to the paper: upright, the ends of the lines would be cut off.
        sheet.set_paper(_A4)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.protect()

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Mapping[str, str | Link]]) -> None:
        """Write one table with frozen headings, a filter and lists in the answer cells.

        Cells that are not answers are protected, without a password, against a slip of the hand.
        """
        areas = focus_areas()
        sheet = self.book.add_worksheet(self.words.sheets[name])
        sheet.set_row(0, 150 if any(column in areas for column in columns) else 36)
        for place, column in enumerate(columns):
            sheet.set_column(place, place, _WIDTHS.get(column, _AREA_WIDTH))
            sheet.write_string(
                0, place, self.words.heading(column), self.head_up if column in areas else self.head
            )
            if (question := "area" if column in areas else _ANSWERS.get(column)) and rows:
                sheet.data_validation(1, place, len(rows), place, self._offer(question))
        for number, row in enumerate(rows, 1):
            if shown := [(row[column], _WIDTHS[column]) for column in _TALL if column in row]:
                sheet.set_row(number, max(_height(str(text), width) for text, width in shown))
            for place, column in enumerate(columns):
                self._cell(sheet, number, place, column, row)
        sheet.freeze_panes(1, 0)
        if rows:
            sheet.autofilter(0, 0, len(rows), len(columns) - 1)
        allowed = ("autofilter", "format_cells", "format_columns", "format_rows")
        sheet.protect("", dict.fromkeys(allowed, True))
        sheet.set_paper(_A4)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)

    def _offer(self, question: str) -> dict[str, Any]:
        return {
            "validate": "list",
            "source": self.lists_at[question],
            "error_title": "Ukendt svar",
            "error_message": f"Vælg {', '.join(self.words.labels(question))} eller lad cellen stå tom.",
        }

    def _cell(self, sheet: Any, row: int, place: int, column: str, cells: Mapping[str, str | Link]) -> None:
        if column in _ANSWERS or column in _TYPED or column in focus_areas():
            sheet.write_blank(row, place, None, self.answer)
            return
        value = cells[column]
        if isinstance(value, str):
            sheet.write_string(row, place, value, self.small if column == "row_id" else self.shown)
        elif (
            value.address.startswith(("http://", "https://", "external:"))
            and len(value.address) < _LONGEST_LINK
        ):
            sheet.write_url(row, place, value.address, self.link, value.text)
        else:
            sheet.write_string(row, place, value.text, self.link)

    def lists(self, origin: Origin) -> None:
        """Write the hidden sheet: what this file is, and the lists."""
        sheet = self.book.add_worksheet(META_SHEET)
        facts = [
            (META_MARK, str(META_FORMAT)),
            ("kind", origin.kind),
            ("reviewer", origin.reviewer),
            ("corpus", origin.corpus),
            ("day", origin.day.isoformat()),
        ]
        for number, pair in enumerate(facts):
            for place, text in enumerate(pair):
                sheet.write_string(number, place, text)
        for place, question in enumerate(self.words.choices, 2):
            for number, label in enumerate(self.words.labels(question)):
                sheet.write_string(number, place, label)
        sheet.hide()
        self.book.worksheets()[1].activate()
