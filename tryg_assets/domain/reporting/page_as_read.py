"""What an address answered on a day, told in Danish from the archive: ``tryg show``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tryg_assets.domain.crawling.addresses import AddressBook
from tryg_assets.domain.crawling.captures import Captures, Found
from tryg_assets.domain.crawling.extract import Extracted, extract
from tryg_assets.domain.crawling.policy import CrawlPolicy
from tryg_assets.domain.reporting import danish
from tryg_assets.domain.sites import Site


@dataclass(frozen=True, slots=True)
class Shown:
    """An answer and what it says, or (``found`` is ``None``) why there is nothing to show."""

    url: str
    slug: str
    found: Found | None
    lines: tuple[str, ...]


def look_up(
    address: str, until: date | None, folder: Path, sites: Iterable[Site], policy: CrawlPolicy
) -> Shown:
    """Find the latest answer for ``address`` (given loosely) up to the day ``until`` in the archive in ``folder``."""
    written = address.strip()
    if "://" not in written:
        written = f"https://{written}"
    for site in sites:
        book = AddressBook(site, policy)
        url = book.canonical(written)
        if url is None or not book.in_scope(url):
            continue
        captures = Captures(folder, site, book)
        found = captures.find(url, until)
        lines = _facts(url, found) if found else _nothing(url, site, captures, until)
        return Shown(url, site.slug, found, tuple(lines))
    reason = f"{address} hører ikke til nogen af de hjemmesider, der læses."
    return Shown(
        written, "", None, (reason, "Se listen i data/reference/municipalities.csv, eller din egen liste.")
    )


def text_as_read(found: Found, url: str, policy: CrawlPolicy, furniture: frozenset[str]) -> str:
    """Return the text of an answer by today's rules of reading, without the site's ``furniture``; empty if it has none.

    Raises:
        ValueError: a document cannot be opened.
    """
    page = _read(found, url, policy)
    return page.text(without=furniture) if page else ""


def title_of(found: Found, url: str, policy: CrawlPolicy) -> str:
    """Return the title of an answer; a dash if it has none."""
    try:
        page = _read(found, url, policy)
    except ValueError:
        page = None
    return page.title if page else danish.NOTHING


def _read(found: Found, url: str, policy: CrawlPolicy) -> Extracted | None:
    return extract(found.body, found.header("content-type"), url, policy) if found.body else None


def _facts(url: str, found: Found) -> list[str]:
    capture, kept = found.capture, found.kept
    status = capture.status
    if capture.status == "304":
        status += " (serveren svarede, at siden er uændret)"
    lines = [
        f"Adresse:   {url}",
        f"Læst:      {danish.day(capture.moment)} kl. {capture.moment:%H.%M} UTC",
        f"Status:    {status}",
        f"Type:      {found.header('content-type') or danish.NOTHING}",
    ]
    if kept is None:
        return [*lines, "Siden var uændret, men den fil, der har dens tekst, findes ikke længere i arkivet."]
    if kept is not capture:
        lines.append(f"Uændret:   siden {danish.day(kept.moment)}")
    lines.append(f"Ligger i:  {kept.filename}, fra byte {danish.number(kept.offset)}")
    if target := found.header("location"):
        lines.append(f"Viser videre til {target}")
    return lines


def _nothing(url: str, site: Site, captures: Captures, until: date | None) -> list[str]:
    days = captures.days(url)
    if days and until is not None:
        first = f"{days[0]:%d.%m.%Y}"
        return [f"{url} er ikke læst den {until:%d.%m.%Y} eller før. Den er første gang læst den {first}."]
    lines = [f"{url} findes ikke i arkivet for {site.name}."]
    if near := captures.near(url):
        return [*lines, "De adresser, der ligner mest:", *(f"  {known}" for known in near)]
    return [*lines, f"Der er ikke læst noget fra {site.name} endnu: tryg run --municipality {site.slug}"]
