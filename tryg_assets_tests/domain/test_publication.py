"""Publication judges the gates itself, whoever starts it, and never touches the published report when one is closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tryg_assets.contracts import contract, contracts
from tryg_assets.domain.reliability.gate import Gate, GateResult
from tryg_assets.domain.reporting.publication import DRAFT, PUBLISHED, publish
from tryg_assets.domain.reporting.report import ReportData
from tryg_assets.errors import NotPublishable

OPEN = GateResult(True, True, ())
CLOSED = GateResult(
    False, True, ("Indsats eller ej: nedre grænse 80,0 % er under 85,0 % (n = 600, 83,0 % ens).",)
)
UNMEASURED = GateResult(
    False, False, ("Ingen referencekodninger af disse sider: overensstemmelsen er ikke målt.",)
)
GATE = Gate.load()


def data(gate: GateResult, read: int, sites: int) -> ReportData:
    marts = {name: table.empty() for name, table in contracts().items() if table.stage == "aggregates"}
    overview = contract("municipality_overview")
    blank = {
        "type": "opland",
        "type_label": "Opland",
        "tried": 1,
        "hits": 0,
        "kept": 0,
        "initiatives": 0,
        "actors": 0,
    }
    marts["municipality_overview"] = overview.frame(
        [
            dict.fromkeys(overview.schema)
            | blank
            | {
                "municipality": f"k{n:02}",
                "name": f"K{n:02}",
                "status": "ingen sider" if n < read else "ikke læst",
            }
            for n in range(sites)
        ]
    )
    return ReportData(
        marts=marts,
        agreement=contract("agreement").empty(),
        corrected=contract("corrected_estimates").empty(),
        initiatives=contract("classified_initiatives").empty(),
        missing=[],
        corpus="sample",
        engine="offline-rules",
        engine_label="Regelbaseret, ikke AI",
        codebook_hash="0",
        generated_at=datetime(2026, 11, 21, tzinfo=UTC),
        gate=gate,
        draft=False,
    )


def test_open_gates_publish_and_take_an_old_draft_away(tmp_path: Path) -> None:
    (tmp_path / DRAFT).write_text("old", encoding="utf-8")
    assert publish(data(OPEN, 95, 98), tmp_path, GATE) == tmp_path / PUBLISHED
    assert [path.name for path in tmp_path.iterdir()] == [PUBLISHED]


@pytest.mark.parametrize(
    ("gate", "read", "reason"),
    [
        (CLOSED, 98, "under 85,0 %"),
        (OPEN, 94, "Kun 94 af 98 hjemmesider er læst"),
        (UNMEASURED, 94, "Kun 94 af 98 hjemmesider er læst"),
    ],
)
def test_a_closed_gate_writes_a_draft_that_says_why_and_leaves_the_published_report(
    tmp_path: Path, gate: GateResult, read: int, reason: str
) -> None:
    (tmp_path / PUBLISHED).write_text("last week's", encoding="utf-8")
    with pytest.raises(NotPublishable, match="unchanged") as refused:
        publish(data(gate, read, 98), tmp_path, GATE)
    assert reason in str(refused.value)
    assert (tmp_path / PUBLISHED).read_text(encoding="utf-8") == "last week's"
    assert reason in (tmp_path / DRAFT).read_text(encoding="utf-8")


def test_agreement_that_cannot_be_measured_gives_a_draft_and_never_a_published_report(tmp_path: Path) -> None:
    assert publish(data(UNMEASURED, 98, 98), tmp_path, GATE) == tmp_path / DRAFT
    assert not (tmp_path / PUBLISHED).exists()


def test_a_report_handed_in_as_open_cannot_hide_missing_sites(tmp_path: Path) -> None:
    with pytest.raises(NotPublishable):
        publish(replace(data(OPEN, 0, 1)), tmp_path, GATE)
