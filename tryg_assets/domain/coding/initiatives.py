"""One row per initiative: the same initiative named on several pages of a municipality is found and put together."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from rapidfuzz import fuzz

from tryg_assets.domain.coding.interface import fold
from tryg_assets.domain.reference import CRITERIA, municipalities
from tryg_assets.ids import stable_id

Row = dict[str, Any]

_ALIKE = 85.0  # rapidfuzz ratio of each word: an ending apart
_AS_ONE_WORD = 96.0  # of the whole names without spaces: written in one word or two
_TELLING = 10  # a shorter name of one word is no proof that a text speaks of the initiative
_YEARS = re.compile(r"\b20\d\d(?:\s?-\s?(?:20)?\d\d)?\b")
_MARKS = re.compile(r"[\"'.,:;!?()|]+")


@dataclass(frozen=True, slots=True)
class _Naming:
    """An initiative as one page names it."""

    key: str
    initiative: Row
    coding: Row


def resolve(
    codings: Iterable[Row], raw_by_page_id: Mapping[str, Row], earlier: Iterable[Row], crawl_day: date
) -> list[Row]:
    """Return the rows of ``classified_initiatives`` of one municipality and engine.

    Names that are alike after folding (municipality, quotes, years and case aside; different figures are different names)
    are one initiative. A page that has no name for its initiative but its own title, and whose text speaks of an
    initiative that another page names, belongs to that one. An initiative of ``earlier`` keeps its id and first day.

    Args:
        codings: rows of ``page_codings``; only pages decided "yes" count.
        raw_by_page_id: rows of ``raw_crawl``.
        earlier: the rows this function returned at the crawl before.
        crawl_day: the day of this crawl.
    """
    namings = [
        _Naming(name_key(initiative["name"], coding["municipality"]), initiative, coding)
        for coding in sorted(codings, key=lambda row: row["page_id"])
        if coding["is_initiative"] == "yes"
        for initiative in coding["initiatives"]
    ]
    groups = _told_by_title(_alike(namings), raw_by_page_id)
    known = sorted(earlier, key=lambda row: row["initiative_id"])
    rows = [_row(group, raw_by_page_id, crawl_day) for group in groups]
    _keep_identity(rows, known)
    return sorted(rows, key=lambda row: row["initiative_id"])


def name_key(name: str, municipality: str) -> str:
    """Return a name as it is compared: folded, without quotes, years and the municipality's own name."""
    key = _MARKS.sub(" ", _YEARS.sub(" ", fold(name)))
    known = municipalities().get(municipality)
    if known:
        own = "|".join(
            re.escape(part.casefold())
            for part in (f"{known.short_name} Kommune", known.name, known.short_name)
        )
        shorter = re.sub(rf"\s+(?:i|for|-)\s+(?:{own})s?\s*$|\b(?:{own})s?\b", " ", key)
        key = shorter if re.search(r"\w{3}", shorter) else key
    return re.sub(r"\s+", " ", key).strip(" -") or fold(name)


def alike(one: str, other: str) -> bool:
    """Return whether two name keys name the same initiative."""
    if re.findall(r"\d+", one) != re.findall(r"\d+", other):
        return False
    words, others = one.split(), other.split()
    if len(words) == len(others):
        return all(fuzz.ratio(word, match) >= _ALIKE for word, match in zip(words, others, strict=True))
    return fuzz.ratio("".join(words), "".join(others)) >= _AS_ONE_WORD


def _alike(namings: Sequence[_Naming]) -> list[list[_Naming]]:
    """Group by likeness to the commonest key of each group, so that a chain of small differences joins nothing."""
    by_key: defaultdict[str, list[_Naming]] = defaultdict(list)
    for naming in namings:
        by_key[naming.key].append(naming)
    groups: dict[str, list[_Naming]] = {}
    for key in sorted(by_key, key=lambda key: (-len(by_key[key]), key)):
        head = next((head for head in groups if alike(head, key)), key)
        groups.setdefault(head, []).extend(by_key[key])
    return list(groups.values())


