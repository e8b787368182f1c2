"""From a planned page to the bytes a web server sends."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from itertools import groupby

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from yarl import URL

from tryg_assets import paths
from tryg_assets.domain.sample_web.pages import Link, SamplePage, SampleSite
from tryg_assets.domain.sample_web.pdf import pdf_of
from tryg_assets.domain.sample_web.plan import plan
from tryg_assets.domain.sample_web.texts import material
from tryg_assets.domain.sites import SAMPLE_DOMAIN

LAYOUTS = ("fjord", "skov", "torv")


@dataclass(frozen=True, slots=True)
class Base:
    """What stands around a site's name in an address: ``http://www.<slug>.<domain>``, the domain with any port."""

    domain: str = SAMPLE_DOMAIN

    def address(self, slug: str, path: str, prefix: str = "www.") -> str:
        """Return the absolute address of ``path`` on a site."""
        return f"http://{prefix}{slug}.{self.domain}{path}"


@dataclass(frozen=True, slots=True)
class _Frame:
    name: str
    town: str
    tagline: str
    menu: tuple[tuple[str, str], ...]


@functools.cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(paths.SAMPLE_WEB / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )


@functools.cache
def _frame(slug: str, number: int) -> _Frame:
    made_of = material()
    place, site = made_of.places[slug], made_of.site
    return _Frame(
        place.municipality.name,
        place.words["by"],
        place.fill(site["taglines"][number % len(site["taglines"])]),
        tuple((f"/{section}", word) for section, word in site["menu"].items()),
    )


def charset_of(site: SampleSite) -> str:
    """Return how a site states its character set: ``utf-8``, or ISO-8859-1 in the ``header`` or a ``meta`` element."""
    return {5: "header", 9: "meta"}.get(site.number % 12, "utf-8")


@functools.lru_cache(maxsize=8192)
def render(slug: str, prefix: str, path: str, base: Base) -> tuple[bytes, str]:
    """Return body and content type of a page of ``plan()``."""
    site = plan()[slug]
    page = site.pages[prefix, path]
    if page.media == "pdf":
        return pdf_of(page), "application/pdf"
    plain = page.kind in ("print", "mobile")
    layout = "udskrift" if plain else LAYOUTS[site.number % len(LAYOUTS)]
    charset = charset_of(site)
    html = (
        _templates()
        .get_template(f"{layout}.html")
        .render(
            page=page,
            site=_frame(slug, site.number),
            charset=charset,
            canonical=_canonical(site, page, base),
            groups=[
                (kind, [block.text for block in blocks])
                for kind, blocks in groupby(page.blocks, key=lambda block: block.kind)
            ],
            crumbs=_crumbs(site, page),
            links=[(_href(link, slug, base), link.text) for link in page.links],
            listing=page.kind in ("home", "section"),
        )
    )
    if charset == "utf-8":
        return html.encode(), "text/html; charset=utf-8"
    # What calls itself ISO-8859-1 on the web is Windows-1252.
    body = html.encode("cp1252", errors="xmlcharrefreplace")
    return body, "text/html; charset=iso-8859-1" if charset == "header" else "text/html"


def _canonical(site: SampleSite, page: SamplePage, base: Base) -> str | None:
    """Return what a page says is its address: half of the sites say it, and a copy names the original."""
    if site.number % 2 == 0 or page.kind in ("print", "mobile"):
        return None
    return base.address(
        site.slug, URL(page.duplicate_of).path if page.kind == "copy" and page.duplicate_of else page.path
    )


def _href(link: Link, slug: str, base: Base) -> str:
    return link.path if link.host is None else base.address(slug, link.path, link.host)


def _crumbs(site: SampleSite, page: SamplePage) -> list[tuple[str, str]]:
    index = site.pages.get(("www.", f"/{page.section}"))
    return (
        [(index.path, index.title)] if page.section and index is not None and index.path != page.path else []
    )


def front_page(domain: str) -> bytes:
    """Return the page that lists the 98 sites, with links to them under ``domain`` (which carries the port)."""
    base = Base(domain)
    sites = [(base.address(slug, "/"), place.municipality.name) for slug, place in material().places.items()]
    return _templates().get_template("oversigt.html").render(sites=sites).encode()


@functools.cache
def style(name: str) -> bytes | None:
    """Return a style sheet, or ``None`` if there is none of that name."""
    path = paths.SAMPLE_WEB / "templates" / f"{name}.css"
    return path.read_bytes() if name in (*LAYOUTS, "udskrift") else None


def sitemap_urls(site: SampleSite, base: Base) -> list[str]:
    """Return the addresses a site's sitemap lists: its pages, other versions and hidden pages aside."""
    return [
        base.address(site.slug, page.path)
        for page in site.pages.values()
        if page.prefix == "www." and page.kind not in ("print", "mobile", "soft_404", "forbidden")
    ]
