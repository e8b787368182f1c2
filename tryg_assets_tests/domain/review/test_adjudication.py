"""Two coders, then one decision; and what of it the table of human codings says."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import openpyxl

from tryg_assets.contracts import contract
from tryg_assets.domain.reference import focus_areas
from tryg_assets.domain.review.adjudication import disagreements, human_rows
from tryg_assets.domain.review.desk import Desk
from tryg_assets.domain.review.export import export_adjudication, export_coding
from tryg_assets.domain.review.inbox import import_file
from tryg_assets.domain.review.progress import progress
from tryg_assets.domain.review.store import gold_versions
from tryg_assets.domain.review.words import review_words
from tryg_assets_tests.domain.review.conftest import (
    AREAS,
    TEXTS,
    Fill,
    answer_sheet,
    everything,
    fill,
    headings,
    import_filled,
    page_id,
    put,
)

WORDS = review_words()
PLAN, CONTACT = page_id("/plan"), page_id("/kontakt")


def two_coders(desk: Desk, anne: Fill, bo: Fill) -> None:
    for path, said in zip(export_coding(desk, ["Anne", "Bo"], None, "xlsx"), (anne, bo), strict=True):
        import_filled(desk, path, said)


def disagreeing(desk: Desk) -> Path:
    """Two coders who differ on one decision and on one area; returns the adjudication sheet."""
    two_coders(
        desk,
        everything(),
        lambda page, _: {
            **dict.fromkeys(AREAS, "nej" if page != CONTACT else None),
            "decision": "ikke indsats" if page == CONTACT else "indsats",
            **({AREAS[5]: "ja"} if page == PLAN else {}),
        },
    )
    (sheet,) = export_adjudication(desk, "Kirsten")
    return sheet


def test_only_disagreements_go_out_with_both_answers_and_the_engine_as_a_third_voice(desk: Desk) -> None:
    path = disagreeing(desk)
    assert [(case.page_id, case.areas) for case in disagreements(desk.codings())] == sorted(
        [(CONTACT, ()), (PLAN, (AREAS[5],))]
    )
    sheet = answer_sheet(openpyxl.load_workbook(path))
    at = headings(sheet)
    assert sheet.max_row == 3
    row = next(n for n in (2, 3) if sheet.cell(n, at["Sidens titel"]).value == "Tryghedsplan")
    said = [str(sheet.cell(row, at[WORDS.columns[name]]).value) for name in ("first", "second", "engine")]
    assert said[0] == "Anne: indsats"
    assert said[1] == f"Bo: indsats\nOmråder: {focus_areas()[AREAS[5]].name}"
    assert said[2].startswith("offline-rules: indsats")


def test_the_last_settled_disagreement_makes_a_gold_version_and_not_before(desk: Desk) -> None:
    sheet = disagreeing(desk)
    half = import_filled(desk, sheet, lambda page, _: {"decision": "tvivl"} if page == CONTACT else {})
    assert (half.gold, half.waiting, gold_versions(desk.state)) == ("", 1, {})
    rest = import_filled(
        desk, sheet, lambda page, _: {"decision": "indsats", AREAS[5]: "ja", "rest": "resten er nej"} if page == PLAN else {}
    )  # fmt: skip
    assert (rest.gold, rest.waiting) == ("adjudicated-1", 0)
    gold = {row["page_id"]: row for row in gold_versions(desk.state)["adjudicated-1"]}
    assert gold.keys() == {page_id(path) for path in TEXTS}, (
        "agreed pages are part of it, or it would be no sample"
    )
    assert (gold[CONTACT]["decision"], gold[PLAN]["areas"][AREAS[5]]) == ("doubt", "yes")
    assert Counter(row["decision"] for row in gold.values()) == {"yes": len(TEXTS) - 1, "doubt": 1}
    assert export_adjudication(desk, "Kirsten") == []
    assert progress(desk).gold_versions == ("adjudicated-1",)


def test_an_adjudication_that_is_changed_makes_the_next_version_and_the_old_one_stays(desk: Desk) -> None:
    sheet = disagreeing(desk)
    first = fill(sheet, lambda *_: {"decision": "ikke indsats"}, sheet.with_name("a.xlsx"))
    assert import_file(desk, first).gold == "adjudicated-1"
    before = gold_versions(desk.state)["adjudicated-1"]
    assert import_file(desk, first).gold == "", "the same file makes no new version"
    second = fill(sheet, everything("indsats"), sheet.with_name("b.xlsx"))
    assert import_file(desk, second).gold == "adjudicated-2"
    versions = gold_versions(desk.state)
    assert list(versions) == ["adjudicated-1", "adjudicated-2"]
    assert versions["adjudicated-1"] == before


def test_a_coder_who_changes_the_answer_afterwards_opens_the_case_again(desk: Desk) -> None:
    sheet = disagreeing(desk)
    import_filled(desk, sheet, everything())
    assert progress(desk).waiting == 0
    (again,) = export_coding(desk, ["Carl"], None, "xlsx")
    import_filled(desk, again, lambda page, _: {"decision": "tvivl"} if page == PLAN else {})
    assert progress(desk).waiting == 1


def human(desk: Desk, held_out: dict[str, bool] | None = None) -> list[dict[str, object]]:
    return human_rows(desk.codings(), gold_versions(desk.state), desk.current(), held_out or {})


def test_human_codings_hold_each_coder_blind_and_the_adjudicated_version(desk: Desk) -> None:
    import_filled(desk, disagreeing(desk), everything())
    rows = human(desk, {PLAN: True})
    table = contract("human_codings").conform(contract("human_codings").frame(rows))
    counts = Counter((row["gold_version"], row["coder"], row["task"]) for row in table.iter_rows(named=True))
    pages = len(TEXTS)
    assert counts == {
        ("blind", "Anne", "relevance"): pages,
        ("blind", "Anne", "focus_area"): pages * 11,
        ("blind", "Bo", "relevance"): pages,
        ("blind", "Bo", "focus_area"): pages * 11,
        ("adjudicated-1", "adjudicated", "relevance"): pages,
        ("adjudicated-1", "adjudicated", "focus_area"): pages * 11,
    }
    assert {row["coder_kind"] for row in rows} == {"person"}
    assert {row["page_id"] for row in rows if row["held_out"]} == {PLAN}


def test_areas_enter_only_when_all_eleven_are_answered(desk: Desk) -> None:
    two_coders(
        desk, lambda *_: {"decision": "indsats", AREAS[0]: "ja"}, lambda *_: {"decision": "ikke indsats"}
    )
    counts = Counter((row["coder"], row["task"]) for row in human(desk))
    assert counts == {
        ("Anne", "relevance"): len(TEXTS),
        ("Bo", "relevance"): len(TEXTS),
        ("Bo", "focus_area"): 11 * len(TEXTS),
    }


def test_gold_about_a_text_that_has_changed_does_not_count(desk: Desk) -> None:
    import_filled(desk, disagreeing(desk), everything())
    put(desk.lake, {**TEXTS, "/plan": "En anden tekst om tryghed."})
    assert PLAN not in {row["page_id"] for row in human(desk)}
    assert len({row["page_id"] for row in human(desk)}) == len(TEXTS) - 1


def test_how_far_everybody_is(desk: Desk) -> None:
    disagreeing(desk)
    (carl,) = export_coding(desk, ["Carl"], None, "xlsx")
    import_filled(desk, carl, lambda page, _: {"decision": "tvivl"} if page == PLAN else {})
    found = progress(desk)
    assert [
        (row.name, row.sent, row.answered, row.left, row.doubt, row.incomplete) for row in found.reviewers
    ] == [
        ("Anne", 8, 8, 0, 0, 0),
        ("Bo", 8, 8, 0, 0, 0),
        ("Carl", 8, 1, 7, 1, 0),
    ]
    assert (found.double_coded, found.alike, found.waiting) == (8, 6, 2)


def test_the_engine_may_be_another_and_the_sheet_still_goes_out(desk: Desk) -> None:
    disagreeing(desk)
    (path,) = export_adjudication(replace(desk, lake=replace(desk.lake, engine="other")), "Ove")
    sheet = answer_sheet(openpyxl.load_workbook(path))
    assert {sheet.cell(n, headings(sheet)[WORDS.columns["engine"]]).value for n in (2, 3)} == {"Ikke kodet."}
