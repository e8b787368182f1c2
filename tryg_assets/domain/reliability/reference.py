"""What an engine is compared with: one answer per page and question, from the codings of people or of the sample's authors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from tryg_assets.domain.reference import actor_taxonomy, read_csv
from tryg_assets.domain.review.adjudication import ADJUDICATED
from tryg_assets.errors import DataFileError
from tryg_assets.ids import stable_id

_ACTORS = "_actors"


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of one gold version: per (task, item) whether each page is a yes, and which pages are held out."""

    version: str
    coder_kind: str
    yes: Mapping[tuple[str, str], Mapping[str, bool]]
    held_out: frozenset[str]
    coded_on: date
    settled: bool

    def initiatives(self) -> set[str]:
        """Return the pages that are initiatives."""
        return {page for page, yes in self.yes.get(("relevance", "page"), {}).items() if yes}


def gold_versions(codings: pl.DataFrame) -> list[Answers]:
    """Return the versions in ``human_codings``, the one to go by last.

    Several coders of a page: what the adjudicator says, else what most say; a tie, like a doubt, counts as no. People go
    before the authors of sample texts, adjudicated before blind, later before earlier.
    """
    versions = [
        _answers(str(version), str(kind), part)
        for (version, kind), part in codings.group_by("gold_version", "coder_kind")
    ]
    return sorted(versions, key=_rank)


def _rank(answers: Answers) -> tuple[Any, ...]:
    number = re.search(r"(\d+)$", answers.version)
    return (
        answers.coder_kind == "person",
        answers.settled,
        answers.coded_on,
        int(number.group()) if number else 0,
        answers.version,
    )


def _answers(version: str, kind: str, part: pl.DataFrame) -> Answers:
    votes: dict[tuple[str, str], dict[str, list[bool]]] = {}
    rows = part.sort("task", "item", "page_id", "coder")
    settled = rows.filter(pl.col("coder") == ADJUDICATED).select("page_id", "task", "item").unique()
    blind = rows.filter(pl.col("coder") != ADJUDICATED).join(
        settled, on=["page_id", "task", "item"], how="anti"
    )
    for row in pl.concat([rows.filter(pl.col("coder") == ADJUDICATED), blind]).iter_rows(named=True):
        pages = votes.setdefault((row["task"], row["item"]), {})
        pages.setdefault(row["page_id"], []).append(row["value"] == "yes")
    return Answers(
        version,
        kind,
        {
            what: {page: 2 * sum(said) > len(said) for page, said in pages.items()}
            for what, pages in votes.items()
        },
        frozenset(rows.filter(pl.col("held_out"))["page_id"]),
        max(rows["coded_on"]),
        settled.height > 0,
    )


def coders_apart(
    codings: pl.DataFrame, task: str, item: str | None
) -> tuple[list[list[bool | None]], list[str], list[str]]:
    """Return what each person answered before adjudication, and the page and the municipality of each answer.

    A sequence per coder, in the order of pages; ``None`` = not coded. Without ``item`` every item of the task is asked about
    each page.
    """
    own = codings.filter(
        (pl.col("task") == task)
        & ((pl.col("item") == item) if item else True)
        & (pl.col("coder_kind") == "person")
        & (pl.col("coder") != ADJUDICATED)
    ).sort("page_id", "item", "coder", "coded_on")
    latest = {
        (row["page_id"], row["item"], row["coder"]): row["value"] == "yes"
        for row in own.iter_rows(named=True)
    }
    units = own.select("page_id", "item", "municipality").unique(["page_id", "item"], maintain_order=True)
    coders = own["coder"].unique().sort()
    answers = [[latest.get((page, asked, coder)) for page, asked, _ in units.iter_rows()] for coder in coders]
    return answers, units["page_id"].to_list(), units["municipality"].to_list()


def read_actor_gold(folder: Path) -> list[dict[str, Any]]:
    """Read the actor codings of ``folder``; returns rows of ``actor_codings``: a subcategory named on a page.

    ``<name>_actors.csv`` goes with the gold version ``<name>_reference``, whose initiative pages it covers whole: one that has
    no row names no actor.

    Raises:
        DataFileError: a row is wrong; the message names file and row.
    """
    known = actor_taxonomy().subcategories
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for path in sorted(folder.glob(f"*{_ACTORS}.csv")):
        version = f"{path.stem.removesuffix(_ACTORS)}_reference"
        for line, row in read_csv(path, ("municipality", "url", "surface", "role", "subcategory")):
            if row["subcategory"] not in known:
                raise DataFileError(
                    path,
                    f"row {line}",
                    f"subcategory '{row['subcategory']}' is unknown",
                    "Use one of reference/actor_taxonomy.yml.",
                )
            page = stable_id(row["municipality"], row["url"])
            found[version, page + row["subcategory"]] = {
                "page_id": page,
                **{column: row[column] for column in ("municipality", "url", "subcategory")},
                "master_category": known[row["subcategory"]].master,
                "gold_version": version,
            }
    return list(found.values())


def by_page(rows: Iterable[Mapping[str, Any]], value: str) -> dict[str, set[str]]:
    """Return the values of a column as a set per page."""
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row["page_id"], set()).add(row[value])
    return found
