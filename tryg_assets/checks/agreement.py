"""Checks of stage 5: the gate between coding and publication, and what a reader of its figures must know."""

from __future__ import annotations

from typing import Any

import polars as pl

from tryg_assets.checks._factory import Verdict, contract_check, country_check
from tryg_assets.domain.coding.panel import Answer, compare
from tryg_assets.domain.reliability.agreement import ALL, PAGE, disagreements, labels
from tryg_assets.domain.reliability.gate import Gate, definition_dated, judge_gate, judged_rows
from tryg_assets.domain.review.words import review_words
from tryg_assets.storage import Lake

_NOT_MEASURED = "No reference codings of these pages: agreement is not measured."


def agreement_floor(lake: Lake) -> Verdict:
    """Judge whether the lower end of the interval reaches the floor; nothing to compare with is a warning."""
    rows = lake.read("agreement").to_dicts()
    result = judge_gate(rows, Gate.load())
    if not result.measured:
        return Verdict(False, _NOT_MEASURED, warn_only=True)
    summary = (
        "The lower end of every interval reaches the floor." if result.open else " ".join(result.reasons)
    )
    return Verdict(result.open, summary, metadata=_shown(lake))


def agreement_target(lake: Lake) -> Verdict:
    """Judge whether the observed agreement reaches the report's 94 %."""
    return _each(lake, "percent_agreement", Gate.load().agreement_target)


def kappa_floor(lake: Lake) -> Verdict:
    """Judge whether the agreement beyond chance reaches its floor."""
    return _each(lake, "kappa", Gate.load().kappa_floor)


def _each(lake: Lake, column: str, least: float) -> Verdict:
    """Warn if ``column`` of relevance or of the pooled focus areas is under ``least`` or undefined."""
    rows = judged_rows(lake.read("agreement").to_dicts())
    if not rows:
        return Verdict(False, _NOT_MEASURED, warn_only=True)
    summary = ", ".join(f"{row['task']}: {_number(row[column])} (n = {row['n']})" for row in rows)
    passed = all(row[column] is not None and row[column] >= least for row in rows)
    return Verdict(passed, summary, warn_only=True, metadata=_shown(lake))


def people_agree(lake: Lake) -> Verdict:
    """Judge whether people agree with each other: no engine can be asked for more."""
    rows, floor = judged_rows(lake.read("agreement").to_dicts()), Gate.load().human_alpha_floor
    if not rows or rows[0]["coder_kind"] != "person":
        return Verdict(True, "No people have coded these pages, so there is nothing to judge.")
    summary = ", ".join(
        f"{row['task']}: alpha {_number(row['human_alpha'])} ({_number(row['human_low'])} to "
        f"{_number(row['human_high'])}; {row['human_n']} pages by two people)"
        for row in rows
    )
    passed = all(row["human_alpha"] is not None and row["human_alpha"] >= floor for row in rows)
    return Verdict(passed, summary, warn_only=True, metadata=_shown(lake))


def class_support(lake: Lake) -> Verdict:
    """Judge whether every class has enough codings for its precision and recall to mean something."""
    rows, least = _judged(lake), Gate.load().least_support
    if rows.is_empty():
        return Verdict(False, _NOT_MEASURED, warn_only=True)
    few = [
        {"task": row["task"], "item": row["item"], "class": name, "support": row[support]}
        for row in rows.iter_rows(named=True)
        for name, support in (("yes", "support"), ("no", "support_no"))
        if row[support] < least
    ]
    summary = f"{len(few)} of {2 * rows.height} classes have fewer than {least} codings."
    return Verdict(not few, summary, tuple(few), warn_only=True, metadata=_shown(lake))


def codings_up_to_date(lake: Lake) -> Verdict:
    """Judge whether the reference was coded by today's definition of an initiative."""
    rows, dated = judged_rows(lake.read("agreement").to_dicts()), definition_dated()
    if not rows:
        return Verdict(False, _NOT_MEASURED, warn_only=True)
    coded = rows[0]["coded_on"]
    summary = (
        f"Gold version {rows[0]['gold_version']} was last coded on {coded}; the definition is of {dated}."
    )
    return Verdict(coded >= dated, summary, warn_only=True, metadata=_shown(lake))


def _judged(lake: Lake) -> pl.DataFrame:
    rows = lake.read("agreement")
    return rows.filter(pl.col("judged") & (pl.col("texts") == "all") & (pl.col("n") > 0))


