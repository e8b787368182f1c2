"""The lake writes whole files or nothing, and keeps engines apart."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tryg_assets.contracts import contract
from tryg_assets.errors import ConfigurationError, ContractError
from tryg_assets.storage import Lake, atomic_path, write_text

Rows = list[dict[str, Any]]


def verdicts(municipality: str, *pages: str) -> pl.DataFrame:
    blank = {
        "reason": None,
        "duplicate_of": None,
        "page_date": None,
        "safety_words": ["tryg"],
        "verdict": "kept",
    }
    rows = [
        blank | {"page_id": p, "municipality": municipality, "url": p, "title": p, "decided_by": "tryg"}
        for p in pages
    ]
    return contract("filtered_pages").frame(rows)


def entities(engine: str, mentions: int) -> pl.DataFrame:
    row = {name: name for name in contract("actor_entities").schema}
    return contract("actor_entities").frame(
        [row | {"engine": engine, "mentions": mentions, "initiatives": 1}]
    )


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake", "offline-rules")


def test_what_is_written_is_read_back(lake: Lake) -> None:
    rows = verdicts("aeroe", "b", "a")
    path = lake.write("filtered_pages", rows, "aeroe")
    assert path == lake.root / "filtered_pages/municipality=aeroe/data.parquet"
    assert lake.read("filtered_pages", "aeroe").equals(rows)


def test_same_rows_same_bytes(lake: Lake) -> None:
    rows = verdicts("aeroe", "a", "b", "c")
    first = lake.write("filtered_pages", rows, "aeroe").read_bytes()
    assert lake.write("filtered_pages", rows.reverse(), "aeroe").read_bytes() == first


def test_a_table_never_written_is_empty_and_typed(lake: Lake) -> None:
    table = lake.read("filtered_pages", "aeroe")
    assert table.is_empty()
    assert table.schema == contract("filtered_pages").schema
    assert lake.scan("filtered_pages").collect().schema == contract("filtered_pages").schema


def test_an_empty_table_stays_typed_on_disk(lake: Lake) -> None:
    lake.write("filtered_pages", contract("filtered_pages").empty(), "aeroe")
    assert lake.municipalities("filtered_pages") == ["aeroe"]
    assert lake.read("filtered_pages", "aeroe").schema == contract("filtered_pages").schema


def test_a_scan_sees_all_municipalities(lake: Lake) -> None:
    lake.write("filtered_pages", verdicts("aeroe", "a"), "aeroe")
    lake.write("filtered_pages", verdicts("fanoe"), "fanoe")
    lake.write("filtered_pages", verdicts("lyngby-taarbaek", "b", "c"), "lyngby-taarbaek")
    assert lake.municipalities("filtered_pages") == ["aeroe", "fanoe", "lyngby-taarbaek"]
    assert sorted(lake.scan("filtered_pages").collect()["page_id"]) == ["a", "b", "c"]


def test_engines_live_side_by_side(lake: Lake) -> None:
    other = Lake(lake.root, "claude")
    lake.write("actor_entities", entities("offline-rules", 1), "aeroe")
    other.write("actor_entities", entities("claude", 2), "aeroe")
    assert lake.read("actor_entities", "aeroe")["mentions"].to_list() == [1]
    assert other.read("actor_entities", "aeroe")["mentions"].to_list() == [2]
    assert lake.scan("actor_entities").collect()["engine"].to_list() == ["offline-rules"]


def test_a_table_before_the_coding_stage_is_shared_by_engines(lake: Lake) -> None:
    lake.write("filtered_pages", verdicts("aeroe", "a"), "aeroe")
    assert Lake(lake.root, "claude").read("filtered_pages", "aeroe").height == 1


def test_a_municipality_must_be_named(lake: Lake) -> None:
    with pytest.raises(ConfigurationError, match="filtered_pages is stored by municipality"):
        lake.read("filtered_pages")


def test_a_broken_contract_leaves_the_old_file(lake: Lake) -> None:
    path = lake.write("filtered_pages", verdicts("aeroe", "a"), "aeroe")
    before = path.read_bytes()
    with pytest.raises(ContractError):
        lake.write("filtered_pages", verdicts("aeroe", "b").drop("url"), "aeroe")
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_broken_contract_leaves_no_file_where_none_was(lake: Lake) -> None:
    with pytest.raises(ContractError):
        lake.write("filtered_pages", verdicts("aeroe", "b").drop("url"), "aeroe")
    assert lake.municipalities("filtered_pages") == []


def test_a_block_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    target = tmp_path / "note.txt"
    write_text(target, "old: æøå")

    def write() -> None:
        with atomic_path(target) as part:
            part.write_text("half of the new")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        write()
    assert target.read_text(encoding="utf-8") == "old: æøå"
    assert list(tmp_path.iterdir()) == [target]


def test_a_reader_of_the_old_file_reads_on_while_the_new_is_put_in_its_place(tmp_path: Path) -> None:
    target = tmp_path / "note.txt"
    write_text(target, "old")
    with target.open() as reader:
        write_text(target, "new")
        assert reader.read() == "old"
    assert target.read_text() == "new"


def test_a_killed_writer_leaves_the_old_file(lake: Lake) -> None:
    path = lake.write("filtered_pages", verdicts("aeroe", "a"), "aeroe")
    before = path.read_bytes()
    program = (
        "import os, signal, sys; from pathlib import Path; from tryg_assets.storage import atomic_path\n"
        "with atomic_path(Path(sys.argv[1])) as part:\n"
        "    part.write_bytes(b'half of the new'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert path.read_bytes() == before
    assert len(list(path.parent.glob(".data.parquet.*.part"))) == 1
    assert lake.municipalities("filtered_pages") == ["aeroe"]
    assert lake.scan("filtered_pages").collect()["page_id"].to_list() == ["a"]
