"""Run every measurement and print its figures."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks import (
    cleaning,
    cleaning_scale,
    coding,
    crawl,
    dates,
    extraction,
    money,
    reliability,
    resume,
    review,
)
from tryg_assets.domain.sample_web.server import SampleServer


def main() -> None:
    started = time.perf_counter()
    with SampleServer() as server, tempfile.TemporaryDirectory() as folder:
        crawled = cleaning.crawl_all(server.address, Path(folder))
    cleaning.report(crawled)
    cleaning_scale.report()
    coding.report(crawled)
    money.report(crawled)
    extraction.report()
    crawl.report()
    resume.report()
    dates.report()
    review.report()
    reliability.report()
    print(f"\nall measurements took {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
