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

from tryg_assets.domain.crawling.dates import Dates, find_dates
from tryg_assets.domain.crawling.fetch import decode
from tryg_assets.domain.crawling.furniture import RepeatedBlocks
from tryg_assets.domain.crawling.policy import CrawlPolicy, Furniture

_HEADINGS = {f"h{level}" for level in range(1, 7)}
_BLOCKS = _HEADINGS | {
    *(
        "p",
        "li",
        "td",
        "th",
        "dt",
        "dd",
        "div",
        "section",
        "article",
        "main",
        "ul",
        "ol",
        "dl",
        "table",
        "tbody",
        "thead",
    ),
    *(
        "tr",
        "blockquote",
        "pre",
        "figcaption",
        "figure",
        "address",
        "br",
        "hr",
        "body",
        "details",
        "summary",
        "center",
    ),
}
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
    body = tree.body
    if body is None:
        return Extracted(url, ())
    links = tuple(
        (node.attrs.get("href") or "", node.text(deep=True).strip()) for node in tree.css("a[href]")
    )
    canonical = tree.css_first('link[rel="canonical"]')
    title = _title(tree) or url
    dates = find_dates((block.text for block in _blocks(body, None)), url, tree)
    rules = policy.furniture
    remove = [*rules.tags, *(f'[role="{role}"]' for role in rules.roles), "[hidden]", '[aria-hidden="true"]']
    main = next((node for selector in policy.main_selectors if (node := tree.css_first(selector))), body)
    # Backwards, so that what stands inside something else goes before it and no freed node is looked at.
    for node in reversed(main.css(",".join(remove))):
        # A heading inside <header> of an article is the page's own; some systems put the whole page into one <form>.
        if node.mem_id == main.mem_id or (node.tag in ("header", "form") and node.css_first("h1")):
            continue
        node.decompose()
    for node in reversed(main.css("[class],[id]")):
        names = f"{node.attrs.get('class') or ''} {node.attrs.get('id') or ''}".lower()
        if node.mem_id != main.mem_id and any(word in names for word in rules.words):
            node.decompose()
    blocks = tuple(_blocks(main, rules))
    if blocks and blocks[0].prefix == "# " and title == url:
        title = blocks[0].text
    base = tree.css_first("base[href]")
    return Extracted(
        title,
        blocks,
        links,
        base=base.attrs.get("href") if base else None,
        canonical=canonical.attrs.get("href") if canonical else None,
        dates=dates,
    )


def _title(tree: LexborHTMLParser) -> str:
    heading = tree.css_first("h1")
    if heading is not None and (text := _SPACE.sub(" ", heading.text(deep=True)).strip()):
        return text
    node = tree.css_first("title")
    return _SPACE.sub(" ", node.text()).strip() if node is not None else ""


def _blocks(root: LexborNode, rules: Furniture | None) -> Iterable[Block]:
    """Walk the tree without recursion (pages may nest a thousand levels deep) and yield its text blocks."""
    parts: list[str] = []
    linked = 0
    kind: list[str] = []
    in_link = 0

    def flush() -> Block | None:
        nonlocal linked
        text = _SPACE.sub(" ", "".join(parts)).strip()
        share = linked / max(1, len(text))
        parts.clear()
        linked = 0
        if not text or not _WORD.search(text):
            return None
        if (
            rules is not None
            and share >= rules.link_share
            and not (len(text.split()) > rules.link_block_words and text[-1] in ".!?")
        ):
            return None
        tag = kind[-1] if kind else ""
        return Block(text, "# " if tag in _HEADINGS else "- " if tag == "li" else "")

    node: LexborNode | None = root
    while node is not None:
        tag = node.tag or ""
        if tag == "-text":
            text = node.text_content or ""
            parts.append(text)
            if in_link:
                linked += len(_SPACE.sub(" ", text).strip())
        elif tag in _BLOCKS:
            if block := flush():
                yield block
            kind.append(tag)
        elif tag == "a":
            in_link += 1
        child = node.child if tag not in ("script", "style", "noscript", "template") else None
        if child is not None:
            node = child
            continue
        while node is not None:
            tag = node.tag or ""
            if tag in _BLOCKS or node.mem_id == root.mem_id:
                if block := flush():
                    yield block
                if kind:
                    kind.pop()
            elif tag == "a":
                in_link -= 1
            elif tag in ("td", "th"):
                parts.append(" ")
            if node.mem_id == root.mem_id:
                return
            if node.next is not None:
                node = node.next
                break
            node = node.parent


def site_furniture(pages: Iterable[Extracted], policy: CrawlPolicy, *, unchanged: int = 0) -> frozenset[str]:
    """Return the blocks that repeat across a site's HTML pages: menus, banners and contact texts without markup.

    ``unchanged`` pages were not read again; they count in the share, so that a few changed pages make no furniture.
    """
    blocks = RepeatedBlocks(policy)
    for page in pages:
        blocks.add(page)
    return blocks.furniture(unchanged=unchanged)


@functools.cache
def _stem_pattern(stems: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"\w*(?:{'|'.join(stems)})\w*(?:-\w+)*", re.IGNORECASE)


@functools.cache
def _stems(stems: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(stems), re.IGNORECASE)


def has_stem(text: str, policy: CrawlPolicy) -> bool:
    """Whether any word of ``text`` has a stem; what :func:`word_forms` would find, without finding it."""
    return _stems(policy.stems).search(text.replace("\u00ad", "")) is not None


def word_forms(text: str, policy: CrawlPolicy) -> dict[str, int]:
    """Return each word of ``text`` that has a stem, in lower case, with its count; most frequent first."""
    if not has_stem(text, policy):
        return {}
    joined = text.replace("\u00ad", "")
    counts = Counter(match.group().lower() for match in _stem_pattern(policy.stems).finditer(joined))
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def language_of(text: str, policy: CrawlPolicy) -> str:
    """Return the ISO 639-1 code of the language of ``text``, among those the policy knows."""
    return str(language_identifier(policy.languages).classify(text[:4000])[0])


@functools.cache
def language_identifier(languages: tuple[str, ...]) -> Any:
    """Return the language model for ``languages`` only; the one for all languages takes 28 MB more."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    model = LanguageIdentifier.from_model_file(MODEL_FILE)
    model.set_languages(list(languages))
    return LanguageIdentifier(
        model.nb_ptc, model.nb_pc, model.nb_classes, model.tk_nextmove, model.tk_output, tk_row=model.tk_row
    )
