"""The published counts three ways: the machine's, corrected by what people coded, and the interval of the correction.

What can be corrected from coded pages, and how:

- **Pages** (in all, in a focus area, naming a group of actors): the stratified difference estimator. Nothing is assumed but
  that the sample was drawn as it says. An area that a coder left open widens the interval by both answers.
- **Initiatives**: people code pages, and one initiative may be on many. Each page counts with its part of the initiatives the
  engine resolved on it; a page the engine missed is at least no new initiative and at most one. The interval reaches from the
  one to the other (bounds in the sense of Manski), given that the engine puts the right pages together.
- **Municipalities with at least one**: a municipality where people found one is certain. For the others it depends on the pages
  nobody coded; those, and pages whose area was left open, are taken to be independent
  given stratum and decision.
- **Initiatives of a focus area, or naming an actor**: not from coded pages. The corrected number of pages stands beside.

A type of municipality is corrected by its own pages only, never by a rate of all. Where too few were coded the row says so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tryg_assets.domain.reference import MUNICIPALITY_TYPES, UNRESOLVED
from tryg_assets.domain.reliability.agreement import ALL, PAGE
from tryg_assets.domain.reliability.design import PSEUDO_ERRORS, Strata, Total, times_needed
from tryg_assets.domain.reliability.intervals import Floats, Interval
from tryg_assets.domain.reliability.reference import Answers, gold_versions
from tryg_assets.domain.review.sampling import ALL_TYPES, ESTIMATE, Design, decision_class

FOCUS_AREA, ACTOR = "focus_area", "actor"
DIFFERENCE, BOUNDS, INDEPENDENT, NONE = "difference_estimator", "bounds", "independent_pages", "none"
PAGES, INITIATIVES, MUNICIPALITIES = "sider", "indsatser", "kommuner"
_TYPES = tuple(MUNICIPALITY_TYPES)
_DRAWS = 4000
# The 97.5 % point of a rate, times the pages coded, when none of them was an error (Jeffreys' prior).
_RARE = 2.51
_NOT_CODED = "Ingen har kodet sider fra stikprøven."
_NO_ACTORS = "Ingen har kodet aktører."
_NOT_FROM_PAGES = (
    "Kan ikke rettes ud fra kodede sider, fordi en indsats kan stå på flere. Se tallet for sider."
)


@dataclass(frozen=True, slots=True)
class Country:
    """All kept pages of one engine, in one order, with what people coded.

    ``stratum`` and ``type`` are numbers, ``municipality`` too; ``coded`` marks the pages of the sample that people answered.
    ``said_yes`` those they call an initiative. ``initiatives`` is each page's part of the machine's initiatives.
    """

    ids: tuple[str, ...]
    stratum: NDArray[np.int64]
    classes: NDArray[np.int64]
    type: NDArray[np.int64]
    municipality: NDArray[np.int64]
    coded: NDArray[np.bool_]
    said_yes: Floats
    initiatives: Floats

    @classmethod
    def of(
        cls,
        codings: pl.DataFrame,
        initiatives: pl.DataFrame,
        sample: pl.DataFrame,
        answers: Mapping[str, bool],
        types: Mapping[str, str],
    ) -> Country:
        """Put the kept pages in order. ``answers`` is people's relevance by page, ``types`` the types by municipality."""
        rows = (
            codings.sort("page_id").select("page_id", "municipality", "is_initiative", "confident").to_dicts()
        )
        drawn = sample.filter(pl.col("purpose") == ESTIMATE)
        names = set(drawn["stratum"])
        whole = {name for name in names if name.endswith(f"/{ALL_TYPES}")}
        classes = [decision_class(row) for row in rows]
        strata = [
            f"{name}/{ALL_TYPES}"
            if f"{name}/{ALL_TYPES}" in whole
            else f"{name}/{types[row['municipality']]}"
            for name, row in zip(classes, rows, strict=True)
        ]
        asked = set(drawn["page_id"]) & answers.keys()
        parts: dict[str, float] = {}
        for pages in initiatives["pages"]:
            for page in pages:
                parts[page] = parts.get(page, 0.0) + 1 / len(pages)
        return cls(
            tuple(row["page_id"] for row in rows),
            _numbers(strata),
            _numbers(classes),
            np.array([_TYPES.index(types[row["municipality"]]) for row in rows], dtype=np.int64),
            _numbers([row["municipality"] for row in rows]),
            np.array([row["page_id"] in asked for row in rows], dtype=bool),
            np.array([answers.get(row["page_id"], False) for row in rows], dtype=float),
            np.array([parts.get(row["page_id"], 0.0) for row in rows]),
        )

    def marked(self, pages: Iterable[str]) -> Floats:
        """Return 1 for each of ``pages`` and 0 for the others."""
        wanted = set(pages)
        return np.array([page in wanted for page in self.ids], dtype=float)

    def strata(self, part: NDArray[np.bool_]) -> Strata:
        """Return the strata of some of the pages (all of them, or those of one type)."""
        # A stratum that was not split by type is split here: a type is judged by its own pages only.
        _, of = np.unique(self.stratum[part], return_inverse=True)
        of = of.ravel().astype(np.int64)
        held = np.bincount(of).astype(float)
        class_of = np.zeros(len(held), dtype=np.int64)
        class_of[of] = self.classes[part]
        return Strata(of, self.coded[part], PSEUDO_ERRORS * held / np.bincount(self.classes)[class_of])

    def part(self, kind: str | None) -> NDArray[np.bool_]:
        """Return which pages are of a type of municipality (``None``: all)."""
        return np.ones(len(self.ids), dtype=bool) if kind is None else self.type == _TYPES.index(kind)


