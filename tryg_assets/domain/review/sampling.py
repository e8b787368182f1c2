"""The stratified random sample of coded pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from tryg_assets import paths
from tryg_assets.domain.reference import read_yaml
from tryg_assets.errors import DataFileError
from tryg_assets.ids import stable_id

ALL_TYPES = "alle"
ESTIMATE, LEARNING = "estimate", "learning"
CLASSES = ("yes/confident", "yes/unsure", "no/unsure", "no/confident")
_FILE = paths.CODEBOOK / "review.yml"


@dataclass(frozen=True, slots=True)
class Design:
    """How pages are drawn and when a corrected number is shown: ``data/codebook/review.yml``."""

    shares: Mapping[str, float]
    least_per_type: int
    learning: int
    reach_count: float
    reach_municipalities: float

    @classmethod
    def load(cls) -> Design:
        """Read the design.

        Raises:
            DataFileError: an entry is missing or impossible.
        """
        raw = read_yaml(_FILE)
        raw = raw if isinstance(raw, dict) else {}
        shares, reach = (
            entry if isinstance(entry, dict) else {} for entry in (raw.get("shares"), raw.get("reach"))
        )
        for name, value in [(c, shares.get(c)) for c in CLASSES] + [
            (r, reach.get(r)) for r in ("count", "municipalities")
        ]:
            if not isinstance(value, int | float) or not 0 < value < 1:
                raise DataFileError(
                    _FILE,
                    f"entry '{name}'",
                    f"'{value}' is no share between 0 and 1",
                    "Write a share such as 0.2.",
                )
        if abs(sum(shares.values()) - 1) > 1e-9:
            raise DataFileError(
                _FILE, "entry 'shares'", f"they add up to {sum(shares.values()):g}", "Make them add up to 1."
            )
        for name, least in (("least_per_type", 2), ("learning", 0)):
            if not isinstance(raw.get(name), int) or raw[name] < least:
                raise DataFileError(
                    _FILE,
                    f"entry '{name}'",
                    f"'{raw.get(name)}' is not at least {least}",
                    "Write a whole number.",
                )
        return cls(
            {name: float(shares[name]) for name in CLASSES},
            raw["least_per_type"],
            raw["learning"],
            float(reach["count"]),
            float(reach["municipalities"]),
        )


def draw_sample(
    codings: pl.DataFrame, size: int, seed: int, types: Mapping[str, str], design: Design
) -> list[dict[str, Any]]:
    """Draw ``size`` pages (or all, if fewer) of one engine's ``page_codings``, and ``design.learning`` further ones.

    Strata are {yes, not yes} x {confident, unsure}; each is split by type of municipality (``types`` by slug) if every type
    can get ``design.least_per_type`` labels or all its pages. Within a stratum all pages have the same chance. A page is drawn
    by a number made of seed and page id (permanent random numbers, Ohlsson 1995), so the same codings give the same sample,
    and codings that changed a little give nearly the same: what people have coded stays useful.

    Returns rows of ``review_sample``. Rows for learning are those the engine is least sure of; they have no inclusion
    probability and never enter an estimate.
    """
    pages = codings.select(
        "page_id", "municipality", "url", "engine", "confidence", "confident", "is_initiative"
    ).to_dicts()
    by_class: dict[str, list[dict[str, Any]]] = {name: [] for name in CLASSES}
    for page in pages:
        by_class[decision_class(page)].append(page)
    wanted = allocate(size, {name: len(part) for name, part in by_class.items()}, design.shares)
    rows: list[dict[str, Any]] = []
    for name, part in by_class.items():
        by_type: dict[str, list[dict[str, Any]]] = {}
        for page in part:
            by_type.setdefault(types[page["municipality"]], []).append(page)
        counts = _by_type(
            wanted[name], {kind: len(pages) for kind, pages in by_type.items()}, design.least_per_type
        )
        if counts is None:
            by_type, counts = {ALL_TYPES: part}, {ALL_TYPES: wanted[name]}
        for kind, pages_of in by_type.items():
            drawn = sorted(pages_of, key=lambda page: stable_id(str(seed), page["page_id"]))[: counts[kind]]
            rows += [
                _row(page, seed, ESTIMATE, f"{name}/{kind}", len(pages_of), counts[kind]) for page in drawn
            ]
    return rows + [_row(page, seed, LEARNING) for page in _for_learning(pages, rows, design.learning)]


def decision_class(coding: Mapping[str, Any]) -> str:
    """Return the class of a row of ``page_codings``: its decision (doubt counts as no) and whether the engine is confident."""
    return f"{'yes' if coding['is_initiative'] == 'yes' else 'no'}/{'confident' if coding['confident'] else 'unsure'}"


def allocate(size: int, sizes: Mapping[str, int], shares: Mapping[str, float]) -> dict[str, int]:
    """Share ``size`` places among strata by ``shares``, never more than a stratum holds.

    Places a stratum cannot fill go to the others in proportion to what they have left.
    """
    size = min(size, sum(sizes.values()))
    counts = {name: min(sizes[name], int(size * shares[name])) for name in sizes}
    while (left := size - sum(counts.values())) > 0:
        free = {name: sizes[name] - counts[name] for name in sizes if sizes[name] > counts[name]}
        total = sum(free.values())
        for name, room in sorted(free.items(), key=lambda item: (-item[1], item[0])):
            more = min(room, max(1, left * room // total), size - sum(counts.values()))
            counts[name] += more
    return counts


def _by_type(places: int, sizes: Mapping[str, int], least: int) -> dict[str, int] | None:
    """Share the places of a class among types by size, each at least ``least`` or all it has; ``None`` if there are too few."""
    floor = {kind: min(least, size) for kind, size in sizes.items()}
    if (left := places - sum(floor.values())) < 0:
        return None
    room = {kind: sizes[kind] - floor[kind] for kind in sizes}
    total = max(1, sum(room.values()))
    more = allocate(left, room, {kind: room[kind] / total for kind in room})
    return {kind: floor[kind] + more[kind] for kind in sizes}


def _for_learning(
    pages: Iterable[dict[str, Any]], drawn: Iterable[dict[str, Any]], most: int
) -> list[dict[str, Any]]:
    taken = {row["page_id"] for row in drawn}
    left = [page for page in pages if page["page_id"] not in taken]
    return sorted(left, key=lambda page: (page["confidence"], page["page_id"]))[:most]


def _row(
    page: Mapping[str, Any],
    seed: int,
    purpose: str,
    stratum: str | None = None,
    size: int | None = None,
    sampled: int | None = None,
) -> dict[str, Any]:
    return {
        **{column: page[column] for column in ("page_id", "municipality", "url", "engine")},
        "purpose": purpose,
        "stratum": stratum,
        "stratum_size": size,
        "stratum_sampled": sampled,
        "inclusion_probability": sampled / size if sampled is not None and size else None,
        "seed": seed,
    }
