"""The codebook under ``data/codebook``: definition, relevance rules, terms of areas and attributes, typed and hashed."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from tryg_assets import paths
from tryg_assets.domain.coding.lexicon import Lexicon
from tryg_assets.domain.reference import CRITERIA, organisation_forms, read_yaml
from tryg_assets.errors import DataFileError
from tryg_assets.ids import content_hash

_FILES = (
    "definition.yml",
    "relevance.yml",
    "focus_areas_terms.yml",
    "focus_area_statistics.csv",
    "focus_area_statistics.yml",
    "page_statistics.csv",
    "page_statistics.yml",
    "sentence_statistics.csv",
    "sentence_statistics.yml",
    "attributes.yml",
    "cleaning.yml",
    "abbreviations.yml",
)
_T = TypeVar("_T")
_FORMS = paths.REFERENCE / "organisation_forms.yml"


@dataclass(frozen=True, slots=True)
class Criterion:
    """One of the six criteria: ``id`` is the kind of initiative it makes."""

    id: str
    description: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal of relevance: ``weight`` times its value, which counts to ``most`` either way; ``why`` is said to readers."""

    name: str
    weight: float
    most: float
    why: str

    def part(self, value: float) -> float:
        """Return what a value of the signal adds to the score of a page."""
        return self.weight * max(-self.most, min(value, self.most))


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where a score becomes a decision."""

    yes: float
    doubt: float
    confident: float


@dataclass(frozen=True, slots=True)
class Relevance:
    """The rules that decide whether a page describes an initiative."""

    words: Lexicon
    peripheral: re.Pattern[str]
    rescued: re.Pattern[str]
    afar: re.Pattern[str]
    deliberate: re.Pattern[str]
    plain_headings: tuple[str, ...]
    list_headings: Lexicon
    signals: dict[str, Signal]
    thresholds: Thresholds


@dataclass(frozen=True, slots=True)
class Topics:
    """The terms of focus areas (label ``area``) and themes (label ``area/theme``), with the rules for assigning them."""

    terms: Lexicon
    title_weight: float
    heading_weight: float
    evidence_weight: float
    theme_term_least: float
    theme_term_share: float
    area_log_weight: float
    area_share_weight: float
    area_limit: float
    area_terms_weight: float
    area_log_odds_limit: float
    scale: dict[str, float]
    area_most: int
    theme_least: float
    theme_share_of_best: float
    theme_most: int


@dataclass(frozen=True, slots=True)
class Attributes:
    """What the page may state about an initiative: terms by the value they give, and patterns for figures."""

    target_groups: Lexicon
    departments: re.Pattern[str]
    places: re.Pattern[str]
    money: re.Pattern[str]
    money_factors: dict[str, float]
    money_least: float
    users: re.Pattern[str]
    name_leads: tuple[str, ...]
    name_links: tuple[str, ...]
    name_sayings: tuple[str, ...]
    name_stops: frozenset[str]
    name_openings: re.Pattern[str]
    forms: Lexicon


@dataclass(frozen=True, slots=True)
class Codebook:
    """Everything the offline engine goes by. ``hash`` covers every file read."""

    definition: str
    in_doubt: str
    criteria: tuple[Criterion, ...]
    kinds: Lexicon
    relevance: Relevance
    topics: Topics
    attributes: Attributes
    hash: str


@functools.cache
def codebook() -> Codebook:
    """Read and check the codebook.

    Raises:
        DataFileError: an entry is missing, a criterion is unknown or a pattern is no regular expression.
    """
    criteria = _load("definition.yml", _criteria)
    definition = read_yaml(paths.CODEBOOK / "definition.yml")
    return Codebook(
        definition=definition["definition"].strip(),
        in_doubt=definition["in_doubt"].strip(),
        criteria=criteria,
        kinds=Lexicon.of_lists({entry.id: entry.words for entry in criteria}),
        relevance=_load("relevance.yml", lambda raw: _relevance(raw, criteria)),
        topics=_load("focus_areas_terms.yml", _topics),
        attributes=_load("attributes.yml", _attributes),
        hash=codebook_hash(),
    )


def codebook_hash() -> str:
    """Return one hash over the bytes of every file the engine goes by."""
    files = [paths.CODEBOOK / name for name in _FILES] + ([_FORMS] if _FORMS.exists() else [])
    return content_hash("\n".join(f"{path.name} {content_hash(path.read_bytes())}" for path in files))


def _load(name: str, build: Callable[[Any], _T]) -> _T:
    path = paths.CODEBOOK / name
    try:
        return build(read_yaml(path))
    except (KeyError, TypeError, AttributeError) as problem:
        raise DataFileError(
            path, "file", f"entry {problem} is missing or malformed", "Compare with git."
        ) from problem
    except re.error as problem:
        where = f"pattern '{problem.pattern!s}'"
        raise DataFileError(
            path, where, f"it is no regular expression ({problem.msg})", "Mend it."
        ) from problem


def _criteria(raw: Any) -> tuple[Criterion, ...]:
    found = raw["criteria"]
    if tuple(found) != CRITERIA:
        remedy = f"Use {', '.join(CRITERIA)}."
        raise DataFileError(
            paths.CODEBOOK / "definition.yml", "criteria", "they are not the six criteria", remedy
        )
    return tuple(Criterion(id, entry["description"], tuple(entry["words"])) for id, entry in found.items())


def _relevance(raw: Any, criteria: Iterable[Criterion]) -> Relevance:
    lists = {name: list(terms) for name, terms in raw["words"].items()}
    lists["activity"] += [term for criterion in criteria for term in criterion.words]
    limits = raw["thresholds"]
    return Relevance(
        words=Lexicon.of_lists(lists),
        peripheral=_any(entry["pattern"] for entry in raw["peripheral"]),
        rescued=_any([raw["rescued"]]),
        afar=_any(entry["pattern"] for entry in raw["afar"]),
        deliberate=_any(entry["pattern"] for entry in raw["deliberate"]),
        plain_headings=tuple(raw["plain_headings"]),
        list_headings=Lexicon.of_lists({"list": raw["list_headings"]}),
        signals={
            name: Signal(name, float(entry["weight"]), float(entry.get("most", 1)), entry["why"])
            for name, entry in raw["signals"].items()
        },
        thresholds=Thresholds(
            float(limits["yes"]),
            float(limits["doubt"]),
            float(limits["confident"]),
        ),
    )


def _topics(raw: Any) -> Topics:
    entries: dict[str, list[tuple[str, float]]] = {}
    for area, content in raw["areas"].items():
        _add(entries, area, content["terms"])
        for theme, terms in content["themes"].items():
            _add(entries, f"{area}/{theme}", terms)
    return Topics(terms=Lexicon(entries), **raw["rules"])


def _add(
    entries: dict[str, list[tuple[str, float]]], label: str, terms: Mapping[float, Iterable[str]]
) -> None:
    for weight, words in terms.items():
        for word in words:
            entries.setdefault(word, []).append((label, float(weight)))


def _attributes(raw: Any) -> Attributes:
    forms = organisation_forms() if _FORMS.exists() else ()
    return Attributes(
        target_groups=Lexicon.of_lists(raw["target_groups"]),
        departments=_any(raw["departments"], ignore_case=False),
        places=_any(raw["places"], ignore_case=False),
        money=_any([raw["money"]["pattern"]]),
        money_factors={unit: float(factor) for unit, factor in raw["money"]["factors"].items()},
        money_least=float(raw["money"]["least"]),
        users=_any(raw["users"]),
        name_leads=tuple(raw["names"]["leads"]),
        name_links=tuple(raw["names"]["links"]),
        name_sayings=tuple(raw["names"]["sayings"]),
        name_stops=frozenset(raw["names"]["stops"]),
        name_openings=_any([raw["names"]["openings"]]),
        forms=Lexicon.of_lists({form.id: [signal.casefold() for signal in form.signals] for form in forms}),
    )


def _any(patterns: Iterable[str], *, ignore_case: bool = True) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE if ignore_case else 0)
