"""How well does the offline engine code texts it was not written around, against the obvious baselines?"""

from __future__ import annotations

import csv
import time

from benchmarks.cleaning import Crawled, Row
from tryg_assets import paths
from tryg_assets.domain.coding import coder
from tryg_assets.domain.coding.interface import Page
from tryg_assets.domain.coding.pages import coding_row
from tryg_assets.domain.reliability.coefficients import YesNo
from tryg_assets.domain.reliability.intervals import wilson

_ACTORS = paths.GOLD / "actors" / "sample_denmark_actors.csv"


def _read(path: object) -> list[Row]:
    with open(str(path), encoding="utf-8", newline="") as stream:  # noqa: PTH123
        return list(csv.DictReader(stream))


def _line(name: str, table: YesNo) -> str:
    interval = wilson(table.agreed, table.n)
    assert interval is not None
    figures = [
        f"{name:<34}",
        f"n={table.n:<5}",
        f"agree {table.agreed / table.n:.3f} ({interval.low:.3f}-{interval.high:.3f})",
    ]
    for label, value in (
        ("kappa", table.kappa),
        ("P", table.precision),
        ("R", table.recall),
        ("F1", table.f1),
    ):
        figures.append(f"{label} {'-' if value is None else f'{value:.3f}'}")
    return "  ".join(figures)


def pages_compared(both: list[tuple[Row, Row]]) -> YesNo:
    """Compare page decisions of (gold, coding) pairs."""
    return YesNo.count(
        [coding["is_initiative"] == "yes" for _, coding in both],
        [row["is_initiative"] == "yes" for row, _ in both],
    )


def areas_compared(both: list[tuple[Row, Row]]) -> YesNo:
    """Pool the focus areas of the (gold, coding) pairs that are initiatives by the gold coding."""
    pooled = YesNo(0, 0, 0, 0)
    for row, coding in both:
        if row["is_initiative"] == "yes":
            wanted, got = set(row["focus_areas"].split("|")), set(coding["focus_areas"])
            pooled += YesNo(len(wanted & got), len(got - wanted), len(wanted - got), 11 - len(wanted | got))
    return pooled


def sample_pages(crawled: Crawled) -> list[tuple[Row, Page]]:
    """Return the reference codings of the sample with the crawled pages they are of."""
    gold = [row for row in _read(paths.GOLD / "sample_denmark_reference.csv") if row["url"] in crawled.raw]
    raw = crawled.raw
    return [
        (
            row,
            Page.of(
                raw[row["url"]]["page_id"],
                row["municipality"],
                row["url"],
                raw[row["url"]]["title"],
                raw[row["url"]]["text"],
            ),
        )
        for row in gold
    ]


def report(crawled: Crawled) -> None:
    found = sample_pages(crawled)
    gold, pages = [row for row, _ in found], {row["url"]: page for row, page in found}
    engine = coder("offline-rules")
    started = time.process_time()
    codings = {url: coding_row(page, engine) for url, page in pages.items()}
    spent = time.process_time() - started
    print(f"\n== coding by {engine.engine} ({engine.label}) against the sample's reference codings ==")
    print(f"{1000 * spent / len(pages):.2f} ms CPU a page")
    for name, part in (
        ("held-out texts", [row for row in gold if row["held_out"] == "true"]),
        ("all texts", gold),
    ):
        reference = [row["is_initiative"] == "yes" for row in part]
        print(f"-- {name}")
        print(
            _line(
                "page decision",
                pages_compared([(row, codings[row["url"]]) for row in part]),
            )
        )
        print(_line("  baseline: always no", YesNo.count([False] * len(part), reference)))
        print(
            _line(
                "  baseline: three tryg- words",
                YesNo.count([crawled.raw[row["url"]]["hits"] >= 3 for row in part], reference),
            )
        )
        both = [(row, codings[row["url"]]) for row in part]
        print(_line("focus areas, micro (all initiatives)", areas_compared(both)))
        said_yes = [(row, coding) for row, coding in both if coding["is_initiative"] == "yes"]
        print(_line("focus areas, micro (found ones)", areas_compared(said_yes)))
    _report_actors(pages, {row["url"]: row for row in gold})


def _report_actors(pages: dict[str, Page], gold: dict[str, Row]) -> None:
    engine = coder("offline-rules")
    for name, wanted in (("held-out texts", "true"), ("other texts", "false")):
        found = placed = roles = total = 0
        mentions: dict[str, list[tuple[str, str, str]]] = {}
        for row in _read(_ACTORS):
            url = row["url"]
            if url not in pages or gold[url]["held_out"] != wanted or gold[url]["is_initiative"] != "yes":
                continue
            if url not in mentions:
                mentions[url] = [
                    (m.surface.lower(), m.placement.subcategory, m.role) for m in engine.actors(pages[url])
                ]
            total += 1
            surface = row["surface"].lower()
            same = [m for m in mentions[url] if m[0] in surface or surface in m[0]]
            found += bool(same)
            placed += any(m[1] == row["subcategory"] for m in same)
            roles += any(m[2] == row["role"] for m in same)
        if total:
            print(
                f"actors, {name}: n={total}  found {found / total:.3f}  subcategory right of found {placed / max(1, found):.3f}  role right of found {roles / max(1, found):.3f}"
            )
