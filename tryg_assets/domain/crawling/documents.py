"""Documents that are no HTML: PDF by pdfium, Word by python-docx. Both come from strangers and are read within bounds."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from statistics import median_low
from typing import TYPE_CHECKING

import pypdfium2
from pypdfium2 import raw as pdfium

from tryg_assets.domain.crawling.blocks import Block, join_lines, one_line
from tryg_assets.domain.crawling.policy import DocumentLimits

if TYPE_CHECKING:
    # Word documents are rare; reading none should not load lxml.
    from docx.table import Table
    from docx.text.paragraph import Paragraph

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_CREATED = re.compile(r"D:(\d{4})(\d{2})(\d{2})")
_NEW_BLOCK = 0.6  # of the size of letters: more space above a line than this starts a paragraph
_NEW_CELL = 1.5  # of the size of letters: more space inside a line than this parts two cells
_HEADING = 1.15  # of the usual size of letters
# Identifiers of Word's styles, in English and Danish.
_HEADING_STYLE = re.compile(r"heading|overskrift|title|titel|subtitle|undertitel", re.IGNORECASE)
_LIST_STYLE = re.compile(r"list|opstilling|listeafsnit", re.IGNORECASE)


class Unreadable(ValueError):
    """A document that cannot be read; ``outcome`` is its outcome in ``crawl_log``: damaged or encrypted."""

    def __init__(self, outcome: str, detail: str) -> None:
        super().__init__(detail)
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Document:
    """A document's own title, text, date, and what a reader should know (``note``).

    ``scanned``: it has pages, and none of them has a text, only pictures.
    """

    title: str
    blocks: tuple[Block, ...]
    created: date | None = None
    modified: date | None = None
    note: str | None = None
    scanned: bool = False


def is_word(body: bytes) -> bool:
    """Return whether the body is a Word document (``.docx``), whatever its server calls it."""
    return body.startswith(b"PK\x03\x04") and b"word/document.xml" in body


def read_pdf(body: bytes, limits: DocumentLimits) -> Document:
    """Read the text of a PDF page by page, up to a number of pages.

    Raises:
        Unreadable: it is damaged, or needs a password.
    """
    try:
        document = pypdfium2.PdfDocument(io.BytesIO(body))
    except pypdfium2.PdfiumError as problem:
        locked = getattr(problem, "err_code", None) == pdfium.FPDF_ERR_PASSWORD
        raise Unreadable(
            "encrypted" if locked else "damaged", f"the PDF cannot be opened: {problem}"
        ) from problem
    try:
        count = len(document)
        texts: list[str] = []
        pictures = 0
        for number in range(min(count, limits.pages)):
            page = document[number]
            texts.append(_page_text(page.get_textpage()))
            if not texts[-1] and next(page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE]), None):
                pictures += 1
            page.close()
        meta = document.get_metadata_dict()
    except pypdfium2.PdfiumError as problem:
        raise Unreadable("damaged", f"the PDF cannot be read: {problem}") from problem
    finally:
        document.close()
    notes = [f"only the first {limits.pages} of {count} pages were read"] if count > limits.pages else []
    if pictures:
        notes.append(f"{pictures} of {len(texts)} pages are pictures without text")
    return Document(
        meta.get("Title", "").strip(),
        tuple(block for text in texts for block in join_lines(text)),
        created=_created(meta.get("CreationDate", "")),
        note="; ".join(notes) or None,
        scanned=pictures > 0 and not any(texts),
    )


@dataclass(slots=True)
class _Line:
    text: str
    size: float
    bottom: float
    top: float
    cells: list[str]


def _lines(page: pypdfium2.PdfTextPage) -> Iterator[_Line]:
    position = 0
    characters = page.count_chars()
    for raw in page.get_text_range().split("\n"):
        line = raw.strip()
        if line and (start := position + raw.index(line[0])) < characters:
            _, bottom, _, top = page.get_charbox(start, loose=True)
            yield _Line(
                line.replace("\ufffe", "-"),
                top - bottom,
                bottom,
                top,
                _cells(page, start, len(line), top - bottom),
            )
        position += len(raw) + 1


def _cells(page: pypdfium2.PdfTextPage, start: int, length: int, size: float) -> list[str]:
    """Return the texts of a line that wide gaps part, if there are two or more."""
    count = page.count_rects(start, length)
    if count < 2:
        return []
    stretches: list[list[float]] = []
    for left, bottom, right, top in sorted(page.get_rect(number) for number in range(count)):
        if stretches and left - stretches[-1][2] < _NEW_CELL * size:
            last = stretches[-1]
            last[1:] = min(last[1], bottom), max(last[2], right), max(last[3], top)
        else:
            stretches.append([left, bottom, right, top])
    if len(stretches) < 2:
        return []
    return [text for stretch in stretches if (text := one_line(page.get_text_bounded(*stretch)))]


def _page_text(page: pypdfium2.PdfTextPage) -> str:
    """Return the text of a PDF page with a blank line where more space or another size of letters separates two lines.

    A PDF knows lines only. Lines in clearly larger letters than most of the page are headings, marked with ``# ``. Two
    or more lines with gaps below each other are a table: one block a row, cells parted by ``|``.
    """
    lines = list(_lines(page))
    usual = median_low([line.size for line in lines for _ in line.text]) if lines else 0.0
    text = ""
    before: _Line | None = None
    for number, line in enumerate(lines):
        after = lines[number + 1] if number + 1 < len(lines) else None
        if len(line.cells) > 1 and any(near is not None and len(near.cells) > 1 for near in (before, after)):
            text += "\n\n" + " | ".join(line.cells) + "\n"
        else:
            new = (
                before is None
                or abs(before.size - line.size) > 0.1 * line.size
                or before.bottom - line.top > _NEW_BLOCK * line.size
            )
            heading = "# " if line.size > _HEADING * usual else ""
            text += f"\n\n{heading}{line.text}" if new else f" {line.text}" if heading else f"\n{line.text}"
        before = line
    return text


def _created(stated: str) -> date | None:
    match = _CREATED.match(stated)
    try:
        return date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def read_word(body: bytes, limits: DocumentLimits) -> Document:
    """Read a Word document: headings, lists and tables in their order.

    Raises:
        Unreadable: it is damaged, or would unpack to more than the limit.
    """
    import docx
    from docx.opc.exceptions import PackageNotFoundError
    from docx.table import Table
    from lxml.etree import LxmlError

    try:
        with zipfile.ZipFile(io.BytesIO(body)) as parts:
            unpacked = sum(part.file_size for part in parts.infolist())
        if unpacked > limits.unpacked_bytes:
            raise Unreadable(
                "too_large", f"the Word document unpacks to more than {limits.unpacked_bytes} bytes"
            )
        word = docx.Document(io.BytesIO(body))
        blocks: list[Block] = []
        for part in word.iter_inner_content():
            blocks += _rows(part) if isinstance(part, Table) else _paragraph(part)
        known = word.core_properties
        title, modified = known.title, known.modified
    except (zipfile.BadZipFile, PackageNotFoundError, LxmlError, KeyError, ValueError, EOFError) as problem:
        if isinstance(problem, Unreadable):
            raise
        raise Unreadable("damaged", f"the Word document cannot be read: {problem}") from problem
    return Document(title.strip(), tuple(blocks), modified=modified.date() if modified else None)


def _paragraph(paragraph: Paragraph) -> Iterator[Block]:
    text = one_line(paragraph.text)
    if not text:
        return
    style = (paragraph.style.style_id or "") if paragraph.style is not None else ""
    numbered = paragraph._p.pPr is not None and paragraph._p.pPr.numPr is not None
    heading = _HEADING_STYLE.match(style)
    yield Block(text, "# " if heading else "- " if numbered or _LIST_STYLE.match(style) else "")


def _rows(table: Table) -> Iterator[Block]:
    for row in table.rows:
        # A cell that spans several columns is listed once for each.
        cells = {cell._tc: one_line(cell.text) for cell in row.cells}
        if text := " | ".join(cell for cell in cells.values() if cell):
            yield Block(text)
