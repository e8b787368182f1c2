"""Label Studio: what goes out is judged by its own SDK, what comes back is judged by us."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from label_studio_sdk.label_interface import LabelInterface

from tryg_assets.domain.reference import actor_taxonomy, focus_areas
from tryg_assets.domain.review.desk import Desk
from tryg_assets.domain.review.export import export_coding
from tryg_assets.domain.review.inbox import Receipt, import_file
from tryg_assets.domain.review.label_studio import labelling_config
from tryg_assets.domain.review.words import review_words
from tryg_assets_tests.domain.review.conftest import AREAS, TEXTS, page_id, put

LABELS = review_words().label_studio
NAMES = [focus_areas()[area].name for area in AREAS]
POLICE = actor_taxonomy().subcategories["politi"]


@pytest.fixture
def sent(desk: Desk) -> list[dict[str, Any]]:
    """The tasks that went out to Anne."""
    (path,) = export_coding(desk, ["Anne"], None, "label-studio")
    assert (path.name, path.with_name("kodning-anne-label-config.xml").exists()) == (
        "kodning-anne.json",
        True,
    )
    tasks: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return tasks


def choices(name: str, *chosen: str) -> dict[str, Any]:
    return {"from_name": name, "to_name": "text", "type": "choices", "value": {"choices": list(chosen)}}


def span(text: str, label: str, start: int = 0, id_: str = "a") -> dict[str, Any]:
    value = {"start": start, "end": start + len(text), "text": text, "labels": [label]}
    return {"id": id_, "from_name": "spans", "to_name": "text", "type": "labels", "value": value}


def group(text: str, id_: str = "a") -> dict[str, Any]:
    master = actor_taxonomy().masters[POLICE.master]
    value = {"start": 0, "end": len(text), "text": text, "taxonomy": [[master, POLICE.name]]}
    return {"id": id_, "from_name": "actor_group", "to_name": "text", "type": "taxonomy", "value": value}


def comment(text: str) -> dict[str, Any]:
    return {"from_name": "comment", "to_name": "text", "type": "textarea", "value": {"text": [text]}}


def note(*result: dict[str, Any], who: object = 1, **more: Any) -> dict[str, Any]:
    return {"completed_by": who, "was_cancelled": False, "result": list(result), **more}


def returned(
    desk: Desk, tasks: list[dict[str, Any]], annotations: Callable[[str], list[dict[str, Any]]]
) -> Receipt:
    """Play Label Studio: add annotations to the tasks (by page_id) and import the export."""
    done = [
        {**task, "id": number, "annotations": annotations(task["data"]["row_id"][:16])}
        for number, task in enumerate(tasks)
    ]
    desk.folder.mkdir(exist_ok=True)
    path = desk.folder / "export.json"
    path.write_text(json.dumps(done, ensure_ascii=False), encoding="utf-8")
    return import_file(desk, path)


def only(path: str, *notes: dict[str, Any]) -> Callable[[str], list[dict[str, Any]]]:
    return lambda page: list(notes) if page == page_id(path) else []


def test_the_sdk_accepts_configuration_and_tasks_and_knows_every_tag(sent: list[dict[str, Any]]) -> None:
    interface = LabelInterface(labelling_config())
    interface.validate()
    assert {control.name: control.tag for control in interface.controls} == {
        "spans": "Labels", "decision": "Choices", "areas": "Choices", "actor_group": "Taxonomy", "comment": "TextArea",
    }  # fmt: skip
    for task in sent:
        assert interface.validate_task(task)
    assert not interface.validate_task({"data": {"title": "en opgave uden tekst"}})
    assert list(interface.get_control("decision").labels) == ["indsats", "ikke indsats", "tvivl"]
    assert list(interface.get_control("areas").labels) == [*NAMES, LABELS["none"]]
    assert len(interface.get_control("actor_group").labels) >= 110


def test_what_our_tests_play_is_what_label_studio_would_export(sent: list[dict[str, Any]]) -> None:
    interface = LabelInterface(labelling_config())
    result = [choices("decision", "indsats"), choices("areas", NAMES[0]), span("Byrådet", LABELS["evidence"])]
    good = {"model_version": "x", "score": 1.0, "result": [*result, group("Byrådet"), comment("Hm")]}
    assert interface.validate_prediction(good, return_errors=True) == []
    bad = {"model_version": "x", "score": 1.0, "result": [choices("decision", "måske")]}
    assert interface.validate_prediction(bad, return_errors=True)


def test_the_tasks_are_blind(sent: list[dict[str, Any]]) -> None:
    assert {page["data"]["row_id"][:16] for page in sent} == {page_id(path) for path in TEXTS}
    assert all(set(task) == {"data"} for task in sent), "no predictions"
    assert "offline-rules" not in json.dumps(sent)


def test_annotations_become_answers_with_the_marked_passages(desk: Desk, sent: list[dict[str, Any]]) -> None:
    quote = "Kommunen og politiet går hvert år en tryghedsvandring"
    receipt = returned(
        desk,
        sent,
        only(
            "/vandring",
            note(
                choices("decision", "indsats"),
                choices("areas", NAMES[2]),
                span(quote, LABELS["evidence"]),
                span("politiet", LABELS["actor"], id_="b"),
                group("politiet", id_="b"),
                comment("Klart."),
            ),
        ),
    )
    assert receipt.whole
    (entry,) = desk.codings()
    assert (entry.coder, entry.decision, entry.comment) == ("Anne", "yes", "Klart.")
    assert entry.areas == dict.fromkeys(AREAS, "no") | {AREAS[2]: "yes"}
    assert [(found.label, found.text) for found in entry.quotes] == [
        ("evidence", quote),
        ("actor politi", "politiet"),
    ]


@pytest.mark.parametrize("start", [0, -5, 9999])
def test_a_passage_is_found_by_its_text_wherever_it_is_said_to_stand(
    desk: Desk, sent: list[dict[str, Any]], start: int
) -> None:
    marked = "[S2] Byrådet  har vedtaget"
    result = [choices("decision", "indsats"), span(marked, LABELS["evidence"], start)]
    returned(desk, sent, only("/plan", note(*result)))
    (entry,) = desk.codings()
    assert [found.text for found in entry.quotes] == ["Byrådet  har vedtaget"]


def test_a_passage_that_is_not_on_the_page_is_named_and_the_answer_kept(
    desk: Desk, sent: list[dict[str, Any]]
) -> None:
    receipt = returned(
        desk,
        sent,
        only("/plan", note(choices("decision", "indsats"), span("findes ikke", LABELS["evidence"]))),
    )
    assert desk.codings()[0].quotes == ()
    assert "passagen »findes ikke« findes ikke på siden" in receipt.text()


@pytest.mark.parametrize(
    ("picked", "areas"),
    [
        ([], {}),
        ([LABELS["none"]], dict.fromkeys(AREAS, "no")),
        ([NAMES[0], NAMES[10]], dict.fromkeys(AREAS, "no") | {AREAS[0]: "yes", AREAS[10]: "yes"}),
    ],
)
def test_no_area_picked_is_not_answered_unless_none_is_said(
    desk: Desk, sent: list[dict[str, Any]], picked: list[str], areas: dict[str, str]
) -> None:
    result = [choices("decision", "indsats"), *([choices("areas", *picked)] if picked else [])]
    returned(desk, sent, only("/plan", note(*result)))
    assert desk.codings()[0].areas == areas


def test_several_annotators_are_several_coders_and_skipped_tasks_are_not_answered(
    desk: Desk, sent: list[dict[str, Any]]
) -> None:
    receipt = returned(
        desk,
        sent,
        only(
            "/plan",
            note(choices("decision", "indsats"), who={"id": 4, "email": "a@example.dk"}),
            note(choices("decision", "tvivl"), who=7),
            note(choices("decision", "tvivl"), who=8, was_cancelled=True),
            note(who=9),
        ),
    )
    assert {entry.coder: entry.decision for entry in desk.codings()} == {
        "a@example.dk": "yes",
        "Label Studio 7": "doubt",
    }
    assert sum(part.findings.blank for part in receipt.parts) == 2


def test_two_annotations_of_one_person_count_as_a_changed_answer_and_reading_twice_changes_nothing(
    desk: Desk, sent: list[dict[str, Any]]
) -> None:
    twice = only("/plan", note(choices("decision", "indsats")), note(choices("decision", "tvivl")))
    assert returned(desk, sent, twice).parts[0].stored.changed == 1
    again = returned(desk, sent, twice).parts[0].stored
    assert (again.new, again.changed, again.unchanged) == (0, 0, 2)
    assert [entry.decision for entry in desk.codings()] == ["doubt"]


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda task: task["data"].update(text="andet"), "teksten eller rækkens id er ændret"),
        (lambda task: task["data"].update(row_id="andet"), "teksten eller rækkens id er ændret"),
        (lambda task: task["annotations"][0]["result"].clear() or None, ""),
        (lambda task: task["annotations"][0]["result"].pop(0), "mangler eller kendes ikke"),
        (lambda task: task["annotations"][0]["result"][0]["value"].update(choices=["måske"]), "mangler eller kendes ikke"),
        (lambda task: task["annotations"][0]["result"][1]["value"].update(choices=["vejr"]), "fokusområdet 'vejr' kendes ikke"),
        (lambda task: task["annotations"][0]["result"][0].pop("value"), "annotationen er ødelagt"),
    ],
)  # fmt: skip
def test_a_wrong_annotation_is_named_and_the_others_are_taken(
    desk: Desk, sent: list[dict[str, Any]], spoil: Callable[[dict[str, Any]], object], problem: str
) -> None:
    def annotate(_page: str) -> list[dict[str, Any]]:
        return [note(choices("decision", "indsats"), choices("areas", NAMES[0]))]

    done = [{**task, "annotations": annotate("")} for task in sent]
    spoil(done[0])
    desk.folder.mkdir(exist_ok=True)
    path = desk.folder / "export.json"
    path.write_text(json.dumps(done), encoding="utf-8")
    receipt = import_file(desk, path)
    assert len(desk.codings()) == len(TEXTS) - 1
    assert problem in receipt.text()
    assert receipt.whole is (problem == "")


def test_a_task_about_a_text_that_has_changed_is_named(desk: Desk, sent: list[dict[str, Any]]) -> None:
    put(desk.lake, {**TEXTS, "/plan": "En anden tekst om tryghed."})
    receipt = returned(desk, sent, only("/plan", note(choices("decision", "indsats"))))
    assert "sidens tekst er ændret på hjemmesiden" in receipt.text()
    assert desk.codings() == []


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", "[1]", '[{"data": {}}]', '[{"data": {"text": "andet projekt"}, "annotations": []}]', "[" * 100_000],
    ids=range(8),
)  # fmt: skip
def test_what_is_no_export_of_ours_is_refused(desk: Desk, tmp_path: Path, content: str) -> None:
    path = tmp_path / "export.json"
    path.write_text(content, encoding="utf-8")
    assert "Eksportér" in import_file(desk, path).refused
