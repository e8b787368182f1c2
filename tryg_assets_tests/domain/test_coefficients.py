"""Statistics of agreement against published vectors, and the properties they must have."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tryg_assets.domain.reliability.coefficients import (
    YesNo,
    cohens_kappa,
    kappa_of_table,
    percent_agreement,
    wilson,
)


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


@given(COUNTS, st.floats(0.5, 0.999))
def test_the_interval_contains_the_share_and_stays_between_0_and_1(
    counts: tuple[int, int], level: float
) -> None:
    interval = wilson(*counts, level)
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


@pytest.mark.parametrize(
    ("successes", "n", "level"),
    [(2, 1, 0.95), (-1, 1, 0.95), (0, -1, 0.95), (1, 2, 0.0), (1, 2, 1.0), (1, 2, 95)],
)
def test_what_is_no_proportion_is_refused(successes: int, n: int, level: float) -> None:
    with pytest.raises(ValueError, match="no proportion"):
        wilson(successes, n, level)


# The last is Gwet's table of three classes; the one before it has less agreement than chance.
KAPPAS = [
    ([[40, 9], [6, 45]], 0.6995),
    ([[80, 10], [5, 5]], 0.3182),
    ([[20, 5], [10, 15]], 0.40),
    ([[118, 5], [2, 0]], -0.023),
    ([[13, 0, 0], [0, 20, 7], [0, 4, 56]], 0.7964094),
]


def coded(table: list[list[int]]) -> tuple[list[str], list[str]]:
    """Write a table of counts out as the codings of two coders."""
    cells = [
        (str(row), str(column))
        for row, counts in enumerate(table)
        for column, count in enumerate(counts)
        for _ in range(count)
    ]
    return [row for row, _ in cells], [column for _, column in cells]


@pytest.mark.parametrize(("table", "kappa"), KAPPAS)
def test_cohens_kappa_gives_the_published_values(table: list[list[int]], kappa: float) -> None:
    digits = len(str(kappa).partition(".")[2])
    assert round(cohens_kappa(*coded(table)) or math.nan, digits) == kappa
    assert round(kappa_of_table(np.array(table)) or math.nan, digits) == kappa


@pytest.mark.parametrize(("table", "kappa"), KAPPAS[:4])
def test_the_table_of_yes_and_no_has_the_same_kappa(table: list[list[int]], kappa: float) -> None:
    (a, b), (c, d) = table
    assert YesNo(a, b, c, d).kappa == pytest.approx(cohens_kappa(*coded(table)))


CODINGS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=60)
Coefficient = Callable[[Any, Any], float | None]


@pytest.mark.parametrize("coefficient", [cohens_kappa, percent_agreement])
@given(CODINGS, st.permutations("abc"))
def test_coefficients_are_symmetric_and_blind_to_the_names_of_classes(
    coefficient: Coefficient, pairs: list[tuple[str, str]], names: list[str]
) -> None:
    first, second = zip(*pairs, strict=True)
    renamed = dict(zip("abc", names, strict=True))
    value = coefficient(first, second)
    assert coefficient(second, first) == (None if value is None else pytest.approx(value))
    assert coefficient([renamed[c] for c in first], [renamed[c] for c in second]) == (
        None if value is None else pytest.approx(value)
    )


@pytest.mark.parametrize("coefficient", [cohens_kappa, percent_agreement])
@given(CODINGS, st.randoms(use_true_random=False))
def test_coefficients_are_blind_to_the_order_of_units(
    coefficient: Coefficient, pairs: list[tuple[str, str]], random: Any
) -> None:
    shuffled = list(pairs)
    random.shuffle(shuffled)
    value = coefficient(*zip(*pairs, strict=True))
    assert coefficient(*zip(*shuffled, strict=True)) == (None if value is None else pytest.approx(value))


@given(CODINGS)
def test_kappa_is_at_most_the_agreement_and_1_for_coders_who_agree(pairs: list[tuple[str, str]]) -> None:
    first, second = zip(*pairs, strict=True)
    kappa, agreement = cohens_kappa(first, second), percent_agreement(first, second)
    assert agreement is not None
    if kappa is not None:
        assert -1.0 <= kappa <= agreement + 1e-12
    assert cohens_kappa(first, first) == (None if len(set(first)) == 1 else pytest.approx(1.0))
    assert percent_agreement(first, first) == 1.0


def test_without_units_or_without_a_choice_there_is_no_coefficient() -> None:
    assert percent_agreement([], []) is None
    assert cohens_kappa([], []) is None
    assert cohens_kappa(["yes"] * 5, ["yes"] * 5) is None
    assert cohens_kappa(["yes"] * 5, ["no"] * 5) == 0.0


@pytest.mark.parametrize("coefficient", [cohens_kappa, percent_agreement, YesNo.count])
def test_coders_must_have_coded_the_same_units(coefficient: Callable[[Any, Any], object]) -> None:
    with pytest.raises(ValueError, match="2 and 1 units"):
        coefficient([True, False], [True])


def test_the_cells_of_yes_and_no() -> None:
    table = YesNo.count([True, True, True, False, False, False], [True, True, False, True, False, False])
    assert table == YesNo(2, 1, 1, 2)
    assert (table.n, table.agreed) == (6, 4)
    assert (table.precision, table.recall, table.f1) == (2 / 3, 2 / 3, 2 / 3)
    assert table + YesNo(1, 2, 3, 4) == YesNo(3, 3, 4, 6)


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (YesNo(0, 0, 0, 0), (None, None, None, None)),
        (YesNo(0, 0, 0, 9), (None, None, None, None)),
        (YesNo(0, 0, 3, 6), (0.0, None, 0.0, 0.0)),
        (YesNo(0, 3, 0, 6), (0.0, 0.0, None, 0.0)),
        (YesNo(9, 0, 0, 0), (None, 1.0, 1.0, 1.0)),
    ],
)
def test_what_is_undefined_is_none(table: YesNo, values: tuple[float | None, ...]) -> None:
    assert (table.kappa, table.precision, table.recall, table.f1) == values


@given(*[st.integers(0, 50)] * 4)
def test_f1_is_the_harmonic_mean(a: int, b: int, c: int, d: int) -> None:
    table = YesNo(a, b, c, d)
    if table.precision and table.recall and table.f1:
        assert table.f1 == pytest.approx(2 / (1 / table.precision + 1 / table.recall))
