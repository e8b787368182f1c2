"""What a page, a site and the whole sample Denmark are."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from tryg_assets.domain.sites import sample_host

BlockKind = Literal["p", "h2", "li"]
Sitemap = Literal["plain", "index", "gzip", "none"]


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a heading or a list item."""

    kind: BlockKind
    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link to ``path`` on the page's own site; ``host`` is put before the site's name (``www.``, ``m.`` or nothing)."""

    path: str
    text: str
    host: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """The date of a page and how the page shows it (``ways_to_date`` of ``site.yml``)."""

    day: date
    how: str
    line: str = ""


@dataclass(frozen=True, slots=True)
class SamplePage:
    """A page of a sample website, with what the crawl and the cleaning step should make of it.

    ``hit``: its own text has the stem and the crawler may read it. ``reason``: why the cleaning step drops the hit;
    ``None`` if it is kept. ``duplicate_of``: address of the page it repeats.
    """

    municipality: str
    path: str
    kind: str
    section: str
    title: str
    blocks: tuple[Block, ...]
    text_id: str | None = None
    hit: bool = False
    reason: str | None = None
    duplicate_of: str | None = None
    shown: Shown | None = None
    links: tuple[Link, ...] = ()
    prefix: str = "www."
    media: Literal["html", "pdf"] = "html"
    listed: bool = True

    @property
    def url(self) -> str:
        """The canonical address."""
        return f"http://{self.prefix}{sample_host(self.municipality)}{self.path}"

    @property
    def text(self) -> str:
        """The page's own text."""
        return "\n".join([self.title, *(block.text for block in self.blocks)])


@dataclass(frozen=True, slots=True)
class SampleSite:
    """The website of one municipality. ``pages`` is by host prefix and path, ``redirects`` by path."""

    slug: str
    number: int
    pages: dict[tuple[str, str], SamplePage]
    redirects: dict[str, str]
    robots: str | None
    sitemap: Sitemap
    down: bool

    @property
    def home(self) -> SamplePage:
        """The front page."""
        return self.pages["www.", "/"]


def slugify(text: str) -> str:
    """Return ``text`` as a part of an address: ASCII, lower case, words joined by hyphens."""
    low = text.lower().replace("æ", "ae").replace("ø", "oe").replace("å", "aa")
    plain = unicodedata.normalize("NFKD", low).encode("ascii", "ignore").decode()
    return "-".join(re.findall(r"[a-z0-9]+", plain))[:70].strip("-")


def parse_body(body: str) -> tuple[Block, ...]:
    """Read the light markup of the texts: ``##`` headings, ``-`` and ``1.`` lists, paragraphs between blank lines."""
    return tuple(_blocks(body))


def _blocks(body: str) -> Iterator[Block]:
    paragraph: list[str] = []
    for raw in [*body.replace("**", "").split("\n"), ""]:
        line = raw.strip()
        item = re.match(r"(?:- |\d{1,2}\. )", line)
        if (not line or item or line.startswith("#")) and paragraph:
            yield Block("p", " ".join(paragraph))
            paragraph = []
        if item:
            yield Block("li", line[item.end() :])
        elif line.startswith("#"):
            yield Block("h2", line.lstrip("# "))
        elif line:
            paragraph.append(line)
