"""How well an engine codes, as last measured: the figures that stand wherever its numbers are shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from tryg_assets import paths
from tryg_assets.domain.reference import read_yaml
from tryg_assets.domain.reliability.coefficients import YesNo
from tryg_assets.domain.reliability.intervals import Interval, wilson
from tryg_assets.errors import DataFileError

_REMEDY = "Measure again: python -m benchmarks.measure."


@dataclass(frozen=True, slots=True)
class Measurement:
    """One comparison of an engine with reference codings.

    ``pages`` counts page decisions (a doubt is a no), ``areas`` focus areas over all pages that are initiatives by the
    reference. ``texts`` says in Danish what was coded and by whom; ``codebook_hash`` is the codebook it was measured with.
    """

    id: str
    engine: str
    texts: str
    pages: YesNo
    areas: YesNo
    measured_on: date
    codebook_hash: str

    @property
    def precision(self) -> Interval | None:
        """Wilson interval of the precision of the page decision."""
        return wilson(self.pages.both_yes, self.pages.both_yes + self.pages.engine_only)

    @property
    def recall(self) -> Interval | None:
        """Wilson interval of the recall of the page decision."""
        return wilson(self.pages.both_yes, self.pages.both_yes + self.pages.reference_only)


def read_measurements(path: Path = paths.MEASURED) -> list[Measurement]:
    """Return the measurements of ``data/measured.yml``, in its order.

    Raises:
        DataFileError: the file is missing, or an entry lacks a field or has one of the wrong type.
    """
    found = []
    for number, entry in enumerate(read_yaml(path)["measurements"], 1):
        try:
            found.append(
                Measurement(
                    id=str(entry["id"]),
                    engine=str(entry["engine"]),
                    texts=str(entry["texts"]).strip(),
                    pages=_table(entry["pages"]),
                    areas=_table(entry["areas"]),
                    measured_on=date.fromisoformat(str(entry["measured_on"])),
                    codebook_hash=str(entry["codebook_hash"]),
                )
            )
        except (KeyError, TypeError, ValueError) as problem:
            raise DataFileError(path, f"measurement {number}", f"{problem!r}", _REMEDY) from problem
    return found


def of_engine(engine: str, measurements: Iterable[Measurement]) -> list[Measurement]:
    """Return the measurements of one engine."""
    return [entry for entry in measurements if entry.engine == engine]


def as_metadata(measurements: Iterable[Measurement]) -> dict[str, float | str]:
    """Return precision, recall, kappa, F1 of focus areas and n by measurement, as metadata of an asset."""
    found: dict[str, float | str] = {}
    for entry in measurements:
        figures = {
            "precision": entry.pages.precision,
            "recall": entry.pages.recall,
            "kappa": entry.pages.kappa,
            "focus_area_f1": entry.areas.f1,
            "n": float(entry.pages.n),
        }
        found |= {
            f"measured/{entry.id}/{name}": "-" if value is None else round(value, 3)
            for name, value in figures.items()
        }
    return found


def _table(cells: Any) -> YesNo:
    return YesNo(*(int(cells[name]) for name in ("both_yes", "engine_only", "reference_only", "both_no")))
