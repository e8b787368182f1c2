"""The quality page: where engine and reference disagree, side by side, with the page's text and the evidence marked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from tryg_assets.domain.reference import focus_areas
from tryg_assets.domain.reliability.reference import gold_versions
from tryg_assets.domain.reporting import danish
from tryg_assets.domain.reporting.html import environment
from tryg_assets.domain.reporting.report import web_address
from tryg_assets.domain.review.pages import ReviewPage

QUALITY = "kvalitet.html"
MOST_CASES = 200
# What is shown of a long page: its beginning, and the evidence with its neighbours.
_FIRST_SENTENCES, _NEIGHBOURS = 25, 2
_RELEVANCE = "indsats"


@dataclass(frozen=True, slots=True)
class Case:
    """A page on which engine and reference differ. ``differs`` names the questions: ``indsats`` or ids of focus areas."""

    page: ReviewPage
    engine: Mapping[str, Any]
    references: tuple[Mapping[str, Any], ...]
    differs: tuple[str, ...]

    @property
    def excerpt(self) -> list[dict[str, Any]]:
        """The sentences shown, each with its number, whether it is evidence, and whether some before it are left out."""
        evidence = set(self.engine["evidence_ids"])
        near = {number + step for number in evidence for step in range(-_NEIGHBOURS, _NEIGHBOURS + 1)}
        shown, last = [], 0
        for number, text in enumerate(self.page.sentences, 1):
            if number <= _FIRST_SENTENCES or number in near:
                shown.append(
                    {
                        "number": number,
                        "text": text,
                        "evidence": number in evidence,
                        "gap": number != last + 1,
                    }
                )
                last = number
        return shown

    @property
    def more(self) -> int:
        """Number of sentences that are not shown."""
        return len(self.page.sentences) - len(self.excerpt)

    @property
    def url(self) -> str | None:
        """The page's address, if it is one that may be followed."""
        return web_address(self.page.url)


def reference_version(human: pl.DataFrame) -> str:
    """Return the gold version to read against: the latest adjudicated, else what people said blind, else a file's; else nothing."""
    versions = gold_versions(human)
    return versions[-1].version if versions else ""


def find_cases(
    human: pl.DataFrame, codings: pl.DataFrame, pages: Callable[[Iterable[str]], Mapping[str, ReviewPage]]
) -> tuple[list[Case], int]:
    """Return up to 200 pages on which the engine differs from a reference coder, and how many there are in all.

    A doubt counts as no on either side; areas are compared on pages the coder calls an initiative. The engine's most
    confident mistakes about relevance come first. ``pages`` gives the texts of the pages asked for.
    """
    gold = human.filter(pl.col("gold_version") == reference_version(human))
    engine = {row["page_id"]: row for row in codings.iter_rows(named=True)}
    found = []
    for (page_id,), rows in gold.sort("page_id", "coder", "task", "item").group_by(
        "page_id", maintain_order=True
    ):
        if row := engine.get(str(page_id)):
            references = tuple(_references(rows))
            if differs := _differs(row, references):
                found.append((row, references, differs))
    found.sort(key=lambda case: (_RELEVANCE not in case[2], -case[0]["confidence"], case[0]["page_id"]))
    texts = pages([row["page_id"] for row, _, _ in found[:MOST_CASES]])
    cases = [
        Case(texts[row["page_id"]], row, references, differs)
        for row, references, differs in found[:MOST_CASES]
        if row["page_id"] in texts
    ]
    return cases, len(found)


def _references(rows: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield each coder's answers about a page. Names of persons stay in the table: this page may be published."""
    alone = rows["coder"].n_unique() == 1
    for number, (_, own) in enumerate(rows.group_by("coder", maintain_order=True), 1):
        answers = {(row["task"], row["item"]): row["value"] for row in own.iter_rows(named=True)}
        areas = {item: value for (task, item), value in answers.items() if task == "focus_area"}
        yield {
            "coder": "Referencen" if alone else f"Koder {number}",
            "decision": answers.get(("relevance", "page")),
            "areas": areas,
        }


def _differs(engine: Mapping[str, Any], references: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    found = set()
    for reference in references:
        if reference["decision"] and (reference["decision"] == "yes") != (engine["is_initiative"] == "yes"):
            found.add(_RELEVANCE)
        if reference["decision"] == "yes":
            found |= {
                area
                for area, value in reference["areas"].items()
                if (value == "yes") != (area in engine["focus_areas"])
            }
    return tuple(name for name in (_RELEVANCE, *focus_areas()) if name in found)


def render_quality(
    cases: list[Case],
    total: int,
    version: str,
    coder_kinds: Iterable[str],
    engine_label: str,
    moment: datetime,
    *,
    is_sample: bool,
) -> str:
    """Return the quality page as HTML. The same cases give the same bytes.

    ``is_sample`` puts the warning of the sample Denmark on its front, whoever coded its pages.
    """
    areas = focus_areas()
    labels = {_RELEVANCE: "Indsats eller ej"} | {area.id: area.name for area in areas.values()}
    counts = {name: sum(name in case.differs for case in cases) for name in labels}
    return (
        environment()
        .get_template("quality.html.j2")
        .render(
            cases=cases,
            total=total,
            version=version,
            is_sample=is_sample,
            by_authors="sample_reference" in set(coder_kinds),
            labels=labels,
            counts={name: count for name, count in counts.items() if count},
            answers={"yes": "indsats", "no": "ikke indsats", "doubt": "tvivl", None: danish.NOTHING},
            engine_label=engine_label,
            generated_at=moment,
        )
    )
