"""A whole crawl against Scrapy: the same 20,000 pages on loopback, politeness off, CPU and memory of the crawler's process only.

Each crawler runs in a process of its own (``python -m benchmarks.crawl NAME ADDRESS PAGES``), the website in another.
``BENCH_PAGES`` makes the website smaller: the whole run takes ten minutes of CPU.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.crawl_site import hit_paths, page_paths
from benchmarks.memory import peak

PAGES = int(os.environ.get("BENCH_PAGES", "20000"))


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _ours(address: str, pages: int, *, archived: bool, again: bool = False) -> dict[str, Any]:
    from tryg_assets.clock import system_clock
    from tryg_assets.domain.crawling.archive import Archive
    from tryg_assets.domain.crawling.crawl import Previous, crawl
    from tryg_assets.domain.crawling.fetch import Fetcher
    from tryg_assets.domain.crawling.policy import crawl_policy
    from tryg_assets.domain.sites import Site

    policy, site = crawl_policy(), Site("stor", "Stor Kommune", "storby", f"http://{address}/")

    class NoArchive(Archive):
        def add(self, *_: object, **__: object) -> str:
            return ""

    def once(folder: str, previous: Previous) -> tuple[Any, dict[str, Any]]:
        begun = _cpu()
        peaks: list[int] = []

        def note(asked: int, hits: int, waiting: int) -> None:
            if asked % 1000 == 0:
                peaks.append(round(peak()))

        with (
            Fetcher(policy, user_agent="TrygAssets bench", sleep=lambda seconds: None) as fetcher,
            (Archive if archived else NoArchive)(Path(folder), "stor", system_clock()) as archive,
        ):
            result = crawl(
                site, policy, fetcher, archive, system_clock, previous, max_pages=2 * pages, on_page=note
            )
        return result, {"cpu": _cpu() - begun, "peaks": peaks}

    with tempfile.TemporaryDirectory() as folder:
        result, figures = once(folder, Previous())
        if again:
            log, raw = ({row["url"]: row for row in rows} for rows in (result.log, result.raw))
            second, later = once(folder, Previous(log, raw, result.furniture))
            figures |= {
                "again_cpu": later["cpu"],
                "again_bytes": sum(row["bytes"] for row in second.log if not row["reused"]),
                "again_hits": len(second.raw),
            }
    read = [row["url"] for row in result.log if row["outcome"] in ("hit", "no_stem")]
    return figures | {"read": read, "hits": [row["url"] for row in result.raw]}


def _scrapy(address: str, pages: int, *, cheap_links: bool) -> dict[str, Any]:
    from benchmarks import crawl_scrapy

    begun = _cpu()
    found = crawl_scrapy.run(address, cheap_links=cheap_links)
    read = [row["url"] for row in found if row["status"] == 200 and "hit" in row]
    return {"cpu": _cpu() - begun, "read": read}


CRAWLERS: dict[str, Callable[[str, int], dict[str, Any]]] = {
    "tryg-assets": lambda address, pages: _ours(address, pages, archived=False),
    "tryg-assets with archive": lambda address, pages: _ours(address, pages, archived=True, again=True),
    "scrapy": lambda address, pages: _scrapy(address, pages, cheap_links=False),
    "scrapy, selectolax links": lambda address, pages: _scrapy(address, pages, cheap_links=True),
}


@contextmanager
def _website(pages: int) -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.crawl_site", str(pages)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def report() -> None:
    print(f"\n== crawl of {PAGES} pages on loopback, politeness off ==")
    rates: dict[str, float] = {}
    with _website(PAGES) as address:
        for name in CRAWLERS:
            command = [sys.executable, "-m", "benchmarks.crawl", name, address, str(PAGES)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            figures = json.loads(done.stdout)
            rates[name] = PAGES / figures["cpu"]
            print(f"{name:<26} {_line(figures)}  {rates[name]:.0f} pages a CPU second", flush=True)
            if "again_cpu" in figures:
                print(
                    f"{'  again, unchanged':<26} {100 * figures['again_cpu'] / figures['cpu']:.1f} % of the first crawl's CPU, "
                    f"{figures['again_bytes']} bytes of bodies, {figures['again_hits']} hits kept"
                )
    for ours in ("tryg-assets", "tryg-assets with archive"):
        for peer in ("scrapy", "scrapy, selectolax links"):
            print(f"{ours} / {peer}: {rates[ours] / rates[peer]:.2f}")


def _line(figures: dict[str, Any]) -> str:
    read = Counter(urlsplit(url).path for url in figures["read"])
    wanted = page_paths(PAGES)
    text = f"{len(wanted & read.keys())} of {len(wanted)} pages, {read.total() - len(read)} twice, peak {figures['peak']} MB"
    if figures.get("peaks"):
        half = figures["peaks"][len(figures["peaks"]) // 2]
        text += f" ({half} half way)"
    if "hits" in figures:
        hits = {urlsplit(url).path for url in figures["hits"]}
        text += f", hits {len(hits & hit_paths(PAGES))} of {len(hit_paths(PAGES))} and {len(hits - hit_paths(PAGES))} invented"
    return text


def main() -> None:
    name, address, pages = sys.argv[1:]
    figures = CRAWLERS[name](address, int(pages))
    print(json.dumps(figures | {"peak": round(peak())}))


if __name__ == "__main__":
    main()
