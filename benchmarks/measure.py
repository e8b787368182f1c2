"""Measure the offline engine and write the counts into data/measured.yml: ``python -m benchmarks.measure [--pages FILE]``.

Measured on the sample's held-out texts and on the held-out texts modelled on real pages. ``--pages`` is a CSV of pages of your own
with their codings (url, municipality, title, text, is_initiative, focus_areas separated by ``|``); they get an entry of their own.
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
from benchmarks.texts import modelled
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
        found = sample_pages(cleaning.crawl_all(server.address, Path(folder)))
    return [(row, page) for row, page in found if row["held_out"] == "true"]


def _modelled() -> Labelled:
    return [
        (
            {"is_initiative": "yes" if text.initiative else "no", "focus_areas": "|".join(text.areas)},
            Page.of(text.id, "", "", text.title, text.text),
        )
        for text in modelled(held_out=True)
    ]


def _own(path: Path) -> Labelled:
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
    texts = {"sample_held_out": _sample(), "modelled_pages": _modelled()}
    if pages:
        texts["own_pages"] = _own(pages)
    entries = read_yaml(paths.MEASURED)["measurements"]
    entries += [
        {
            "id": id,
            "engine": ENGINE,
            "texts": "sider, som er kodet af mennesker (skriv her hvilke og hvordan)",
        }
        for id in texts.keys() - {entry["id"] for entry in entries if entry["engine"] == ENGINE}
    ]
    for entry in entries:
        if entry["engine"] != ENGINE or entry["id"] not in texts:
            continue
        both = [(row, coding_row(page, engine)) for row, page in texts[entry["id"]]]
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
