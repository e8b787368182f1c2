"""Run every measurement and print its figures."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks import cleaning, coding, engine_cost, extraction
from tryg_assets.domain.sample_web.server import SampleServer


def main() -> None:
    started = time.perf_counter()
    with SampleServer() as server, tempfile.TemporaryDirectory() as folder:
        crawled = cleaning.crawl_all(server.address, Path(folder))
    cleaning.report(crawled)
    coding.report(crawled)
    extraction.report()
    engine_cost.report()
    print(f"\nall measurements took {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
