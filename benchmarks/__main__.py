"""Run the measurements, all or those named, and print their figures: ``python -m benchmarks [name ...]``."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import (
    cleaning,
    cleaning_scale,
    coding,
    crawl,
    dates,
    engine_cost,
    extraction,
    money,
    reliability,
    resume,
    review,
)
from tryg_assets.domain.sample_web.server import SampleServer

# Those that look at the pages of the sample Denmark, crawled once for all of them.
ON_THE_SAMPLE: dict[str, Callable[[cleaning.Crawled], None]] = {
    "cleaning": cleaning.report,
    "coding": coding.report,
    "money": money.report,
}
ALONE: dict[str, Callable[[], None]] = {
    "cleaning_scale": cleaning_scale.report,
    "extraction": extraction.report,
    "dates": dates.report,
    "crawl": crawl.report,
    "resume": resume.report,
    "reliability": reliability.report,
    "review": review.report,
    "engine_cost": engine_cost.report,
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in ON_THE_SAMPLE and name not in ALONE]
    if unknown:
        print(f"no measurement '{unknown[0]}'; there are: {', '.join([*ON_THE_SAMPLE, *ALONE])}")
        return 2
    started = time.perf_counter()
    wanted = names or [*ON_THE_SAMPLE, *ALONE]
    if any(name in ON_THE_SAMPLE for name in wanted):
        with SampleServer() as server, tempfile.TemporaryDirectory() as folder:
            crawled = cleaning.crawl_all(server.address, Path(folder))
        for name in wanted:
            if name in ON_THE_SAMPLE:
                ON_THE_SAMPLE[name](crawled)
    for name in wanted:
        if name in ALONE:
            ALONE[name]()
    print(f"\nall measurements took {time.perf_counter() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