def _told_by_title(groups: list[list[_Naming]], raw: Mapping[str, Row]) -> list[list[_Naming]]:
    """Move namings that are a page's title into the group whose name the page's text uses."""
    own: list[list[_Naming]] = []
    titled: list[list[_Naming]] = []
    for group in groups:
        only_title = all(
            fold(naming.initiative["name"]) == fold(raw[naming.coding["page_id"]]["title"])
            for naming in group
        )
        (titled if only_title else own).append(group)
    left = []
    for group in titled:
        texts = [raw[naming.coding["page_id"]]["text"] for naming in group]
        fitting = [
            (len(name), number)
            for number, other in enumerate(own)
            for name in {naming.initiative["name"] for naming in other}
            if (" " in name or len(name) >= _TELLING) and all(name in text for text in texts)
        ]
        if fitting:
            own[max(fitting, key=lambda found: (found[0], -found[1]))[1]].extend(group)
        else:
            left.append(group)
    return own + left


def _row(group: list[_Naming], raw: Mapping[str, Row], day: date) -> Row:
    names = Counter(naming.initiative["name"] for naming in group)
    keys = {naming.initiative["name"]: naming.key for naming in group}
    titles = {raw[naming.coding["page_id"]]["title"] for naming in group}
    name = min(names, key=lambda name: (-names[name], name in titles, len(name), name))
    ranked = sorted(group, key=lambda naming: _rank(naming, name))
    best = ranked[0]
    coding = best.coding
    kinds = Counter(naming.initiative["kind"] for naming in group)
    return {
        "initiative_id": stable_id(coding["municipality"], keys[name]),
        "municipality": coding["municipality"],
        "engine": coding["engine"],
        "name": name,
        "kind": min(kinds, key=lambda kind: (-kinds[kind], CRITERIA.index(kind))),
        "focus_areas": _united(ranked, "focus_areas"),
        "themes": _united(ranked, "themes"),
        **{field: _first(ranked, field) for field in ("target_group", "place", "department")},
        **{field: _most(ranked, field) for field in ("economy_dkk", "users_per_year")},
        "organisation_form": _first(ranked, "organisation_form"),
        "pages": sorted({naming.coding["page_id"] for naming in group}),
        "evidence_page": coding["page_id"],
        "evidence_url": raw[coding["page_id"]]["url"],
        "evidence_ids": list(best.initiative["sentence_ids"]),
        "quote": best.initiative["quote"],
        "first_seen": day,
        "last_seen": day,
    }


def _rank(naming: _Naming, name: str) -> tuple[bool, float, str]:
    """Order evidence: a page that uses the name, then the most confident page, then by id."""
    return naming.initiative["name"] != name, -naming.coding["confidence"], naming.coding["page_id"]


def _united(ranked: list[_Naming], field: str) -> list[str]:
    return list(dict.fromkeys(value for naming in ranked for value in naming.initiative[field]))


def _first(ranked: list[_Naming], field: str) -> Any:
    return next((naming.initiative[field] for naming in ranked if naming.initiative[field] is not None), None)


def _most(ranked: list[_Naming], field: str) -> Any:
    return max(
        (naming.initiative[field] for naming in ranked if naming.initiative[field] is not None), default=None
    )


def _keep_identity(rows: list[Row], known: list[Row]) -> None:
    """Give rows that were there before their id and first day back: by id first, then by likeness of the names."""
    before = {row["initiative_id"]: row for row in known}
    taken = {row["initiative_id"] for row in rows} & before.keys()
    for row in rows:
        same = before.get(row["initiative_id"])
        if same is None:
            key = name_key(row["name"], row["municipality"])
            same = next(
                (
                    old
                    for old in known
                    if old["initiative_id"] not in taken
                    and alike(key, name_key(old["name"], old["municipality"]))
                ),
                None,
            )
        if same is not None:
            taken.add(same["initiative_id"])
            row["initiative_id"] = same["initiative_id"]
            row["first_seen"] = min(same["first_seen"], row["first_seen"])
