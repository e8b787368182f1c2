"""One canonical address per page, and the scope of a site."""

from __future__ import annotations

from collections import Counter, defaultdict

from yarl import URL

from tryg_assets.domain.crawling.policy import CrawlPolicy
from tryg_assets.domain.sites import Site


class AddressBook:
    """Canonical addresses, scope and traps for one site (RFC 3986 section 6, plus what municipal sites do)."""

    def __init__(self, site: Site, policy: CrawlPolicy) -> None:
        self._policy = policy
        self._home = URL(site.website)
        self._hosts = site.hosts
        self._home_host = (self._home.host or "").lower()
        self._queries: defaultdict[str, set[str]] = defaultdict(set)

    def canonical(self, href: str, base: str | None = None) -> str | None:
        """Return the canonical form of ``href`` seen on page ``base``; ``None`` if it is no http(s) address.

        Fragment, default port, tracking and session parameters, default index names and a trailing slash go; the host
        is in lower case; the home host is written as the site writes it, with or without ``www.``.
        """
        try:
            url = URL(href.strip())
            if base is not None:
                url = URL(base).join(url)
            if url.scheme not in ("http", "https") or not url.host:
                return None
            host = url.host.lower()
            port = url.explicit_port
            if host.removeprefix("www.") == self._home_host.removeprefix("www."):
                url = url.with_scheme(self._home.scheme).with_host(self._home_host)
                if port in (80, 443):
                    url = url.with_port(None)
            else:
                url = url.with_host(host)
            # The raw path: decoded, an escaped slash would become a step of the path.
            path = url.raw_path.rstrip("/")
            while path.rpartition("/")[2].lower() in self._policy.index_names:
                path = path.rpartition("/")[0].rstrip("/")
            kept = [(k, v) for k, v in url.query.items() if k.lower() not in self._policy.dropped_parameters]
            return str(url.with_path(path or "/", encoded=True).with_query(kept or None).with_fragment(None))
        except (ValueError, TypeError):
            return None

    def in_scope(self, address: str) -> bool:
        """Whether an address belongs to the site: its own host, a known extra host, or a host below one of them."""
        host = (URL(address).host or "").lower().removeprefix("www.")
        return any(host == own or host.endswith("." + own) for own in self._hosts)

    def skipped_type(self, address: str) -> bool:
        """Whether the address names a kind of file that has no text for us."""
        suffix = URL(address).path.rpartition(".")
        return suffix[1] == "." and suffix[2].lower() in self._policy.skip_extensions

    def trap(self, address: str) -> str | None:
        """Return why an address looks like an endless space (path loop, facet, calendar), or ``None``."""
        limits = self._policy.limits
        url = URL(address)
        segments = [segment for segment in url.path.split("/") if segment]
        if len(segments) > limits.path_segments:
            return f"path of {len(segments)} segments"
        if segments and max(Counter(segments).values()) >= limits.repeated_segment:
            return "path repeats itself"
        if len(url.query) > limits.query_parameters:
            return f"{len(url.query)} query parameters"
        if url.query_string:
            known = self._queries[url.path]
            known.add(url.query_string)
            if len(known) > limits.urls_per_path:
                return f"more than {limits.urls_per_path} queries on one path"
        return None

    def promising(self, address: str) -> bool:
        """Whether words in the address make it worth reading early."""
        low = address.lower()
        return any(word in low for word in self._policy.priority_words)
