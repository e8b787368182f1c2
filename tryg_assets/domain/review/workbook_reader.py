"""Reading a workbook that somebody sent: nothing in it is believed, nothing in it is run.

The zip directory is judged before anything is unpacked; macros are refused, links to other files are not followed.
"""

from __future__ import annotations

import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tryg_assets.domain.review.workbook import META_FORMAT, META_MARK
from tryg_assets.errors import DataFileError

_MOST_BYTES = 30_000_000
_MOST_UNPACKED = 150_000_000
_MOST_RATIO = 200  # of one part; text in a workbook packs some 5 to 20 times, a bomb a thousand times
_SMALL = 1_000_000
_MOST_PARTS = 1_000
_MOST_ROWS = 20_000
_MOST_COLUMNS = 60
_MOST_SHEETS = 20
_LAST_ROW = 1_048_576  # of any workbook; a row said to stand further down would be walked to
_HEADER_WITHIN = 10
_ASK_AGAIN = "Send den fil, der er hentet fra Tryg Assets, gemt som .xlsx."
_DAMAGED = (
    OSError, EOFError, ValueError, KeyError, TypeError, IndexError, AttributeError, SyntaxError, NotImplementedError,
    RuntimeError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
_DTD = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell, and where (``K14``). ``formula`` says that it is computed, whatever it shows."""

    place: str
    text: str
    formula: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet with headings: ``rows`` hold the cells that are not empty, by heading."""

    sheet: str
    headings: Mapping[str, str]
    rows: tuple[tuple[int, Mapping[str, Cell]], ...]


@dataclass(frozen=True, slots=True)
class Workbook:
    """A workbook of ours as it came back: what it says about itself, and its tables."""

    kind: str
    reviewer: str
    corpus: str
    tables: tuple[Table, ...]


def read_workbook(path: Path, headings: frozenset[str]) -> Workbook:
    """Read a workbook defensively; a table begins with a row that has one of ``headings``.

    Raises:
        DataFileError: it is no workbook of ours, too large, has macros, or is damaged. Nothing of it was used.
    """
    _judge_package(path)
    import openpyxl

    try:
        with warnings.catch_warnings():
            # openpyxl warns of parts of a file that it passes over, which are not ours.
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(path, read_only=True, keep_links=False)
            try:
                if len(book.worksheets) > _MOST_SHEETS:
                    raise ValueError(f"den har mere end {_MOST_SHEETS} ark")
                grids = {sheet.title: list(_grid(sheet)) for sheet in book.worksheets}
            finally:
                book.close()
    except _DAMAGED as problem:
        raise DataFileError(path, "filen", f"den kan ikke læses ({problem})", _ASK_AGAIN) from None
    facts = _facts(path, grids)
    tables = tuple(table for name, grid in grids.items() if (table := _table(name, grid, headings)))
    return Workbook(facts["kind"], facts["reviewer"], facts["corpus"], tables)


def _judge_package(path: Path) -> None:
    """Refuse what is no workbook, too large when unpacked, or has macros, before anything is unpacked."""

    def refuse(problem: str, remedy: str = _ASK_AGAIN) -> DataFileError:
        return DataFileError(path, "filen", problem, remedy)

    try:
        if path.stat().st_size > _MOST_BYTES:
            raise refuse("den er større end noget ark herfra")
        with zipfile.ZipFile(path) as package:
            parts = package.infolist()
            names = {part.filename.lower() for part in parts}
            unpacked = sum(part.file_size for part in parts)
            packed_hard = any(
                part.file_size > _SMALL and part.file_size > _MOST_RATIO * max(1, part.compress_size)
                for part in parts
            )
            if len(parts) > _MOST_PARTS or unpacked > _MOST_UNPACKED or packed_hard:
                raise refuse("den fylder for meget, når den pakkes ud (en zip-bombe?)")
            if any(part.flag_bits & 1 for part in parts):
                raise refuse("den er låst med en adgangskode", "Gem den uden adgangskode, og send den igen.")
            if "xl/workbook.xml" not in names:
                raise refuse("den er ikke et Excel-ark (.xlsx)")
            if any(name.endswith(("vbaproject.bin", ".xlam", "vbadata.xml")) for name in names) or (
                b"macroenabled" in _part(package, "[Content_Types].xml").lower()
            ):
                raise refuse("den har makroer", "Gem den som .xlsx uden makroer, og send den igen.")
            for part in parts:
                # Excel and LibreOffice write no DTD; with one, a few bytes can unfold to gigabytes.
                if part.filename.lower().endswith((".xml", ".rels")) and _has_dtd(package, part):
                    raise refuse(f"delen {part.filename} har en DTD")
    except _DAMAGED as problem:
        raise refuse(f"den er ikke et helt Excel-ark ({problem})") from None


def _part(package: zipfile.ZipFile, name: str) -> bytes:
    return package.read(name) if name in package.namelist() else b""


def _has_dtd(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    """Whether a part has a DTD, or an encoding in which one would be missed."""
    data = package.read(part)
    return b"\x00" in data or _DTD.search(data) is not None


def _grid(sheet: Any) -> Iterator[tuple[int, list[Cell]]]:
    sheet.reset_dimensions()
    for number, row in enumerate(sheet.iter_rows(max_row=_LAST_ROW, max_col=_MOST_COLUMNS), 1):
        cells = [
            Cell(cell.coordinate, text, cell.data_type == "f")
            for cell in row
            if cell.value is not None and (text := str(cell.value).strip())
        ]
        if cells and number > _MOST_ROWS:
            raise ValueError(f"arket har mere end {_MOST_ROWS} rækker")
        if cells:
            yield number, cells


def column_letters(place: str) -> str:
    """Return ``K`` for ``K14``."""
    return place.rstrip("0123456789")


def _facts(path: Path, grids: Mapping[str, list[tuple[int, list[Cell]]]]) -> dict[str, str]:
    for grid in grids.values():
        pairs = {cells[0].text: cells[1].text for _, cells in grid if len(cells) > 1}
        if META_MARK in pairs:
            if pairs[META_MARK] != str(META_FORMAT):
                raise DataFileError(
                    path,
                    "filen",
                    f"dens format er {pairs[META_MARK]}, ikke {META_FORMAT}",
                    "Hent et nyt ark.",
                )
            if {"kind", "reviewer", "corpus"} <= pairs.keys():
                return pairs
    raise DataFileError(
        path, "filen", "den er ikke et ark fra Tryg Assets (det skjulte ark mangler)", _ASK_AGAIN
    )


def _table(sheet: str, grid: list[tuple[int, list[Cell]]], headings: frozenset[str]) -> Table | None:
    for index, (number, cells) in enumerate(grid):
        if number > _HEADER_WITHIN:
            return None
        found = {column_letters(cell.place): " ".join(cell.text.split()) for cell in cells}
        if not headings & set(found.values()):
            continue
        if doubles := {name for name in found.values() if name and list(found.values()).count(name) > 1}:
            found = {letters: name for letters, name in found.items() if name not in doubles}
        rows = tuple(
            (
                row,
                {
                    found[letters]: cell
                    for cell in entries
                    if (letters := column_letters(cell.place)) in found
                },
            )
            for row, entries in grid[index + 1 :]
        )
        return Table(sheet, {name: letters for letters, name in found.items()}, rows)
    return None
