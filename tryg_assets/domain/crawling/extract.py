"""From bytes to the page's own text: blocks, title, links, dates, language; HTML, PDF and plain text."""

from __future__ import annotations

import functools
import io
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from statistics import median_low
from typing import Any

import pypdfium2
from selectolax.lexbor import LexborHTMLParser, LexborNode

from tryg_assets.domain.crawling.content import judge_of, own_blocks
from tryg_assets.domain.crawling.dates import Dates, dated_lines, find_dates, marked_dates, written_dates
from tryg_assets.domain.crawling.fetch import decode
from tryg_assets.domain.crawling.markup import Reading, read_markup
from tryg_assets.domain.crawling.policy import CrawlPolicy

_SPACE = re.compile(r"[\s\u00a0]+")
_WORD = re.compile(r"\w+")
# "børne-" at the end of a line keeps its hyphen before "og ungeudvalget".
_SHARED_PART = re.compile(r"(og|eller|samt)\b")


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of running text. ``prefix`` is ``'# '`` for a heading, ``'- '`` for a list item, else empty."""

    text: str
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Extracted:
    """What was read off one page or document."""

    title: str
    blocks: tuple[Block, ...]
    links: tuple[tuple[str, str], ...] = ()
    base: str | None = None
    canonical: str | None = None
    dates: Dates = field(default_factory=Dates)
    kind: str = "html"

    def text(self, without: frozenset[str] = frozenset()) -> str:
        """Return the text, one block a line, leaving out blocks whose text is in ``without``."""
        return "\n".join(block.prefix + block.text for block in self.blocks if block.text not in without)


def extract(body: bytes, content_type_header: str, url: str, policy: CrawlPolicy) -> Extracted | None:
    """Read a body; ``None`` if its media type has no text for us.

    Raises:
        ValueError: a PDF cannot be opened.
    """
    media = content_type_header.partition(";")[0].strip().lower()
    if body.startswith(b"%PDF-") or media == "application/pdf":
        return _read_pdf(body, url)
    if media in ("", "text/html", "application/xhtml+xml"):
        return read_html(decode(body, content_type_header), url, policy)
    if media == "text/plain":
        return read_text(decode(body, content_type_header), url)
    return None


def read_text(text: str, url: str) -> Extracted:
    """Read plain text: paragraphs are separated by blank lines, the first line is the title."""
    joined = _join_lines(re.sub(r"\f", "\n\n", text))
    return Extracted(
        joined[0].text[:200] if joined else url,
        tuple(joined),
        dates=find_dates([b.text for b in joined], url),
        kind="text",
    )


def _join_lines(text: str) -> list[Block]:
    """Join hard-wrapped lines into paragraphs; a list mark or a blank line starts a new one."""
    blocks: list[Block] = []
    lines: list[str] = []
    prefix = ""

    def close() -> None:
        words = _SPACE.sub(" ", " ".join(lines)).strip()
        if words:
            blocks.append(Block(words, prefix))
        lines.clear()

    for raw in text.splitlines():
        line = raw.strip()
        mark = re.match(r"(?:[-•*–]|\d{1,2}[.)])\s+", line)
        heading = re.match(r"#{1,6}\s+", line)
        if not line or mark or heading:
            close()
            prefix = ""
        if heading:
            blocks.append(Block(_SPACE.sub(" ", line[heading.end() :]), "# "))
            continue
        if mark:
            prefix, line = "- ", line[mark.end() :]
        if line:
            if lines and lines[-1].endswith("-") and line[:1].islower() and not _SHARED_PART.match(line):
                lines[-1] = lines[-1][:-1]
                lines[-1] += line
            else:
                lines.append(line)
    close()
    return blocks


def _read_pdf(body: bytes, url: str) -> Extracted:
    try:
        document = pypdfium2.PdfDocument(io.BytesIO(body))
    except pypdfium2.PdfiumError as problem:
        raise ValueError(f"the PDF cannot be opened: {problem}") from problem
    try:
        pages = [_pdf_page_text(page.get_textpage()) for page in document]
        meta = document.get_metadata_dict()
    except pypdfium2.PdfiumError as problem:
        raise ValueError(f"the PDF cannot be read: {problem}") from problem
    finally:
        document.close()
    blocks = [block for page in pages for block in _join_lines(page)]
    title = meta.get("Title", "").strip() or (blocks[0].text[:200] if blocks else url)
    dates = find_dates([block.text for block in blocks], url)
    if dates.source is None and (created := _created(meta.get("CreationDate", ""))):
        dates = Dates(published=created, source="pdf")
    return Extracted(title, tuple(blocks), dates=dates, kind="pdf")


def _pdf_page_text(page: pypdfium2.PdfTextPage) -> str:
    """Return the text of a PDF page with a blank line where more space or another size of letters separates two lines.

    A PDF knows lines only. Lines in clearly larger letters than most of the page are headings, marked with ``# ``.
    """
    lines: list[tuple[str, float, float, float]] = []
    position = 0
    for raw in page.get_text_range().split("\n"):
        line = raw.strip()
        if line and (start := position + raw.index(line[0])) < page.count_chars():
            _, bottom, _, top = page.get_charbox(start, loose=True)
            lines.append((line.replace("\ufffe", "-"), top - bottom, bottom, top))
        position += len(raw) + 1
    usual = median_low([size for line, size, _, _ in lines for _ in line]) if lines else 0.0
    text = ""
    before: tuple[float, float] | None = None
    for line, size, bottom, top in lines:
        new = before is None or abs(before[0] - size) > 0.1 * size or before[1] - top > 0.6 * size
        heading = "# " if size > 1.15 * usual else ""
        text += f"\n\n{heading}{line}" if new else f" {line}" if heading else f"\n{line}"
        before = size, bottom
    return text


def _created(stated: str) -> date | None:
    match = re.match(r"D:(\d{4})(\d{2})(\d{2})", stated)
    try:
        return date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def read_html(html: str, url: str, policy: CrawlPolicy) -> Extracted:
    """Read an HTML page: its main part in blocks, without what its markup says is furniture."""
    tree = LexborHTMLParser(html.replace("\x00", ""))
    if tree.body is None:
        return Extracted(url, ())
    links: list[tuple[str, str]] = []
    first: dict[str, LexborNode] = {}
    for node in tree.css('a[href],h1,title,base[href],link[rel="canonical"]'):
        if node.tag == "a":
            links.append((node.attrs.get("href") or "", node.text(deep=True).strip()))
        elif node.tag not in first:
            first[node.tag or ""] = node
    title = _title(first) or url
    base, canonical = (first[tag].attrs.get("href") if tag in first else None for tag in ("base", "link"))
    dates = marked_dates(tree)
    lines = [] if dates.source else dated_lines(tree)
    reading = read_markup(tree, judge_of(policy.furniture))
    own = own_blocks(reading, policy.furniture)
    blocks = tuple(Block(reading.texts[number], reading.prefixes[number]) for number in own)
    if not dates.source:
        dates = written_dates(reading.texts, f"{url} {canonical or ''}", [*lines, *_near_headline(reading, own)])
    if blocks and blocks[0].prefix == "# " and title == url:
        title = blocks[0].text
    return Extracted(
        title,
        blocks,
        tuple(links),
        base=base,
        canonical=canonical,
        dates=dates,
    )


def _near_headline(reading: Reading, own: list[int]) -> list[str]:
    """Return the lines around the headline, or around where the page's own text begins, where a byline stands."""
    places = [place for place in (reading.headline, own[0] if own else -1) if place >= 0]
    near = (number for place in places for number in range(max(0, place - 2), min(len(reading.texts), place + 5)))
    return [reading.texts[number] for number in dict.fromkeys(near) if reading.prefixes[number] != "- "]


