"""A crawl that is killed (SIGKILL, a real process) goes on: nothing asked twice, nothing lost, the same rows."""

from __future__ import annotations

import multiprocessing
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator

from tryg_assets.clock import fixed_clock
from tryg_assets.domain.crawling.archive import Archive
from tryg_assets.domain.crawling.crawl import CrawlResult, Previous, crawl
from tryg_assets.domain.crawling.fetch import Fetcher
from tryg_assets.domain.crawling.policy import crawl_policy
from tryg_assets.domain.sites import Site
from tryg_assets_tests.hostile import Request, Say, answer, links, page, redirect, serve

HOME = "http://www.proeveby.test"
SITE = Site("proeveby", "Prøveby", "opland", f"{HOME}/")
MOMENT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PAGES = 60
MOMENTS = 30
# The process pool starts from a clean, loaded process, so that each of the many crawls costs a fork and not an import.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tryg_assets_tests.domain.test_resume"])


@dataclass(frozen=True)
class Page:
    """An answer, and the version that makes it "not modified"."""

    data: bytes
    etag: str = ""

    def to(self, request: Request) -> bytes:
        unchanged = self.etag and request.headers.get("if-none-match") == self.etag
        return answer(b"", "304 Not Modified", etag=self.etag) if unchanged else self.data


def site(version: int) -> dict[str, Page]:
    """Return a small site: a tree of pages, some with the stem, redirects, a page gone, a sitemap; version 2 has changes."""
    pages = {
        "/robots.txt": Page(answer("User-agent: *\nDisallow: /lukket", content_type="text/plain")),
        "/sitemap.xml": Page(
            answer(f"<urlset><url><loc>{HOME}/17</loc></url></urlset>", content_type="text/xml")
        ),
        "/gammel": Page(redirect("/5")),
        "/mappe": Page(redirect("/mappe/")),
        "/mappe/": Page(page("<p>Mappen om tryghed.</p>")),
    }
    for n in range(PAGES):
        changed = f" Udgave {version}." if n % 5 == 0 else ""
        text = "Byrådet vil have en tryg midtby." if n % 3 == 0 else "Affald hentes mandag."
        onward = links(*(f"/{to}" for to in (2 * n + 1, 2 * n + 2) if to < PAGES))
        more = links("/gammel", "/mappe", "/vaek", "/lukket") if n == 3 else ""
        # Every second page tells its version, so that the next crawl may be answered "not modified".
        etag = f'"{n}-{len(changed)}{version if changed else 0}"' if n % 2 else ""
        body = page(
            f"<p>Side {n}: {text}{changed}</p>",
            onward,
            more,
            title=f"Side {n}",
            **({"etag": etag} if etag else {}),
        )
        pages[f"/{n}" if n else "/"] = Page(body, etag)
    return pages


