"""One canonical address per page, the scope of a site, and what looks like an endless space."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import date

from yarl import URL

from tryg_assets.domain.crawling.policy import CrawlPolicy
from tryg_assets.domain.sites import Site

# Hrefs of one host that are remembered as judged; when it is full it is emptied, which costs time and changes nothing.
_REMEMBERED = 100_000
# A date that ends an address, as calendars write it: /2026/03, /2026-03-12 or dag=2026-03-12. Not 20260312: case
# numbers look so.
_DAY = re.compile(r"[/=_-]((?:19|20|21)\d\d)([/-])(?:0?[1-9]|1[0-2])(?:\2(?:0?[1-9]|[12]\d|3[01]))?$")
# Session ids inside the path: ";jsessionid=…" (Jakarta Servlet) and "(S(…))" (ASP.NET).
_ASP_SESSION = re.compile(r"/\([A-Z]\([a-z0-9]+\)\)", re.IGNORECASE)


class AddressBook:
    """Canonical addresses, scope and traps for one site (RFC 3986 section 6, plus what municipal sites do).

    ``today`` is what dates in addresses are compared with; without it none lies too far ahead.
    """

    def __init__(self, site: Site, policy: CrawlPolicy, today: date = date.max) -> None:
        self._policy = policy
        self._home = URL(site.website)
        self._hosts = site.hosts
        self._home_host = (self._home.host or "").lower()
        self._served_on = int(site.address.rpartition(":")[2]) if site.address else None
        self._last_year = today.year + policy.limits.years_ahead
        self._queries: defaultdict[str, set[str]] = defaultdict(set)
        self._days: defaultdict[str, set[str]] = defaultdict(set)
        self._judged: defaultdict[str, set[str]] = defaultdict(set)
        session = "|".join(map(re.escape, sorted(policy.dropped_parameters)))
        self._path_session = re.compile(rf";(?:{session})=[^/;]*", re.IGNORECASE)

    def canonical(self, href: str, base: str | URL | None = None) -> str | None:
        """Return the canonical form of ``href`` seen on page ``base``; ``None`` if it is no http(s) address.

        Fragment, default port, user name, tracking and session parameters, default index names and a trailing slash go;
        parameters are in the order of their names; the host is in lower case; the home host is written as the site
        writes it, with or without ``www.``. Print and mobile versions keep an address of their own: nothing in an
        address tells them for sure, and the cleaning step names them as duplicates.
        """
        try:
            url = URL(href.strip())
            if base is not None:
                url = (base if isinstance(base, URL) else URL(base)).join(url)
            if url.scheme not in ("http", "https") or not url.host:
                return None
            host = url.host.lower().rstrip(".")
            port = url.explicit_port
            if host.removeprefix("www.") == self._home_host.removeprefix("www."):
                url = url.with_scheme(self._home.scheme).with_host(self._home_host)
                if port is not None and port == self._served_on:
                    # A server that is reached by another name and port than its own may put its own in redirects.
                    url = url.with_port(self._home.explicit_port)
                elif port in (80, 443):
                    url = url.with_port(None)
            else:
                url = url.with_host(host)
            # The raw path: decoded, an escaped slash would become a step of the path.
            path = url.raw_path
            if ";" in path or "(" in path:
                path = _ASP_SESSION.sub("", self._path_session.sub("", path))
            path = path.rstrip("/")
            while path.rpartition("/")[2].lower() in self._policy.index_names:
                path = path.rpartition("/")[0].rstrip("/")
            kept = [(k, v) for k, v in url.query.items() if k.lower() not in self._policy.dropped_parameters]
            kept.sort(key=lambda pair: pair[0])
            url = url.with_path(path or "/", encoded=True).with_query(kept or None).with_fragment(None)
            return str(url.with_user(None) if url.raw_user is not None else url)
        except (ValueError, TypeError):
            return None

    def new_links(self, hrefs: list[str], base: str) -> list[str]:
        """Return the canonical addresses of ``hrefs`` on page ``base`` that may be new.

        A menu stands on every page: an href that means the same everywhere on a host (``/plan``, ``https://…``) is
        judged once a host. Only hrefs relative to the page are looked at each time.
        """
        judged = self._judged[origin_of(base)]
        if len(judged) > _REMEMBERED:
            judged.clear()
        page: URL | None = None
        found = []
        for href in hrefs:
            if href in judged or href.startswith("#"):
                continue
            if href.startswith(("/", "http:", "https:", "mailto:", "tel:", "javascript:")):
                judged.add(href)
            if page is None:
                try:
                    page = URL(base)
                except ValueError:
                    return []
            if (address := self.canonical(href, page)) is not None:
                found.append(address)
        return found

    def in_scope(self, address: str) -> bool:
        """Whether an address belongs to the site: its own host, a known extra host, or a host below one of them.

        Hosts below that have no pages for us (``skip_hosts``) do not, unless they are named as the site's own.
        """
        host = (URL(address).host or "").lower().removeprefix("www.")
        if host in self._hosts:
            return True
        return host.partition(".")[0] not in self._policy.skip_hosts and any(
            host.endswith("." + own) for own in self._hosts
        )

    def skipped_type(self, address: str) -> bool:
        """Whether the address names a kind of file that has no text for us."""
        suffix = URL(address).path.rpartition(".")
        return suffix[1] == "." and suffix[2].lower() in self._policy.skip_extensions

    def trap(self, address: str) -> str | None:
        """Return why an address looks like an endless space (path loop, facet, calendar), or ``None``."""
        limits = self._policy.limits
        if len(address) > limits.address_length:
            return f"address of more than {limits.address_length} characters"
        url = URL(address)
        segments = [segment for segment in url.path.split("/") if segment]
        if len(segments) > limits.path_segments:
            return f"path of more than {limits.path_segments} segments"
        if segments and max(Counter(segments).values()) >= limits.repeated_segment:
            return "path repeats itself"
        if len(url.query) > limits.query_parameters:
            return f"more than {limits.query_parameters} query parameters"
        if reason := self._calendar(address):
            return reason
        if url.query_string and not _fits(self._queries[url.path], url.query_string, limits.urls_per_path):
            return f"more than {limits.urls_per_path} queries on one path"
        return None

    def _calendar(self, address: str) -> str | None:
        day = _DAY.search(address)
        if day is None:
            return None
        if int(day.group(1)) > self._last_year:
            return f"calendar: later than {self._last_year}"
        most = self._policy.limits.days_per_path
        if not _fits(self._days[address[: day.start()]], day.group(), most):
            return f"calendar: more than {most} dates on one path"
        return None

    def promising(self, address: str) -> bool:
        """Whether words in the address make it worth reading early."""
        low = address.lower()
        return any(word in low for word in self._policy.priority_words)


def _fits(known: set[str], value: str, most: int) -> bool:
    """Add ``value`` to ``known`` if it is there or there is room; say whether it was."""
    if value in known:
        return True
    if len(known) >= most:
        return False
    known.add(value)
    return True


def origin_of(address: str) -> str:
    """Return scheme, host and port of an absolute http(s) address."""
    return "/".join(address.split("/", 3)[:3])
