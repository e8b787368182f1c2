"""Publication: the gates are judged again here, whoever starts it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from tryg_assets.domain.reliability.gate import Gate, GateResult
from tryg_assets.domain.reporting.report import ReportData, render_report
from tryg_assets.errors import NotPublishable
from tryg_assets.storage import write_text

PUBLISHED, DRAFT = "index.html", "kladde.html"


def closed_gates(data: ReportData, gate: Gate) -> tuple[str, ...]:
    """Return why ``data`` may not be published (Danish), or nothing."""
    overview = data.marts["municipality_overview"]
    # A site whose latest crawl failed counts as not read, however good its old pages are.
    read = min(overview.filter(pl.col("status") != "ikke læst").height, overview.height - len(data.missing))
    reasons = () if data.gate.open else data.gate.reasons
    if any(codebook != data.codebook_hash for codebook in data.codebooks):
        reasons = (
            *reasons,
            "En del af siderne er kodet efter en anden kodebog end den nuværende. Kør kæden igen.",
        )
    if read < gate.least_share_of_sites * overview.height:
        reasons = (*reasons, f"Kun {read} af {overview.height} hjemmesider er læst.")
    return reasons


def publish(data: ReportData, folder: Path, gate: Gate) -> Path:
    """Write the report and return its path; the published one only if every gate is open.

    With nothing to compare with, the agreement is not measured, and the result is a draft that says so.

    Raises:
        NotPublishable: a gate is closed. A draft is written and the published report is left as it was.
    """
    reasons = closed_gates(data, gate)
    if not reasons:
        write_text(folder / PUBLISHED, render_report(data))
        (folder / DRAFT).unlink(missing_ok=True)
        return folder / PUBLISHED
    write_text(
        folder / DRAFT,
        render_report(replace(data, draft=True, gate=GateResult(False, data.gate.measured, reasons))),
    )
    if not data.gate.measured and reasons == data.gate.reasons:
        return folder / DRAFT
    raise NotPublishable(
        f"Not published: {' '.join(reasons)} The published report is unchanged; a draft is at {folder / DRAFT}. "
        "Read the checks of 'agreement' and 'municipality_overview', mend what they name, and materialise 'report' again."
    )
