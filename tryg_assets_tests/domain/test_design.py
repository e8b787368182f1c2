"""Estimates from a stratified sample: what they are equal to, what they never do, and how often their interval is right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tryg_assets.domain.reliability.design import (
    PSEUDO_ERRORS,
    Strata,
    corrected_total,
    times_needed,
    weighted_share,
)
from tryg_assets.domain.reliability.intervals import wilson


def share(strata: list[int], weights: list[float], agreed: list[float], decisions: list[float]) -> Any:
    return weighted_share(np.array(strata), np.array(weights), np.array(agreed), np.array(decisions))


def test_of_pages_drawn_alike_the_share_is_the_plain_one_with_wilsons_interval() -> None:
    found = share([0] * 200, [5.0] * 200, [1.0] * 180 + [0.0] * 20, [1.0] * 200)
    plain = wilson(180, 200)
    assert plain is not None
    assert found.value == pytest.approx(0.9)
    assert found.effective_n == pytest.approx(199)
    assert (found.interval.low, found.interval.high) == pytest.approx((plain.low, plain.high), abs=2e-4)


def test_a_stratum_counts_as_much_as_the_pages_it_stands_for() -> None:
    # 10 of 100 pages drawn, 5 right; 10 of 900 drawn, all right: .1 x .5 + .9 x 1
    found = share(
        [0] * 10 + [1] * 10, [10.0] * 10 + [90.0] * 10, [1.0] * 5 + [0.0] * 5 + [1.0] * 10, [1.0] * 20
    )
    assert found.value == pytest.approx(0.95)
    assert found.interval.low < 0.95 < found.interval.high


def test_decisions_on_one_page_that_stand_and_fall_together_are_one_decision() -> None:
    together = share([0] * 100, [1.0] * 100, [11.0] * 90 + [0.0] * 10, [11.0] * 100)
    assert together.value == pytest.approx(0.9)
    assert together.effective_n == pytest.approx(99)


def test_pages_outside_the_question_carry_no_decision() -> None:
    found = share([0] * 4, [1.0] * 4, [1.0, 0.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0])
    assert found.value == 0.5
    assert share([0, 0], [1.0, 1.0], [0.0, 0.0], [0.0, 0.0]) is None


@pytest.mark.parametrize("right", [0.0, 1.0])
def test_all_alike_still_has_an_interval(right: float) -> None:
    found = share([0] * 30, [2.0] * 30, [right] * 30, [1.0] * 30)
    expected = wilson(30 * right, 30)
    assert found.value == right
    assert found.interval == expected


def test_the_corrected_total_is_the_sum_of_the_published_formula() -> None:
    rng = np.random.default_rng(3)
    stratum = np.repeat([0, 1, 2], [40, 60, 100])
    machine = (rng.random(200) < 0.3).astype(float)
    people = np.where(rng.random(200) < 0.1, 1 - machine, machine)
    coded = np.zeros(200, dtype=bool)
    for number, n in enumerate((10, 15, 20)):
        coded[rng.choice(np.flatnonzero(stratum == number), n, replace=False)] = True
    pi = np.array([10 / 40, 15 / 60, 20 / 100])[stratum]
    expected = float((machine + coded / pi * (people - machine)).sum())
    found = Strata(stratum, coded, np.full(3, PSEUDO_ERRORS)).total(machine, people)
    assert found.value == pytest.approx(expected)
    assert found.interval.low <= found.value <= found.interval.high
    assert found.labels == 45


@given(st.data())
def test_the_interval_holds_the_estimate_and_never_leaves_what_is_known(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 60))
    stratum = np.array(data.draw(st.lists(st.integers(0, 2), min_size=size, max_size=size)))
    _, stratum = np.unique(stratum, return_inverse=True)
    machine, people = (
        np.array(data.draw(st.lists(st.sampled_from([0.0, 1.0]), min_size=size, max_size=size)))
        for _ in range(2)
    )
    coded = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)))
    for number in range(stratum.max() + 1):
        coded[np.flatnonzero(stratum == number)[0]] = True
    strata = Strata(stratum, coded, np.full(stratum.max() + 1, PSEUDO_ERRORS))
    found = strata.total(machine, people)
    certain, open_ = people[coded].sum(), (~coded).sum()
    assert certain <= found.interval.low <= found.value <= found.interval.high <= certain + open_
    if not open_:
        assert found.interval.low == found.interval.high == people.sum(), "all coded: nothing is left open"
        assert strata.reach() == 0


def test_a_stratum_nobody_coded_is_refused() -> None:
    strata = Strata(np.array([0, 1]), np.array([True, False]), np.array([0.5, 0.5]))
    assert strata.missing(1) == 1
    with pytest.raises(ValueError, match="no coded page"):
        strata.total(np.zeros(2), np.zeros(2))


def test_more_labels_reach_less_far_and_the_number_needed_is_enough() -> None:
    strata = Strata(np.zeros(1000, dtype=np.int64), np.arange(1000) < 50, np.array([0.5]))
    # N (1 - n/N)^.5 .5^.5 / n x 1.96
    assert strata.reach() == pytest.approx(1.96 * 1000 * np.sqrt(0.95 * 0.5) / 50, rel=1e-3)
    times = times_needed(strata.reach, 5.0)
    assert times is not None
    assert strata.reach(times) <= 5.0 < strata.reach(times / 1.05)
    assert times_needed(lambda _: 2.0, 1.0) is None


# The report's numbers: 13,598 pages, 2,294 called initiatives, 294 too many, 53 misses among 10,425 confident "no".
PAGES = np.array([1700, 594, 879, 10425])
ERRORS = np.array([150, 303, 106, 53])
LABELS = np.array([120, 90, 90, 300])
SIGN = np.array([-1, -1, 1, 1])


def test_the_interval_covers_the_true_count_where_the_machines_count_is_never_right() -> None:
    studies = 2000
    found = np.random.default_rng(20260421).hypergeometric(ERRORS, PAGES - ERRORS, LABELS, (studies, 4))
    machine = float(PAGES[:2].sum())
    truth = machine + float((SIGN * ERRORS).sum())
    total, error = corrected_total(
        machine, PAGES, LABELS, SIGN * found, found.astype(float), np.full(4, PSEUDO_ERRORS)
    )
    covered = float((np.abs(total - truth) <= 1.959964 * error).mean())
    assert truth == 2000
    assert 0.93 <= covered <= 0.97
    assert float(total.mean()) == pytest.approx(truth, abs=5)
    assert abs(machine - truth) > 1.959964 * error.mean(), (
        "the machine's count lies outside of the usual interval"
    )
