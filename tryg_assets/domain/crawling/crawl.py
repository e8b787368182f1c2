"""One crawl of one site: from its home page and sitemaps, breadth first, promising addresses earlier."""

from __future__ import annotations

import gzip
import heapq
import itertools
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from protego import Protego
from selectolax.lexbor import LexborHTMLParser
from yarl import URL

from tryg_assets.clock import Clock
from tryg_assets.domain.crawling.addresses import AddressBook
from tryg_assets.domain.crawling.archive import Archive
from tryg_assets.domain.crawling.documents import Unreadable
from tryg_assets.domain.crawling.extract import Extracted, extract, language_of, site_furniture, word_forms
from tryg_assets.domain.crawling.fetch import Fetcher, Reply
from tryg_assets.domain.crawling.policy import CrawlPolicy
from tryg_assets.domain.sites import Site
from tryg_assets.errors import SiteUnreachable
from tryg_assets.ids import content_hash, stable_id

Row = dict[str, Any]
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Previous:
    """What the crawl before this one left: log and raw rows by address, and the site's furniture."""

    log: dict[str, Row] = field(default_factory=dict)
    raw: dict[str, Row] = field(default_factory=dict)
    furniture: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class CrawlResult:
    """Rows for ``crawl_log`` and ``raw_crawl``, and the blocks of text that repeat across the site."""

    log: list[Row]
    raw: list[Row]
    furniture: frozenset[str]


@dataclass(slots=True)
class _Target:
    url: str
    depth: int
    found_on: str | None


@dataclass(slots=True)
class _Read:
    row: Row
    page: Extracted
    status: int
    record: str


