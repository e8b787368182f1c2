"""Estimates from a stratified sample: agreement of all pages, and counts corrected by the difference estimator. numpy only."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tryg_assets.domain.reliability.intervals import Floats, Interval, wilson, z_value

# Half an error more than was found, spread over the strata of a class of decisions: a stratum where no error was found is not
# free of errors. With it the 95 % interval covers 94 to 97 % in simulation (benchmarks/reliability.py); without, too little
# where misses are rare; with half an error in every stratum, too much.
PSEUDO_ERRORS = 0.5


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its interval and the number of simple random decisions that would say as much."""

    value: float
    interval: Interval
    effective_n: float


def weighted_share(
    strata: NDArray[np.int64], weights: Floats, agreed: Floats, decisions: Floats
) -> Share | None:
    """Return the share of decisions agreed on among all pages, from a stratified sample of pages.

    Per page: its stratum, its weight (N_h / n_h), how many decisions on it agree and how many there are (0 for a page outside
    the question). The ratio estimator with its linearised variance by stratum, pages being what was drawn (Särndal, Swensson
    and Wretman 1992, ch. 5), in a Wilson interval on the effective number of decisions. There is no correction for a
    finite population: the interval speaks of pages like these, not of these pages only. ``None`` without decisions.
    """
    total = float(weights @ decisions)
    if total == 0:
        return None
    share = float(weights @ agreed) / total
    residual = weights * (agreed - share * decisions) / total
    n, sums, squares = (np.bincount(strata, values) for values in (None, residual, residual**2))
    spread = n > 1
    variance = float(
        (n[spread] / (n[spread] - 1) * (squares[spread] - sums[spread] ** 2 / n[spread])).sum()
        + squares[n == 1].sum()
    )
    mass = weights * decisions
    kish = total**2 / float((mass**2).sum())
    n_effective = share * (1 - share) / variance if variance > 1e-15 and 0 < share < 1 else kish
    n_effective = min(n_effective, float(decisions.sum()))
    # Rounding may put the share a hair outside of what it can be.
    interval = wilson(min(max(share, 0.0), 1.0) * n_effective, n_effective)
    assert interval is not None
    return Share(share, interval, n_effective)


def corrected_total(
    machine: float | Floats,
    sizes: NDArray[Any],
    sampled: NDArray[Any],
    sums: NDArray[Any],
    squares: NDArray[Any],
    pseudo: Floats,
) -> tuple[Floats, Floats]:
    """Return the corrected total and its standard error: the stratified difference estimator.

    The machine's total plus N_h times the mean difference (people minus machine) found in each stratum h: the sum over pages of
    Yhat + (R / pi)(Y - Yhat) (Särndal, Swensson and Wretman 1992, ch. 6; Egami et al. 2023, arXiv 2306.04746). ``sums`` and
    ``squares`` are those of the differences found, ``pseudo`` the pseudo-errors of each stratum, which enter the standard error
    only. The last axis is the strata; further ones are separate studies. Every stratum must have been sampled.
    """
    total = machine + (sizes * sums / sampled).sum(axis=-1)
    spread = squares - sums**2 / sampled + pseudo
    variance = (sizes**2 * (1 - sampled / sizes) * spread / sampled**2).sum(axis=-1)
    return np.asarray(total), np.sqrt(np.maximum(0.0, variance))


@dataclass(frozen=True, slots=True)
class Total:
    """A corrected total with its interval and the pages coded for it."""

    value: float
    interval: Interval
    labels: int


@dataclass(frozen=True, slots=True)
class Strata:
    """Pages by stratum: ``of`` gives each page its stratum, ``coded`` says whether people coded it."""

    of: NDArray[np.int64]
    coded: NDArray[np.bool_]
    pseudo: Floats

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Pages of each stratum, N_h."""
        return np.bincount(self.of, minlength=len(self.pseudo))

    @property
    def sampled(self) -> NDArray[np.int64]:
        """Coded pages of each stratum, n_h."""
        return np.bincount(self.of[self.coded], minlength=len(self.pseudo))

    def missing(self, least: int) -> int:
        """Return how many more pages must be coded for each stratum to have ``least``, or all it holds."""
        return int(np.maximum(0, np.minimum(self.sizes, least) - self.sampled).sum())

    def reach(self, times: float = 1.0) -> float:
        """Return how far the 95 % interval of a count reaches if no error is found, with ``times`` as many pages coded.

        It depends on the design alone. Deciding by it whether a number is shown does not favour samples that came out well.
        """
        sizes = self.sizes[self.sizes > 0]
        sampled = np.minimum(sizes, np.maximum(1, np.ceil(times * self.sampled[self.sizes > 0])))
        variance = sizes**2 * (1 - sampled / sizes) * self.pseudo[self.sizes > 0] / sampled**2
        return z_value(0.95) * math.sqrt(float(variance.sum()))

    def total(self, machine: Floats, people: Floats, most: float = 1.0) -> Total:
        """Return the corrected total of a value of pages, given the machine's value of all and people's of the coded ones.

        The interval never leaves what is known - what people found is there, and no page counts more than ``most`` - and
        its ends are whole numbers, rounded outward, as what is counted is.

        Raises:
            ValueError: a stratum with pages has no coded one.
        """
        held, n = self.sizes > 0, self.sampled
        if (n[held] == 0).any():
            raise ValueError("a stratum has no coded page")
        difference = (people - machine)[self.coded]
        sums, squares = (
            np.bincount(self.of[self.coded], values, minlength=len(self.pseudo))[held]
            for values in (difference, difference**2)
        )
        found, error = corrected_total(
            float(machine.sum()),
            self.sizes[held],
            n[held],
            sums,
            squares,
            self.pseudo[held],
        )
        certain = float(people[self.coded].sum())
        possible = certain + most * float((~self.coded).sum())
        value, half = float(np.clip(found, certain, possible)), z_value(0.95) * float(error)
        low, high = max(certain, value - half), min(possible, value + half)
        return Total(value, Interval(math.floor(low + 1e-9), math.ceil(high - 1e-9)), int(self.coded.sum()))


def times_needed(reach: Callable[[float], float], limit: float, most: float = 1000.0) -> float | None:
    """Return how many times as many pages must be coded for ``reach`` (which falls) to come down to ``limit``; ``None``: never."""
    if reach(most) > limit:
        return None
    low, high = 1.0, most
    while high - low > 0.01 * low:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if reach(middle) <= limit else (middle, high)
    return high