class Killer:
    """Serves a site, and has the crawler killed when it has come so far."""

    def __init__(self, pages: Mapping[str, Page], moment: int = 0, phase: str = "") -> None:
        self._pages, self._moment, self._phase = pages, moment, phase
        self.asked: list[str] = []
        self.kill: Callable[[], None] | None = None

    def __call__(self, request: Request, say: Say) -> None:
        self.asked.append(request.target)
        known = self._pages.get(request.target)
        data = known.to(request) if known else answer(b"", "404 Not Found")
        if self.kill is None or len(self.asked) != self._moment:
            say(data)
            return
        say(data[: {"asked": 0, "half": len(data) // 2}.get(self._phase, len(data))])
        if self._phase == "later":  # while it reads, stores or already asks on
            time.sleep(random.Random(self._moment).uniform(0, 0.004))
        self.kill()


def run(address: str, folder: Path, previous: Previous, moment: datetime) -> CrawlResult:
    with (
        Fetcher(
            crawl_policy(), user_agent="TrygAssets/test", address=address, sleep=lambda _: None
        ) as fetcher,
        Archive(folder, SITE.slug, moment) as archive,
    ):
        return crawl(SITE, crawl_policy(), fetcher, archive, fixed_clock(moment), previous)


def records(path: Path) -> Counter[tuple[str, str, str | None, str | None]]:
    """Return kind, address, status and payload digest of every record, as warcio reads them."""
    with path.open("rb") as stream:
        found = [
            (
                record.rec_type,
                record.rec_headers.get_header("WARC-Target-URI") or "",
                record.http_headers.get_statuscode() if record.http_headers else None,
                record.rec_headers.get_header("WARC-Payload-Digest"),
            )
            for record in ArchiveIterator(stream, check_digests="raise")
        ]
    return Counter(found)


@dataclass(frozen=True)
class Crawl:
    """An undisturbed crawl: what it starts from, what it found, and what it asked for."""

    files: Mapping[str, bytes]
    previous: Previous
    moment: datetime
    pages: Mapping[str, Page]
    result: CrawlResult
    records: Counter[tuple[str, str, str | None, str | None]]
    asked: list[str]


def undisturbed(folder: Path, version: int, previous: Previous, moment: datetime) -> Crawl:
    files = {path.name: path.read_bytes() for path in folder.glob("*/*")}
    asking = Killer(site(version))
    with serve({"*": asking}) as server:
        result = run(server.address, folder, previous, moment)
    found = records(max(folder.glob("*/*.warc.gz")))
    return Crawl(files, previous, moment, site(version), result, found, asking.asked)


@pytest.fixture(scope="module")
def crawls(tmp_path_factory: pytest.TempPathFactory) -> list[Crawl]:
    """The first crawl of the site, and the one a week later that finds it changed in parts."""
    folder = tmp_path_factory.mktemp("undisturbed")
    first = undisturbed(folder, 1, Previous(), MOMENT)
    log, raw = ({row["url"]: row for row in rows} for rows in (first.result.log, first.result.raw))
    known = Previous(log, raw, first.result.furniture)
    return [first, undisturbed(folder, 2, known, MOMENT + timedelta(days=7))]


def test_the_crawls_to_be_killed_have_every_kind_of_record_and_ask_once(crawls: list[Crawl]) -> None:
    first, second = ({(kind, status) for kind, _, status, _ in each.records} for each in crawls)
    assert first == {("warcinfo", None), ("response", "200"), ("response", "302"), ("response", "404")}
    assert second == first | {("revisit", "200"), ("revisit", "304")}
    for each in crawls:
        assert len(each.asked) == len(set(each.asked)) > PAGES
        assert len(each.result.raw) > PAGES / 4


@pytest.mark.parametrize("number", range(MOMENTS))
def test_a_crawl_killed_at_any_moment_goes_on(crawls: list[Crawl], tmp_path: Path, number: int) -> None:
    chance = random.Random(number)
    whole = crawls[number % 2]
    (tmp_path / SITE.slug).mkdir()
    for name, data in whole.files.items():
        (tmp_path / SITE.slug / name).write_bytes(data)
    moment, phase = chance.randint(1, len(whole.asked)), chance.choice(["asked", "half", "answered", "later"])
    asking = Killer(whole.pages, moment, phase)
    with serve({"*": asking}) as server:
        process = PROCESSES.Process(target=run, args=(server.address, tmp_path, whole.previous, whole.moment))
        asking.kill = lambda: process.kill()
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        for journal in tmp_path.glob("*/*.open"):
            assert records(journal) <= whole.records, "the archive opens, and holds nothing but answers"
        asking.kill = None
        result = run(server.address, tmp_path, whole.previous, whole.moment)
    assert result == whole.result
    assert records(max(tmp_path.glob("*/*.warc.gz"))) == whole.records
    twice = Counter(asking.asked) - Counter(whole.asked)
    assert twice.total() <= 1, "only the request under way is made again"
    assert set(asking.asked) == set(whole.asked)
