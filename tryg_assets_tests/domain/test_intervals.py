"""Intervals against published values, and the properties they must have."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tryg_assets.domain.reliability.intervals import Floats, Interval, bootstrap, clopper_pearson, wilson


# Newcombe 1998, Statistics in Medicine 17:857-872, table I, method 3.
@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_newcombes_intervals(successes: int, n: int, low: float, high: float) -> None:
    interval = wilson(successes, n)
    assert interval is not None
    assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)
    mirrored = wilson(n - successes, n)
    assert mirrored is not None
    assert (round(1 - mirrored.high, 4), round(1 - mirrored.low, 4)) == (low, high)


COUNTS = st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize("method", [wilson, clopper_pearson])
@given(counts=COUNTS, level=st.floats(0.5, 0.999))
def test_the_interval_contains_the_share_and_stays_between_0_and_1(
    method: Callable[[int, int, float], Interval | None], counts: tuple[int, int], level: float
) -> None:
    interval = method(*counts, level)
    assert interval is not None
    assert 0.0 <= interval.low <= counts[0] / counts[1] <= interval.high <= 1.0
    assert interval.low < interval.high


@given(COUNTS)
def test_more_certainty_needs_a_wider_interval_and_more_units_a_narrower(counts: tuple[int, int]) -> None:
    successes, n = counts
    wide, usual, many = wilson(successes, n, 0.99), wilson(successes, n), wilson(successes * 10, n * 10)
    assert wide is not None
    assert usual is not None
    assert many is not None
    assert many.high - many.low < usual.high - usual.low < wide.high - wide.low


def test_no_units_have_no_interval() -> None:
    assert wilson(0, 0) is None
    assert clopper_pearson(0, 0) is None


@pytest.mark.parametrize(
    ("successes", "n", "level"),
    [(2, 1, 0.95), (-1, 1, 0.95), (0, -1, 0.95), (1, 2, 0.0), (1, 2, 1.0), (1, 2, 95)],
)
def test_what_is_no_proportion_is_refused(successes: int, n: int, level: float) -> None:
    with pytest.raises(ValueError, match="no proportion"):
        wilson(successes, n, level)
    with pytest.raises(ValueError, match="no proportion"):
        clopper_pearson(successes, n, level)


# Newcombe 1998, table I: 29 of 29 by Wilson and by Clopper and Pearson.
def test_all_of_29() -> None:
    by_score, exact = wilson(29, 29), clopper_pearson(29, 29)
    assert by_score is not None
    assert exact is not None
    assert (round(by_score.low, 3), by_score.high) == (0.883, 1.0)
    assert (round(exact.low, 4), exact.high) == (0.8806, 1.0)


@given(COUNTS)
def test_the_exact_interval_has_its_tails(counts: tuple[int, int]) -> None:
    from scipy.stats import binom

    successes, n = counts
    interval = clopper_pearson(successes, n)
    assert interval is not None
    if successes > 0:
        assert binom.sf(successes - 1, n, interval.low) == pytest.approx(0.025, rel=1e-6)
    if successes < n:
        assert binom.cdf(successes, n, interval.high) == pytest.approx(0.025, rel=1e-6)


def mean(sums: Floats) -> Floats:
    with np.errstate(invalid="ignore"):
        share: Floats = sums[:, 0] / sums[:, 1]
    return share


def test_drawing_clusters_is_wider_than_drawing_units_when_units_of_a_cluster_are_alike() -> None:
    clusters = np.array([[10.0, 10.0] if number % 2 else [0.0, 10.0] for number in range(20)])
    whole = bootstrap(clusters, mean)
    units = bootstrap(np.array([[1.0, 1.0], [0.0, 1.0]]), mean, np.array([100.0, 100.0]))
    assert whole is not None
    assert units is not None
    assert whole.high - whole.low > 2 * (units.high - units.low)
    # The mean of 200 yes and no has a standard error of .035.
    assert (units.low, units.high) == pytest.approx((0.43, 0.57), abs=0.015)


def test_the_bootstrap_is_seeded_and_holds_the_value_of_the_data() -> None:
    sums = np.array([[1.0, 1.0], [0.0, 1.0], [1.0, 1.0]])
    assert bootstrap(sums, mean, seed=1) == bootstrap(sums, mean, seed=1)
    interval = bootstrap(sums, mean, draws=1, seed=1)
    assert interval is not None
    assert interval.low <= 2 / 3 <= interval.high


def test_nothing_to_draw_or_nothing_defined_gives_no_interval() -> None:
    assert bootstrap(np.zeros((0, 2)), mean) is None
    assert bootstrap(np.zeros((3, 2)), mean) is None
