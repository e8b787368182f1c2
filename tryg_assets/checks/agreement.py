"""Checks of stage 5: the gate between coding and publication."""

from __future__ import annotations

from typing import Any

import polars as pl

from tryg_assets.checks._factory import Verdict, contract_check, country_check
from tryg_assets.domain.coding.panel import Answer, compare
from tryg_assets.domain.reliability.agreement import ALL_AREAS, PAGE, Gate, judge_gate, worst_disagreements
from tryg_assets.storage import Lake


def _confusion(rows: pl.DataFrame) -> str:
    lines = [
        "| opgave | n | begge ja | kun motor | kun reference | begge nej | ens | 95 % | kappa |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows.iter_rows(named=True):
        kappa = "-" if row["kappa"] is None else f"{row['kappa']:.3f}"
        lines.append(
            f"| {row['task']} ({row['item']}) | {row['n']} | {row['both_yes']} | {row['engine_only']} | {row['reference_only']} "
            f"| {row['both_no']} | {row['percent_agreement']:.3f} | {row['ci_low']:.3f}-{row['ci_high']:.3f} | {kappa} |"
        )
    return "\n".join(lines)


def _measured(lake: Lake) -> pl.DataFrame:
    rows = lake.read("agreement")
    return rows.filter(
        (pl.col("texts") == "all") & pl.col("item").is_in([PAGE, ALL_AREAS]) & (pl.col("n") > 0)
    )


def _worst(lake: Lake) -> tuple[dict[str, object], ...]:
    return tuple(worst_disagreements(lake.scan("page_codings").collect(), lake.read("human_codings")))


def agreement_floor(lake: Lake) -> Verdict:
    """Judge whether the lower end of the interval reaches the floor; nothing to compare with is a warning."""
    rows = _measured(lake)
    result = judge_gate(lake.read("agreement").to_dicts(), Gate.load())
    if not result.measured:
        return Verdict(
            False, "No reference codings of these pages: agreement is not measured.", warn_only=True
        )
    summary = (
        "The lower end of every interval reaches the floor." if result.open else " ".join(result.reasons)
    )
    return Verdict(
        result.open, summary, () if result.open else _worst(lake), metadata={"confusion": _markdown(rows)}
    )


def agreement_target(lake: Lake) -> Verdict:
    """Judge whether the observed agreement reaches the report's 94 %."""
    rows, target = _measured(lake), Gate.load().target
    below = rows.filter(pl.col("percent_agreement") < target)
    if rows.is_empty():
        return Verdict(False, "Agreement is not measured.", warn_only=True)
    summary = ", ".join(
        f"{row['task']}: {row['percent_agreement']:.3f} (n = {row['n']})"
        for row in rows.iter_rows(named=True)
    )
    return Verdict(
        below.is_empty(),
        summary,
        _worst(lake) if not below.is_empty() else (),
        warn_only=True,
        metadata={"confusion": _markdown(rows)},
    )


def _markdown(rows: pl.DataFrame) -> object:
    import dagster as dg

    return dg.MetadataValue.md(_confusion(rows))


def canary_drift(lake: Lake) -> Verdict:
    """Judge whether this version of the engine answers the fixed pages as the version before."""
    rows = lake.read("canaries").to_dicts()
    unasked = [row for row in rows if row["now"] is None]
    if unasked:
        why = unasked[0]["rationale"]
        return Verdict(
            False, f"{len(unasked)} of {len(rows)} canaries could not be asked: {why}", warn_only=True
        )
    compared = [row for row in rows if row["changed"] is not None]
    if not compared:
        return Verdict(True, f"{len(rows)} canaries; no version before to compare with.")
    before = [_said(row, "before", "areas_before") for row in compared]
    (page, *_) = compare(before, [_said(row, "now", "areas_now") for row in compared], [])
    changed = [
        {name: row[name] for name in ("url", "before", "now", "areas_before", "areas_now", "rationale")}
        for row in compared
        if row["changed"]
    ]
    kappa = "-" if page["kappa"] is None else f"{page['kappa']:.2f}"
    summary = (
        f"{len(changed)} of {len(compared)} canaries are answered otherwise than by version {compared[0]['version_before'][:10]}; "
        f"decisions alike: {page['percent_agreement']:.3f} ({page['ci_low']:.3f}-{page['ci_high']:.3f}), kappa {kappa}."
    )
    return Verdict(not changed, summary, tuple(changed), warn_only=True)


def _said(row: dict[str, Any], decision: str, areas: str) -> Answer:
    return Answer(row["page_id"], row["url"], row[decision], tuple(row[areas]), row["rationale"])


_ACTION = (
    "Read the disagreements. Where the engine is wrong, mend data/codebook and code again; where the reference is wrong, "
    "correct data/gold in a new version. Never move the floor to fit a result."
)

checks = [
    contract_check("review_sample"),
    contract_check("human_codings"),
    contract_check("agreement"),
    contract_check("canaries"),
    country_check(
        "canaries",
        "canary_drift",
        "The fixed pages are answered as by the version of the engine before (word lists, prompts, model). Red only warns.",
        "Read the changed answers and their reasons. If they are better, leave it: the next version is compared with this one. If not, "
        "take the change back. `tryg codebook diff` shows such changes on more pages before they are made.",
        canary_drift,
        blocking=False,
    ),
    country_check(
        "agreement",
        "agreement_floor",
        "The lower end of the 95 % Wilson interval of the agreement is at least 0.85. Red closes publication: the report then refuses and writes a draft that says why.",
        _ACTION,
        agreement_floor,
        blocking=False,
    ),
    country_check(
        "agreement",
        "agreement_target",
        "The observed agreement is at least the report's 0.94. Red only warns.",
        _ACTION,
        agreement_target,
        blocking=False,
    ),
]
