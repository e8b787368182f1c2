"""Krippendorff's alpha against published values, and the properties it must have."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tryg_assets.domain.reliability.alpha import (
    Metric,
    alpha_interval,
    jaccard_distance,
    krippendorff_alpha,
    masi_distance,
)
from tryg_assets_tests.domain.published import KRIPPENDORFF_2011, N

# Three coders, 15 units, printed beside alpha in general encyclopaedias.
THREE_CODERS: list[list[int | None]] = [
    [N, N, N, N, N, 3, 4, 1, 2, 1, 1, 3, 3, N, 3],
    [1, N, 2, 1, 3, 3, 4, 3, N, N, N, N, N, N, N],
    [N, N, 2, 1, 3, 4, 4, N, 2, 1, 1, 3, 3, N, 4],
]


@pytest.mark.parametrize(
    ("codings", "metric", "alpha"),
    [
        (KRIPPENDORFF_2011, "nominal", 0.743),
        (KRIPPENDORFF_2011, "ordinal", 0.815),
        (KRIPPENDORFF_2011, "interval", 0.849),
        ([list("aabbdcccedda"), list("babbbccceddd")], "nominal", 0.692),
        ([[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]], "nominal", 0.095),
        (THREE_CODERS, "nominal", 0.691),
        (THREE_CODERS, "interval", 0.811),
    ],
)
def test_alpha_gives_the_published_values(codings: list[list[Any]], metric: Metric, alpha: float) -> None:
    found = krippendorff_alpha(codings, metric)
    assert found is not None
    assert round(found, 3) == alpha


def test_distances_of_sets() -> None:
    # nltk's documentation of MASI; overlapping sets share a third of the weight.
    assert masi_distance({1, 2}, {1, 2, 3, 4}) == pytest.approx(2 / 3)
    assert jaccard_distance({1, 2}, {1, 2, 3, 4}) == 0.5
    assert masi_distance({1, 2}, {2, 3}) == pytest.approx(8 / 9)
    assert masi_distance({1}, {2}) == jaccard_distance({1}, {2}) == 1.0
    assert masi_distance(set(), {1}) == jaccard_distance(set(), {1}) == 1.0
    assert masi_distance(set(), set()) == jaccard_distance(set(), set()) == 0.0, "both say: none of them"


@given(st.sets(st.integers(0, 5)), st.sets(st.integers(0, 5)))
def test_distances_are_symmetric_shares_and_masi_is_the_stricter(first: set[int], second: set[int]) -> None:
    for distance in (jaccard_distance, masi_distance):
        assert distance(first, second) == distance(second, first)
        assert 0 <= distance(first, second) <= 1
        assert (distance(first, second) == 0) == (first == second)
    assert masi_distance(first, second) >= jaccard_distance(first, second) - 1e-12


def test_sets_of_labels_agree_in_part() -> None:
    first = [frozenset("ab"), frozenset("a"), frozenset(), frozenset("c")]
    second = [frozenset("ab"), frozenset("ab"), frozenset(), frozenset("d")]
    by_sets, by_class = krippendorff_alpha([first, second], "jaccard"), krippendorff_alpha([first, second])
    assert by_sets is not None
    assert by_class is not None
    assert by_class < by_sets < 1.0
    assert krippendorff_alpha([first, first], "masi") == 1.0


UNITS = st.lists(st.tuples(*[st.sampled_from([1, 2, 3, None])] * 3), min_size=1, max_size=40)
METRICS: list[Metric] = ["nominal", "ordinal", "interval"]


def same(value: float | None) -> Any:
    return None if value is None else pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize("metric", METRICS)
@given(units=UNITS, seed=st.integers(0, 99))
def test_alpha_does_not_depend_on_who_is_who_or_the_order_of_units(
    metric: Metric, units: list[tuple[int | None, ...]], seed: int
) -> None:
    value = krippendorff_alpha(list(zip(*units, strict=True)), metric)
    mixed = [random.Random(seed + place).sample(unit, 3) for place, unit in enumerate(units)]
    random.Random(seed).shuffle(mixed)
    assert krippendorff_alpha(list(zip(*mixed, strict=True)), metric) == same(value)


@given(UNITS, st.permutations("xyz"))
def test_nominal_alpha_is_blind_to_the_names_of_classes(
    units: list[tuple[int | None, ...]], names: list[str]
) -> None:
    renamed = {1: names[0], 2: names[1], 3: names[2], None: None}
    codings = list(zip(*units, strict=True))
    assert krippendorff_alpha([[renamed[c] for c in coder] for coder in codings]) == same(
        krippendorff_alpha(codings)
    )


@pytest.mark.parametrize("metric", METRICS)
@given(values=st.lists(st.integers(1, 4), min_size=2, max_size=30))
def test_alpha_is_1_for_identical_coders_and_none_if_they_have_no_choice(
    metric: Metric, values: list[int]
) -> None:
    expected = None if len(set(values)) == 1 else 1.0
    assert krippendorff_alpha([values, values, values], metric) == expected


@given(UNITS)
def test_units_with_one_coding_change_nothing(units: list[tuple[int | None, ...]]) -> None:
    more = [*units, (1, None, None), (None, None, None)]
    assert krippendorff_alpha(list(zip(*more, strict=True))) == same(
        krippendorff_alpha(list(zip(*units, strict=True)))
    )


@given(UNITS)
def test_the_interval_holds_alpha(units: list[tuple[int | None, ...]]) -> None:
    codings = list(zip(*units, strict=True))
    alpha, interval = krippendorff_alpha(codings), alpha_interval(codings, draws=50)
    assert (alpha is None) == (interval is None)
    if alpha is not None and interval is not None:
        assert interval.low <= alpha <= interval.high


def test_nothing_coded_twice_has_no_alpha() -> None:
    assert krippendorff_alpha([]) is None
    assert krippendorff_alpha([[], []]) is None
    assert krippendorff_alpha([[1, 2, 3]]) is None
    assert alpha_interval([[1, None], [None, 2]]) is None
    assert alpha_interval([[], []], clusters=[]) is None


def test_coders_must_have_coded_the_same_units() -> None:
    with pytest.raises(ValueError, match="1 and 2 units"):
        krippendorff_alpha([[1, 2], [1]])
    with pytest.raises(ValueError, match="1 and 2 units"):
        alpha_interval([[1, 2], [1, 2]], clusters=["a"])


def test_drawing_whole_clusters_is_wider_when_errors_come_in_clusters() -> None:
    first = [0, 1] * 200
    clusters = [place // 20 for place in range(400)]
    second = [
        1 - value if cluster % 5 == 0 else value for value, cluster in zip(first, clusters, strict=True)
    ]
    by_unit = alpha_interval([first, second], draws=400)
    by_cluster = alpha_interval([first, second], clusters=clusters, draws=400)
    assert by_unit is not None
    assert by_cluster is not None
    assert by_cluster.high - by_cluster.low > 2 * (by_unit.high - by_unit.low)