def _numbers(names: Sequence[str]) -> NDArray[np.int64]:
    numbers: NDArray[np.int64] = np.unique(np.array(names, dtype=str), return_inverse=True)[1].astype(
        np.int64
    )
    return numbers


@dataclass(frozen=True, slots=True)
class Correction:
    """A corrected number, or why there is none and about how many more pages would have to be coded."""

    method: str
    value: float | None = None
    interval: Interval | None = None
    labels: int = 0
    why_not: str | None = None
    needed: int | None = None


def corrected_rows(
    codings: pl.DataFrame,
    initiatives: pl.DataFrame,
    named: pl.DataFrame,
    sample: pl.DataFrame,
    reference: pl.DataFrame,
    actor_codings: pl.DataFrame,
    *,
    types: Mapping[str, str],
    read: Set[str],
    areas: Sequence[str],
    engine: str,
    design: Design,
    seed: int,
) -> list[dict[str, Any]]:
    """Return rows of ``corrected_estimates``: every published count of pages, initiatives and municipalities.

    ``named`` says on which page of which initiative the engine found which group of actors (page_id, initiative_id,
    subcategory). ``types`` are the types of the municipalities in the list of sites, ``read`` those that were read; all tables
    hold municipalities in the list only. People's answers are those of the gold version to go by.
    """
    versions = gold_versions(reference)
    answers = versions[-1] if versions else Answers("", "", {}, frozenset(), date.min, False)
    relevance, truth = answers.yes.get(("relevance", PAGE), {}), answers.initiatives()
    country = Country.of(codings, initiatives, sample, relevance, types)
    yes = codings.filter(pl.col("is_initiative") == "yes")
    rows: list[dict[str, Any]] = []

    def add(about: str, item: str, kind: str | None, unit: str, machine: int, found: Correction) -> None:
        rows.append(
            {
                "about": about,
                "item": item,
                "type": kind or ALL,
                "unit": unit,
                "engine": engine,
                "gold_version": answers.version or None,
                "coder_kind": answers.coder_kind or None,
                "machine": machine,
                "corrected": found.value,
                "low": found.interval.low if found.interval else None,
                "high": found.interval.high if found.interval else None,
                "method": found.method,
                "why_not": found.why_not,
                "labels": found.labels,
                "labels_needed": found.needed,
            }
        )

    for item in (ALL, *areas):
        about = ALL if item == ALL else FOCUS_AREA
        pages, mine, true, unsaid = yes, initiatives, truth, set[str]()
        if item != ALL:
            of_area = answers.yes.get((FOCUS_AREA, item), {})
            pages, mine = (
                table.filter(pl.col("focus_areas").list.contains(item)) for table in (yes, initiatives)
            )
            true = {page for page in truth if of_area.get(page)}
            unsaid = truth - of_area.keys()
        machine, people, open_ = (country.marked(of) for of in (pages["page_id"], true, unsaid))
        asked = replace(country, coded=country.coded & (open_ == 0))
        for kind in (None, *_TYPES):
            part = country.part(kind)
            where = [slug for slug in mine["municipality"] if kind in (None, types[slug])]
            found = correct_pages(country, machine, people, open_, part, design)
            add(about, item, kind, PAGES, int(machine[part].sum()), found)
            if item == ALL:
                found = correct_initiatives(country, machine, people, part, len(where), design)
                add(about, item, kind, INITIATIVES, len(where), found)
            elif kind is None:
                add(about, item, kind, INITIATIVES, len(where), Correction(NONE, why_not=_NOT_FROM_PAGES))
            of = sum(kind in (None, types[slug]) for slug in read)
            found = correct_municipalities(asked, machine, people, kind, of, design, seed)
            add(about, item, kind, MUNICIPALITIES, len(read & set(where)), found)
    coded_actors = actor_codings.filter(pl.col("gold_version") == answers.version)
    everywhere, none_open = country.part(None), np.zeros(len(country.ids))
    for (subcategory,), mentions in sorted(named.group_by("subcategory")):
        machine = country.marked(mentions["page_id"])
        found = Correction(NONE, why_not=_NO_ACTORS)
        if coded_actors.height:
            true = truth.intersection(coded_actors.filter(pl.col("subcategory") == subcategory)["page_id"])
            found = correct_pages(country, machine, country.marked(true), none_open, everywhere, design)
        add(ACTOR, str(subcategory), None, PAGES, int(machine.sum()), found)
        count = mentions["initiative_id"].n_unique()
        add(ACTOR, str(subcategory), None, INITIATIVES, count, Correction(NONE, why_not=_NOT_FROM_PAGES))
    return rows


