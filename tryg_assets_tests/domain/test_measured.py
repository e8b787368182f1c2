"""The measured figures that stand with an engine's numbers."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tryg_assets.domain.coding.files import code_file, describe
from tryg_assets.domain.reliability.coefficients import YesNo
from tryg_assets.domain.reliability.measured import Measurement, as_metadata, of_engine, read_measurements
from tryg_assets.domain.reporting.danish import said
from tryg_assets.errors import DataFileError

MEASURED = Measurement(
    "modelled_pages",
    "offline-rules",
    "sider",
    YesNo(30, 10, 10, 50),
    YesNo(3, 1, 1, 5),
    date(2026, 11, 21),
    "abc",
)


def test_the_file_of_the_project_has_both_kinds_of_text() -> None:
    entries = of_engine("offline-rules", read_measurements())
    assert [entry.id for entry in entries] == ["sample_held_out", "modelled_pages"]
    assert all(entry.precision and entry.recall and entry.pages.n > 50 for entry in entries)


def test_an_engine_without_measurements_has_none() -> None:
    assert of_engine("another", read_measurements()) == []


def test_a_measurement_is_said_with_intervals_and_n() -> None:
    assert said(MEASURED).replace("\N{NO-BREAK SPACE}", " ") == (
        "Målt på sider (n = 100): præcision 75,0 % (59,8–85,8 %), genfinding 75,0 % (59,8–85,8 %), kappa 0,58; "
        "fokusområder F1 0,75."
    )


def test_what_cannot_be_computed_is_a_dash() -> None:
    nothing = Measurement("x", "e", "sider", YesNo(0, 0, 0, 0), YesNo(0, 0, 0, 0), date(2026, 11, 21), "abc")
    assert "præcision – (–)" in said(nothing)
    assert as_metadata([nothing])["measured/x/precision"] == "-"


def test_metadata_are_numbers_by_measurement() -> None:
    found = as_metadata([MEASURED])
    assert (found["measured/modelled_pages/recall"], found["measured/modelled_pages/n"]) == (0.75, 100.0)


@pytest.mark.parametrize("cut", ["both_no: 5", "codebook_hash: abc", "measured_on: '2026-11-21'"])
def test_an_entry_that_lacks_a_field_is_named(tmp_path: Path, cut: str) -> None:
    whole = (
        "measurements:\n- id: a\n  engine: e\n  texts: t\n"
        "  pages: {both_yes: 1, engine_only: 1, reference_only: 1, both_no: 5}\n"
        "  areas: {both_yes: 1, engine_only: 1, reference_only: 1, both_no: 1}\n"
        "  measured_on: '2026-11-21'\n  codebook_hash: abc\n"
    )
    path = tmp_path / "measured.yml"
    path.write_text(whole, encoding="utf-8")
    assert read_measurements(path)[0].pages == YesNo(1, 1, 1, 5)
    path.write_text(whole.replace(cut, ""), encoding="utf-8")
    with pytest.raises(DataFileError, match="measurement 1"):
        read_measurements(path)


def test_a_single_file_is_coded_with_the_figures_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "side.txt"
    path.write_text(
        "Trygt natteliv\n\nKommunen og politiet har aftalt at gøre nattelivet mere trygt.", encoding="utf-8"
    )
    result = code_file(path, "offline-rules")
    assert "measured/modelled_pages/precision" in result["measured"]
    assert describe(result).count("Målt på") == 2
