"""The agreement table and the gate it opens."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from tryg_assets.contracts import contract
from tryg_assets.domain.reliability.agreement import ALL, Actors, agreement_rows, disagreements

AREAS = ["trafik", "sundhed"]
Row = dict[str, Any]


def codings(*pages: tuple[str, str, list[str]]) -> pl.DataFrame:
    blank = dict.fromkeys(contract("page_codings").schema)
    rows = [
        blank
        | {
            "page_id": page,
            "url": page,
            "engine": "e",
            "is_initiative": said,
            "focus_areas": areas,
            "confidence": 0.5,
        }
        for page, said, areas in pages
    ]
    return pl.DataFrame(rows, schema=contract("page_codings").schema)


def reference(
    *pages: tuple[str, str, list[str]],
    held_out: tuple[str, ...] = (),
    version: str = "v1",
    kind: str = "person",
) -> pl.DataFrame:
    rows: list[Row] = []
    for page, value, areas in pages:
        common: Row = {
            "page_id": page,
            "municipality": "m",
            "url": page,
            "coder": "k",
            "coder_kind": kind,
            "gold_version": version,
        }
        common |= {"held_out": page in held_out, "coded_on": date(2026, 11, 1)}
        rows.append({**common, "task": "relevance", "item": "page", "value": value})
        rows += [
            {**common, "task": "focus_area", "item": area, "value": "yes" if area in areas else "no"}
            for area in AREAS
        ]
    return contract("human_codings").frame(rows)


def census(coded: pl.DataFrame) -> pl.DataFrame:
    """A sample of all pages, in one stratum."""
    return sample(dict.fromkeys(coded["page_id"], ("no/unsure/alle", coded.height, coded.height)))


def sample(pages: dict[str, tuple[str, int, int]], purpose: str = "estimate") -> pl.DataFrame:
    """A review sample: page, its stratum, N and n."""
    rows = [
        {"page_id": page, "municipality": "m", "url": page, "engine": "e", "purpose": purpose, "seed": 1}
        | {"stratum": stratum, "stratum_size": size, "stratum_sampled": n, "inclusion_probability": n / size}
        for page, (stratum, size, n) in pages.items()
    ]
    return contract("review_sample").frame(rows)


def rows_of(coded: pl.DataFrame, gold: pl.DataFrame) -> list[Row]:
    return agreement_rows(coded, gold, census(coded), "e", AREAS)


def compare(coded: pl.DataFrame, gold: pl.DataFrame) -> dict[tuple[str, str], Row]:
    return {(row["texts"], row["item"]): row for row in rows_of(coded, gold)}


def cells(row: Row) -> tuple[int, ...]:
    return row["both_yes"], row["engine_only"], row["reference_only"], row["both_no"]


CODED = codings(
    ("a", "yes", ["trafik"]),
    ("b", "yes", []),
    ("c", "no", []),
    ("d", "doubt", []),
    ("not coded by people", "yes", []),
)
GOLD = reference(
    ("a", "yes", ["trafik"]),
    ("b", "no", []),
    ("c", "yes", ["sundhed"]),
    ("d", "no", []),
    ("not read", "yes", []),
    held_out=("a", "b"),
)


def test_relevance_is_compared_on_the_pages_both_have() -> None:
    row = compare(CODED, GOLD)["all", "page"]
    assert cells(row) == (1, 1, 1, 1)
    assert (row["n"], row["percent_agreement"], row["precision"], row["recall"], row["support"]) == (
        4,
        0.5,
        0.5,
        0.5,
        2,
    )
    assert row["ci_low"] < 0.5 < row["ci_high"]
    assert row["kappa"] == pytest.approx(0.0)


def test_focus_areas_are_compared_on_the_initiatives_of_the_reference() -> None:
    rows = compare(CODED, GOLD)
    assert cells(rows["all", "trafik"]) == (1, 0, 0, 1)
    assert cells(rows["all", "sundhed"]) == (0, 0, 1, 1), "a page the engine missed counts as no areas"
    assert cells(rows["all", "alle"]) == (1, 0, 1, 2), "the pool of both"


def test_held_out_texts_are_counted_apart() -> None:
    rows = compare(CODED, GOLD)
    assert cells(rows["held_out", "page"]) == (1, 1, 0, 0)
    assert cells(rows["held_out", "alle"]) == (1, 0, 0, 1)


@pytest.mark.parametrize(
    ("engine", "person", "expected"),
    [
        ("doubt", "yes", (0, 0, 1, 0)),
        ("yes", "doubt", (0, 1, 0, 0)),
        ("doubt", "no", (0, 0, 0, 1)),
        ("doubt", "doubt", (0, 0, 0, 1)),
    ],
)
def test_a_doubt_counts_as_no_on_either_side(engine: str, person: str, expected: tuple[int, ...]) -> None:
    assert cells(compare(codings(("a", engine, [])), reference(("a", person, [])))["all", "page"]) == expected


def test_gold_versions_and_kinds_of_coder_are_never_mixed() -> None:
    gold = pl.concat(
        [
            reference(("a", "yes", [])),
            reference(("a", "no", []), version="v2"),
            reference(("b", "no", []), kind="sample_reference"),
        ]
    )
    rows = [row for row in rows_of(CODED, gold) if (row["item"], row["texts"]) == ("page", "all")]
    assert [(row["gold_version"], row["coder_kind"], row["judged"], *cells(row)) for row in rows] == [
        ("v1", "sample_reference", False, 0, 1, 0, 0),
        ("v1", "person", False, 1, 0, 0, 0),
        ("v2", "person", True, 0, 1, 0, 0),
    ], "the one to go by comes last: people before the sample's authors, later before earlier"


def test_the_rows_honour_the_contract_and_have_each_key_once() -> None:
    table = contract("agreement").frame(rows_of(CODED, GOLD))
    assert contract("agreement").conform(table).height == 2 * (1 + len(AREAS) + 1)


def test_a_gold_set_that_shares_no_page_gives_no_row() -> None:
    assert rows_of(codings(("z", "yes", [])), GOLD) == []
    assert rows_of(codings(), GOLD) == []
    assert rows_of(CODED, contract("human_codings").empty()) == []


def test_the_most_confident_mistakes_come_first() -> None:
    coded = CODED.with_columns(confidence=pl.Series([0.9, 0.6, 0.8, 0.9, 0.9]))
    found = disagreements(coded, GOLD)
    assert [(row["url"], row["engine_says"], row["reference_says"]) for row in found] == [
        ("c", "no", "yes"),
        ("b", "yes", "no"),
    ]
    assert len(disagreements(coded, GOLD, most=1)) == 1


def coded_by(*codings: tuple[str, str, str], version: str = "v1", day: int = 1) -> pl.DataFrame:
    """Relevance only: (coder, page, answer)."""
    rows = [
        {
            "page_id": page,
            "municipality": "m",
            "url": page,
            "task": "relevance",
            "item": "page",
            "value": value,
        }
        | {"coder": coder, "coder_kind": "person", "gold_version": version, "held_out": False}
        | {"coded_on": date(2026, 11, day)}
        for coder, page, value in codings
    ]
    return contract("human_codings").frame(rows)


def relevance(coded: pl.DataFrame, gold: pl.DataFrame) -> Row:
    (row,) = [
        row
        for row in rows_of(coded, gold)
        if row["judged"] and row["item"] == "page" and row["texts"] == "all"
    ]
    return row


def test_of_several_coders_most_decide_and_a_tie_is_no() -> None:
    coded = codings(("a", "yes", []), ("b", "yes", []))
    gold = coded_by(
        ("x", "a", "yes"), ("y", "a", "yes"), ("z", "a", "no"), ("x", "b", "yes"), ("y", "b", "doubt")
    )
    assert cells(relevance(coded, gold)) == (1, 1, 0, 0)


def test_what_is_adjudicated_is_what_counts() -> None:
    coded = codings(("a", "yes", []), ("b", "yes", []))
    blind = coded_by(("x", "a", "no"), ("y", "a", "no"), ("x", "b", "no"), day=20, version="blind")
    settled = [coded_by(("adjudicated", "a", "yes"), version=f"adjudicated-{n}") for n in (2, 10)]
    row = relevance(coded, pl.concat([blind, *settled]))
    assert row["gold_version"] == "adjudicated-10"
    assert cells(row) == (1, 0, 0, 0)


def test_people_who_coded_for_themselves_are_compared_with_each_other() -> None:
    coded = codings(*[(page, "yes", []) for page in "abcdefghij"])
    # Krippendorff's binary example: alpha .095
    one, two = "0100000010", "1110010000"
    blind = coded_by(
        *[
            (coder, page, "yes" if said == "1" else "no")
            for coder, all_ in (("x", one), ("y", two))
            for page, said in zip("abcdefghij", all_, strict=True)
        ],
        version="blind",
    )
    row = relevance(coded, pl.concat([blind, coded_by(("adjudicated", "a", "yes"), version="adjudicated-1")]))
    assert (row["human_n"], round(row["human_alpha"], 3)) == (10, 0.095)
    assert row["human_low"] <= row["human_alpha"] <= row["human_high"]
    assert compare(CODED, GOLD)["all", "page"]["human_n"] == 0, "one coder alone is not compared with anyone"


def test_people_are_compared_on_all_focus_areas_pooled_too() -> None:
    gold = pl.concat([coded_by((coder, page, "yes"), version="blind") for coder in "xy" for page in "ab"])
    areas = pl.concat(
        [
            gold.with_columns(
                task=pl.lit("focus_area"),
                item=pl.lit(area),
                # x and y differ on one of four answers
                value=pl.when((pl.col("page_id") == "a") & ((pl.col("coder") == "x") | (area == AREAS[0])))
                .then(pl.lit("yes"))
                .otherwise(pl.lit("no")),
            )
            for area in AREAS[:2]
        ]
    )
    row = compare(codings(("a", "yes", []), ("b", "yes", [])), pl.concat([gold, areas]))["all", ALL]
    # Two coders, four answers, x: 1100, y: 1000. Observed disagreement 1/4, expected 2*3*5/(8*7): alpha = 1 - 14/30.
    assert (row["human_n"], round(row["human_alpha"], 4)) == (2, 0.5333)


# 2 of 10 confident "no" are coded, both right; both of 2 confident "yes", one right: weights 5 and 1.
WEIGHTED = codings(*[(f"n{n}", "no", []) for n in range(10)], ("y0", "yes", []), ("y1", "yes", []))
STRATA = {"n0": ("no/confident/alle", 10, 2), "n1": ("no/confident/alle", 10, 2)} | {
    f"y{n}": ("yes/confident/alle", 2, 2) for n in range(2)
}
SAID = coded_by(
    ("x", "n0", "no"), ("x", "n1", "no"), ("x", "y0", "yes"), ("x", "y1", "no"), ("x", "n5", "yes")
)


def test_shares_are_weighted_to_all_pages_and_the_raw_ones_stand_beside() -> None:
    (row, *_) = agreement_rows(WEIGHTED, SAID, sample(STRATA), "e", AREAS)
    assert cells(row) == (1, 1, 0, 2), "n5 was coded but not drawn"
    assert (row["raw_agreement"], row["percent_agreement"]) == (0.75, pytest.approx(11 / 12))
    assert row["raw_low"] < 0.75 < row["raw_high"]
    assert row["ci_low"] < 11 / 12 < row["ci_high"]
    assert (row["precision"], row["recall"], row["recall_no"]) == (0.5, 1.0, pytest.approx(10 / 11))
    assert (row["support"], row["support_no"]) == (1, 3)
    assert row["kappa_low"] - 1e-9 <= row["kappa"] <= row["kappa_high"] + 1e-9


def test_where_some_of_a_stratum_was_not_coded_the_rest_stands_for_all_of_it() -> None:
    less = SAID.filter(pl.col("page_id") != "n1")
    (row, *_) = agreement_rows(WEIGHTED, less, sample(STRATA), "e", AREAS)
    assert row["n"] == 3
    assert row["percent_agreement"] == pytest.approx(11 / 12)


def test_pages_picked_for_learning_never_enter() -> None:
    learning = sample(STRATA, purpose="learning")
    assert agreement_rows(WEIGHTED, SAID, learning, "e", AREAS) == []


def test_categories_of_actors_are_compared_where_they_were_coded() -> None:
    actors = Actors(
        ["staten", "kommunen"], {"a": {"staten"}, "b": {"kommunen"}}, {"v1": {"a": {"staten", "kommunen"}}}
    )
    rows = {
        (row["task"], row["item"]): row
        for row in agreement_rows(CODED, GOLD, census(CODED), "e", AREAS, actors)
        if row["texts"] == "all"
    }
    assert cells(rows["actor", "staten"]) == (1, 0, 0, 1), "a and c are the initiatives of the reference"
    assert cells(rows["actor", "kommunen"]) == (0, 0, 1, 1)
    assert cells(rows["actor", "alle"]) == (1, 0, 1, 2)
    other = Actors(actors.categories, actors.engine, {"v2": {}})
    assert not [
        r for r in agreement_rows(CODED, GOLD, census(CODED), "e", AREAS, other) if r["task"] == "actor"
    ]
