"""The gate before publication: is the engine's agreement good enough?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from tryg_assets import paths
from tryg_assets.domain.reference import read_yaml
from tryg_assets.domain.reliability.agreement import ALL, PAGE
from tryg_assets.errors import DataFileError

_DEFINITION = paths.CODEBOOK / "definition.yml"
# What the gate is held against: the two tests of the report.
_JUDGED = {("relevance", PAGE): "Indsats eller ej", ("focus_area", ALL): "Fokusområder"}


@dataclass(frozen=True, slots=True)
class Gate:
    """Thresholds of ``data/codebook/gate.yml``."""

    agreement_floor: float
    agreement_target: float
    kappa_floor: float
    human_alpha_floor: float
    least_support: int
    least_share_of_sites: float

    @classmethod
    def load(cls) -> Gate:
        """Read the thresholds.

        Raises:
            DataFileError: one is missing, no share, or (the support) no whole number.
        """
        path = paths.CODEBOOK / "gate.yml"
        raw = read_yaml(path)
        values = {field.name: raw.get(field.name) if isinstance(raw, dict) else None for field in fields(cls)}
        for name, value in values.items():
            if name == "least_support":
                sound, remedy = isinstance(value, int) and value >= 1, "Write a whole number such as 10."
            else:
                sound = isinstance(value, int | float) and 0 < value <= 1
                remedy = "Write a share such as 0.85, with a point."
            if not sound:
                raise DataFileError(
                    path,
                    f"entry '{name}'",
                    f"'{value}' is no {'count' if name == 'least_support' else 'share between 0 and 1'}",
                    remedy,
                )
        return cls(**values)  # type: ignore[arg-type]


def definition_dated() -> date:
    """Return when the definition of an initiative last changed: people's codings from before it answer another question.

    Raises:
        DataFileError: ``definition.yml`` has no date.
    """
    dated = read_yaml(_DEFINITION).get("dated")
    if not isinstance(dated, date):
        raise DataFileError(_DEFINITION, "entry 'dated'", f"'{dated}' is no date", "Write 2026-11-21.")
    return dated


@dataclass(frozen=True, slots=True)
class GateResult:
    """The state of the gate before publication. ``measured`` is false when there is nothing to compare with."""

    open: bool
    measured: bool
    reasons: tuple[str, ...]


def judged_rows(agreement: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the rows the gate looks at: relevance and all focus areas pooled, all texts, of the gold version to go by."""
    return [
        row
        for row in agreement
        if row["judged"] and row["texts"] == "all" and (row["task"], row["item"]) in _JUDGED and row["n"]
    ]


def judge_gate(agreement: Iterable[Mapping[str, Any]], gate: Gate) -> GateResult:
    """Decide whether the agreement is good enough to publish.

    The lower end of the interval of relevance and of all focus areas pooled must reach the floor. One of the two that is not
    measured keeps the gate closed. Reasons are in Danish, for the report.
    """
    rows = judged_rows(agreement)
    if not rows:
        reason = "Ingen referencekodninger af disse sider: overensstemmelsen er ikke målt."
        return GateResult(False, False, (reason,))
    below = tuple(
        f"{_JUDGED[row['task'], row['item']]}: nedre grænse {_percent(row['ci_low'])} er under "
        f"{_percent(gate.agreement_floor)} (n = {row['n']}, {_percent(row['percent_agreement'])} ens)."
        for row in rows
        if row["ci_low"] < gate.agreement_floor
    )
    measured = {(row["task"], row["item"]) for row in rows}
    missing = tuple(
        f"{label}: ingen referencekodninger, så overensstemmelsen er ikke målt."
        for what, label in _JUDGED.items()
        if what not in measured
    )
    return GateResult(not (below or missing), bool(below) or not missing, below + missing)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %".replace(".", ",")
