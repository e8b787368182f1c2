"""The agreement table: an engine against reference codings, per task, focus area and set of texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from tryg_assets import paths
from tryg_assets.domain.reference import read_yaml
from tryg_assets.domain.reliability.coefficients import YesNo, wilson
from tryg_assets.errors import DataFileError

ALL_AREAS = "alle"
PAGE = "page"


@dataclass(frozen=True, slots=True)
class Gate:
    """Thresholds of ``data/codebook/gate.yml``."""

    floor: float
    target: float
    least_share_of_sites: float

    @classmethod
    def load(cls) -> Gate:
        """Read the thresholds.

        Raises:
            DataFileError: one is missing or no share.
        """
        path = paths.CODEBOOK / "gate.yml"
        raw = read_yaml(path)
        for name in ("agreement_floor", "agreement_target", "least_share_of_sites"):
            value = raw.get(name) if isinstance(raw, dict) else None
            if not isinstance(value, int | float) or not 0 < value <= 1:
                remedy = "Write a share such as 0.85, with a point."
                raise DataFileError(path, f"entry '{name}'", f"'{value}' is no share between 0 and 1", remedy)
        return cls(
            float(raw["agreement_floor"]), float(raw["agreement_target"]), float(raw["least_share_of_sites"])
        )


def agreement_rows(
    codings: pl.DataFrame, reference: pl.DataFrame, engine: str, areas: Sequence[str]
) -> list[dict[str, Any]]:
    """Compare ``page_codings`` with ``human_codings`` on the pages both have.

    A doubt counts as no on either side (the report's conservative rule). Focus areas are compared on the pages that
    the reference calls an initiative, as the report's second test did, so a page the engine missed counts as no areas.

    Returns rows of the table ``agreement``: relevance, each focus area and all areas pooled, for all texts and for the
    held-out texts, per gold version and kind of coder. No row for a gold set that shares no page with the codings.
    """
    coded = {row["page_id"]: row for row in codings.iter_rows(named=True)}
    rows: list[dict[str, Any]] = []
    for (version, kind), gold in sorted(reference.group_by("gold_version", "coder_kind")):
        gold = gold.filter(pl.col("page_id").is_in(list(coded)))
        if gold.is_empty():
            continue
        for texts, part in (("all", gold), ("held_out", gold.filter(pl.col("held_out")))):
            for task, item, table in _tables(part, coded, areas):
                rows.append(
                    _row(task, item, table, engine=engine, gold_version=version, texts=texts, coder_kind=kind)
                )
    return rows


def _tables(
    gold: pl.DataFrame, coded: dict[str, Any], areas: Sequence[str]
) -> Iterator[tuple[str, str, YesNo]]:
    relevance = gold.filter(pl.col("task") == "relevance").sort("page_id")
    said = [coded[page]["is_initiative"] == "yes" for page in relevance["page_id"]]
    yield "relevance", PAGE, YesNo.count(said, [value == "yes" for value in relevance["value"]])
    pooled = YesNo(0, 0, 0, 0)
    initiatives = relevance.filter(pl.col("value") == "yes")["page_id"]
    for area in areas:
        part = gold.filter((pl.col("task") == "focus_area") & (pl.col("item") == area)).filter(
            pl.col("page_id").is_in(initiatives.implode())
        )
        table = YesNo.count(
            [area in coded[page]["focus_areas"] for page in part["page_id"]],
            [value == "yes" for value in part["value"]],
        )
        pooled = pooled + table
        yield "focus_area", area, table
    yield "focus_area", ALL_AREAS, pooled


def _row(task: str, item: str, table: YesNo, **where: str) -> dict[str, Any]:
    interval = wilson(table.agreed, table.n)
    return {
        "task": task,
        "item": item,
        **where,
        "n": table.n,
        "both_yes": table.both_yes,
        "engine_only": table.engine_only,
        "reference_only": table.reference_only,
        "both_no": table.both_no,
        "percent_agreement": table.agreed / table.n if table.n else None,
        "ci_low": interval.low if interval else None,
        "ci_high": interval.high if interval else None,
        "kappa": table.kappa,
        "precision": table.precision,
        "recall": table.recall,
        "f1": table.f1,
        "support": table.both_yes + table.reference_only,
    }


@dataclass(frozen=True, slots=True)
class GateResult:
    """The state of the gate before publication. ``measured`` is false when there is nothing to compare with."""

    open: bool
    measured: bool
    reasons: tuple[str, ...]


_TASKS = {"relevance": "Indsats eller ej", "focus_area": "Fokusområder"}


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %".replace(".", ",")


def judge_gate(agreement: Iterable[dict[str, Any]], gate: Gate) -> GateResult:
    """Decide whether the agreement is good enough to publish.

    The lower end of the Wilson interval of relevance and of all focus areas pooled must reach the floor, on all texts.
    One of the two that is not measured keeps the gate closed.
    """
    rows = [
        row for row in agreement if row["texts"] == "all" and row["item"] in (PAGE, ALL_AREAS) and row["n"]
    ]
    if not rows:
        return GateResult(
            False, False, ("Ingen referencekodninger af disse sider: overensstemmelsen er ikke målt.",)
        )
    below = tuple(
        f"{_TASKS[row['task']]}: nedre grænse {_percent(row['ci_low'])} er under {_percent(gate.floor)} "
        f"(n = {row['n']}, {_percent(row['percent_agreement'])} ens)."
        for row in rows
        if row["ci_low"] < gate.floor
    )
    missing = tuple(
        f"{_TASKS[task]}: ingen referencekodninger, så overensstemmelsen er ikke målt."
        for task, item in (("relevance", PAGE), ("focus_area", ALL_AREAS))
        if item not in {row["item"] for row in rows}
    )
    return GateResult(not (below or missing), bool(below) or not missing, below + missing)


def worst_disagreements(
    codings: pl.DataFrame, reference: pl.DataFrame, most: int = 20
) -> list[dict[str, Any]]:
    """Return the pages where engine and reference differ on relevance, the engine's most confident mistakes first."""
    gold = reference.filter(pl.col("task") == "relevance").select("page_id", "value", "coder")
    return (
        gold.join(codings, on="page_id")
        .filter((pl.col("is_initiative") == "yes") != (pl.col("value") == "yes"))
        .sort(["confidence", "page_id"], descending=[True, False])
        .select(
            "municipality",
            "url",
            pl.col("is_initiative").alias("engine_says"),
            pl.col("value").alias("reference_says"),
            "confidence",
            "rationale",
            "quote",
        )
        .head(most)
        .to_dicts()
    )
