"""The stratified random sample."""

from __future__ import annotations

from collections import Counter

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tryg_assets.contracts import contract
from tryg_assets.domain.review.sampling import _SHARES, allocate, draw_sample

SIZES = st.fixed_dictionaries({name: st.integers(0, 2000) for name in _SHARES})


@given(st.integers(0, 5000), SIZES)
def test_all_places_are_given_out_and_no_stratum_gives_more_than_it_holds(
    size: int, sizes: dict[str, int]
) -> None:
    counts = allocate(size, sizes)
    assert sum(counts.values()) == min(size, sum(sizes.values()))
    assert counts.keys() == sizes.keys()
    assert all(0 <= counts[name] <= sizes[name] for name in sizes)


@given(st.integers(0, 2000), SIZES)
def test_a_stratum_that_can_gets_at_least_its_share(size: int, sizes: dict[str, int]) -> None:
    counts = allocate(size, sizes)
    places = min(size, sum(sizes.values()))
    assert all(counts[name] >= min(sizes[name], int(places * share)) for name, share in _SHARES.items())


def test_the_shares_are_those_of_the_design() -> None:
    assert allocate(600, dict.fromkeys(_SHARES, 10_000)) == {
        "yes/confident": 120,
        "yes/unsure": 90,
        "no/unsure": 90,
        "no/confident": 300,
    }


def test_places_a_stratum_cannot_fill_go_to_the_others() -> None:
    assert allocate(100, {"yes/confident": 5, "yes/unsure": 0, "no/unsure": 0, "no/confident": 1000}) == {
        "yes/confident": 5,
        "yes/unsure": 0,
        "no/unsure": 0,
        "no/confident": 95,
    }


def codings(**strata: int) -> pl.DataFrame:
    """Make ``page_codings`` with so many pages of each kind, such as ``yes_confident=3``."""
    blank = dict.fromkeys(contract("page_codings").schema)
    rows = [
        blank
        | {"page_id": f"{kind}-{number:03}", "municipality": "m", "url": f"{kind}/{number}", "engine": "e"}
        | {"is_initiative": kind.partition("_")[0], "confident": kind.endswith("_confident")}
        for kind, count in strata.items()
        for number in range(count)
    ]
    return pl.DataFrame(rows, schema=contract("page_codings").schema)


CODED = codings(yes_confident=40, yes_unsure=30, no_confident=200, no_unsure=20, doubt_unsure=10)


def test_each_page_knows_its_stratum_and_its_chance() -> None:
    rows = draw_sample(CODED, 100, 7)
    assert Counter(row["stratum"] for row in rows) == {
        "yes/confident": 20,
        "yes/unsure": 15,
        "no/unsure": 15,
        "no/confident": 50,
    }
    assert {
        row["stratum"]: (row["stratum_size"], row["stratum_sampled"], row["inclusion_probability"])
        for row in rows
    } == {
        "yes/confident": (40, 20, 0.5),
        "yes/unsure": (30, 15, 0.5),
        "no/unsure": (30, 15, 0.5),
        "no/confident": (200, 50, 0.25),
    }
    contract("review_sample").conform(contract("review_sample").frame(rows))


def test_the_weights_add_up_to_all_pages() -> None:
    assert sum(1 / row["inclusion_probability"] for row in draw_sample(CODED, 100, 7)) == pytest.approx(
        CODED.height
    )


def test_same_codings_and_seed_same_sample_whatever_their_order() -> None:
    assert draw_sample(CODED, 50, 7) == draw_sample(CODED.reverse(), 50, 7)


def test_another_seed_draws_other_pages() -> None:
    one, other = ({row["page_id"] for row in draw_sample(CODED, 50, seed)} for seed in (7, 8))
    assert one != other


def test_strata_are_drawn_independently() -> None:
    same_size = codings(yes_unsure=100, no_unsure=100)
    drawn = [row["page_id"].split("-") for row in draw_sample(same_size, 60, 7)]
    assert [number for kind, number in drawn if kind == "yes_unsure"] != [
        n for kind, n in drawn if kind == "no_unsure"
    ]


def test_every_page_of_a_stratum_has_its_chance() -> None:
    small = codings(no_confident=10)
    drawn = Counter(row["page_id"] for seed in range(400) for row in draw_sample(small, 5, seed))
    assert len(drawn) == 10
    assert all(140 < count < 260 for count in drawn.values())  # 200 expected, six standard deviations


@pytest.mark.parametrize(
    ("coded", "size", "drawn"),
    [(CODED, 10_000, 300), (codings(yes_confident=3), 2, 2), (codings(), 10, 0), (CODED, 1, 1)],
)
def test_no_more_is_drawn_than_there_is(coded: pl.DataFrame, size: int, drawn: int) -> None:
    rows = draw_sample(coded, size, 7)
    assert len({row["page_id"] for row in rows}) == len(rows) == drawn