def named_groups(mentions: pl.DataFrame, entities: pl.DataFrame, initiatives: pl.DataFrame) -> pl.DataFrame:
    """Return which group of actors the engine found on which page of which initiative, as the marts count them.

    An actor no rule could place is in no group.
    """
    return (
        mentions.join(initiatives, on="initiative_id", how="semi")
        .join(entities.select("entity_id", "municipality", "subcategory"), on=["entity_id", "municipality"])
        .filter(pl.col("subcategory") != UNRESOLVED)
        .select("page_id", "initiative_id", "subcategory")
        .unique()
    )


def read_municipalities(crawl_log: pl.LazyFrame) -> set[str]:
    """Return the municipalities of which at least one page could be searched for the stem, as the marts do."""
    read = crawl_log.filter(pl.col("outcome").is_in(["hit", "no_stem"])).select("municipality").unique()
    return set(read.collect()["municipality"])


def correct_pages(
    country: Country,
    machine: Floats,
    people: Floats,
    open_: Floats,
    part: NDArray[np.bool_],
    design: Design,
) -> Correction:
    """Correct a count of the pages in ``part``: the machine's 0 or 1 of every page, people's of the coded ones.

    ``open_`` marks initiatives whose coder did not say whether they are in the area. Leaving them out would favour the no,
    which is never left open; they count as none in the lower end, as all in the upper, and as usual in the estimate.
    """
    strata = country.strata(part)
    limit = max(1.0, design.reach_count * float(machine[part].sum()))
    if refused := _too_few(strata, limit, design):
        return refused
    unsaid = open_[part] * strata.coded
    said = people[part] * strata.coded
    if not unsaid.any():
        total = strata.total(machine[part], said)
        return Correction(DIFFERENCE, total.value, total.interval, total.labels)
    initiatives = country.said_yes[part] * strata.coded
    usual = float(said.sum() / max(1.0, (initiatives - unsaid).sum()))
    return _bounds(*(strata.total(machine[part], said + share * unsaid) for share in (0.0, usual, 1.0)))


def _bounds(least: Total, middle: Total, most: Total) -> Correction:
    return Correction(BOUNDS, middle.value, Interval(least.interval.low, most.interval.high), middle.labels)


def correct_initiatives(
    country: Country, machine: Floats, people: Floats, part: NDArray[np.bool_], count: int, design: Design
) -> Correction:
    """Correct the number of initiatives on the pages in ``part``, ``count`` by the engine, as the engine puts pages together.

    A page both call an initiative counts with its part of the engine's initiatives. One the engine missed counts as much as
    such a page does on average (but at most one) in the estimate, nothing in the lower end, one in the upper end.
    """
    strata = country.strata(part)
    if refused := _too_few(strata, max(1.0, design.reach_count * count), design):
        return refused
    parts, said, true = country.initiatives[part], machine[part] > 0, people[part] > 0
    both = said & true & strata.coded
    usual = min(1.0, float(parts[both].mean())) if both.any() else 1.0
    most = max(1.0, float(parts.max(initial=0.0)))
    return _bounds(
        *(
            strata.total(parts, np.where(true, np.where(said, parts, missed), 0.0), most)
            for missed in (0.0, usual, 1.0)
        )
    )


