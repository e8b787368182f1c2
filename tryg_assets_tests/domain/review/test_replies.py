"""Right of reply: what was found about a municipality goes out, its answer comes back and stands for itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tryg_assets.clock import fixed_clock
from tryg_assets.contracts import contract
from tryg_assets.domain.review.desk import Desk
from tryg_assets.domain.review.export import export_replies
from tryg_assets.domain.review.inbox import Receipt, import_file
from tryg_assets.domain.review.store import latest_replies
from tryg_assets.domain.review.words import review_words
from tryg_assets.errors import ConfigurationError
from tryg_assets_tests.domain.review.conftest import NOW, SLUG, answer_sheet, headings, rows

WORDS = review_words()
FOUND = {
    "a" * 16: ("Tryghedsplan", "Byrådet har vedtaget en tryghedsplan."),
    "b" * 16: ("=Natteravne", "=Natteravnene går hver fredag."),
}


@pytest.fixture
def sent(desk: Desk) -> Path:
    """The sheet that went out to the municipality."""
    found = [
        {
            "initiative_id": key,
            "municipality": SLUG,
            "name": name,
            "quote": quote,
            "focus_areas": ["trafiksikkerhed"],
        }
        | {"evidence_url": "https://albertslund.dk/plan", "kind": "handleplan", "pages": ["x"]}
        for key, (name, quote) in FOUND.items()
    ]
    desk.lake.write("classified_initiatives", rows("classified_initiatives", *found), SLUG)
    return export_replies(desk, [SLUG])[0]


def reply(
    desk: Desk,
    sent: Path,
    answers: dict[str, dict[str, Any]],
    missing: list[dict[str, Any]],
    name: str = "svar.xlsx",
) -> Receipt:
    """Play the municipality: answers by name of the initiative, and rows on the sheet of what is missing."""
    book = openpyxl.load_workbook(sent)
    sheet, lacking = answer_sheet(book), book.worksheets[2]
    for row in range(2, sheet.max_row + 1):
        for column, value in answers.get(sheet.cell(row, 1).value, {}).items():
            sheet.cell(row, headings(sheet)[WORDS.columns[column]]).value = value
    for row, cells in enumerate(missing, 2):
        for column, value in cells.items():
            lacking.cell(row, headings(lacking)[WORDS.columns[column]]).value = value
    path = sent.with_name(name)
    book.save(path)
    return import_file(desk, path)


def told(desk: Desk) -> list[tuple[Any, ...]]:
    return [(row["name"], row["answer"], row["link"], row["comment"]) for row in latest_replies(desk.state)]


def test_the_sheet_lists_what_was_found_with_its_evidence(sent: Path) -> None:
    book = openpyxl.load_workbook(sent)
    assert sent.name == "svar-albertslund.xlsx"
    assert book.sheetnames == ["Vejledning", "Fundet hos jer", "Mangler", "Lister"]
    shown = [[cell.value for cell in row[:5]] for row in answer_sheet(book).iter_rows(min_row=2)]
    assert shown == [
        [name, "handleplan", "Trafiksikkerhed", quote, "https://albertslund.dk/plan"]
        for name, quote in sorted(FOUND.values())
    ]


def test_answers_are_kept_as_the_municipality_gave_them(desk: Desk, sent: Path) -> None:
    receipt = reply(
        desk,
        sent,
        {
            "Tryghedsplan": {"reply": "enig"},
            "=Natteravne": {"reply": "UENIG", "comment": "Det er en forening."},
        },
        [{"missing_name": "Trygge stier", "missing_link": "https://albertslund.dk/stier", "comment": "Ny"}],
    )
    assert receipt.whole
    assert sorted(told(desk)) == [
        ("=Natteravne", "disagree", None, "Det er en forening."),
        ("Trygge stier", "missing", "https://albertslund.dk/stier", "Ny"),
        ("Tryghedsplan", "agree", None, None),
    ]
    table = contract("municipality_replies").frame(latest_replies(desk.state))
    assert contract("municipality_replies").conform(table)["municipality"].unique().to_list() == [SLUG]


def test_half_an_answer_is_half_an_answer_and_a_later_one_counts(desk: Desk, sent: Path) -> None:
    reply(desk, sent, {"Tryghedsplan": {"reply": "enig"}}, [])
    assert told(desk) == [("Tryghedsplan", "agree", None, None)]
    later = replace(desk, clock=fixed_clock(NOW + timedelta(days=3)))
    reply(later, sent, {"Tryghedsplan": {"reply": "uenig", "comment": "Se her"}}, [], "senere.xlsx")
    assert told(desk) == [("Tryghedsplan", "disagree", None, "Se her")]
    assert latest_replies(desk.state)[0]["replied_on"] == (NOW + timedelta(days=3)).date()


@pytest.mark.parametrize(
    ("answers", "missing", "problem"),
    [
        ({"Tryghedsplan": {"reply": "nærmest"}}, [], "svaret 'nærmest' kendes ikke"),
        ({"Tryghedsplan": {"comment": "Hm"}}, [], "der er en kommentar, men intet svar"),
        (
            {"Tryghedsplan": {"reply": "enig", "quote": "Rettet citat"}},
            [],
            "teksten eller rækkens id er ændret",
        ),
        ({}, [{"missing_link": "https://albertslund.dk"}], "indsatsens navn mangler"),
        ({}, [{"missing_name": "A", "missing_link": "javascript:alert(1)"}], "er ikke et link"),
    ],
)
def test_a_wrong_row_is_named_and_the_others_are_taken(
    desk: Desk, sent: Path, answers: dict[str, Any], missing: list[dict[str, Any]], problem: str
) -> None:
    receipt = reply(desk, sent, {"=Natteravne": {"reply": "enig"}, **answers}, missing)
    assert [entry.problem for entry in receipt.parts[0].findings.problems] != []
    assert problem in receipt.text()
    assert told(desk) == [("=Natteravne", "agree", None, None)]


def test_a_reply_about_an_initiative_that_is_no_longer_found_is_kept(desk: Desk, sent: Path) -> None:
    desk.lake.write("classified_initiatives", rows("classified_initiatives"), SLUG)
    assert reply(desk, sent, {"Tryghedsplan": {"reply": "uenig"}}, []).whole
    assert told(desk) == [("Tryghedsplan", "disagree", None, None)]


def test_a_municipality_with_nothing_found_can_still_say_what_is_missing(desk: Desk) -> None:
    (sent,) = export_replies(desk, [SLUG])
    assert reply(desk, sent, {}, [{"missing_name": "Trygge stier"}]).whole
    assert told(desk) == [("Trygge stier", "missing", None, None)]


def test_an_unknown_municipality_is_named(desk: Desk) -> None:
    with pytest.raises(ConfigurationError, match="no municipality 'atlantis'"):
        export_replies(desk, ["atlantis"])
