"""From bytes to the page's own text: blocks, title, links, dates, language; HTML, PDF, Word and plain text."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import chain
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from tryg_assets.domain.crawling.blocks import Block, join_lines, one_line
from tryg_assets.domain.crawling.charset import decode
from tryg_assets.domain.crawling.content import breadcrumb_of, judge_of, own_blocks
from tryg_assets.domain.crawling.dates import (
    Dates,
    dated_lines,
    find_dates,
    header_date,
    is_dateline,
    marked_dates,
    written_dates,
)
from tryg_assets.domain.crawling.documents import WORD, Document, is_word, read_pdf, read_word
from tryg_assets.domain.crawling.furniture import RepeatedBlocks
from tryg_assets.domain.crawling.markup import Reading, parse, read_markup
from tryg_assets.domain.crawling.policy import CrawlPolicy
from tryg_assets.domain.crawling.walls import wall_of

__all__ = [
    "Block",
    "Extracted",
    "extract",
    "has_stem",
    "language_identifier",
    "language_of",
    "read_html",
    "read_text",
    "read_tree",
    "site_furniture",
    "word_forms",
]

_TITLE_LENGTH = 200  # characters, where the first line of a text has to serve
_SEPARATOR = re.compile(r"\s+[|–—»·•]\s+|\s+-\s+|\s*::\s*")


@dataclass(frozen=True, slots=True)
class Extracted:
    """What was read off one page or document.

    ``wall`` names what stands in front of its text (soft_404, login_wall, cookie_wall, needs_javascript, scanned, empty);
    ``note`` says in words what was left unread; ``breadcrumb`` is the path to the page as it shows it.
    """

    title: str
    blocks: tuple[Block, ...]
    links: tuple[tuple[str, str], ...] = ()
    base: str | None = None
    canonical: str | None = None
    dates: Dates = field(default_factory=Dates)
    kind: str = "html"
    wall: str | None = None
    note: str | None = None
    breadcrumb: tuple[str, ...] = ()

    def text(self, without: frozenset[str] = frozenset()) -> str:
        """Return the text, one block a line, leaving out blocks whose text is in ``without``."""
        return "\n".join([prefix + text for text, prefix in self.blocks if text not in without])


def extract(
    body: bytes,
    content_type_header: str,
    url: str,
    policy: CrawlPolicy,
    *,
    today: date | None = None,
    last_modified: str | None = None,
) -> Extracted | None:
    """Read a body; ``None`` if its media type has no text for us. No date after ``today`` is believed.

    ``last_modified`` is the server's header. It dates documents that state no date themselves; servers that make their
    pages at each request say nothing by it, so HTML is not dated by it.

    Raises:
        Unreadable: a document is damaged, needs a password or unpacks to too much (a ``ValueError``).
    """
    media = content_type_header.partition(";")[0].strip().lower()
    if body.startswith(b"%PDF-") or media == "application/pdf":
        return _document(read_pdf(body, policy.documents), "pdf", url, today, last_modified)
    if media == WORD or is_word(body):
        return _document(read_word(body, policy.documents), "docx", url, today, last_modified)
    if media in ("", "text/html", "application/xhtml+xml"):
        return read_html(decode(body, content_type_header), url, policy, today)
    if media == "text/plain":
        return read_text(decode(body, content_type_header), url, today)
    return None


def read_text(text: str, url: str, today: date | None = None) -> Extracted:
    """Read plain text: paragraphs are separated by blank lines, the first line is the title."""
    return _document(Document("", tuple(join_lines(text.replace("\f", "\n\n")))), "text", url, today)


def _document(
    read: Document, kind: str, url: str, today: date | None, last_modified: str | None = None
) -> Extracted:
    """Return a document as a page: its first line is the title if it states none, its own date comes after those in its text."""
    dates = find_dates([block.text for block in read.blocks], url, today=today)
    if dates.source is None and (found := Dates(read.created, read.modified, kind).until(today)).latest:
        dates = found
    if dates.source is None:
        dates = header_date(last_modified, today)
    return Extracted(
        read.title or (read.blocks[0].text[:_TITLE_LENGTH] if read.blocks else url),
        read.blocks,
        dates=dates,
        kind=kind,
        wall="scanned" if read.scanned else None if read.blocks else "empty",
        note=read.note,
    )


_STATED = 'a[href],h1,title,base[href],link[rel="canonical"],meta[property="og:site_name"],noscript'


def read_html(html: str, url: str, policy: CrawlPolicy, today: date | None = None) -> Extracted:
    """Read an HTML page: its main part in blocks, without what its markup says is furniture."""
    tree, cut = parse(html, policy.documents.html_characters)
    page = read_tree(tree, url, policy, today)
    return (
        replace(page, note=f"only the first {policy.documents.html_characters} characters were read")
        if cut
        else page
    )


def read_tree(tree: LexborHTMLParser, url: str, policy: CrawlPolicy, today: date | None = None) -> Extracted:
    """Read a page that is parsed, as :func:`read_html` does. What holds no text is taken out of the tree."""
    if tree.body is None:
        return Extracted(url, (), wall="empty")
    links: list[tuple[str, str]] = []
    first: dict[str, LexborNode] = {}
    for node in tree.css(_STATED):
        if node.tag == "a":
            links.append((node.attrs.get("href") or "", one_line(node.text(deep=True))))
        else:
            first.setdefault(node.tag or "", node)
    noscript = first["noscript"].text(deep=True) if "noscript" in first else ""
    base, canonical = (first[tag].attrs.get("href") if tag in first else None for tag in ("base", "link"))
    title = _title(first)
    dates = marked_dates(tree, today)
    reading = read_markup(tree, judge_of(policy.furniture))
    own = [
        number for number in own_blocks(reading, policy.furniture) if not is_dateline(reading.texts[number])
    ]
    blocks = tuple([Block(reading.texts[number], reading.prefixes[number]) for number in own])
    if not dates.source:
        bylines = chain(dated_lines(tree), _near_headline(reading, own))
        dates = written_dates(reading.texts, f"{url} {canonical or ''}", bylines, today)
    if not title and blocks and blocks[0].prefix == "# ":
        title = blocks[0].text
    page = Extracted(
        title or url,
        blocks,
        tuple(links),
        base=base,
        canonical=canonical,
        dates=dates,
        breadcrumb=breadcrumb_of(reading),
    )
    wall = wall_of(page.title, page.text(), tree, noscript) or (None if reading.texts else "empty")
    return replace(page, wall=wall) if wall else page


def _near_headline(reading: Reading, own: list[int]) -> Iterator[str]:
    """Yield the lines around the headline, or around where the page's own text begins, where a byline stands."""
    places = [place for place in (reading.headline, own[0] if own else -1) if place >= 0]
    near = (
        number for place in places for number in range(max(0, place - 2), min(len(reading.texts), place + 5))
    )
    for number in dict.fromkeys(near):
        if reading.prefixes[number] != "- ":
            yield reading.texts[number]


def _title(first: dict[str, LexborNode]) -> str:
    """Return the headline, else the page's ``<title>`` without the name of the site."""
    if "h1" in first and (headline := one_line(first["h1"].text(deep=True))):
        return headline
    stated = one_line(first["title"].text(deep=True)) if "title" in first else ""
    parts = _SEPARATOR.split(stated)
    site = one_line(first["meta"].attrs.get("content") or "").lower() if "meta" in first else ""
    own = [part for part in parts if part.lower() != site and not part.lower().endswith(" kommune")]
    return (
        stated
        if len(parts) == len(own) or not own
        else stated[: len(own[0])]
        if parts[0] == own[0] and len(own) == 1
        else " – ".join(own)
    )


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
