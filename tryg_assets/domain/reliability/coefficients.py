"""Coefficients of agreement between two coders, and intervals for a proportion. numpy and scipy only."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided confidence interval of a proportion."""

    low: float
    high: float


def wilson(successes: int, n: int, level: float = 0.95) -> Interval | None:
    """Return the Wilson score interval (Wilson 1927; Newcombe 1998, method 3); ``None`` for n = 0.

    Raises:
        ValueError: ``successes`` is not between 0 and ``n``, or ``level`` not between 0 and 1.
    """
    if not 0 <= successes <= n or not 0 < level < 1:
        raise ValueError(f"{successes} of {n} at level {level} is no proportion")
    if n == 0:
        return None
    z = float(norm.ppf(0.5 + level / 2))
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return Interval(low, high)


def percent_agreement(first: Sequence[Hashable], second: Sequence[Hashable]) -> float | None:
    """Return the share of units two coders code alike; ``None`` for no units.

    Raises:
        ValueError: the coders coded different numbers of units.
    """
    _same_length(first, second)
    return sum(a == b for a, b in zip(first, second, strict=True)) / len(first) if first else None


def cohens_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float | None:
    """Return Cohen's kappa (Cohen 1960, EPM 20:37-46) of two coders, nominal.

    ``None`` for no units, and when chance alone gives full agreement (both use one and the same class only).

    Raises:
        ValueError: the coders coded different numbers of units.
    """
    _same_length(first, second)
    if not first:
        return None
    classes = {value: number for number, value in enumerate(dict.fromkeys([*first, *second]))}
    table = np.zeros((len(classes), len(classes)))
    for a, b in zip(first, second, strict=True):
        table[classes[a], classes[b]] += 1
    return kappa_of_table(table)


def kappa_of_table(table: NDArray[np.float64]) -> float | None:
    """Return Cohen's kappa of a square table of counts (rows: first coder, columns: second)."""
    n = table.sum()
    if n == 0:
        return None
    observed = np.trace(table) / n
    expected = float((table.sum(axis=0) * table.sum(axis=1)).sum() / n**2)
    if math.isclose(expected, 1.0):
        return None
    return float((observed - expected) / (1 - expected))


@dataclass(frozen=True, slots=True)
class YesNo:
    """Two-by-two table of an engine against a reference."""

    both_yes: int
    engine_only: int
    reference_only: int
    both_no: int

    @classmethod
    def count(cls, engine: Sequence[bool], reference: Sequence[bool]) -> YesNo:
        """Count the four cells.

        Raises:
            ValueError: the two are of different length.
        """
        _same_length(engine, reference)
        pairs = list(zip(engine, reference, strict=True))
        return cls(
            *(pairs.count(cell) for cell in ((True, True), (True, False), (False, True), (False, False)))
        )

    def __add__(self, other: YesNo) -> YesNo:
        """Pool two tables."""
        return YesNo(
            self.both_yes + other.both_yes,
            self.engine_only + other.engine_only,
            self.reference_only + other.reference_only,
            self.both_no + other.both_no,
        )

    @property
    def n(self) -> int:
        """Decisions compared."""
        return self.both_yes + self.engine_only + self.reference_only + self.both_no

    @property
    def agreed(self) -> int:
        """Decisions alike."""
        return self.both_yes + self.both_no

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa."""
        return kappa_of_table(
            np.array([[self.both_yes, self.engine_only], [self.reference_only, self.both_no]])
        )

    @property
    def precision(self) -> float | None:
        """Share of the engine's yes that the reference shares; ``None`` without any."""
        said = self.both_yes + self.engine_only
        return self.both_yes / said if said else None

    @property
    def recall(self) -> float | None:
        """Share of the reference's yes that the engine found; ``None`` without any."""
        true = self.both_yes + self.reference_only
        return self.both_yes / true if true else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN); ``None`` when nobody says yes."""
        below = 2 * self.both_yes + self.engine_only + self.reference_only
        return 2 * self.both_yes / below if below else None


def _same_length(first: Sequence[object], second: Sequence[object]) -> None:
    if len(first) != len(second):
        raise ValueError(f"the coders coded {len(first)} and {len(second)} units")
