"""The stratified random sample."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tryg_assets import paths
from tryg_assets.contracts import contract
from tryg_assets.domain.review import sampling
from tryg_assets.domain.review.sampling import CLASSES, Design, allocate, draw_sample
from tryg_assets.errors import DataFileError

DESIGN = Design.load()
SHARES = DESIGN.shares
SIZES = st.fixed_dictionaries({name: st.integers(0, 2000) for name in CLASSES})


@given(st.integers(0, 5000), SIZES)
def test_all_places_are_given_out_and_no_stratum_gives_more_than_it_holds(
    size: int, sizes: dict[str, int]
) -> None:
    counts = allocate(size, sizes, SHARES)
    assert sum(counts.values()) == min(size, sum(sizes.values()))
    assert counts.keys() == sizes.keys()
    assert all(0 <= counts[name] <= sizes[name] for name in sizes)


@given(st.integers(0, 2000), SIZES)
def test_a_stratum_that_can_gets_at_least_its_share(size: int, sizes: dict[str, int]) -> None:
    counts = allocate(size, sizes, SHARES)
    places = min(size, sum(sizes.values()))
    assert all(counts[name] >= min(sizes[name], int(places * share)) for name, share in SHARES.items())


def test_the_shares_are_those_of_the_design() -> None:
    assert allocate(600, dict.fromkeys(CLASSES, 10_000), SHARES) == {
        "yes/confident": 120,
        "yes/unsure": 90,
        "no/unsure": 90,
        "no/confident": 300,
    }


def test_places_a_stratum_cannot_fill_go_to_the_others() -> None:
    sizes = {"yes/confident": 5, "yes/unsure": 0, "no/unsure": 0, "no/confident": 1000}
    assert allocate(100, sizes, SHARES) == {
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
        | {"confidence": number / 1000}
        for kind, count in strata.items()
        for number in range(count)
    ]
    return pl.DataFrame(rows, schema=contract("page_codings").schema)


CODED = codings(yes_confident=40, yes_unsure=30, no_confident=200, no_unsure=20, doubt_unsure=10)


TYPES = {"m": "opland", "n": "storby"}


def draw(codings: pl.DataFrame, size: int, seed: int = 7, design: Design = DESIGN) -> list[dict[str, Any]]:
    return draw_sample(codings, size, seed, TYPES, design)


def test_each_page_knows_its_stratum_and_its_chance() -> None:
    rows = draw(CODED, 100)
    assert Counter(row["stratum"] for row in rows) == {
        "yes/confident/opland": 20,
        "yes/unsure/opland": 15,
        "no/unsure/opland": 15,
        "no/confident/opland": 50,
    }
    assert {
        row["stratum"]: (row["stratum_size"], row["stratum_sampled"], row["inclusion_probability"])
        for row in rows
    } == {
        "yes/confident/opland": (40, 20, 0.5),
        "yes/unsure/opland": (30, 15, 0.5),
        "no/unsure/opland": (30, 15, 0.5),
        "no/confident/opland": (200, 50, 0.25),
    }
    assert {row["purpose"] for row in rows} == {"estimate"}
    contract("review_sample").conform(contract("review_sample").frame(rows))


def two_types(of_n: int) -> pl.DataFrame:
    """Confident "no" of two types of municipality, ``of_n`` of 200 in the second."""
    return codings(no_confident=200).with_columns(
        municipality=pl.when(pl.int_range(200) < of_n).then(pl.lit("n")).otherwise(pl.lit("m"))
    )


@pytest.mark.parametrize(
    ("of_n", "size", "drawn"),
    [
        (50, 100, {"opland": 74, "storby": 26}),  # each at least 5, the rest by size
        (3, 100, {"opland": 97, "storby": 3}),  # all it has, if that is less than 5
        (50, 9, {"alle": 9}),  # not 5 for each: not split
        (50, 10, {"opland": 5, "storby": 5}),
    ],
)
def test_a_class_is_split_by_type_where_the_labels_allow_it(
    of_n: int, size: int, drawn: dict[str, int]
) -> None:
    rows = draw(two_types(of_n), size)
    assert Counter(row["stratum"].rpartition("/")[2] for row in rows) == drawn
    assert sum(1 / row["inclusion_probability"] for row in rows) == pytest.approx(200)


def test_the_weights_add_up_to_all_pages() -> None:
    assert sum(1 / row["inclusion_probability"] for row in draw(CODED, 100)) == pytest.approx(CODED.height)


def test_same_codings_and_seed_same_sample_whatever_their_order() -> None:
    assert draw(CODED, 50) == draw(CODED.reverse(), 50)


def test_another_seed_draws_other_pages() -> None:
    one, other = ({row["page_id"] for row in draw(CODED, 50, seed)} for seed in (7, 8))
    assert one != other


def test_a_few_changed_decisions_leave_most_of_the_sample_as_it_was() -> None:
    changed = CODED.with_columns(
        is_initiative=pl.when(pl.int_range(CODED.height) % 30 == 0)
        .then(pl.lit("yes"))
        .otherwise("is_initiative")
    )
    before, after = ({row["page_id"] for row in draw(table, 100)} for table in (CODED, changed))
    assert len(before & after) >= 85, "what people have coded stays useful"


def test_strata_are_drawn_independently() -> None:
    drawn = [row["page_id"].split("-") for row in draw(codings(yes_unsure=100, no_unsure=100), 60)]
    assert [number for kind, number in drawn if kind == "yes_unsure"] != [
        n for kind, n in drawn if kind == "no_unsure"
    ]


def test_every_page_of_a_stratum_has_its_chance() -> None:
    small = codings(no_confident=10)
    drawn = Counter(row["page_id"] for seed in range(400) for row in draw(small, 5, seed))
    assert len(drawn) == 10
    assert all(140 < count < 260 for count in drawn.values())  # 200 expected, six standard deviations


@pytest.mark.parametrize(
    ("coded", "size", "drawn"),
    [(CODED, 10_000, 300), (codings(yes_confident=3), 2, 2), (codings(), 10, 0), (CODED, 1, 1)],
)
def test_no_more_is_drawn_than_there_is(coded: pl.DataFrame, size: int, drawn: int) -> None:
    rows = draw(coded, size)
    assert len({row["page_id"] for row in rows}) == len(rows) == drawn


def test_pages_for_learning_are_the_least_sure_and_have_no_chance_to_weigh_by() -> None:
    plain = draw(CODED, 50)
    rows = draw(CODED, 50, design=replace(DESIGN, learning=5))
    learning = [row for row in rows if row["purpose"] == "learning"]
    assert rows[:50] == plain, "what is drawn for estimates stays the same"
    assert len(learning) == 5
    assert not {row["page_id"] for row in learning} & {row["page_id"] for row in plain}
    assert {(row["stratum"], row["inclusion_probability"]) for row in learning} == {(None, None)}
    assert all(row["page_id"].endswith(("-000", "-001", "-002", "-003")) for row in learning)
    contract("review_sample").conform(contract("review_sample").frame(rows))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("yes/confident: 0.20", "yes/confident: 20", "entry 'yes/confident': '20' is no share"),
        ("yes/confident: 0.20", "yes/confident: 0.30", "they add up to 1.1"),
        ("least_per_type: 5", "least_per_type: 1", "entry 'least_per_type': '1' is not at least 2"),
        ("learning: 0", "learning: none", "entry 'learning': 'none' is not at least 0"),
        ("  count: 0.50", "  counts: 0.50", "entry 'count': 'None' is no share"),
        ("\nshares:", "\nshare:", "entry 'yes/confident': 'None' is no share"),
    ],
)
def test_a_mistake_in_the_design_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, message: str
) -> None:
    text = (paths.CODEBOOK / "review.yml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "review.yml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    monkeypatch.setattr(sampling, "_FILE", path)
    with pytest.raises(DataFileError, match=message):
        Design.load()
