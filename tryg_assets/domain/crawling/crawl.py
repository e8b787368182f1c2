"""One crawl of one site: from its home page and sitemaps, breadth first, promising addresses earlier."""

from __future__ import annotations

import heapq
import itertools
import pickle
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from protego import Protego
from yarl import URL

from tryg_assets.clock import Clock
from tryg_assets.domain.crawling.addresses import AddressBook, origin_of
from tryg_assets.domain.crawling.archive import Archive
from tryg_assets.domain.crawling.documents import Unreadable
from tryg_assets.domain.crawling.extract import (
    Extracted,
    extract,
    has_stem,
    language_identifier,
    language_of,
    word_forms,
)
from tryg_assets.domain.crawling.fetch import Fetcher, Reply
from tryg_assets.domain.crawling.furniture import RepeatedBlocks
from tryg_assets.domain.crawling.policy import CrawlPolicy
from tryg_assets.domain.crawling.recorder import Recorder
from tryg_assets.domain.crawling.sitemaps import sitemap_entries
from tryg_assets.domain.sites import Site
from tryg_assets.errors import SiteUnreachable
from tryg_assets.ids import content_hash, stable_id

Row = dict[str, Any]
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# Not asked for in this crawl, and to be asked first in the next.
_POSTPONED = frozenset({"limit", "left_alone"})
# Pages that were read, whether or not their text was there.
_READ = frozenset(
    {"hit", "no_stem", "soft_404", "login_wall", "cookie_wall", "needs_javascript", "scanned", "empty"}
)
# Outcomes of a page that say nothing of what was read of it before.
_READING_STANDS = _POSTPONED | {"robots"}
# RFC 9309 section 2.5: at least 500 kibibytes of a robots.txt are read.
_ROBOTS_BYTES = 500 * 1024


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


