"""Reference codings stored under ``data/gold`` as CSV, one file per gold version."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from tryg_assets.domain.reference import focus_areas, read_csv
from tryg_assets.domain.review.adjudication import ADJUDICATED, BLIND
from tryg_assets.errors import DataFileError
from tryg_assets.ids import stable_id

_COLUMNS = (
    "municipality",
    "url",
    "is_initiative",
    "focus_areas",
    "coder",
    "coder_kind",
    "held_out",
    "coded_on",
)


def read_gold(folder: Path) -> list[dict[str, Any]]:
    """Read every gold file: one row per page; returns rows of ``human_codings`` (relevance and each focus area).

    A page is found again by municipality and address, so a gold set outlives a new crawl.

    Raises:
        DataFileError: a row is wrong; the message names file and row.
    """
    areas = focus_areas()
    rows: list[dict[str, Any]] = []
    seen: dict[tuple[str, ...], int] = {}
    for path in sorted(folder.glob("*.csv")):
        if path.stem == BLIND or path.stem.startswith(f"{ADJUDICATED}-"):
            raise DataFileError(
                path, "file name", "this version belongs to the blind review", "Choose another name."
            )
        for line, row in read_csv(path, _COLUMNS):
            chosen = [area for area in row["focus_areas"].split("|") if area]
            if row["is_initiative"] not in ("yes", "no", "doubt"):
                raise DataFileError(
                    path,
                    f"row {line}",
                    f"is_initiative '{row['is_initiative']}' is unknown",
                    "Use yes, no or doubt.",
                )
            if unknown := [area for area in chosen if area not in areas]:
                raise DataFileError(
                    path, f"row {line}", f"focus area '{unknown[0]}' is unknown", f"Use {', '.join(areas)}."
                )
            if row["coder_kind"] not in ("person", "sample_reference"):
                raise DataFileError(
                    path,
                    f"row {line}",
                    f"coder_kind '{row['coder_kind']}' is unknown",
                    "Use person or sample_reference.",
                )
            if row["held_out"] not in ("true", "false"):
                raise DataFileError(
                    path,
                    f"row {line}",
                    f"held_out '{row['held_out']}' is neither true nor false",
                    "Write true or false.",
                )
            try:
                coded_on = date.fromisoformat(row["coded_on"])
            except ValueError:
                raise DataFileError(
                    path, f"row {line}", f"coded_on '{row['coded_on']}' is no date", "Write 2026-11-21."
                ) from None
            same = (path.name, row["municipality"], row["url"], row["coder"])
            if same in seen:
                raise DataFileError(
                    path,
                    f"row {line}",
                    f"the coder's answer is already in row {seen[same]}",
                    "Remove one of the two.",
                )
            seen[same] = line
            common = {
                "page_id": stable_id(row["municipality"], row["url"]),
                "municipality": row["municipality"],
                "url": row["url"],
                "coder": row["coder"],
                "coder_kind": row["coder_kind"],
                "gold_version": path.stem,
                "held_out": row["held_out"] == "true",
                "coded_on": coded_on,
            }
            rows.append({**common, "task": "relevance", "item": "page", "value": row["is_initiative"]})
            rows += [
                {**common, "task": "focus_area", "item": area, "value": "yes" if area in chosen else "no"}
                for area in areas
            ]
    return rows
