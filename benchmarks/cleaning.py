"""Does the crawl find every hit page of the sample Denmark, and does the cleaning step judge each as the truth says?"""

from __future__ import annotations

import csv
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tryg_assets import paths
from tryg_assets.clock import system_clock
from tryg_assets.domain.crawling.archive import Archive
from tryg_assets.domain.crawling.crawl import crawl
from tryg_assets.domain.crawling.fetch import Fetcher
from tryg_assets.domain.crawling.policy import crawl_policy
from tryg_assets.domain.filtering.rules import cleaning_rules
from tryg_assets.domain.filtering.verdicts import filter_pages
from tryg_assets.domain.sites import sample_sites
from tryg_assets.errors import SiteUnreachable

Row = dict[str, Any]


@dataclass
class Crawled:
    """All 98 sites: raw rows and verdicts by address, and what it took."""

    raw: dict[str, Row] = field(default_factory=dict)
    verdicts: dict[str, Row] = field(default_factory=dict)
    requests: int = 0
    unreachable: list[str] = field(default_factory=list)
    crawl_seconds: float = 0.0
    filter_seconds: float = 0.0


def crawl_all(address: str, folder: Path) -> Crawled:
    result = Crawled()
    policy, rules = crawl_policy(), cleaning_rules()
    for site in sample_sites(address).values():
        started = time.process_time()
        try:
            with (
                Fetcher(
                    policy, user_agent="TrygAssets bench", address=site.address, sleep=time.sleep
                ) as fetcher,
                Archive(folder, site.slug, system_clock()) as archive,
            ):
                found = crawl(site, policy, fetcher, archive, system_clock)
        except SiteUnreachable:
            result.unreachable.append(site.slug)
            continue
        result.crawl_seconds += time.process_time() - started
        result.requests += len(found.log)
        started = time.process_time()
        verdicts = filter_pages(found.raw, rules)
        result.filter_seconds += time.process_time() - started
        result.raw |= {row["url"]: row for row in found.raw}
        result.verdicts |= {row["url"]: row for row in verdicts}
    return result


def read_truth() -> list[Row]:
    with (paths.SAMPLE_WEB / "truth.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def report(crawled: Crawled) -> None:
    truth = {row["url"]: row for row in read_truth()}
    hits = {url for url, row in truth.items() if row["hit"] == "true"}
    found = set(crawled.raw)
    print("\n== crawl and cleaning, sample Denmark (our own texts; not field data) ==")
    print(f"requests {crawled.requests}, sites that do not answer: {', '.join(crawled.unreachable)}")
    print(
        f"hit pages: {len(hits)} in the truth, {len(hits & found)} found, {len(hits - found)} missed, {len(found - hits)} invented"
    )
    print(
        f"crawl {1000 * crawled.crawl_seconds / max(1, crawled.requests):.1f} ms CPU a request, cleaning {1000 * crawled.filter_seconds / max(1, len(found)):.2f} ms a page"
    )
    ids = {row["page_id"]: url for url, row in crawled.raw.items()}
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for url in sorted(hits & found):
        wanted, got = truth[url]["reason"] or "kept", crawled.verdicts[url]["reason"] or "kept"
        same = wanted == got and (
            got != "duplicate_of" or ids[crawled.verdicts[url]["duplicate_of"]] == truth[url]["duplicate_of"]
        )
        total[wanted] += 1
        right[wanted] += same
    for reason in sorted(total):
        print(f"  {reason:<14} {right[reason]:>5} of {total[reason]:>5} right")
    print(
        f"  {'all':<14} {right.total():>5} of {total.total():>5} right ({right.total() / max(1, total.total()):.4f})"
    )
