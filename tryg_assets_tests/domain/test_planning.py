"""How many labels a claim needs, against the table of the method's design."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from tryg_assets.domain.reliability.intervals import wilson
from tryg_assets.domain.reliability.planning import (
    labels_for_half_width,
    labels_to_prove,
    labels_to_show,
    plan,
)


@pytest.mark.parametrize(
    ("observed", "by_wilson", "exact"), [(0.94, 74, 75), (0.90, 224, 233), (0.88, 602, 610)]
)
def test_labels_to_show_85_percent(observed: float, by_wilson: int, exact: int) -> None:
    assert labels_to_show(observed, 0.85) == by_wilson
    assert labels_to_show(observed, 0.85, exact=True) == exact


@pytest.mark.parametrize(("half_width", "n"), [(0.02, 542), (0.01, 2167), (0.03, 241)])
def test_labels_for_a_half_width_at_94_percent(half_width: float, n: int) -> None:
    assert labels_for_half_width(0.94, half_width) == n


def power(n: int, true: float, floor: float) -> float:
    """The probability that the lower bound reaches the floor, number by number."""
    enough = [k for k in range(n + 1) if (interval := wilson(k, n)) and interval.low >= floor]
    return float(sum(binom.pmf(k, n, true) for k in enough))


# The design's table has the number at which a search happened to stop; the power rises in a saw's teeth, so its numbers do,
# but a few labels more may not. Ours do from there on.
@pytest.mark.parametrize(
    ("true", "floor", "target", "in_table"),
    [
        (0.94, 0.85, 0.8, 100),
        (0.94, 0.85, 0.9, 130),
        (0.90, 0.85, 0.8, 366),
        (0.90, 0.85, 0.9, 461),
        (0.96, 0.94, 0.8, 1007),
        (0.96, 0.94, 0.9, 1337),
        (0.97, 0.94, 0.8, 433),
        (0.97, 0.94, 0.9, 534),
    ],
)
def test_labels_to_prove_a_floor(true: float, floor: float, target: float, in_table: int) -> None:
    n = labels_to_prove(true, floor, target)
    assert n is not None
    assert n == pytest.approx(in_table, rel=0.1)
    assert power(in_table, true, floor) >= target
    assert power(n, true, floor) >= target > power(n - 1, true, floor)
    assert all(power(more, true, floor) >= target for more in range(n, n + 30, 3))


def test_what_is_not_above_the_floor_cannot_be_shown() -> None:
    assert labels_to_show(0.85, 0.85) is None
    assert labels_to_prove(0.80, 0.85, 0.8) is None
    assert labels_to_prove(0.8501, 0.85, 0.8) is None, "not with 20,000 labels either"


def test_a_plan_answers_all_four_questions() -> None:
    found = plan(0.94, 0.85, 0.94)
    assert (found.to_show_floor, found.for_half_width) == (74, 542)
    assert found.to_prove_floor == labels_to_prove(0.94, 0.85, 0.8)
    assert found.to_prove_target is None, "94 % cannot be proven of 94 %"


@given(st.floats(0.86, 0.99), st.floats(0.86, 0.99))
def test_a_better_engine_needs_no_more_labels(one: float, other: float) -> None:
    worse, better = sorted((one, other))
    many, few = labels_to_show(worse, 0.85), labels_to_show(better, 0.85)
    assert many is None or (few is not None and few <= many + 20)


@pytest.mark.parametrize("wrong", [0.0, 1.0, 85.0, -0.1])
def test_what_is_no_share_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="no share"):
        plan(wrong, 0.85, 0.94)
