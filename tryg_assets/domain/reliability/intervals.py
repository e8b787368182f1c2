"""Intervals: of a proportion, and by the bootstrap. numpy and scipy only."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, norm

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided confidence interval."""

    low: float
    high: float


def z_value(level: float) -> float:
    """Return the point of the normal distribution that leaves ``1 - level`` outside on both sides together."""
    return float(norm.ppf(0.5 + level / 2))


def wilson(successes: float, n: float, level: float = 0.95) -> Interval | None:
    """Return the Wilson score interval (Wilson 1927; Newcombe 1998, method 3); ``None`` for n = 0.

    Neither number need be whole: with the effective number of units of a weighted sample it is the interval of Dean and
    Pavlou (2015) and of Franco et al. (2019, JSSAM 7:334-364).

    Raises:
        ValueError: ``successes`` is not between 0 and ``n``, or ``level`` not between 0 and 1.
    """
    _check_proportion(successes, n, level)
    if n == 0:
        return None
    z = z_value(level)
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return Interval(low, high)


def clopper_pearson(successes: int, n: int, level: float = 0.95) -> Interval | None:
    """Return the exact interval (Clopper and Pearson 1934, Biometrika 26:404-413); ``None`` for n = 0.

    Raises:
        ValueError: ``successes`` is not between 0 and ``n``, or ``level`` not between 0 and 1.
    """
    _check_proportion(successes, n, level)
    if n == 0:
        return None
    tail = (1 - level) / 2
    low = 0.0 if successes == 0 else float(beta.ppf(tail, successes, n - successes + 1))
    high = 1.0 if successes == n else float(beta.ppf(1 - tail, successes + 1, n - successes))
    return Interval(low, high)


def _check_proportion(successes: float, n: float, level: float) -> None:
    if not 0 <= successes <= n or not 0 < level < 1:
        raise ValueError(f"{successes} of {n} at level {level} is no proportion")


def bootstrap(
    sums: Floats,
    statistic: Callable[[Floats], Floats],
    times: Floats | None = None,
    *,
    draws: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval | None:
    """Return the percentile bootstrap interval of a statistic of totals.

    ``sums`` has a row for each thing that can be drawn, with what it adds to the totals; ``times`` says how many such things
    there are (1 each if not given). Give one row per municipality to draw whole websites, whose pages are alike (Efron and
    Tibshirani 1993, ch. 8), or one row per pattern of codings with its number of units to draw units. ``statistic`` turns
    rows of totals into values, NaN where undefined. The interval is widened to hold the value of the data as they are.
    ``None`` when there is nothing to draw or that value is undefined.
    """
    number = np.ones(len(sums)) if times is None else times
    total = int(number.sum())
    if total == 0:
        return None
    point = statistic((number @ sums)[None, :])[0]
    drawn = statistic(np.random.default_rng(seed).multinomial(total, number / total, draws) @ sums)
    drawn = drawn[~np.isnan(drawn)]
    if np.isnan(point) or not drawn.size:
        return None
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(min(low, point)), float(max(high, point)))
