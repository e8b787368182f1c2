"""The list of sites to read: the 98 municipalities, the sample Denmark, or a CSV file of one's own."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from yarl import URL

from tryg_assets.domain.reference import check_type, check_website, municipalities, read_csv
from tryg_assets.errors import ConfigurationError, DataFileError

SAMPLE_DOMAIN = "kommune.test"


@dataclass(frozen=True, slots=True)
class Site:
    """A website to read. ``address`` (host:port) is where to connect if not where the name resolves to."""

    slug: str
    name: str
    type: str
    website: str
    extra_hosts: tuple[str, ...] = ()
    address: str | None = None

    @property
    def is_own(self) -> bool:
        """Whether it is served on a machine of the user's: by its ``address``, or at a loopback host. All others are somebody's website."""
        host = URL(self.website).host or ""
        if self.address or host == "localhost" or host.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts in scope, without a leading ``www.``."""
        own = URL(self.website).host or ""
        return frozenset(host.lower().removeprefix("www.") for host in (own, *self.extra_hosts))


def live_sites() -> dict[str, Site]:
    """Return the real websites of the 98 municipalities, by slug."""
    return {m.slug: Site(m.slug, m.name, m.type, m.website, m.extra_hosts) for m in municipalities().values()}


def sample_host(slug: str) -> str:
    """Return the host name of a sample website (``.test`` is reserved for such use by RFC 6761)."""
    return f"{slug}.{SAMPLE_DOMAIN}"


def sample_sites(address: str | None = None) -> dict[str, Site]:
    """Return the 98 sites of the sample Denmark, by slug, served at ``address`` (host:port)."""
    return {
        m.slug: Site(m.slug, m.name, m.type, f"http://www.{sample_host(m.slug)}/", (), address)
        for m in municipalities().values()
    }


def read_sites(path: Path) -> dict[str, Site]:
    """Read a list of sites: CSV with slug, name, type, website and optionally address (host:port) and extra_hosts (by ';').

    Raises:
        DataFileError: a row is wrong; the message names it.
    """
    sites: dict[str, Site] = {}
    for line, row in read_csv(path, ("slug", "name", "type", "website")):
        where = f"row {line}"
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", row["slug"]):
            raise DataFileError(
                path, where, f"slug '{row['slug']}' is not lower-case ASCII", "Use a-z, 0-9 and '-'."
            )
        if row["slug"] in sites:
            raise DataFileError(path, where, f"slug '{row['slug']}' is there twice", "Remove one of the two.")
        check_type(path, where, row["type"])
        check_website(path, where, row["website"])
        address = row.get("address") or None
        if address is not None and not _is_host_and_port(address):
            raise DataFileError(
                path,
                where,
                f"address '{address}' is not host:port",
                "Write it as 127.0.0.1:8000, or leave it empty.",
            )
        hosts = tuple(host.strip() for host in row.get("extra_hosts", "").split(";") if host.strip())
        for host in hosts:
            if not re.fullmatch(r"[\w-]+(\.[\w-]+)+", host):
                raise DataFileError(
                    path,
                    where,
                    f"extra host '{host}' is no host name",
                    "Write hosts as tryg.example.dk, without https://, separated by ';'.",
                )
        sites[row["slug"]] = Site(row["slug"], row["name"], row["type"], row["website"], hosts, address)
    if not sites:
        raise DataFileError(path, "file", "it lists no site", "Add a row: slug,name,type,website.")
    return sites


def require_contact(sites: Iterable[Site], contact: str | None) -> None:
    """Somebody's website is asked only with a contact address in the user agent.

    Raises:
        ConfigurationError: one of ``sites`` is somebody's, and there is no contact address.
    """
    somebodys = [site for site in sites if not (site.is_own or contact)]
    if somebodys:
        names = ", ".join(f"{site.name} ({site.website})" for site in somebodys[:3])
        more = f" and {len(somebodys) - 3} more" if len(somebodys) > 3 else ""
        raise ConfigurationError(
            f"Not asked, as somebody's website: {names}{more}. Set TRYG_CONTACT to a mail or web address, which goes into the "
            "user agent; or give an address (host:port) in the list of sites if it is on your own machine."
        )


def _is_host_and_port(address: str) -> bool:
    match = re.fullmatch(r"(\[[0-9a-f:]+\]|[^:/\s]+):(\d{1,5})", address, re.IGNORECASE)
    return match is not None and 0 < int(match.group(2)) <= 65535


def pick(sites: dict[str, Site], slugs: list[str]) -> list[Site]:
    """Return the sites named by ``slugs`` (all if empty).

    Raises:
        ConfigurationError: a slug is not in the list; the message suggests the nearest.
    """
    from rapidfuzz import process

    for slug in slugs:
        if slug not in sites:
            near = process.extractOne(slug, list(sites))
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise ConfigurationError(
                f"There is no municipality '{slug}' in the list of {len(sites)} sites.{hint}"
            )
    return [sites[slug] for slug in dict.fromkeys(slugs)] if slugs else list(sites.values())
