"""What the archive costs a crawl: writing beside warcio's own writer, unchanged pages, and going on after a kill."""

from __future__ import annotations

import io
import random
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from benchmarks.extraction import known_pages
from tryg_assets.clock import fixed_clock
from tryg_assets.domain.crawling.archive import Archive
from tryg_assets.domain.crawling.cdxj import captures_by_id
from tryg_assets.domain.crawling.fetch import Reply
from tryg_assets.domain.crawling.recorder import Recorder

PAGES = 2000
MOMENT = datetime(2026, 11, 21, 12, tzinfo=UTC)
HEADERS = httpx.Headers([("Content-Type", "text/html; charset=utf-8"), ("ETag", '"v1"')] * 4)


def _pages() -> list[Reply]:
    """Return pages as long as those of a municipality: ten of the sample's together, never the same ten."""
    bodies = [page.body for page in known_pages()]
    chance = random.Random(1)
    return [
        Reply(f"http://www.stor.test/side/{number}", 200, HEADERS, b"".join(chance.sample(bodies, 10)))
        for number in range(PAGES)
    ]


class _Web:
    """Answers from memory, so that only the archive is measured."""

    def __init__(self, replies: list[Reply]) -> None:
        self._replies = {reply.url: reply for reply in replies}
        self.asked = 0

    def get(self, url: str, *, etag: str | None = None, last_modified: str | None = None) -> Reply:
        self.asked += 1
        return self._replies[url]


def _crawl(folder: Path, replies: list[Reply], moment: datetime, *, kill: bool = False) -> int:
    web = _Web(replies)
    try:
        with Archive(folder, "stor", moment) as archive:
            recorder = Recorder(web, archive, fixed_clock(moment))
            for reply in replies:
                recorder.get(reply.url, etag='"v1"')
            if kill:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    return web.asked


def _warcio(replies: list[Reply]) -> int:
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=True, warc_version="1.1")
    for reply in replies:
        head = StatusAndHeaders("200 OK", list(reply.headers.multi_items()), protocol="HTTP/1.1")
        body = io.BytesIO(reply.body)
        writer.write_record(
            writer.create_warc_record(reply.url, "response", body, len(reply.body), http_headers=head)
        )
    return len(out.getvalue())


def _milliseconds(run: Callable[[], int]) -> tuple[float, int]:
    begun = time.process_time()
    found = run()
    return (time.process_time() - begun) / PAGES * 1000, found


def report() -> None:
    replies = _pages()
    size = sum(len(reply.body) for reply in replies) / PAGES / 1000
    print(f"\n== the archive, {PAGES} pages of {size:.0f} KB, CPU milliseconds a page ==")
    theirs, their_bytes = _milliseconds(lambda: _warcio(replies))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours, _ = _milliseconds(lambda: _crawl(folder, replies, MOMENT))
        our_bytes = sum(path.stat().st_size for path in folder.glob("*/*"))
        captures_by_id.cache_clear()
        unchanged = [Reply(reply.url, 304, HEADERS, b"") for reply in replies]
        week = MOMENT + timedelta(days=7)
        revisits, _ = _milliseconds(lambda: _crawl(folder, unchanged, week, kill=True))
        small = sum(path.stat().st_size for path in folder.glob("*/*.open")) / PAGES
    with tempfile.TemporaryDirectory() as name:
        _crawl(Path(name), replies, MOMENT, kill=True)
        again, asked = _milliseconds(lambda: _crawl(Path(name), replies, MOMENT))
    print(f"warcio's writer            {theirs:.2f}  {their_bytes / PAGES / 1000:.1f} KB")
    print(
        f"ours, with index           {ours:.2f}  {our_bytes / PAGES / 1000:.1f} KB  ({theirs / ours:.1f} times its speed)"
    )
    print(f"unchanged pages            {revisits:.2f}  {small / 1000:.2f} KB")
    print(f"going on after a kill      {again:.2f}  {asked} pages asked for again")
