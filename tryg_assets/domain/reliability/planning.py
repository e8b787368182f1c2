"""How many labels does a claim need? Asked before anyone codes.

The pages are taken as drawn at random; a stratified sample with half of its labels among confident "no" needs about as many for
the agreement of all pages. Intervals are those of the gate: Wilson, 95 %.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, binom

from tryg_assets.domain.reliability.intervals import Floats, z_value

MOST_LABELS = 20_000


@dataclass(frozen=True, slots=True)
class Plan:
    """Labels a claim needs. ``None``: not even ``MOST_LABELS`` are enough, or the claim is not above the floor."""

    to_show_floor: int | None
    to_prove_floor: int | None
    to_prove_target: int | None
    for_half_width: int


def plan(expected: float, floor: float, target: float, half_width: float = 0.02, power: float = 0.8) -> Plan:
    """Return how many labels are needed if the true agreement is ``expected`` (a share, as are the others).

    ``to_show_floor``: the lower bound reaches ``floor`` if exactly ``expected`` is observed. ``to_prove_floor`` and
    ``to_prove_target``: it does so with probability ``power``, whatever chance makes of the sample. ``for_half_width``: the
    interval is at most this far to either side.

    Raises:
        ValueError: one of them is not between 0 and 1.
    """
    for share in (expected, floor, target, half_width, power):
        if not 0 < share < 1:
            raise ValueError(f"{share} is no share between 0 and 1")
    return Plan(
        labels_to_show(expected, floor),
        labels_to_prove(expected, floor, power),
        labels_to_prove(expected, target, power),
        labels_for_half_width(expected, half_width),
    )


def labels_to_show(observed: float, floor: float, *, exact: bool = False) -> int | None:
    """Return from how many labels on an agreement of ``observed`` has a lower bound of at least ``floor``.

    The agreed labels are rounded down. ``exact`` takes Clopper and Pearson's interval instead of Wilson's.
    """
    if observed <= floor:
        return None
    n = np.arange(1, MOST_LABELS + 1)
    # 0.9 x 10 is 9, also where floating point makes it 8.999...
    agreed = np.floor(observed * n + 1e-9).astype(np.int64)
    return _from_where_on(_lower_bound(agreed, n, exact=exact) >= floor)


def labels_to_prove(true: float, floor: float, power: float, *, exact: bool = False) -> int | None:
    """Return from how many labels on the lower bound reaches ``floor`` with probability ``power`` if ``true`` is the agreement.

    The probability is binomial, not approximate. It rises in a saw's teeth, so fewer labels may do by luck of the numbers.
    """
    if true <= floor:
        return None
    n = np.arange(1, MOST_LABELS + 1)
    # The least number of agreed labels that is enough, found by halving for all n at once.
    low: NDArray[np.int64] = np.zeros_like(n)
    high: NDArray[np.int64] = n + 1
    while (low < high).any():
        middle = (low + high) // 2
        enough = _lower_bound(np.minimum(middle, n), n, exact=exact) >= floor
        enough |= middle > n
        low, high = np.where(enough, low, middle + 1), np.where(enough, middle, high)
    return _from_where_on(binom.sf(low - 1, n, true) >= power)


def labels_for_half_width(share: float, half_width: float) -> int:
    """Return how many labels make a 95 % interval of ``share`` reach ``half_width`` to either side (normal distribution)."""
    return math.ceil(z_value(0.95) ** 2 * share * (1 - share) / half_width**2)


def _lower_bound(agreed: NDArray[np.int64], n: NDArray[np.int64], *, exact: bool) -> Floats:
    if exact:
        found: Floats = np.where(agreed > 0, beta.ppf(0.025, np.maximum(agreed, 1), n - agreed + 1), 0.0)
        return found
    z, share = z_value(0.95), agreed / n
    centre = share + z * z / (2 * n)
    wilson: Floats = (centre - z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))) / (1 + z * z / n)
    return wilson


def _from_where_on(holds: NDArray[np.bool_]) -> int | None:
    """Return the first place (counted from 1) from which on it holds for all; ``None`` if the last does not hold."""
    if not holds[-1]:
        return None
    fails = np.flatnonzero(~holds)
    return int(fails[-1]) + 2 if fails.size else 1
