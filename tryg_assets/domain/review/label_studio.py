"""The same review in Label Studio: tasks and labelling configuration out, exported annotations in.

Both are files: no server is asked. https://labelstud.io/guide/tasks (import) and /guide/export (annotations).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from tryg_assets.domain.coding.interface import fold
from tryg_assets.domain.reference import actor_taxonomy, focus_areas
from tryg_assets.domain.review.answers import Answer, Findings, KnownPage, Problem, Quote
from tryg_assets.domain.review.pages import ReviewPage, sealed
from tryg_assets.domain.review.words import review_words
from tryg_assets.domain.review.workbook import META_FORMAT, META_MARK, Origin
from tryg_assets.errors import DataFileError

_MOST_BYTES = 200_000_000
_NUMBER = re.compile(r"\[S\d+\]\s?")


def tasks(pages: Iterable[ReviewPage], origin: Origin) -> str:
    """Return the tasks of one reviewer as JSON, without predictions: the first pass is blind."""
    made = [
        {
            "data": {
                META_MARK: META_FORMAT,
                "corpus": origin.corpus,
                "reviewer": origin.reviewer,
                "row_id": page.row_id,
                "municipality": page.municipality_name,
                "title": page.title,
                "text": page.text,
                "url": page.url,
                "archive": f"{page.read_on:%d.%m.%Y}, {page.archive_record}",
            }
        }
        for page in pages
    ]
    return json.dumps(made, ensure_ascii=False, indent=1) + "\n"


def labelling_config() -> str:
    """Return the labelling configuration (XML): decision by one key, areas if it is an initiative, spans, actors, comment."""
    words = review_words()
    labels, taxonomy = words.label_studio, actor_taxonomy()
    yes = words.label("decision", "yes")

    def choice(value: str, **more: str) -> str:
        return f"<Choice value={quoteattr(value)}{''.join(f' {key}={quoteattr(text)}' for key, text in more.items())}/>"

    decisions = [choice(label, hotkey=str(key)) for key, label in enumerate(words.labels("decision"), 1)]
    areas = [choice(area.name, hint=area.description) for area in focus_areas().values()]
    groups = [
        f"<Choice value={quoteattr(name)}>"
        + "".join(choice(sub.name) for sub in taxonomy.subcategories.values() if sub.master == master)
        + "</Choice>"
        for master, name in taxonomy.masters.items()
    ]
    return "\n".join(
        [
            "<View>",
            '<Header value="$municipality: $title"/>',
            '<Header value="$url" size="6"/>',
            '<Header value="$archive" size="6"/>',
            '<Text name="text" value="$text" granularity="word"/>',
            '<Labels name="spans" toName="text">',
            f'<Label value={quoteattr(labels["evidence"])} hotkey="b"/>',
            f'<Label value={quoteattr(labels["actor"])} hotkey="a"/>',
            "</Labels>",
            '<Choices name="decision" toName="text" choice="single-radio" required="true">',
            *decisions,
            "</Choices>",
            '<Choices name="areas" toName="text" choice="multiple" visibleWhen="choice-selected" '
            f'whenTagName="decision" whenChoiceValue={quoteattr(yes)}>',
            *areas,
            choice(labels["none"]),
            "</Choices>",
            '<Taxonomy name="actor_group" toName="text" perRegion="true" visibleWhen="region-selected" '
            f'whenLabelValue={quoteattr(labels["actor"])} leafsOnly="true">',
            *groups,
            "</Taxonomy>",
            '<TextArea name="comment" toName="text" rows="3" editable="true"/>',
            "</View>",
            "",
        ]
    )


@dataclass(frozen=True, slots=True)
class Exported:
    """A file exported from Label Studio: what was found, by coder."""

    corpus: str
    findings: Mapping[str, Findings]


class _Wrong(Exception):
    """An annotation that cannot be taken."""


def read_export(path: Path, known: Mapping[str, KnownPage]) -> Exported:
    """Read exported annotations. Skipped (cancelled) ones count as not answered.

    The coder is the reviewer the tasks were made for; if several people annotated, each one's mail address or number.
    Marked passages are found again by their text; where Label Studio says they stand is not used.

    Raises:
        DataFileError: it is no export of tasks of ours.
    """
    exported = _read(path)
    people = {_person(note) for task in exported for note in task["annotations"]}
    found: dict[str, Findings] = {}
    for number, task in enumerate(exported, 1):
        for note in task["annotations"]:
            coder = task["data"]["reviewer"] if len(people) == 1 else _person(note)
            mine = found.setdefault(coder, Findings())
            if note.get("was_cancelled") or not note.get("result"):
                mine.blank += 1
                continue
            try:
                answer, remarks = _answer(task["data"], note["result"], known)
            except _Wrong as wrong:
                remedy = "Ret det i Label Studio, eksportér igen, og send filen igen."
                mine.problems.append(Problem(f"opgave {number} ({coder})", str(wrong), remedy))
                continue
            except (KeyError, TypeError, AttributeError, IndexError) as problem:
                remedy = "Eksportér igen som JSON."
                mine.problems.append(
                    Problem(f"opgave {number} ({coder})", f"annotationen er ødelagt ({problem})", remedy)
                )
                continue
            mine.answers.append(answer)
            mine.remarks += [f"opgave {number} ({coder}): {remark}" for remark in remarks]
    return Exported(exported[0]["data"]["corpus"], found)


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError("den er for stor")
        exported = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as problem:
        raise DataFileError(
            path, "filen", f"den kan ikke læses ({problem})", "Eksportér igen som JSON."
        ) from None
    whole = isinstance(exported, list) and all(
        isinstance(task, dict)
        and isinstance(data := task.get("data"), dict)
        and data.get(META_MARK) == META_FORMAT
        and all(isinstance(data.get(name), str) for name in ("corpus", "reviewer", "row_id", "text"))
        and isinstance(task.get("annotations", []), list)
        and all(isinstance(note, dict) for note in task.get("annotations", []))
        for task in exported
    )
    if not whole or not exported:
        raise DataFileError(
            path,
            "filen",
            "den er ikke en eksport af opgaver fra Tryg Assets",
            "Eksportér fra Label Studio som JSON.",
        )
    return [{**task, "annotations": task.get("annotations", [])} for task in exported]


def _person(note: Mapping[str, Any]) -> str:
    who = note.get("completed_by")
    if isinstance(who, dict):
        who = who.get("email") or who.get("id")
    return f"Label Studio {who}" if isinstance(who, int) else str(who or "Label Studio")


def _answer(
    data: Mapping[str, str], result: list[dict[str, Any]], known: Mapping[str, KnownPage]
) -> tuple[Answer, list[str]]:
    words, areas = review_words(), {area.name: area.id for area in focus_areas().values()}
    page_id, version, *_ = [*data["row_id"].split("-"), "", ""]
    if sealed(page_id, version, data["text"]) != data["row_id"]:
        raise _Wrong("teksten eller rækkens id er ændret, så det er uvist, hvad der er svaret på")
    page = known.get(page_id)
    if page is None:
        raise _Wrong("siden findes ikke i denne samling")
    if page.text_sha256[:16] != version:
        raise _Wrong("sidens tekst er ændret på hjemmesiden, siden opgaverne blev lavet")
    chosen = {item["from_name"]: item["value"]["choices"] for item in result if item["type"] == "choices"}
    decision = words.understand("decision", (chosen.get("decision") or [""])[0])
    if decision is None:
        raise _Wrong(f"svaret på »{words.columns['decision']}« mangler eller kendes ikke")
    picked = chosen.get("areas", []) if decision == "yes" else []
    if unknown := [name for name in picked if name not in areas and name != words.label_studio["none"]]:
        raise _Wrong(f"fokusområdet '{unknown[0]}' kendes ikke")
    yes = {areas[name] for name in picked if name in areas}
    answered = decision == "no" or bool(picked)
    comment = " ".join(
        text for item in result if item["type"] == "textarea" for text in item["value"]["text"]
    )
    quotes = list(_quotes(result))
    there = fold(data["text"])
    kept = tuple(quote for quote in quotes if fold(quote.text) in there)
    remarks = [f"passagen »{quote.text[:60]}« findes ikke på siden" for quote in quotes if quote not in kept]
    return (
        Answer(
            page_id,
            page.text_sha256,
            decision,
            {area: "yes" if area in yes else "no" for area in areas.values()} if answered else {},
            comment,
            tuple(Quote(quote.label, _NUMBER.sub("", quote.text)) for quote in kept),
        ),
        remarks,
    )


def _quotes(result: list[dict[str, Any]]) -> Iterator[Quote]:
    """Yield the marked passages: evidence, or an actor with its subcategory where one was chosen."""
    labels = review_words().label_studio
    subcategories = {sub.name: sub.id for sub in actor_taxonomy().subcategories.values()}
    groups = {
        item.get("id"): subcategories.get(item["value"]["taxonomy"][0][-1], "")
        for item in result
        if item["type"] == "taxonomy" and item["value"]["taxonomy"]
    }
    for item in result:
        if item["type"] != "labels":
            continue
        for label in item["value"]["labels"]:
            if label == labels["actor"]:
                yield Quote(f"actor {groups.get(item.get('id'), '')}".strip(), item["value"]["text"])
            else:
                yield Quote("evidence", item["value"]["text"])
