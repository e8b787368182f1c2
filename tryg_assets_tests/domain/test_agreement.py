"""The agreement table and the gate it opens."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from tryg_assets.contracts import contract
from tryg_assets.domain.reliability.agreement import Gate, agreement_rows, judge_gate, worst_disagreements

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


def compare(coded: pl.DataFrame, gold: pl.DataFrame) -> dict[tuple[str, str], Row]:
    return {(row["texts"], row["item"]): row for row in agreement_rows(coded, gold, "e", AREAS)}


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
    rows = [
        row
        for row in agreement_rows(CODED, gold, "e", AREAS)
        if (row["item"], row["texts"]) == ("page", "all")
    ]
    assert [(row["gold_version"], row["coder_kind"], *cells(row)) for row in rows] == [
        ("v1", "person", 1, 0, 0, 0),
        ("v1", "sample_reference", 0, 1, 0, 0),
        ("v2", "person", 0, 1, 0, 0),
    ]


def test_the_rows_honour_the_contract_and_have_each_key_once() -> None:
    table = contract("agreement").frame(agreement_rows(CODED, GOLD, "e", AREAS))
    assert contract("agreement").conform(table).height == 2 * (1 + len(AREAS) + 1)


def test_a_gold_set_that_shares_no_page_gives_no_row() -> None:
    assert agreement_rows(codings(("z", "yes", [])), GOLD, "e", AREAS) == []
    assert agreement_rows(codings(), GOLD, "e", AREAS) == []
    assert agreement_rows(CODED, contract("human_codings").empty(), "e", AREAS) == []


GATE = Gate(floor=0.85, target=0.94, least_share_of_sites=0.969)


def judged(item: str, low: float | None, n: int = 500, texts: str = "all") -> Row:
    task = "relevance" if item == "page" else "focus_area"
    return {"task": task, "item": item, "texts": texts, "n": n, "ci_low": low, "percent_agreement": low}


@pytest.mark.parametrize(
    ("rows", "is_open", "measured", "names"),
    [
        ([judged("page", 0.85), judged("alle", 0.90)], True, True, []),
        ([judged("page", 0.849), judged("alle", 0.90)], False, True, ["Indsats eller ej: nedre"]),
        ([judged("page", 0.90), judged("alle", 0.80)], False, True, ["Fokusområder: nedre"]),
        (
            [judged("page", 0.10), judged("alle", 0.10)],
            False,
            True,
            ["Indsats eller ej: nedre", "Fokusområder: nedre"],
        ),
        (
            [
                judged("page", 0.90),
                judged("alle", 0.90),
                judged("trafik", 0.10),
                judged("page", 0.10, texts="held_out"),
            ],
            True,
            True,
            [],
        ),
        (
            [judged("page", 0.90), judged("page", 0.80), judged("alle", 0.90)],
            False,
            True,
            ["Indsats eller ej: nedre"],
        ),
        ([], False, False, ["Ingen referencekodninger"]),
        ([judged("page", None, n=0), judged("alle", None, n=0)], False, False, ["Ingen referencekodninger"]),
        (
            [judged("page", 0.90), judged("alle", None, n=0)],
            False,
            False,
            ["Fokusområder: ingen referencekodninger"],
        ),
        ([judged("alle", 0.90)], False, False, ["Indsats eller ej: ingen referencekodninger"]),
        ([judged("page", 0.10)], False, True, ["Indsats eller ej: nedre", "Fokusområder: ingen"]),
    ],
)
def test_the_gate(rows: list[Row], is_open: bool, measured: bool, names: list[str]) -> None:
    result = judge_gate(rows, GATE)
    assert (result.open, result.measured, len(result.reasons)) == (is_open, measured, len(names))
    for reason, name in zip(result.reasons, names, strict=True):
        assert reason.startswith(name)


def test_the_shipped_gate_is_the_reports() -> None:
    assert Gate.load() == GATE


def test_the_floor_is_held_against_the_lower_end_not_the_share_itself() -> None:
    pages: list[tuple[str, str, list[str]]] = [(str(number), "yes", []) for number in range(10)]
    coded = codings(*[(page, "yes" if number else "no", []) for number, (page, _, _) in enumerate(pages)])
    result = judge_gate(agreement_rows(coded, reference(*pages), "e", AREAS), GATE)
    assert result.reasons[0] == "Indsats eller ej: nedre grænse 59,6 % er under 85,0 % (n = 10, 90,0 % ens)."


def test_the_most_confident_mistakes_come_first() -> None:
    coded = CODED.with_columns(confidence=pl.Series([0.9, 0.6, 0.8, 0.9, 0.9]))
    found = worst_disagreements(coded, GOLD)
    assert [(row["url"], row["engine_says"], row["reference_says"]) for row in found] == [
        ("c", "no", "yes"),
        ("b", "yes", "no"),
    ]
    assert len(worst_disagreements(coded, GOLD, most=1)) == 1
