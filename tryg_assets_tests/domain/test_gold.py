"""Reference codings are read from CSV, and a bad row is named."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tryg_assets.contracts import contract
from tryg_assets.domain.reference import focus_areas
from tryg_assets.domain.review.gold import read_gold
from tryg_assets.errors import DataFileError
from tryg_assets.ids import stable_id

HEADER = "municipality,url,is_initiative,focus_areas,coder,coder_kind,held_out,coded_on"
ONE, OTHER = list(focus_areas())[:2]
GOOD = f"aeroe,https://www.aeroekommune.dk/tryg,yes,{ONE}|{OTHER},kb,person,true,2026-11-01"


def gold(tmp_path: Path, *rows: str, name: str = "v1.csv") -> Path:
    (tmp_path / name).write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return tmp_path


def test_a_page_becomes_one_row_for_relevance_and_one_for_each_focus_area(tmp_path: Path) -> None:
    rows = read_gold(gold(tmp_path, GOOD))
    assert len(rows) == 1 + 11
    assert {(row["task"], row["item"]) for row in rows if row["value"] == "yes"} == {
        ("relevance", "page"),
        ("focus_area", ONE),
        ("focus_area", OTHER),
    }
    assert {row["page_id"] for row in rows} == {stable_id("aeroe", "https://www.aeroekommune.dk/tryg")}
    assert {
        (row["coder"], row["coder_kind"], row["gold_version"], row["held_out"], row["coded_on"])
        for row in rows
    } == {("kb", "person", "v1", True, date(2026, 11, 1))}
    table = contract("human_codings").frame(rows)
    assert contract("human_codings").conform(table).height == 12


def test_each_file_is_a_gold_version(tmp_path: Path) -> None:
    gold(tmp_path, GOOD.replace("true", "false"), name="v2.csv")
    rows = read_gold(gold(tmp_path, GOOD))
    assert {(row["gold_version"], row["held_out"]) for row in rows} == {("v1", True), ("v2", False)}


@pytest.mark.parametrize("name", ["blind.csv", "adjudicated-1.csv"])
def test_a_file_cannot_pass_for_a_version_of_the_blind_review(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataFileError, match="belongs to the blind review"):
        read_gold(gold(tmp_path, GOOD, name=name))


def test_no_file_no_row(tmp_path: Path) -> None:
    assert read_gold(tmp_path) == []


def test_a_page_without_focus_areas(tmp_path: Path) -> None:
    rows = read_gold(gold(tmp_path, GOOD.replace(f"yes,{ONE}|{OTHER}", "no,")))
    assert {row["value"] for row in rows} == {"no"}


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (",yes,", ",ja,", "is_initiative 'ja' is unknown"),
        (",yes,", ",,", "is_initiative '' is unknown"),
        (ONE, "trylleri", "focus area 'trylleri' is unknown"),
        ("|", ";", "is unknown"),
        ("2026-11-01", "1. november 2026", "coded_on '1. november 2026' is no date"),
        ("2026-11-01", "2026-11-31", "coded_on '2026-11-31' is no date"),
        ("true", "SAND", "held_out 'SAND' is neither true nor false"),
        ("person", "robot", "coder_kind 'robot' is unknown"),
        (",person", "", "too few or too many cells"),
    ],
)
def test_a_bad_row_is_named_by_file_and_row(tmp_path: Path, old: str, new: str, problem: str) -> None:
    assert old in GOOD
    with pytest.raises(DataFileError) as caught:
        read_gold(gold(tmp_path, GOOD.replace("/tryg", "/andet"), GOOD.replace(old, new, 1)))
    assert (caught.value.path, caught.value.where) == (str(tmp_path / "v1.csv"), "row 3")
    assert problem in caught.value.problem


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "v1.csv").write_text(HEADER.replace(",coder_kind", "") + "\n")
    with pytest.raises(DataFileError, match=r"v1\.csv, header: column coder_kind is missing"):
        read_gold(tmp_path)