class _Candidates:
    """Pages with the stem somewhere on them, kept on disk until the site's furniture is known."""

    def __init__(self) -> None:
        self._rows: list[tuple[Row, int, str]] = []
        # A file of our own without a name: nobody else can write what is unpickled from it.
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the crawl; see close()

    def add(self, row: Row, page: Extracted, status: int, record: str) -> None:
        pickle.dump(replace(page, links=()), self._file, pickle.HIGHEST_PROTOCOL)
        self._rows.append((row, status, record))

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[tuple[Row, Extracted, int, str]]:
        self._file.seek(0)
        for row, status, record in self._rows:
            yield row, pickle.load(self._file), status, record

    def close(self) -> None:
        self._file.close()


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
        on_page: Callable[[int, int, int], None] | None,
        closing: Callable[[], str | None],
    ) -> None:
        self._site, self._policy, self._fetcher = site, policy, fetcher
        self._recorder = Recorder(fetcher, archive, clock)
        self._clock, self._previous = clock, previous
        self._max_pages, self._on_page, self._closing = max_pages, on_page, closing
        self._started = clock()
        self._book = AddressBook(site, policy, self._started.date())
        self._robots: dict[str, Protego] = {}
        self._robots_failed: dict[str, str] = {}
        self._failures: Counter[str] = Counter()
        self._queue: list[tuple[bool, int, bool, int, _Target]] = []
        self._order = itertools.count()
        self._known: set[str] = set()
        self._origins: set[str] = set()
        self._refused: Counter[str] = Counter()
        self._last_refused: dict[str, Row] = {}
        self._cut_short = any(row["outcome"] in _POSTPONED for row in previous.log.values())
        self._log: list[Row] = []
        self._asked = 0
        self._bytes = 0
        self._blocks = RepeatedBlocks(policy)
        self._candidates = _Candidates()
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
        try:
            self._seed(home)
            while self._queue:
                target = heapq.heappop(self._queue)[-1]
                if spent := self._spent():
                    # Every waiting address is noted, so that the next crawl goes on where this one stopped.
                    for waiting in (target, *(entry[-1] for entry in sorted(self._queue))):
                        self._postpone(waiting, "limit", spent)
                    break
                self._visit(target)
                if self._on_page:
                    self._on_page(self._asked, len(self._candidates) + len(self._kept), len(self._queue))
            self._refuse_silence()
            return self._result()
        finally:
            self._candidates.close()

    def _seed(self, home: str) -> None:
        """Fill the frontier: home page, extra hosts, what is known, and last the sitemaps, which may be without end."""
        self._offer(home, 0, None)
        for host in self._site.extra_hosts:
            self._offer(f"{URL(home).scheme}://{host}/", 0, None)
        # What was refused as endless comes last, so that it takes no place from what was read.
        for row in sorted(self._previous.log.values(), key=lambda row: row["outcome"] == "trap"):
            read_last_time = self._cut_short and row["outcome"] not in _POSTPONED
            self._offer(row["url"], row["depth"], row["found_on"], later=read_last_time, known=True)
        self._load_robots(origin_of(home))

    def _spent(self) -> str | None:
        """Return which limit of a whole crawl is reached."""
        limits = self._policy.limits
        if self._asked >= self._max_pages:
            return f"more than {self._max_pages} requests in one crawl"
        if self._bytes > limits.site_bytes:
            return f"more than {limits.site_bytes} bytes in one crawl"
        if self._clock() - self._started > timedelta(hours=limits.site_hours):
            return f"more than {limits.site_hours} hours for one crawl"
        return self._closing()

    def _refuse_silence(self) -> None:
        if any(row["outcome"] in ("hit", "no_stem", "unsupported_type") for row in self._log):
            return
        first = next(
            (row for row in self._log if row["url"] == self._book.canonical(self._site.website)), self._log[0]
        )
        without_text = Counter(row["outcome"] for row in self._log if row["outcome"] in _READ)
        answer = f"HTTP {first['status']}" if first["status"] else first["detail"]
        if without_text:
            pages = ", ".join(f"{count} {outcome}" for outcome, count in sorted(without_text.items()))
            answer = f"only pages whose text is not there to be read ({pages})"
        raise SiteUnreachable(
            f"{self._site.name} ({self._site.website}) gave nothing to read: {answer}. What was read before is kept. "
            f"Open the address in a browser; if it works there, run 'tryg run --municipality {self._site.slug}' again; "
            "if the site has moved, correct its website in data/reference/municipalities.csv (or in your list of sites)."
        )

    def _get(self, url: str, *, etag: str | None = None, last_modified: str | None = None) -> Reply:
        """Ask, and count how often in a row a host has failed."""
        reply = self._recorder.get(url, etag=etag, last_modified=last_modified)
        origin, limits = origin_of(url), self._policy.limits
        if not reply.failed:
            self._failures[origin] = 0
        elif reply.retry_after > limits.retry_after_seconds:
            self._failures[origin] = limits.failures_in_a_row
        else:
            self._failures[origin] += 1
        return reply

    def _load_robots(self, origin: str) -> Protego:
        if origin not in self._robots:
            reply = self._ask_robots(f"{origin}/robots.txt")
            text = ""
            if reply.failed or reply.problem:
                # RFC 9309 section 2.3.1.4: a robots.txt that cannot be had for server or network errors forbids all.
                text = "User-agent: *\nDisallow: /"
                answer = f"answered HTTP {reply.status}" if reply.status else "gave no answer"
                why = f" ({reply.problem})" if reply.problem else ""
                self._robots_failed[origin] = f"robots.txt {answer}{why}, so nothing may be read"
            elif reply.status == 200 and (reply.content_type or "text/plain") == "text/plain":
                text = reply.body[:_ROBOTS_BYTES].decode("utf-8-sig", errors="replace")
            self._robots[origin] = Protego.parse(text)
            delay = self._robots[origin].crawl_delay("TrygAssets")
            if delay and self._fetcher.pause:
                longest = self._policy.limits.crawl_delay_seconds
                self._fetcher.pause = max(self._fetcher.pause, min(float(delay), longest))
            if origin not in self._robots_failed:
                self._read_sitemaps(origin)
        return self._robots[origin]

    def _ask_robots(self, url: str) -> Reply:
        """Ask for a robots.txt where it stands or has moved to (RFC 9309 section 2.3.1.2)."""
        reply = self._get(url)
        for _ in range(self._policy.limits.redirects):
            if reply.status not in _REDIRECTS or "location" not in reply.headers:
                break
            try:
                step = str(URL(reply.url).join(URL(reply.headers["location"])))
            except ValueError:
                break
            reply = self._get(step)
        return reply

    def _read_sitemaps(self, origin: str) -> None:
        waiting = [*self._robots[origin].sitemaps] or [f"{origin}/sitemap.xml"]
        seen: set[str] = set()
        limits = self._policy.limits
        while waiting and len(seen) < limits.sitemaps:
            address = self._book.canonical(waiting.pop(0))
            if address is None or address in seen or not self._book.in_scope(address):
                continue
            seen.add(address)
            reply = self._get(address)
            if reply.status != 200:
                continue
            for found, is_sitemap in sitemap_entries(reply.body, limits.body_bytes):
                if is_sitemap and len(waiting) < limits.sitemaps:
                    waiting.append(found)
                elif not is_sitemap and (url := self._book.canonical(found)):
                    self._offer(url, 1, None)
                    if self._full():
                        return

    def _full(self) -> bool:
        return len(self._queue) >= self._policy.limits.waiting

    def _offer(
        self, url: str, depth: int, found_on: str | None, *, later: bool = False, known: bool = False
    ) -> None:
        """Take up an address if it is new, of the site, and no endless space.

        What the crawl before ``known`` always has a place; ``later`` is read after all the rest.
        """
        if url in self._known or self._book.skipped_type(url) or not self._book.in_scope(url):
            return
        target, limits = _Target(url, depth, found_on), self._policy.limits
        if reason := self._book.trap(url):
            self._refuse(target, "trap", reason)
        elif depth > limits.depth:
            self._refuse(target, "trap", f"deeper than {limits.depth} links")
        elif (origin := origin_of(url)) not in self._origins and len(self._origins) >= limits.hosts:
            self._refuse(target, "trap", f"more than {limits.hosts} hosts")
        elif self._full() and not known:
            self._refuse(target, "limit", f"{limits.waiting} addresses wait already")
        else:
            self._known.add(url)
            self._origins.add(origin)
            heapq.heappush(
                self._queue, (later, depth, not self._book.promising(url), next(self._order), target)
            )

    def _refuse(self, target: _Target, outcome: str, reason: str) -> None:
        """Note an address that is not taken up; after so many for one reason only their number."""
        self._refused[reason] += 1
        if self._refused[reason] <= self._policy.limits.noted:
            self._known.add(target.url)
            self._last_refused[reason] = self._note(target, None, outcome, reason)

    def _visit(self, target: _Target) -> None:
        origin = origin_of(target.url)
        robots = self._load_robots(origin)
        failures = self._failures[origin]
        if origin in self._robots_failed:
            self._postpone(target, "robots", self._robots_failed[origin])
            return
        if failures >= self._policy.limits.failures_in_a_row:
            self._postpone(
                target, "left_alone", f"{origin} failed {failures} times in a row or asked for rest"
            )
            return
        if not robots.can_fetch(target.url, "TrygAssets"):
            self._note(target, None, "robots", "robots.txt asks us not to read it")
            return
        before = self._previous.log.get(target.url)
        self._asked += 1
        reply, hops = self._follow(target.url, before)
        self._bytes += len(reply.body)
        final = target.url if reply.url == target.url else self._book.canonical(reply.url) or reply.url
        if reply.status == 304 and before is not None:
            self._reuse(before, reply)
        elif final != target.url:
            if not self._book.in_scope(final):
                self._note(target, reply, "out_of_scope", f"redirects to {final}")
            else:
                self._note(target, reply, "redirect", f"{hops} redirect(s)")
                self._offer(final, target.depth, target.url)
        elif reply.too_large:
            self._note(target, reply, "too_large", reply.problem)
        elif reply.problem or reply.status is None or reply.status >= 300:
            self._note(target, reply, "error", self._why(reply, hops))
            if reply.failed or reply.problem:
                # A passing fault takes nothing away; without an ETag in the log the page is read anew next time.
                self._keep(target.url)
        else:
            self._take(target, reply)

    def _why(self, reply: Reply, hops: int) -> str:
        if reply.problem:
            return reply.problem
        if reply.status not in _REDIRECTS:
            return f"HTTP {reply.status}"
        most = self._policy.limits.redirects
        return f"more than {most} redirects" if hops > most else "redirects to no web address"

    def _follow(self, url: str, before: Row | None) -> tuple[Reply, int]:
        etag, modified = (before["etag"], before["last_modified"]) if before else (None, None)
        reply = self._get(url, etag=etag, last_modified=modified)
        hops = 0
        while reply.status in _REDIRECTS and "location" in reply.headers:
            try:
                step = str(URL(reply.url).join(URL(reply.headers["location"])))
            except ValueError:
                return reply, hops
            address = self._book.canonical(step)
            hops += 1
            if address is None or not self._book.in_scope(address) or hops > self._policy.limits.redirects:
                return replace(reply, url=step if address else url, body=b""), hops
            if address != url:
                # Another page: it is read in its own turn.
                return replace(reply, url=step, body=b""), hops
            reply = self._get(step, etag=etag, last_modified=modified)
        return reply, hops

    def _take(self, target: _Target, reply: Reply) -> None:
        assert reply.status is not None
        assert reply.record is not None
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
        self._blocks.add(page)
        if has_stem(page.title, self._policy) or has_stem(page.text(), self._policy):
            self._candidates.add(row, page, reply.status, reply.record)
            # Loaded now: while it is read the model takes twice its memory, and later the frontier is long.
            language_identifier(self._policy.languages)
        base = _joined(reply.url, page.base) if page.base else reply.url
        hrefs = [href for href, _ in page.links]
        if page.canonical:
            # A page may say which of its addresses is the main one. That one is read too; it does not replace this one.
            hrefs.append(page.canonical)
        for url in self._book.new_links(hrefs, base):
            self._offer(url, target.depth + 1, target.url)

    def _reuse(self, before: Row, reply: Reply) -> None:
        now = reply.fetched_at
        self._unchanged += 1
        if before["outcome"] in _READING_STANDS:
            outcome = "hit" if before["url"] in self._previous.raw else "no_stem"
            before = {**before, "outcome": outcome, "status": 200, "final_url": before["url"], "detail": None}
        self._log.append({**before, "reused": True, "fetched_at": now})
        self._keep(before["url"], crawled_at=now)

    def _postpone(self, target: _Target, outcome: str, reason: str) -> None:
        """Leave an address to the next crawl: what was read of it before is kept, and so is what a 304 rests on."""
        row = self._note(target, None, outcome, reason)
        before = self._previous.log.get(target.url)
        if before and before["outcome"] in _READ | _READING_STANDS:
            row |= {name: before[name] for name in ("etag", "last_modified", "content_type", "sha256")}
        self._keep(target.url)

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
            # Of an error page they would make the page itself look unchanged the next time.
            "etag": reply.headers.get("etag") if reply and reply.status == 200 else None,
            "last_modified": reply.headers.get("last-modified") if reply and reply.status == 200 else None,
            "depth": target.depth,
            "found_on": target.found_on,
            "fetched_at": reply.fetched_at if reply else self._clock(),
        }
        self._log.append(row)
        return row

    def _result(self) -> CrawlResult:
        """Take the furniture out of what was read and keep the pages that still have the stem."""
        furniture = self._previous.furniture | self._blocks.furniture(unchanged=self._unchanged)
        raw = list(self._kept)
        for row, page, status, record in self._candidates:
            text = page.text(without=furniture)
            forms = word_forms(text if page.title in text else f"{page.title}\n{text}", self._policy)
            if not forms:
                continue
            row["outcome"] = "hit"
            raw.append(
                {
                    "page_id": stable_id(self._site.slug, row["url"]),
                    "municipality": self._site.slug,
                    "url": row["url"],
                    "final_url": row["final_url"],
                    "canonical": self._book.canonical(page.canonical, row["url"]) if page.canonical else None,
                    "title": page.title,
                    "text": text,
                    "published_date": page.dates.published,
                    "updated_date": page.dates.updated,
                    "date_source": page.dates.source,
                    "language": language_of(text or page.title, self._policy),
                    "kind": page.kind,
                    "status": status,
                    "word_forms": [{"form": form, "count": count} for form, count in forms.items()],
                    "hits": sum(forms.values()),
                    "text_sha256": content_hash(text),
                    "archive_record": record,
                    "crawled_at": row["fetched_at"],
                }
            )
        for reason, row in self._last_refused.items():
            if (more := self._refused[reason] - self._policy.limits.noted) > 0:
                row["detail"] = f"{reason} (and {more} more links)"
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
    on_page: Callable[[int, int, int], None] | None = None,
    closing: Callable[[], str | None] = lambda: None,
) -> CrawlResult:
    """Crawl ``site`` once.

    ``on_page`` is told (requests so far, pages that may be hits, addresses waiting); ``closing`` may give a reason to stop.

    Raises:
        SiteUnreachable: the site answered nothing that can be read.
    """
    return Crawl(
        site, policy, fetcher, archive, clock, previous or Previous(), max_pages, on_page, closing
    ).run()
