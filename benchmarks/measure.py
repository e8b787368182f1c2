"""Measure the offline engine and write the counts into data/measured.yml: ``python -m benchmarks.measure [--pages FILE]``.

The sample's held-out texts are always measured. ``--pages`` is a CSV of labelled real pages (url, municipality, title, text,
is_initiative, focus_areas separated by ``|``, held_out); its texts are not part of the project. Without it the entry of real pages
stays as it was, with its own date and codebook hash.
"""

from __future__ import annotations

import csv
import sys
import tempfile
from pathlib import Path

import typer
import yaml

from benchmarks import cleaning
from benchmarks.coding import areas_compared, pages_compared, sample_pages
from tryg_assets import paths
from tryg_assets.clock import system_clock
from tryg_assets.domain.coding import coder
from tryg_assets.domain.coding.interface import Page
from tryg_assets.domain.coding.pages import coding_row
from tryg_assets.domain.reference import read_yaml
from tryg_assets.domain.reliability.coefficients import YesNo
from tryg_assets.domain.reliability.measured import of_engine, read_measurements
from tryg_assets.domain.reporting.danish import said
from tryg_assets.domain.sample_web.server import SampleServer
from tryg_assets.storage import write_text

ENGINE = "offline-rules"
HEADER = (
    "# How well engines code, by comparison with reference codings. Counts, date and codebook hash are written by\n"
    "# python -m benchmarks.measure; the texts are ours to correct.\n"
)
Labelled = list[tuple[dict[str, str], Page]]


def _sample() -> Labelled:
    with SampleServer() as server, tempfile.TemporaryDirectory() as folder:
        return sample_pages(cleaning.crawl_all(server.address, Path(folder)))


def _real(path: Path) -> Labelled:
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8", newline="") as stream:
        return [
            (row, Page.of(row["url"], row["municipality"], row["url"], row["title"], row["text"]))
            for row in csv.DictReader(stream)
        ]


def _counts(table: YesNo) -> dict[str, int]:
    return {name: getattr(table, name) for name in ("both_yes", "engine_only", "reference_only", "both_no")}


def main(pages: Path | None = None) -> None:
    engine = coder(ENGINE)
    texts = {"sample_held_out": _sample()} | ({"real_pages": _real(pages)} if pages else {})
    entries = read_yaml(paths.MEASURED)["measurements"]
    for entry in entries:
        if entry["engine"] != ENGINE or entry["id"] not in texts:
            continue
        held_out = [(row, page) for row, page in texts[entry["id"]] if row["held_out"] == "true"]
        both = [(row, coding_row(page, engine)) for row, page in held_out]
        entry |= {
            "pages": _counts(pages_compared(both)),
            "areas": _counts(areas_compared(both)),
            "measured_on": system_clock().date().isoformat(),
            "codebook_hash": engine.codebook_hash,
        }
    dumped = yaml.safe_dump({"measurements": entries}, allow_unicode=True, sort_keys=False, width=110)
    write_text(paths.MEASURED, HEADER + dumped)
    for measurement in of_engine(ENGINE, read_measurements()):
        print(said(measurement))


if __name__ == "__main__":
    typer.run(main)
