"""Two coders, then one decision: where they differ, what is said about it, and the gold version that comes of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from tryg_assets.domain.reference import focus_areas
from tryg_assets.domain.review.store import Coding

# Names of gold versions. "blind" is what people have answered so far, each under his or her own name; it grows.
# "adjudicated-1", "adjudicated-2" ... are frozen when the last disagreement of their time is settled.
BLIND, ADJUDICATED = "blind", "adjudicated"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A page whose coders differ: on whether it is an initiative, or on these ``areas``."""

    page_id: str
    codings: tuple[Coding, ...]
    areas: tuple[str, ...]


def by_page(codings: Iterable[Coding], kind: str) -> dict[str, tuple[Coding, ...]]:
    """Return the answers of one kind about each page."""
    found: dict[str, list[Coding]] = {}
    for coding in codings:
        if coding.kind == kind:
            found.setdefault(coding.page_id, []).append(coding)
    return {page: tuple(entries) for page, entries in sorted(found.items())}


def disagreements(codings: Iterable[Coding]) -> list[Disagreement]:
    """Return the pages on which blind coders differ, sorted by page.

    An area that one of them has not answered is no disagreement.
    """
    found = []
    for page, entries in by_page(codings, "coding").items():
        areas = tuple(
            area
            for area in focus_areas()
            if len({entry.areas[area] for entry in entries if area in entry.areas}) > 1
        )
        if areas or len({entry.decision for entry in entries}) > 1:
            found.append(Disagreement(page, entries, areas))
    return found


def waiting(codings: list[Coding]) -> list[Disagreement]:
    """Return the disagreements that are not settled: not adjudicated, or only before one of the answers was changed."""
    settled = by_page(codings, "adjudication")
    return [
        entry
        for entry in disagreements(codings)
        if max(item.id for item in entry.codings)
        > max((item.id for item in settled.get(entry.page_id, ())), default=0)
    ]


def settled_answers(codings: list[Coding]) -> list[dict[str, Any]]:
    """Return one answer per coded page: the adjudicated one, else the one its coders share (or its only coder gave).

    The areas of coders who agree are joined: what one left open another may have answered.
    """
    adjudicated = by_page(codings, "adjudication")
    answers = []
    for page, entries in by_page(codings, "coding").items():
        chosen = max(adjudicated.get(page, ()), key=lambda entry: entry.id, default=None)
        areas = (
            dict(chosen.areas)
            if chosen
            else {key: value for entry in entries for key, value in entry.areas.items()}
        )
        answers.append(
            {
                **{
                    name: getattr(entries[0], name)
                    for name in ("page_id", "municipality", "url", "text_sha256")
                },
                "decision": (chosen or entries[0]).decision,
                "areas": dict(sorted(areas.items())),
            }
        )
    return answers


def human_rows(
    codings: Iterable[Coding],
    gold: Mapping[str, list[dict[str, Any]]],
    current: Mapping[str, str],
    held_out: Mapping[str, bool],
) -> list[dict[str, Any]]:
    """Return rows of ``human_codings``: the blind answers, each by its coder, and every frozen gold version.

    ``current`` is the hash of each page's text: gold about an earlier text is left out. ``held_out`` says which pages were
    kept away from rule writing; one it does not know counts as not held out.

    The areas of a page enter only if all eleven were answered: people fill in the yes first, so half a row would look
    like a page with nothing but yes.
    """
    rows: list[dict[str, Any]] = []

    def add(entry: Mapping[str, Any], coder: str, version: str, day: date) -> None:
        common = {
            **{name: entry[name] for name in ("page_id", "municipality", "url")},
            "coder": coder,
            "coder_kind": "person",
            "gold_version": version,
            "held_out": held_out.get(entry["page_id"], False),
            "coded_on": day,
        }
        rows.append({**common, "task": "relevance", "item": "page", "value": entry["decision"]})
        areas = entry["areas"]
        if all(area in areas for area in focus_areas()):
            rows.extend(
                {**common, "task": "focus_area", "item": area, "value": areas[area]} for area in focus_areas()
            )

    for coding in codings:
        if coding.kind == "coding":
            entry = {
                name: getattr(coding, name)
                for name in ("page_id", "municipality", "url", "decision", "areas")
            }
            add(entry, coding.coder, BLIND, coding.answered_at.date())
    for version, answers in gold.items():
        for answer in answers:
            if current.get(answer["page_id"]) == answer["text_sha256"]:
                add(answer, ADJUDICATED, version, date.fromisoformat(answer["made_at"][:10]))
    return rows
