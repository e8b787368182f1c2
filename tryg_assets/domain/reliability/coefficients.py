"""Coefficients of agreement between coders on nominal classes. numpy only; Krippendorff's alpha is in ``alpha.py``.

Every coefficient is ``None`` where it is undefined: no units, or one and the same class only.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from tryg_assets.domain.reliability.intervals import Floats, Interval, z_value


@dataclass(frozen=True, slots=True)
class Estimate:
    """A coefficient with its standard error."""

    value: float
    standard_error: float

    def interval(self, level: float = 0.95) -> Interval:
        """Return the interval by the normal distribution, as statsmodels does (irrCAC takes Student's t: a little wider)."""
        half = z_value(level) * self.standard_error
        return Interval(max(-1.0, self.value - half), min(1.0, self.value + half))


def percent_agreement(first: Sequence[Hashable], second: Sequence[Hashable]) -> float | None:
    """Return the share of units two coders code alike; ``None`` for no units.

    Raises:
        ValueError: the coders coded different numbers of units.
    """
    _same_length(first, second)
    return sum(a == b for a, b in zip(first, second, strict=True)) / len(first) if first else None


def confusion(first: Sequence[Hashable], second: Sequence[Hashable]) -> tuple[list[Hashable], Floats]:
    """Return the classes two coders used, in order of appearance, and the table of counts (rows: first coder).

    Raises:
        ValueError: the coders coded different numbers of units.
    """
    _same_length(first, second)
    classes = {value: number for number, value in enumerate(dict.fromkeys([*first, *second]))}
    table = np.zeros((len(classes), len(classes)))
    for a, b in zip(first, second, strict=True):
        table[classes[a], classes[b]] += 1
    return list(classes), table


def cohens_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float | None:
    """Return Cohen's kappa (Cohen 1960, EPM 20:37-46) of two coders, nominal.

    ``None`` for no units, and when chance alone gives full agreement (both use one and the same class only).

    Raises:
        ValueError: the coders coded different numbers of units.
    """
    estimate = kappa_of_table(confusion(first, second)[1])
    return estimate.value if estimate else None


def kappa_of_table(table: Floats) -> Estimate | None:
    """Return Cohen's kappa of a square table of counts or weights (rows: first coder, columns: second).

    The standard error is the large-sample one of Fleiss, Cohen and Everitt (1969, Psychological Bulletin 72:323-327).
    """
    n = table.sum()
    if n == 0:
        return None
    p = table / n
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    observed, expected = float(np.trace(p)), float(rows @ columns)
    if math.isclose(expected, 1.0):
        return None
    kappa = (observed - expected) / (1 - expected)
    both = rows[None, :] + columns[:, None]  # both[i, j] = share of j by the first coder + of i by the second
    on = (np.diag(p) * (1 - (rows + columns) * (1 - kappa)) ** 2).sum()
    off = (1 - kappa) ** 2 * ((p * both**2).sum() - (np.diag(p) * np.diag(both) ** 2).sum())
    variance = (on + off - (kappa - expected * (1 - kappa)) ** 2) / (n * (1 - expected) ** 2)
    return Estimate(kappa, math.sqrt(max(0.0, float(variance))))


def gwets_ac1(codings: Sequence[Sequence[Hashable | None]]) -> Estimate | None:
    """Return Gwet's AC1 (Gwet 2008, BJMSP 61:29-48) of any number of coders: one sequence per coder, ``None`` = not coded.

    Beside kappa because it does not fall when nearly all units are of one class. The standard error is that of Gwet's
    linearisation over units (Gwet 2014, ch. 5), for a sample that is small beside the population.

    Raises:
        ValueError: the coders coded different numbers of units.
    """
    for coder in codings:
        _same_length(codings[0], coder)
    classes = {
        v: k for k, v in enumerate(dict.fromkeys(v for coder in codings for v in coder if v is not None))
    }
    counts = np.zeros((len(codings[0]) if codings else 0, len(classes)))
    for coder in codings:
        for unit, value in enumerate(coder):
            if value is not None:
                counts[unit, classes[value]] += 1
    return ac1_of_counts(counts)


def ac1_of_counts(counts: Floats, weights: Floats | None = None) -> Estimate | None:
    """Return AC1 of a table of units x classes that says how many coders put the unit in the class.

    ``weights`` says how many units each row stands for (1 if not given).
    """
    times = np.ones(len(counts)) if weights is None else weights
    coders = counts.sum(axis=1)
    times, counts, coders = times[coders > 0], counts[coders > 0], coders[coders > 0]
    paired = coders > 1
    n, n_paired, classes = times.sum(), times[paired].sum(), counts.shape[1]
    if n_paired == 0 or classes < 2:
        return None
    share = (times[:, None] * counts / coders[:, None]).sum(axis=0) / n
    expected = float((share * (1 - share)).sum() / (classes - 1))
    agreed = np.zeros(len(counts))
    agreed[paired] = (counts * (counts - 1)).sum(axis=1)[paired] / (coders * (coders - 1))[paired]
    value = ((times * agreed).sum() / n_paired - expected) / (1 - expected)
    by_unit = n / n_paired * (agreed - expected * paired) / (1 - expected)
    chance = (counts / coders[:, None]) @ (1 - share) / (classes - 1)
    moved = by_unit - 2 * (1 - value) * (chance - expected) / (1 - expected)
    variance = (times * (moved - value) ** 2).sum() / n**2
    return Estimate(float(value), math.sqrt(float(variance)))


def ac1_of_table(table: Floats) -> Estimate | None:
    """Return AC1 of a square table of counts or weights of two coders."""
    size = len(table)
    pairs = np.zeros((size * size, size))
    for first in range(size):
        for second in range(size):
            pairs[first * size + second, first] += 1
            pairs[first * size + second, second] += 1
    return ac1_of_counts(pairs, table.ravel()) if table.sum() else None


@dataclass(frozen=True, slots=True)
class YesNo:
    """Two-by-two table of an engine against a reference: counts, or weights that add up to the pages they stand for."""

    both_yes: float
    engine_only: float
    reference_only: float
    both_no: float

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
    def n(self) -> float:
        """Decisions compared."""
        return self.both_yes + self.engine_only + self.reference_only + self.both_no

    @property
    def agreed(self) -> float:
        """Decisions alike."""
        return self.both_yes + self.both_no

    @property
    def table(self) -> Floats:
        """The four cells; rows: engine yes, no; columns: reference yes, no."""
        return np.array([[self.both_yes, self.engine_only], [self.reference_only, self.both_no]], dtype=float)

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa."""
        estimate = kappa_of_table(self.table)
        return estimate.value if estimate else None

    @property
    def ac1(self) -> float | None:
        """Gwet's AC1."""
        estimate = ac1_of_table(self.table)
        return estimate.value if estimate else None

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


@dataclass(frozen=True, slots=True)
class ClassScore:
    """How well one class is found. ``support`` counts it in the reference."""

    precision: float | None
    recall: float | None
    f1: float | None
    support: float


def per_class(engine: Sequence[Hashable], reference: Sequence[Hashable]) -> dict[Hashable, ClassScore]:
    """Return precision, recall, F1 and support of every class either used.

    Raises:
        ValueError: the two are of different length.
    """
    classes, table = confusion(engine, reference)
    scores = {}
    for number, value in enumerate(classes):
        hit = table[number, number]
        rest = table[number].sum() - hit, table[:, number].sum() - hit
        cell = YesNo(hit, *rest, table.sum() - hit - sum(rest))
        scores[value] = ClassScore(cell.precision, cell.recall, cell.f1, hit + rest[1])
    return scores


def _same_length(first: Sequence[object], second: Sequence[object]) -> None:
    if len(first) != len(second):
        raise ValueError(f"the coders coded {len(first)} and {len(second)} units")
