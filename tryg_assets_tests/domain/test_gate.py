"""The gate between coding and publication."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tryg_assets import paths
from tryg_assets.domain.reliability import gate
from tryg_assets.domain.reliability.gate import Gate, definition_dated, judge_gate
from tryg_assets.errors import DataFileError

Row = dict[str, Any]
GATE = Gate(0.85, 0.94, 0.60, 0.667, 10, 0.969)


def judged(item: str, low: float | None, n: int = 500, texts: str = "all", *, go_by: bool = True) -> Row:
    task = "relevance" if item == "page" else "focus_area"
    return {
        "task": task,
        "item": item,
        "texts": texts,
        "n": n,
        "ci_low": low,
        "percent_agreement": low,
        "judged": go_by,
    }


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
            [judged("page", 0.90), judged("page", 0.80, go_by=False), judged("alle", 0.90)],
            True,
            True,
            [],
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


def test_a_reason_has_the_lower_end_the_floor_and_n() -> None:
    row = judged("page", 0.596, n=10) | {"percent_agreement": 0.9}
    (reason, _) = judge_gate([row], GATE).reasons
    assert reason == "Indsats eller ej: nedre grænse 59,6 % er under 85,0 % (n = 10, 90,0 % ens)."


def changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, old: str, new: str) -> None:
    text = (paths.CODEBOOK / name).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    monkeypatch.setattr(paths, "CODEBOOK", tmp_path)
    monkeypatch.setattr(gate, "_DEFINITION", tmp_path / "definition.yml")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("agreement_floor: 0.85", "agreement_floor: 85", "entry 'agreement_floor': '85' is no share"),
        ("kappa_floor: 0.60", "kappa: 0.60", "entry 'kappa_floor': 'None' is no share"),
        ("least_support: 10", "least_support: 0.5", "entry 'least_support': '0.5' is no count"),
    ],
)
def test_a_mistake_in_the_thresholds_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, message: str
) -> None:
    changed(tmp_path, monkeypatch, "gate.yml", old, new)
    with pytest.raises(DataFileError, match=message):
        Gate.load()


def test_the_definition_has_a_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(definition_dated(), date)
    changed(tmp_path, monkeypatch, "definition.yml", "dated: 2026", "dated: i dag 2026")
    with pytest.raises(DataFileError, match="entry 'dated'"):
        definition_dated()
