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
    ac1_of_table,
    cohens_kappa,
    gwets_ac1,
    kappa_of_table,
    per_class,
    percent_agreement,
)
from tryg_assets_tests.domain.published import KRIPPENDORFF_2011

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
    of_table = kappa_of_table(np.array(table, dtype=float))
    assert of_table is not None
    assert round(of_table.value, digits) == kappa


@pytest.mark.parametrize(("table", "kappa"), KAPPAS[:4])
def test_the_table_of_yes_and_no_has_the_same_kappa(table: list[list[int]], kappa: float) -> None:
    (a, b), (c, d) = table
    assert YesNo(a, b, c, d).kappa == pytest.approx(cohens_kappa(*coded(table)))


GWET = np.array([[13, 0, 0], [0, 20, 7], [0, 4, 56]], dtype=float)


def test_standard_errors_are_those_published_with_gwets_table() -> None:
    # The vignette of the R package irrCAC; the interval is statsmodels' (normal distribution).
    kappa, ac1 = kappa_of_table(GWET), ac1_of_table(GWET)
    assert kappa is not None
    assert ac1 is not None
    assert round(kappa.standard_error, 8) == 0.05891072
    assert (round(kappa.interval().low, 4), round(kappa.interval().high, 4)) == (0.6809, 0.9119)
    assert (round(ac1.value, 5), round(ac1.standard_error, 5)) == (0.84933, 0.04322)


# Feinstein and Cicchetti 1990: the same agreement, kappa .6995 and .3182; and 94 % alike with not one yes in common.
@pytest.mark.parametrize(
    ("table", "ac1"),
    [([[40, 9], [6, 45]], 0.7007), ([[80, 10], [5, 5]], 0.8080), ([[118, 5], [2, 0]], 0.941)],
)
def test_ac1_gives_the_published_values_where_kappa_falls(table: list[list[int]], ac1: float) -> None:
    digits = len(f"{ac1:.4f}".rstrip("0").partition(".")[2])
    found = ac1_of_table(np.array(table, dtype=float))
    assert found is not None
    assert round(found.value, digits) == ac1
    (a, b), (c, d) = table
    assert YesNo(a, b, c, d).ac1 == pytest.approx(found.value)


def test_ac1_of_four_coders_with_missing_codings() -> None:
    # Gwet's value (irrCAC) for the data of Krippendorff 2011.
    found = gwets_ac1(KRIPPENDORFF_2011)
    assert found is not None
    assert round(found.value, 5) == 0.77544


def test_ac1_without_pairs_or_without_a_choice_is_none() -> None:
    assert gwets_ac1([]) is None
    assert gwets_ac1([[], []]) is None
    assert gwets_ac1([["a", None], [None, "b"]]) is None
    assert gwets_ac1([["a", "a"], ["a", "a"]]) is None
    assert ac1_of_table(np.zeros((2, 2))) is None


def test_precision_recall_and_support_of_each_class() -> None:
    scores = per_class(list("aabbc"), list("abbba"))
    assert (scores["a"].precision, scores["a"].recall, scores["a"].support) == (0.5, 0.5, 2)
    assert (scores["b"].precision, scores["b"].recall, scores["b"].support) == (1.0, 2 / 3, 3)
    assert (scores["c"].precision, scores["c"].recall, scores["c"].f1, scores["c"].support) == (
        0.0,
        None,
        0.0,
        0,
    )


CODINGS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=60)
Coefficient = Callable[[Any, Any], float | None]


def ac1(first: Any, second: Any) -> float | None:
    estimate = gwets_ac1([first, second])
    return estimate.value if estimate else None


@pytest.mark.parametrize("coefficient", [cohens_kappa, percent_agreement, ac1])
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


@pytest.mark.parametrize("coefficient", [cohens_kappa, percent_agreement, ac1])
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
