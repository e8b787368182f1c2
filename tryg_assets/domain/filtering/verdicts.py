"""The verdict on each raw page, by rules in a fixed order; the first that applies gives the reason.

Order: empty, soft_404, not_danish, noise_word or name_only, job_ad, before_2020, duplicate_of. What a page is comes
before when it was written, and only pages that would be kept are compared with each other.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tryg_assets.domain.crawling.walls import soft_404_phrase
from tryg_assets.domain.filtering.duplicates import (
    containment,
    near_duplicate_pairs,
    originals,
    shingles,
)
from tryg_assets.domain.filtering.rules import CleaningRules
from tryg_assets.domain.filtering.senses import count_senses

Row = dict[str, Any]


@dataclass(slots=True)
class Verdict:
    """Verdict on one page: ``reason`` is ``None`` if it is kept; ``decided_by`` names the words or facts."""

    reason: str | None
    decided_by: str
    safety_words: list[str] = field(default_factory=list)
    duplicate_of: str | None = None


def judge(page: Row, rules: CleaningRules) -> Verdict:
    """Return the verdict on one raw page (a row of ``raw_crawl``), other pages aside."""
    text: str = page["text"]
    words = text.split()
    if len(words) < rules.least_words:
        return Verdict("empty", f"{len(words)} ord tekst")
    if phrase := soft_404_phrase(page["title"], text):
        return Verdict("soft_404", f"'{phrase}'")
    if page["language"] != "da":
        return Verdict("not_danish", f"sprog: {page['language']}")
    whole = text if page["title"] in text else f"{page['title']}\n{text}"
    senses = count_senses(whole, rules)
    safety_words = sorted(senses["safe"])
    if not safety_words:
        if senses["name"]:
            return Verdict("name_only", ", ".join(sorted(senses["name"])))
        return Verdict("noise_word", ", ".join(sorted(senses["noise"])))
    if by := _job_ad(page, rules):
        return Verdict("job_ad", by, safety_words)
    day = latest_date(page)
    if day is not None and day < rules.cutoff:
        return Verdict("before_2020", f"{day:%d.%m.%Y} ({page['date_source']})", safety_words)
    return Verdict(None, ", ".join(safety_words), safety_words)


def latest_date(page: Row) -> date | None:
    """Return the later of a raw page's published and updated dates."""
    days = [day for day in (page["published_date"], page["updated_date"]) if day is not None]
    return max(days, default=None)


def _job_ad(page: Row, rules: CleaningRules) -> str | None:
    job, low = rules.job_ad, page["text"].lower()
    if len(low.split()) > job.most_words:
        return None
    phrases = [phrase for phrase in job.phrases if phrase in low]
    address, title = job.address.search(page["url"]), job.title.search(page["title"])
    if len(phrases) >= job.least_phrases or ((address or title) and phrases) or (address and title):
        found = [match.group() for match in (address, title) if match]
        return ", ".join([*found, *phrases])
    return None


def filter_pages(pages: Sequence[Row], rules: CleaningRules) -> list[Row]:
    """Return one row of ``filtered_pages`` per raw page of one municipality."""
    verdicts = {page["page_id"]: judge(page, rules) for page in pages}
    kept = {page["page_id"]: page for page in pages if verdicts[page["page_id"]].reason is None}
    for key, original in _duplicates(kept, rules).items():
        verdict = verdicts[key]
        verdict.reason, verdict.duplicate_of = "duplicate_of", original
        verdict.decided_by = f"samme tekst som {kept[original]['url']}"
    return [
        {
            "page_id": page["page_id"],
            "municipality": page["municipality"],
            "url": page["url"],
            "title": page["title"],
            "verdict": "kept" if verdicts[page["page_id"]].reason is None else "dropped",
            "reason": verdicts[page["page_id"]].reason,
            "duplicate_of": verdicts[page["page_id"]].duplicate_of,
            "decided_by": verdicts[page["page_id"]].decided_by,
            "safety_words": verdicts[page["page_id"]].safety_words,
            "page_date": latest_date(page),
        }
        for page in pages
    ]


def _duplicates(kept: dict[str, Row], rules: CleaningRules) -> dict[str, str]:
    """Return for each duplicate among the kept pages the page_id that stands for it."""
    sets = {key: shingles(page["text"], rules.shingle_words) for key, page in kept.items()}
    preferred = sorted(kept, key=lambda key: _preference(kept[key], rules))
    by_address = {_plain_address(kept[key]["url"], rules): key for key in reversed(preferred)}
    twins = [
        (key, plain)
        for key in preferred
        if rules.twin_address.search(kept[key]["url"])
        and (plain := by_address[_plain_address(kept[key]["url"], rules)]) != key
        and containment(sets[key], sets[plain]) >= rules.twin_contained
    ]
    return originals(
        preferred, itertools.chain(twins, near_duplicate_pairs(sets, rules.near_duplicate_jaccard))
    )


def _plain_address(url: str, rules: CleaningRules) -> str:
    """Return an address without what makes it that of another version; only for comparison."""
    plain = rules.twin_address.sub("", url).replace("/?", "?")
    return re.sub(r"[?&/]+$", "", re.sub(r"^https?://(www\.)?", "", plain.replace("?&", "?")))


def _preference(page: Row, rules: CleaningRules) -> tuple[bool, bool, int, str]:
    """Order duplicates: the plain version, then the one that calls itself canonical, then the shortest address."""
    url: str = page["url"]
    return bool(rules.twin_address.search(url)), page["canonical"] not in (None, url), len(url), url