def _title(first: dict[str, LexborNode]) -> str:
    for tag in ("h1", "title"):
        if tag in first and (text := " ".join(first[tag].text(deep=True).split())):
            return text
    return ""


def site_furniture(pages: Iterable[Extracted], policy: CrawlPolicy, *, unchanged: int = 0) -> frozenset[str]:
    """Return the blocks that repeat across a site's HTML pages: menus, banners and contact texts without markup.

    ``unchanged`` pages were not read again; they count in the share, so that a few changed pages make no furniture.
    """
    html = [page for page in pages if page.kind == "html"]
    counts = Counter(text for page in html for text in {block.text for block in page.blocks})
    least = max(
        policy.furniture.repeats_on_pages, policy.furniture.repeats_on_share * (len(html) + unchanged)
    )
    return frozenset(text for text, count in counts.items() if count >= least)


@functools.cache
def _stem_pattern(stems: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"\w*(?:{'|'.join(stems)})\w*(?:-\w+)*", re.IGNORECASE)


def word_forms(text: str, policy: CrawlPolicy) -> dict[str, int]:
    """Return each word of ``text`` that has a stem, in lower case, with its count; most frequent first."""
    joined = text.replace("\u00ad", "")
    counts = Counter(match.group().lower() for match in _stem_pattern(policy.stems).finditer(joined))
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def language_of(text: str, policy: CrawlPolicy) -> str:
    """Return the ISO 639-1 code of the language of ``text``, among those the policy knows."""
    return str(_identifier(policy.languages).classify(text[:4000])[0])


@functools.cache
def _identifier(languages: tuple[str, ...]) -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages(list(languages))
    return identifier