def _too_few(strata: Strata, limit: float, design: Design) -> Correction | None:
    """Return the refusal to correct a count whose interval would reach further than ``limit`` though no error were found."""
    labels = int(strata.coded.sum())
    if not labels and len(strata.of):
        return Correction(NONE, why_not=_NOT_CODED)
    needed = strata.missing(design.least_per_type)
    # What a stratum lacks is coded first; the reach then says whether that is enough.
    if strata.reach() > limit:
        times = times_needed(strata.reach, limit) or 1.0
        needed = max(needed, math.ceil((times - 1) * labels))
    return _refusal(labels, needed) if needed else None


def _refusal(labels: int, needed: int) -> Correction:
    why = f"For få kodninger: {labels} sider er kodet, og der skal kodes omtrent {needed} mere."
    return Correction(NONE, labels=labels, why_not=why, needed=needed)


@dataclass(frozen=True, slots=True)
class _Unknown:
    """What is left open about the municipalities of one type.

    ``certain`` municipalities have a page people found. ``open`` counts the pages nobody coded by (other municipality, group),
    where a group is a class of decisions with or without the engine's yes; ``coded`` and ``found`` count coded pages by group.
    ``machine`` says of each of the other municipalities whether the engine found one.
    """

    certain: int
    open: Floats
    coded: NDArray[Any]
    found: NDArray[Any]
    machine: NDArray[np.bool_]

    @classmethod
    def of(cls, country: Country, machine: Floats, people: Floats, kind: str) -> _Unknown:
        part = country.part(kind)
        places, place = np.unique(country.municipality[part], return_inverse=True)
        groups, group = np.unique(country.classes[part] * 2 + (machine[part] > 0), return_inverse=True)
        coded, true = country.coded[part], people[part] > 0
        certain = np.bincount(place, coded & true, minlength=len(places)) > 0
        claimed = np.bincount(place, machine[part], minlength=len(places)) > 0
        open_ = np.zeros((len(places), len(groups)))
        np.add.at(open_, (place[~coded], group[~coded]), 1)
        return cls(
            int(certain.sum()),
            open_[~certain],
            np.bincount(group, coded, minlength=len(groups)),
            np.bincount(group, coded & true, minlength=len(groups)),
            claimed[~certain],
        )

    @property
    def is_blind(self) -> bool:
        """Whether it depends on pages of a group of which none was coded."""
        return bool((self.open[:, self.coded == 0] > 0).any())

    def reach(self, times: float = 1.0) -> float:
        """Return how far the number may lie off though no miss is found, with ``times`` as many pages coded."""
        sizes = self.coded + self.open.sum(axis=0)
        coded = np.minimum(sizes, times * np.maximum(self.coded, 1))
        left = (sizes - coded) / np.maximum(1, sizes - self.coded)
        rate = np.minimum(0.999, _RARE / (coded + 0.5))
        missed = 1 - np.exp((self.open[~self.machine] * left) @ np.log1p(-rate))
        return float(missed.sum()) / 2

    def draw(self, rng: np.random.Generator) -> Floats:
        """Return draws of the number of municipalities with at least one, rates by Jeffreys' prior."""
        rates = rng.beta(self.found + 0.5, self.coded - self.found + 0.5, (_DRAWS, len(self.coded)))
        none = np.exp(np.log1p(-np.minimum(rates, 1 - 1e-12)) @ self.open.T)
        drawn: Floats = self.certain + (rng.random(none.shape) >= none).sum(axis=1).astype(float)
        return drawn


def correct_municipalities(
    country: Country,
    machine: Floats,
    people: Floats,
    kind: str | None,
    of: int,
    design: Design,
    seed: int,
) -> Correction:
    """Correct the number of municipalities (of a type, or all) with at least one page, of ``of`` that were read."""
    parts = [_Unknown.of(country, machine, people, name) for name in _TYPES if kind in (None, name)]
    labels = int(country.coded[country.part(kind)].sum())
    if not labels and country.part(kind).any():
        return Correction(NONE, why_not=_NOT_CODED)

    def reach(times: float = 1.0) -> float:
        return sum(part.reach(times) for part in parts)

    limit = design.reach_municipalities * of
    if reach() > limit or any(part.is_blind for part in parts):
        times = times_needed(reach, limit) or 1.0
        return _refusal(labels, max(1, math.ceil((times - 1) * labels)))
    rng = np.random.default_rng(seed)
    drawn = np.sum([part.draw(rng) for part in parts], axis=0)
    low, high = (float(end) for end in np.quantile(drawn, [0.025, 0.975]))
    return Correction(INDEPENDENT, min(max(float(drawn.mean()), low), high), Interval(low, high), labels)
