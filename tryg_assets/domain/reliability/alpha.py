"""Krippendorff's alpha: any number of coders, missing values, nominal, ordinal, interval and sets of labels. numpy only.

Source: Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability"; sets: Passonneau 2006 (LREC), MASI. Units that fewer
than two coders coded say nothing about agreement and are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from tryg_assets.domain.reliability.intervals import Floats, Interval, bootstrap

Metric = Literal["nominal", "ordinal", "interval", "jaccard", "masi"]


def jaccard_distance(first: AbstractSet[Any], second: AbstractSet[Any]) -> float:
    """Return 1 - shared / all labels. Two empty sets are alike: both coders said "none of them"."""
    return 1 - len(first & second) / len(first | second) if first | second else 0.0


def masi_distance(first: AbstractSet[Any], second: AbstractSet[Any]) -> float:
    """Return 1 - Jaccard x monotonicity (1 equal, 2/3 one inside the other, 1/3 overlapping, 0 apart); 0 for two empty sets."""
    if first == second:
        return 0.0
    if first <= second or second <= first:
        monotone = 2 / 3 if first and second else 0.0
    else:
        monotone = 1 / 3 if first & second else 0.0
    return 1 - (1 - jaccard_distance(first, second)) * monotone


_SET_DISTANCES: dict[str, Callable[[Any, Any], float]] = {"jaccard": jaccard_distance, "masi": masi_distance}


@dataclass(frozen=True, slots=True)
class Coded:
    """Codings by pattern. ``patterns`` counts the coders per pattern and value; ``times`` the units of each pattern by cluster."""

    values: tuple[Any, ...]
    patterns: Floats
    times: Floats

    @classmethod
    def of(cls, codings: Sequence[Sequence[Any]], clusters: Sequence[Hashable] | None = None) -> Coded:
        """Count ``codings``: one sequence per coder, ``None`` where the coder did not code the unit.

        ``clusters`` names the cluster of each unit (its municipality); without it every unit is in one cluster.

        Raises:
            ValueError: the coders, or the clusters, are of different length.
        """
        lengths = {len(coder) for coder in codings} | ({len(clusters)} if clusters is not None else set())
        if len(lengths) > 1:
            raise ValueError(f"the coders coded {' and '.join(map(str, sorted(lengths)))} units")
        found = dict.fromkeys(value for coder in codings for value in coder)
        found.pop(None, None)
        values = _in_order(found)
        number = {value: place for place, value in enumerate(values)} | {None: len(values)}
        units = lengths.pop() if lengths else 0
        # A coding is a digit; the codings of a unit, sorted, are a number that stands for its pattern.
        digits = np.array([[number[value] for value in coder] for coder in codings], dtype=np.int64)
        digits = np.sort(digits.reshape(len(codings), units), axis=0)
        places = {name: place for place, name in enumerate(dict.fromkeys(clusters or ()))}
        where = np.array([places[name] for name in clusters or ()] or [0] * units, dtype=np.int64)
        rows, pattern_of = np.unique(digits, axis=1, return_inverse=True)
        patterns = np.zeros((rows.shape[1], len(values) + 1))
        for coder_digits in rows:
            patterns[np.arange(rows.shape[1]), coder_digits] += 1
        times = np.zeros((max(1, len(places)), rows.shape[1]))
        np.add.at(times, (where, pattern_of.ravel()), 1)
        paired = patterns[:, :-1].sum(axis=1) > 1
        return cls(values, patterns[paired, :-1], times[:, paired])


def krippendorff_alpha(codings: Sequence[Sequence[Any]], metric: Metric = "nominal") -> float | None:
    """Return alpha of ``codings`` (one sequence per coder, ``None`` = not coded).

    Values are compared as classes (nominal), as ranks in their natural order (ordinal), as numbers (interval), or are sets
    of labels (jaccard, masi). ``None`` when no unit has two codings, or only one value was ever used.

    Raises:
        ValueError: the coders coded different numbers of units.
    """
    coded = Coded.of(codings)
    value = _alpha_of_sums(coded, metric)((coded.times @ _sums(coded, metric)).sum(axis=0, keepdims=True))[0]
    return None if np.isnan(value) else float(value)


def alpha_interval(
    codings: Sequence[Sequence[Any]],
    metric: Metric = "nominal",
    *,
    clusters: Sequence[Hashable] | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> Interval | None:
    """Return the 95 % bootstrap interval of alpha; whole clusters are drawn if they are given, else units.

    Raises:
        ValueError: the coders, or the clusters, are of different length.
    """
    coded = Coded.of(codings, clusters)
    sums, statistic = _sums(coded, metric), _alpha_of_sums(coded, metric)
    if clusters is None:
        return bootstrap(sums, statistic, coded.times[0], draws=draws, seed=seed)
    return bootstrap(coded.times @ sums, statistic, draws=draws, seed=seed)


def _sums(coded: Coded, metric: Metric) -> Floats:
    """Return what one unit of each pattern adds: its values by class, then its disagreement (ordinal: its coincidences)."""
    patterns = coded.patterns
    pairs = patterns.sum(axis=1, keepdims=True) - 1
    if metric == "ordinal":
        together = patterns[:, :, None] * patterns[:, None, :] / pairs[:, :, None]
        return np.hstack([patterns, together.reshape(len(patterns), len(coded.values) ** 2)])
    apart = ((patterns @ _distances(coded.values, metric)) * patterns).sum(axis=1, keepdims=True) / pairs
    return np.hstack([patterns, apart])


def _alpha_of_sums(coded: Coded, metric: Metric) -> Callable[[Floats], Floats]:
    size = len(coded.values)
    fixed = None if metric == "ordinal" else _distances(coded.values, metric)

    def alpha(sums: Floats) -> Floats:
        used, rest = sums[:, :size], sums[:, size:]
        n = used.sum(axis=1)
        if fixed is None:
            # Krippendorff's ordinal metric is the squared distance between the middle ranks of two classes.
            ranks = np.cumsum(used, axis=1) - used / 2
            squared = (ranks[:, :, None] - ranks[:, None, :]) ** 2
            observed = (rest.reshape(len(sums), size, size) * squared).sum(axis=(1, 2))
            expected = (used[:, :, None] * used[:, None, :] * squared).sum(axis=(1, 2))
        else:
            observed = rest[:, 0]
            expected = ((used @ fixed) * used).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            value: Floats = np.where(expected > 0, 1 - (n - 1) * observed / expected, np.nan)
        return value

    return alpha


def _distances(values: Sequence[Any], metric: Metric) -> Floats:
    if metric == "nominal":
        apart: Floats = 1 - np.eye(len(values))
        return apart
    if metric == "interval":
        numbers = np.array(values, dtype=float)
        squared: Floats = (numbers[:, None] - numbers[None, :]) ** 2
        return squared
    between = _SET_DISTANCES[metric]
    return np.array([[between(a, b) for b in values] for a in values], dtype=float).reshape(
        (len(values),) * 2
    )


def _in_order(values: Iterable[Any]) -> tuple[Any, ...]:
    """Return values in their natural order; sets, which have none, as they came."""
    found = list(values)
    return tuple(found if any(isinstance(value, AbstractSet) for value in found) else sorted(found))
