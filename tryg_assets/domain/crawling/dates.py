"""When a page was published and last updated, and which rule found it."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from tryg_assets import paths
from tryg_assets.domain.reference import read_yaml


@dataclass(frozen=True, slots=True)
class Dates:
    """Dates of a page; ``source`` names the rule that found them: meta, json_ld, time, text, url or pdf."""

    published: date | None = None
    updated: date | None = None
    source: str | None = None

    @property
    def latest(self) -> date | None:
        """The later of the two, or ``None`` if neither is known."""
        known = [day for day in (self.published, self.updated) if day]
        return max(known) if known else None


@dataclass(frozen=True, slots=True)
class _Rules:
    months: dict[str, int]
    any_date: re.Pattern[str]
    labelled: re.Pattern[str]
    updated_labels: frozenset[str]
    alone: re.Pattern[str]
    meta_published: tuple[str, ...]
    meta_updated: tuple[str, ...]
    earliest_year: int


@functools.cache
def _rules() -> _Rules:
    raw = read_yaml(paths.CODEBOOK / "dates.yml")
    months = "|".join(sorted(raw["months"], key=len, reverse=True))
    weekdays = "|".join(raw["weekdays"])
    moment = (
        rf"(?:(?:{weekdays})\s+)?(?:d(?:en)?\.?\s*)?"
        rf"(?:(?P<y1>\d{{4}})-(?P<m1>\d{{1,2}})-(?P<d1>\d{{1,2}})"
        rf"|(?P<d2>\d{{1,2}})\s?[./-]\s?(?P<m2>\d{{1,2}})\s?[./ -]\s?(?P<y2>\d{{4}}|\d{{2}})\b"
        rf"|(?:(?P<d3>\d{{1,2}})\.?\s+)?(?P<m3>{months})\b\.?,?\s+(?P<y3>\d{{4}}))"
    )
    labels = sorted([*raw["updated_labels"], *raw["published_labels"]], key=len, reverse=True)
    alternatives = "|".join(re.escape(label) for label in labels)
    return _Rules(
        months=raw["months"],
        any_date=re.compile(moment, re.IGNORECASE),
        labelled=re.compile(rf"\b(?P<label>{alternatives})\b\s*(?:er)?\s*[:.]?\s*{moment}", re.IGNORECASE),
        updated_labels=frozenset(raw["updated_labels"]),
        alone=re.compile(rf"{moment}(?:\s*(?:kl\.?|klokken)\s*[\d.:]+)?\.?", re.IGNORECASE),
        meta_published=tuple(raw["meta_published"]),
        meta_updated=tuple(raw["meta_updated"]),
        earliest_year=raw["earliest_year"],
    )


def parse_date(text: str) -> date | None:
    """Return the first date written in ``text`` in a Danish or ISO notation, or ``None``.

    A month without a day counts as its first day; a year of two digits is of this century up to 49.
    """
    match = _rules().any_date.search(text)
    return _day_of(match) if match else None


def _day_of(match: re.Match[str]) -> date | None:
    rules = _rules()
    found = match.groupdict()
    if found["y1"]:
        year, month, day = int(found["y1"]), int(found["m1"]), int(found["d1"])
    elif found["y2"]:
        year, month, day = int(found["y2"]), int(found["m2"]), int(found["d2"])
        if year < 100:
            year += 2000 if year < 50 else 1900
    else:
        year, month, day = int(found["y3"]), rules.months[found["m3"].lower()], int(found["d3"] or 1)
    try:
        moment = date(year, month, day)
    except ValueError:
        return None
    return moment if rules.earliest_year <= year <= 2100 else None


def find_dates(blocks: Iterable[str], url: str, tree: LexborHTMLParser | None = None) -> Dates:
    """Find the dates of a page by the most trusted rule that finds any.

    ``blocks`` are all text blocks of the page, furniture included: bylines often stand there.
    """
    if tree is not None and (found := marked_dates(tree)).source:
        return found
    found = _from_text(blocks)
    if found.source:
        return found
    return _from_url(url)


def marked_dates(tree: LexborHTMLParser) -> Dates:
    """Return the dates that markup states: meta, JSON-LD, ``time``."""
    for rule in (_from_meta, _from_json_ld, _from_time):
        found = rule(tree)
        if found.source:
            return found
    return Dates()


def _from_meta(tree: LexborHTMLParser) -> Dates:
    rules = _rules()
    values: dict[str, date] = {}
    for node in tree.css("meta[content]"):
        name = (
            node.attrs.get("property") or node.attrs.get("name") or node.attrs.get("itemprop") or ""
        ).lower()
        if (name in rules.meta_published or name in rules.meta_updated) and (
            day := parse_date(node.attrs.get("content") or "")
        ):
            values.setdefault(name, day)
    published = next((values[name] for name in rules.meta_published if name in values), None)
    updated = next((values[name] for name in rules.meta_updated if name in values), None)
    return Dates(published, updated, "meta") if published or updated else Dates()


def _from_json_ld(tree: LexborHTMLParser) -> Dates:
    for node in tree.css('script[type="application/ld+json"]'):
        try:
            content = json.loads(node.text() or "")
        except (json.JSONDecodeError, RecursionError):
            continue
        for entry in _objects(content):
            published = parse_date(str(entry.get("datePublished", "")))
            updated = parse_date(str(entry.get("dateModified", "")))
            if published or updated:
                return Dates(published, updated, "json_ld")
    return Dates()


def _objects(content: Any) -> Iterator[dict[str, Any]]:
    if isinstance(content, dict):
        yield content
        yield from _objects(content.get("@graph", []))
    elif isinstance(content, list):
        for entry in content:
            yield from _objects(entry)


def _from_time(tree: LexborHTMLParser) -> Dates:
    for node in tree.css("time"):
        day = parse_date(node.attrs.get("datetime") or "") or parse_date(node.text(deep=True))
        if day:
            label = f"{node.attrs.get('class') or ''} {node.parent.text(deep=True)[:60] if node.parent else ''}".lower()
            if any(word in label for word in ("opdater", "update", "modified", "ændret", "revideret")):
                return Dates(None, day, "time")
            return Dates(day, None, "time")
    return Dates()


def _from_text(blocks: Iterable[str]) -> Dates:
    rules = _rules()
    published: date | None = None
    updated: date | None = None
    first_alone: date | None = None
    for text in blocks:
        for match in rules.labelled.finditer(text):
            day = _day_of(match)
            if match.group("label").lower() in rules.updated_labels:
                updated = updated or day
            else:
                published = published or day
        if first_alone is None and len(text) < 60 and (alone := rules.alone.fullmatch(text.strip())):
            first_alone = _day_of(alone)
    published = published or (first_alone if updated is None else None)
    return Dates(published, updated, "text") if published or updated else Dates()


def _from_url(url: str) -> Dates:
    match = re.search(r"/((?:19|20)\d{2})/(?:(\d{1,2})/)?", url)
    if not match:
        return Dates()
    try:
        return Dates(published=date(int(match.group(1)), int(match.group(2) or 1), 1), source="url")
    except ValueError:
        return Dates()
