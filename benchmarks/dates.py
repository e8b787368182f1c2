"""Dates of pages against htmldate, on htmldate's own test pages: is the year right, is the day right, how fast."""

from __future__ import annotations

import json
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

from benchmarks.extraction import corpus_folder, in_half
from tryg_assets.domain.crawling.charset import decode
from tryg_assets.domain.crawling.dates import marked_dates
from tryg_assets.domain.crawling.extract import read_tree
from tryg_assets.domain.crawling.markup import parse
from tryg_assets.domain.crawling.policy import crawl_policy

_SETS = ("eval_mediacloud_2020.json", "eval_default.json")


def _pages(folder: Path) -> dict[str, tuple[str, str | None]]:
    """Address -> HTML and the right date (ISO, or ``None``)."""
    pages = {}
    for name in _SETS:
        for url, entry in json.loads((folder / name).read_text(encoding="utf-8")).items():
            places = (folder / place / entry["file"] for place in ("test_set", "cache", "eval"))
            body = next(place for place in places if place.is_file()).read_bytes()
            right = entry["date"] if isinstance(entry["date"], str) else None
            pages[url] = (decode(body, ""), right)
    return pages


def _ours(html: str) -> str | None:
    """The dates of the crawl; a page that states them in its markup need not be read further for them."""
    policy = crawl_policy()
    tree, _ = parse(html, policy.documents.html_characters)
    dates = marked_dates(tree)
    if dates.source is None:
        dates = read_tree(tree, "", policy).dates
    day = dates.published or dates.updated
    return day.isoformat() if day else None


def _htmldate(html: str) -> str | None:
    from htmldate import find_date

    found: str | None = find_date(html, original_date=True, extensive_search=True)
    return found


def report() -> None:
    print("\n== dates, htmldate's own test pages (published date asked for) ==")
    folder = corpus_folder("BENCH_HTMLDATE", "htmldate's tests/ (eval_*.json, test_set/, cache/, eval/)")
    if folder is None:
        return
    logging.disable(logging.CRITICAL)
    pages = _pages(folder)
    rates: dict[str, float] = {}
    runs: dict[str, Callable[[str], str | None]] = {"tryg-assets": _ours, "htmldate extensive": _htmldate}
    for name, run in runs.items():
        run("<p>x")  # imports and rule files
        started = time.process_time()
        found = {url: run(html) for url, (html, _) in pages.items()}
        rates[name] = len(pages) / (time.process_time() - started)
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for url, day in found.items():
            right = pages[url][1]
            for half in ("all", in_half(url)):
                counts[half].update(
                    n=1,
                    year=(day or "")[:4] == (right or "")[:4],
                    day=day == right,
                    none=day is None,
                    wrong=day is not None and day[:4] != (right or "")[:4],
                )
        for half, count in sorted(counts.items()):
            n = count["n"]
            print(
                f"{name:<20} {half:<5} n {n:>4}  year right {count['year'] / n:.3f}  day right {count['day'] / n:.3f}  "
                f"none {count['none'] / n:.3f}  year wrong {count['wrong'] / n:.3f}"
            )
        print(f"{name:<20} {rates[name]:.0f} pages a CPU second")
    print(f"speed: {rates['tryg-assets'] / rates['htmldate extensive']:.1f} times htmldate's")


if __name__ == "__main__":
    report()
