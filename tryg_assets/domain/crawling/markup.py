"""An HTML tree read in one pass: its blocks of running text in order, and which stretch of them each element holds.

Lexbor writes its tree as well-formed markup in which ``<`` and ``>`` stand for tags only (HTML Standard, 13.3), so one
``split`` finds every tag; that is several times cheaper than asking each node from Python.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

from selectolax.lexbor import LexborHTMLParser

_TOKEN = re.compile(r"<(?:!--.*?--|(/?)([a-zA-Z][^\s>]*)([^>]*))>", re.DOTALL)
_WORD = re.compile(r"\w")
_VOID = frozenset(
    [
        "area",
        "base",
        "basefont",
        "bgsound",
        "br",
        "col",
        "embed",
        "frame",
        "hr",
        "img",
        "input",
        "keygen",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    ]
)
_HEADINGS = frozenset(["h1", "h2", "h3", "h4", "h5", "h6", "summary"])
_CELLS = frozenset(["td", "th"])
_BLOCKS = (
    _HEADINGS
    | _CELLS
    | frozenset(
        [
            "body",
            "main",
            "article",
            "section",
            "div",
            "p",
            "ul",
            "ol",
            "li",
            "dl",
            "dt",
            "dd",
            "blockquote",
            "pre",
            "table",
            "caption",
            "thead",
            "tbody",
            "tfoot",
            "tr",
            "figure",
            "figcaption",
            "address",
            "details",
            "center",
            "header",
            "footer",
            "nav",
            "aside",
            "form",
            "fieldset",
            "legend",
            "dialog",
            "hgroup",
            "search",
        ]
    )
)
# Elements without text of the page. Some hold raw text that the one pass would take for tags.
_WITHOUT_TEXT = "script,style,noscript,template,svg,math,figcaption,iframe,object,canvas,video,audio,select,datalist,textarea,xmp,noembed,noframes,plaintext"
_MOST_OF_A_ROW = 300  # characters; a longer row is a layout, not data


# Pages that would cost the parser time or memory out of proportion: it looks up the open elements at every tag, and
# repeats unclosed formatting in every paragraph (HTML Standard 13.2.4.3 and 13.2.6.4.7), and compares each attribute with all before it.
_MANY_TAGS = 2_000
_VERY_MANY_TAGS = 20_000
_DEEPEST = 500
_MOST_UNCLOSED = 50
_MOST_ATTRIBUTES = 500
_LONG = 100_000  # characters
_LONG_TAG = re.compile(r"<[a-zA-Z][^>]{4000,}>?")
_DATA = re.compile(r"data:[\w/+.-]+;base64,[\w+/=%]+")
_FORMATTING = re.compile(
    # The first letter by itself passes over most tags at once.
    r"<(/?)(?=[bcefinstu])(?:b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)\b[^>]*>",
    re.IGNORECASE,
)
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)[^>]*>")
_CLOSED_BY_OTHERS = _VOID | frozenset(
    [
        "p",
        "li",
        "dt",
        "dd",
        "td",
        "th",
        "tr",
        "thead",
        "tbody",
        "tfoot",
        "option",
        "optgroup",
        "html",
        "head",
        "body",
    ]
)


def parse(html: str, most: int) -> tuple[LexborHTMLParser, bool]:
    """Parse a page, and tell whether it was cut after ``most`` characters (pictures written into it do not count).

    What would make the parser slow is taken out first: deep nesting, unclosed formatting, tags with thousands of attributes.
    """
    for unseen in ("\x00", "\u00ad"):
        # Most pages have none; to look for it costs half of what replacing does.
        if unseen in html:
            html = html.replace(unseen, "")
    if len(html) > most:
        html = _DATA.sub("", html)
    cut = len(html) > most
    html = html[:most]
    if len(html) > _LONG:
        html = _LONG_TAG.sub(_without_heap, html)
    tags = html.count("<")
    if tags > _MANY_TAGS:
        unclosed = sum(-1 if mark else 1 for mark in _FORMATTING.findall(html))
        if abs(unclosed) > _MOST_UNCLOSED:
            html = _FORMATTING.sub("", html)
    if tags > _VERY_MANY_TAGS:
        html = _flatten(html)
    return LexborHTMLParser(html), cut


def _without_heap(tag: re.Match[str]) -> str:
    return "" if len(tag.group().split(maxsplit=_MOST_ATTRIBUTES)) > _MOST_ATTRIBUTES else tag.group()


def _flatten(html: str) -> str:
    """Take out the tags of elements that are nested deeper than a person could have meant."""
    depth = 0

    def keep(match: re.Match[str]) -> str:
        nonlocal depth
        close, tag = match.groups()
        if tag.lower() in _CLOSED_BY_OTHERS:
            return match.group()
        if close:
            depth = max(0, depth - 1)
            return match.group() if depth < _DEEPEST else ""
        depth += 1
        return match.group() if depth <= _DEEPEST else ""

    return _TAG.sub(keep, html)


class Mark(IntEnum):
    """What the author of a page says an element is, by tag, role, class or id."""

    NONE = 0
    FURNITURE = 1
    PERHAPS = 2  # furniture by words that are sometimes put on the frame of the whole page
    BREADCRUMB = 3
    CONTROL = 4  # a button; in a heading it is the handle of an accordion
    MAIN = 5
    BODY = 6  # the running text of an article


@dataclass(slots=True, eq=False)
class Element:
    """An element that holds the blocks ``start`` to ``end`` (exclusive); a lower ``rank`` is trusted more.

    ``headline``: an ``h1`` with text stands in it.
    """

    tag: str
    mark: Mark
    rank: int
    start: int
    end: int = 0
    headline: bool = False
    held: tuple[list[str], int] | None = None


@dataclass(slots=True)
class Reading:
    """The blocks of a page as parallel lists, and its elements in the order in which they end.

    ``linked`` counts the characters of a block that stand in links.
    """

    texts: list[str] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    linked: list[int] = field(default_factory=list)
    elements: list[Element] = field(default_factory=list)
    headline: int = -1


# (tag, attributes as written) -> what the element is, and its rank among those.
Judge = Callable[[str, str], tuple[Mark, int]]


def read_markup(tree: LexborHTMLParser, judge: Judge) -> Reading:
    """Return the blocks and elements of ``tree``; elements that hold no text are taken out of the tree."""
    for node in reversed(tree.css(_WITHOUT_TEXT)):
        node.decompose()
    return _Reader(judge).read(tree.body.html or "") if tree.body is not None else Reading()


class _Reader:
    """Reads tags one after the other. What is open is kept on a stack: an element with a mark, the start of a block, or ``None``."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._out = Reading()
        self._parts: list[str] = []
        self._linked = 0
        self._headings = 0
        self._articles = 0
        self._item = False
        self._cells: list[tuple[int, int]] = []

    def read(self, html: str) -> Reading:
        stack: list[Element | int | None] = []
        in_link = 0
        pieces = _TOKEN.split(html)
        for close, tag, attributes, text in zip(
            pieces[1::4], pieces[2::4], pieces[3::4], pieces[4::4], strict=True
        ):
            if tag is None:
                pass  # a comment
            elif tag == "a":
                if close:
                    in_link -= 1
                    stack.pop()
                else:
                    in_link += 1
                    stack.append(None)
            elif close:
                if (opened := stack.pop()) is not None:
                    self._close(tag, opened)
            elif tag in _VOID:
                if tag in ("br", "hr"):
                    self._flush()
            else:
                stack.append(self._open(tag, *self._judge(tag, attributes)))
            if text and (self._parts or not text.isspace()):
                self._parts.append(text)
                if in_link:
                    self._linked += len(text.strip())
        self._flush()
        return self._out

    def _open(self, tag: str, mark: Mark, rank: int) -> Element | int | None:
        if tag in _BLOCKS:
            if self._parts:
                self._flush()
            if tag == "li":
                self._item = True
            elif tag in _HEADINGS:
                self._headings += 1
                self._item = False
            elif tag == "article":
                self._articles += 1
            elif tag == "header" and self._articles:
                mark = Mark.NONE  # HTML Standard 4.3.8: the introduction of the article
            start = len(self._out.texts)
            return Element(tag, mark, rank, start) if mark else start
        if not mark or (mark is Mark.CONTROL and self._headings):
            return None
        element = Element(tag, mark, rank, len(self._out.texts))
        if mark < Mark.MAIN:
            # The sentence around it goes on after it.
            element.held = self._parts, self._linked
            self._parts, self._linked = [], 0
        else:
            self._flush()
            element.start = len(self._out.texts)
        return element

    def _close(self, tag: str, opened: Element | int) -> None:
        out = self._out
        if self._parts:
            self._flush()
        start = opened if isinstance(opened, int) else opened.start
        if tag == "li":
            self._item = False
        elif tag in _HEADINGS:
            self._headings -= 1
            if tag == "h1" and len(out.texts) > start:
                out.headline = start
        elif tag in _CELLS:
            self._cells.append((start, len(out.texts)))
        elif tag == "tr":
            self._join(start)
        elif tag == "article":
            self._articles -= 1
        if isinstance(opened, int):
            return
        if opened.held is not None:
            self._parts, self._linked = opened.held
            opened.held = None
        opened.end = len(out.texts)
        if opened.end > start:
            opened.headline = out.headline >= start
            out.elements.append(opened)

    def _flush(self) -> None:
        text = " ".join("".join(self._parts).split())
        linked, self._linked = self._linked, 0
        self._parts.clear()
        if "&" in text:
            text = text.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
            text = " ".join(text.split())
        if not text[:1].isalnum() and not _WORD.search(text):
            return
        out = self._out
        out.texts.append(text)
        out.linked.append(linked)
        out.prefixes.append("# " if self._headings else "- " if self._item else "")
        self._item = False

    def _join(self, start: int) -> None:
        """Make one line of a table row in which every cell is one plain piece of text."""
        out = self._out
        cells: list[tuple[int, int]] = []
        while self._cells and self._cells[-1][0] >= start:
            cells.append(self._cells.pop())
        texts = out.texts[start:]
        if (
            len(texts) < 2
            or any(end - begin > 1 for begin, end in cells)
            or sum(end - begin for begin, end in cells) != len(texts)
            or any(out.prefixes[start:])
            or (out.elements and out.elements[-1].end > start)
            or sum(map(len, texts)) > _MOST_OF_A_ROW
        ):
            return
        out.texts[start:] = [" | ".join(texts)]
        out.linked[start:] = [sum(out.linked[start:])]
        out.prefixes[start:] = [""]