class Crawl:
    """A crawl in progress. Use :func:`crawl`."""

    def __init__(
        self,
        site: Site,
        policy: CrawlPolicy,
        fetcher: Fetcher,
        archive: Archive,
        clock: Clock,
        previous: Previous,
        max_pages: int,
        on_page: Callable[[int, int], None] | None,
    ) -> None:
        self._site, self._policy, self._fetcher = site, policy, fetcher
        self._archive, self._clock, self._previous = archive, clock, previous
        self._max_pages, self._on_page = max_pages, on_page
        self._book = AddressBook(site, policy)
        self._robots: dict[str, Protego] = {}
        self._robots_failed: dict[str, str] = {}
        self._queue: list[tuple[int, int, int, _Target]] = []
        self._order = itertools.count()
        self._known: set[str] = set()
        self._log: list[Row] = []
        self._read: list[_Read] = []
        self._kept: list[Row] = []
        self._unchanged = 0

    def run(self) -> CrawlResult:
        """Crawl until the frontier is empty or a limit is reached.

        Raises:
            SiteUnreachable: the site answered nothing that can be read; nothing of the earlier crawl is lost.
        """
        home = self._book.canonical(self._site.website)
        if home is None:
            raise SiteUnreachable(f"{self._site.name}: '{self._site.website}' is not an http(s) address.")
        self._load_robots(str(URL(home).origin()))
        self._offer(home, 0, None)
        for host in self._site.extra_hosts:
            self._offer(f"{URL(home).scheme}://{host}/", 0, None)
        for url in self._previous.log:
            self._offer(url, self._previous.log[url]["depth"], self._previous.log[url]["found_on"])
        while self._queue:
            target = heapq.heappop(self._queue)[3]
            if len(self._log) >= self._max_pages:
                # Every waiting address is noted, so that the next crawl goes on where this one stopped.
                for waiting in (target, *(entry[3] for entry in sorted(self._queue))):
                    self._note(waiting, None, "limit", f"more than {self._max_pages} requests in one crawl")
                break
            self._visit(target)
            if self._on_page:
                self._on_page(len(self._log), len(self._queue))
        self._refuse_silence()
        return self._result()

    def _refuse_silence(self) -> None:
        if any(row["outcome"] in ("hit", "no_stem", "unsupported_type") for row in self._log):
            return
        first = next(
            (row for row in self._log if row["url"] == self._book.canonical(self._site.website)), self._log[0]
        )
        answer = f"HTTP {first['status']}" if first["status"] else first["detail"]
        raise SiteUnreachable(
            f"{self._site.name} ({self._site.website}) gave nothing to read: {answer}. What was read before is kept. "
            f"Open the address in a browser; if it works there, run 'tryg run --municipality {self._site.slug}' again; "
            "if the site has moved, correct its website in data/reference/municipalities.csv (or in your list of sites)."
        )

    def _load_robots(self, origin: str) -> Protego:
        if origin not in self._robots:
            reply = self._ask_robots(f"{origin}/robots.txt")
            text = ""
            if (
                reply.status is not None
                and reply.status < 300
                and (reply.content_type or "text/plain") == "text/plain"
            ):
                text = reply.body.decode("utf-8", errors="replace")
            elif reply.status is None or reply.status >= 500:
                # RFC 9309 section 2.3.1.4: a robots.txt that cannot be had for server or network errors forbids all.
                text = "User-agent: *\nDisallow: /"
                answer = (
                    f"answered HTTP {reply.status}" if reply.status else f"gave no answer ({reply.problem})"
                )
                self._robots_failed[origin] = f"robots.txt {answer}, so nothing may be read"
            self._robots[origin] = Protego.parse(text)
            delay = self._robots[origin].crawl_delay("TrygAssets")
            if delay and self._fetcher.pause:
                self._fetcher.pause = max(self._fetcher.pause, float(delay))
            if origin not in self._robots_failed:
                self._read_sitemaps(origin)
        return self._robots[origin]

    def _ask_robots(self, url: str) -> Reply:
        """Ask for a robots.txt where it stands or has moved to (RFC 9309 section 2.3.1.2)."""
        reply = self._fetcher.get(url)
        for _ in range(self._policy.limits.redirects):
            if reply.status not in _REDIRECTS or "location" not in reply.headers:
                break
            try:
                step = str(URL(reply.url).join(URL(reply.headers["location"])))
            except ValueError:
                break
            reply = self._fetcher.get(step)
        return reply

    def _read_sitemaps(self, origin: str) -> None:
        waiting = [*self._robots[origin].sitemaps] or [f"{origin}/sitemap.xml"]
        seen: set[str] = set()
        while waiting and len(seen) < 50:
            address = self._book.canonical(waiting.pop(0))
            if address is None or address in seen or not self._book.in_scope(address):
                continue
            seen.add(address)
            reply = self._fetcher.get(address)
            if reply.status != 200:
                continue
            body = reply.body
            if body.startswith(b"\x1f\x8b"):
                try:
                    body = zlib.decompressobj(wbits=31).decompress(body, self._policy.limits.body_bytes)
                except (zlib.error, gzip.BadGzipFile):
                    continue
            tree = LexborHTMLParser(body.decode("utf-8", errors="replace"))
            waiting += [node.text().strip() for node in tree.css("sitemap loc")]
            for node in tree.css("url loc"):
                if url := self._book.canonical(node.text()):
                    self._offer(url, 1, None)

    def _offer(self, url: str, depth: int, found_on: str | None) -> None:
        if url in self._known or self._book.skipped_type(url) or not self._book.in_scope(url):
            return
        self._known.add(url)
        target = _Target(url, depth, found_on)
        if reason := self._book.trap(url):
            self._note(target, None, "trap", reason)
        elif depth > self._policy.limits.depth:
            self._note(target, None, "trap", f"deeper than {self._policy.limits.depth} links")
        else:
            heapq.heappush(self._queue, (depth, not self._book.promising(url), next(self._order), target))

    def _visit(self, target: _Target) -> None:
        origin = str(URL(target.url).origin())
        if not self._load_robots(origin).can_fetch(target.url, "TrygAssets"):
            self._note(
                target, None, "robots", self._robots_failed.get(origin, "robots.txt asks us not to read it")
            )
            return
        before = self._previous.log.get(target.url)
        reply, hops = self._follow(target.url, before)
        final = self._book.canonical(reply.url) or reply.url
        if reply.status == 304 and before is not None:
            self._reuse(before)
            return
        if final != target.url:
            if not self._book.in_scope(final):
                self._note(target, reply, "out_of_scope", f"redirects to {final}")
            else:
                self._note(target, reply, "redirect", f"{hops} redirect(s)")
                self._offer(final, target.depth, target.url)
            return
        if reply.status is None or reply.status >= 300:
            detail = reply.problem or (
                f"more than {self._policy.limits.redirects} redirects"
                if reply.status and reply.status < 400
                else f"HTTP {reply.status}"
            )
            self._note(target, reply, "error", detail)
            if reply.status is None or reply.status == 429 or reply.status >= 500:
                # A passing fault takes nothing away; without its ETag in the log the page is read anew next time.
                self._keep(target.url)
        elif reply.too_large:
            self._note(target, reply, "too_large", reply.problem)
        else:
            self._take(target, reply)

    def _follow(self, url: str, before: Row | None) -> tuple[Reply, int]:
        etag, modified = (before["etag"], before["last_modified"]) if before else (None, None)
        reply = self._fetcher.get(url, etag=etag, last_modified=modified)
        hops = 0
        while reply.status in _REDIRECTS and "location" in reply.headers:
            try:
                step = str(URL(reply.url).join(URL(reply.headers["location"])))
            except ValueError:
                return reply, hops
            address = self._book.canonical(step)
            hops += 1
            if address is None or not self._book.in_scope(address) or hops > self._policy.limits.redirects:
                return Reply(step if address else url, reply.status, reply.headers, b""), hops
            if address != url:
                # Another page: it is read in its own turn.
                return Reply(step, reply.status, reply.headers, b""), hops
            reply = self._fetcher.get(step, etag=etag, last_modified=modified)
        return reply, hops

    def _take(self, target: _Target, reply: Reply) -> None:
        assert reply.status is not None
        try:
            page = extract(
                reply.body,
                reply.headers.get("content-type", ""),
                target.url,
                self._policy,
                today=self._clock().date(),
                last_modified=reply.headers.get("last-modified"),
            )
        except Unreadable as problem:
            self._note(target, reply, problem.outcome, str(problem))
            return
        if page is None:
            self._note(target, reply, "unsupported_type", reply.content_type)
            return
        row = self._note(target, reply, page.wall or "no_stem", page.note)
        record = self._archive.add(target.url, reply.status, reply.headers, reply.body, row["fetched_at"])
        self._read.append(_Read(row, page, reply.status, record))
        base = _joined(reply.url, page.base) if page.base else reply.url
        for href, _ in page.links:
            url = self._book.canonical(href, base)
            if url is not None:
                self._offer(url, target.depth + 1, target.url)

    def _reuse(self, before: Row) -> None:
        now = self._clock()
        self._unchanged += 1
        self._log.append({**before, "reused": True, "fetched_at": now})
        self._keep(before["url"], crawled_at=now)

    def _keep(self, url: str, **changes: object) -> None:
        if earlier := self._previous.raw.get(url):
            self._kept.append({**earlier, **changes})

    def _note(self, target: _Target, reply: Reply | None, outcome: str, detail: str | None) -> Row:
        row: Row = {
            "municipality": self._site.slug,
            "url": target.url,
            "final_url": reply.url if reply and reply.status else None,
            "status": reply.status if reply else None,
            "outcome": outcome,
            "reused": False,
            "detail": detail,
            "content_type": reply.content_type if reply else None,
            "bytes": len(reply.body) if reply else 0,
            "sha256": content_hash(reply.body) if reply and reply.body else None,
            "etag": reply.headers.get("etag") if reply else None,
            "last_modified": reply.headers.get("last-modified") if reply else None,
            "depth": target.depth,
            "found_on": target.found_on,
            "fetched_at": self._clock(),
        }
        self._log.append(row)
        return row

    def _result(self) -> CrawlResult:
        """Take the furniture out of what was read and keep the pages that still have the stem."""
        furniture = self._previous.furniture | site_furniture(
            (read.page for read in self._read), self._policy, unchanged=self._unchanged
        )
        raw = list(self._kept)
        for read in self._read:
            text = read.page.text(without=furniture)
            title = read.page.title
            forms = word_forms(text if title in text else f"{title}\n{text}", self._policy)
            if not forms:
                continue
            read.row["outcome"] = "hit"
            dates = read.page.dates
            raw.append(
                {
                    "page_id": stable_id(self._site.slug, read.row["url"]),
                    "municipality": self._site.slug,
                    "url": read.row["url"],
                    "final_url": read.row["final_url"],
                    "canonical": self._book.canonical(read.page.canonical, read.row["url"])
                    if read.page.canonical
                    else None,
                    "title": title,
                    "text": text,
                    "published_date": dates.published,
                    "updated_date": dates.updated,
                    "date_source": dates.source,
                    "language": language_of(text or title, self._policy),
                    "kind": read.page.kind,
                    "status": read.status,
                    "word_forms": [{"form": form, "count": count} for form, count in forms.items()],
                    "hits": sum(forms.values()),
                    "text_sha256": content_hash(text),
                    "archive_record": read.record,
                    "crawled_at": read.row["fetched_at"],
                }
            )
        return CrawlResult(self._log, raw, furniture)


def _joined(address: str, base: str) -> str:
    """Return the address that relative links count from (HTML Standard, the base element)."""
    try:
        return str(URL(address).join(URL(base)))
    except ValueError:
        return address


def crawl(
    site: Site,
    policy: CrawlPolicy,
    fetcher: Fetcher,
    archive: Archive,
    clock: Clock,
    previous: Previous | None = None,
    *,
    max_pages: int = 20_000,
    on_page: Callable[[int, int], None] | None = None,
) -> CrawlResult:
    """Crawl ``site`` once. ``on_page`` is told (requests so far, addresses waiting).

    Raises:
        SiteUnreachable: the site answered nothing that can be read.
    """
    return Crawl(site, policy, fetcher, archive, clock, previous or Previous(), max_pages, on_page).run()