def _shown(lake: Lake) -> dict[str, Any]:
    """Return what a reviewer acts on: figures with n and interval, a picture of them, and the worst disagreements."""
    import dagster as dg

    from tryg_assets.domain.reporting import charts

    rows, gate = _judged(lake), Gate.load()
    names = labels()
    order = {what: place for place, what in enumerate(names)}
    labelled = [
        {**row, "label": names[row["task"], row["item"]]}
        for row in sorted(rows.iter_rows(named=True), key=lambda row: order[row["task"], row["item"]])
    ]
    main = [row for row in labelled if row["item"] in (PAGE, ALL)]
    worst = disagreements(lake.scan("page_codings").collect(), lake.read("human_codings"))
    drawn = charts.agreement(pl.DataFrame(labelled), gate.agreement_floor, gate.agreement_target)
    return {
        "confusion": dg.MetadataValue.md("\n\n".join(_confusion(row) for row in main)),
        "picture": dg.MetadataValue.md(f"![Overensstemmelse med 95 %-interval]({charts.data_uri(drawn)})"),
        "disagreements": dg.MetadataValue.md(_table(worst) if worst else "Ingen."),
    }


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _confusion(row: dict[str, Any]) -> str:
    figures = ", ".join(
        f"{name} {_number(row[column])}"
        for name, column in (("kappa", "kappa"), ("AC1", "ac1"), ("alpha", "alpha"))
    )
    return (
        f"**{row['label']}**: n = {row['n']}, ens {row['percent_agreement']:.3f} "
        f"(95 %: {row['ci_low']:.3f}-{row['ci_high']:.3f}), {figures}\n\n"
        "| | reference ja | reference nej |\n|---|---|---|\n"
        f"| motor ja | {row['both_yes']} | {row['engine_only']} |\n"
        f"| motor nej | {row['reference_only']} | {row['both_no']} |"
    )


def _table(rows: list[dict[str, Any]]) -> str:
    """Return disagreements as a Markdown table of few columns: the dialog of the Dagster UI cuts off what is wider than it."""
    said = review_words().label
    lines = ["| side | motor | reference | sikkerhed | begrundelse og citat |", "|---|---|---|---|---|"]
    for row in rows:
        quote = f"»{_cut(row['quote'], 200)}«" if row["quote"] else ""
        cells = [
            _page_link(row["municipality"], row["url"]),
            _text(said("decision", row["engine_says"])),
            _text(said("decision", row["reference_says"])),
            f"{row['confidence']:.2f}",
            _text(f"{_cut(row['rationale'], 160)} {quote}"),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _page_link(municipality: str, url: str) -> str:
    label = _text(f"{municipality}: {_cut(url.rstrip('/').rpartition('/')[2], 40)}")
    if not url.startswith(("http://", "https://")):
        return label
    target = "".join(url.split()).replace("|", "%7C").replace("<", "%3C").replace(">", "%3E")
    return f"[{label}](<{target}>)"


def _cut(text: str | None, most: int) -> str:
    squeezed = " ".join((text or "").split())
    return squeezed if len(squeezed) <= most else f"{squeezed[: most - 1]}…"


def _text(text: str) -> str:
    """Return page text so that it breaks no Markdown table and makes no link or markup of its own."""
    return "".join(f"\\{char}" if char in "\\|`*_[]<>" else char for char in " ".join(text.split()))


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
    "Read the disagreements, all of them in kvalitet.html beside the report. Where the engine is wrong, mend data/codebook and code again. "
    "Where people are wrong or differ (check people_agree), settle it with `tryg review export --adjudication`, or correct data/gold in a "
    "new version. Never move the floor to fit a result."
)

checks = [
    contract_check("review_sample"),
    contract_check("human_codings"),
    contract_check("municipality_replies"),
    contract_check("actor_codings"),
    contract_check("agreement"),
    contract_check("corrected_estimates"),
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
        "The lower end of the 95 % interval of the agreement is at least 0.85, for relevance and for all focus areas pooled. Red closes publication: the report then refuses and writes a draft that says why.",
        _ACTION,
        agreement_floor,
        blocking=False,
    ),
    country_check(
        "agreement",
        "agreement_target",
        "The agreement is at least the report's 0.94. Red only warns.",
        _ACTION,
        agreement_target,
        blocking=False,
    ),
    country_check(
        "agreement",
        "kappa_floor",
        "Cohen's kappa is at least 0.60: agreement that is not owed to most pages being a no. Red only warns.",
        _ACTION,
        kappa_floor,
        blocking=False,
    ),
    country_check(
        "agreement",
        "people_agree",
        "Krippendorff's alpha between people who coded the same pages is at least 0.667. Red only warns.",
        "Read together where the coders differ, and make the definition in data/codebook/definition.yml clearer before more is coded. If no page has two codings, deal out some pages twice.",
        people_agree,
        blocking=False,
    ),
    country_check(
        "agreement",
        "class_support",
        "Every class has at least 10 codings in the reference; with fewer its precision and recall say little. Red only warns.",
        "Code more pages (raise TRYG_REVIEW_SAMPLE_SIZE), or do not quote the figures of these classes.",
        class_support,
        blocking=False,
    ),
    country_check(
        "agreement",
        "codings_up_to_date",
        "The reference was coded after the definition of an initiative last changed. Red only warns.",
        "Have the sample coded again by today's definition, as a new gold version. If the change did not touch the meaning, correct 'dated' in data/codebook/definition.yml.",
        codings_up_to_date,
        blocking=False,
    ),
]
