"""What comes back: every cell is checked, the good rows are taken, the others named, and no answer is lost."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from openpyxl.utils import get_column_letter

from tryg_assets.clock import fixed_clock
from tryg_assets.domain.review.desk import Desk
from tryg_assets.domain.review.export import export_coding
from tryg_assets.domain.review.inbox import import_file, import_inbox
from tryg_assets.domain.review.progress import progress
from tryg_assets.domain.review.store import review_version
from tryg_assets.domain.review.words import review_words
from tryg_assets.state import codings
from tryg_assets_tests.domain.review.conftest import (
    AREAS,
    NOW,
    TEXTS,
    answer_sheet,
    everything,
    fill,
    headings,
    import_filled,
    page_id,
    put,
    spoil,
)

WORDS = review_words()
DECISION, ROW_ID, TEXT = (WORDS.columns[name] for name in ("decision", "row_id", "text"))
SAVED_BY_LIBREOFFICE = Path(__file__).with_name("saved_by_libreoffice.xlsx")


@pytest.fixture
def sent(desk: Desk) -> Path:
    """The workbook that went out to Anne."""
    return export_coding(desk, ["Anne"], None, "xlsx")[0]


def answers(desk: Desk) -> dict[str, str]:
    return {entry.page_id: entry.decision for entry in desk.codings()}


def stored(desk: Desk) -> list[dict[str, Any]]:
    with desk.state.connect() as connection:
        return [dict(row) for row in connection.execute(sa.select(codings)).mappings()]


def test_answers_are_stored_with_who_when_and_from_which_file(desk: Desk, sent: Path) -> None:
    said = {page_id("/plan"): "indsats", page_id("/kontakt"): "ikke indsats", page_id("/plus"): "tvivl"}
    receipt = import_filled(
        desk,
        sent,
        lambda page, _: {
            "decision": said.get(page),
            "comment": "Klart." if page == page_id("/plan") else None,
        },
    )
    assert receipt.whole
    assert receipt.parts[0].stored.new == 3
    assert receipt.parts[0].findings.blank == len(TEXTS) - 3, "a blank row is not answered, never a no"
    assert answers(desk) == {page_id("/plan"): "yes", page_id("/kontakt"): "no", page_id("/plus"): "doubt"}
    plan = next(row for row in stored(desk) if row["page_id"] == page_id("/plan"))
    assert (plan["coder"], plan["comment"], plan["version"], plan["areas"]) == ("Anne", "Klart.", 1, {})
    assert (plan["answered_at"], plan["file"]) == (NOW.isoformat(), "udfyldt-kodning-anne.xlsx")
    assert plan["url"] == "https://albertslund.dk/plan"


def test_not_an_initiative_answers_every_area_and_the_rest_can_be_said_at_once(
    desk: Desk, sent: Path
) -> None:
    import_filled(
        desk,
        sent,
        lambda page, _: (
            {"decision": "ikke indsats"}
            if page == page_id("/kontakt")
            else {"decision": "indsats", AREAS[3]: "ja", "rest": "resten er nej"}
            if page == page_id("/plan")
            else {"decision": "indsats", AREAS[0]: "ja"}
            if page == page_id("/plus")
            else {}
        ),
    )
    areas = {entry.page_id: entry.areas for entry in desk.codings()}
    assert areas[page_id("/kontakt")] == dict.fromkeys(AREAS, "no")
    assert areas[page_id("/plan")] == dict.fromkeys(AREAS, "no") | {AREAS[3]: "yes"}
    assert areas[page_id("/plus")] == {AREAS[0]: "yes"}, "the areas left blank are not answered"
    assert progress(desk).reviewers[0].incomplete == 1


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("ja", "yes"),
        (" JA ", "yes"),
        ("nej", "no"),
        ("Ikke  indsats", "no"),
        ("?", "doubt"),
        ("INDSATS", "yes"),
    ],
)
def test_typing_instead_of_choosing_is_understood(desk: Desk, sent: Path, typed: str, value: str) -> None:
    receipt = import_filled(desk, sent, lambda *_: {"decision": typed})
    assert receipt.whole
    assert set(answers(desk).values()) == {value}


@pytest.mark.parametrize(
    ("cells", "column", "problem"),
    [
        ({"decision": "måske"}, "decision", "svaret 'måske' kendes ikke"),
        ({"decision": 7}, "decision", "svaret '7' kendes ikke"),
        ({"decision": '=IF(1,"indsats","")'}, "decision", "en formel kan ikke være et svar"),
        ({"decision": "indsats", AREAS[2]: "måske"}, AREAS[2], "svaret 'måske' kendes ikke"),
        ({"decision": "indsats", "comment": "=HYPERLINK(1)"}, "comment", "en formel kan ikke være et svar"),
        (
            {"decision": "ikke indsats", AREAS[4]: "ja"},
            AREAS[4],
            "der er svaret ja, men siden er 'ikke indsats'",
        ),
        ({AREAS[4]: "ja"}, "decision", "rækken har andre svar, men ikke dette"),
        ({"comment": "Hmm"}, "decision", "rækken har andre svar, men ikke dette"),
        ({"decision": "indsats", "text": "En anden tekst"}, "text", "teksten eller rækkens id er ændret"),
        ({"decision": "indsats", "row_id": "123"}, "row_id", "rækkens id '123' mangler eller er ændret"),
        ({"decision": "indsats", "row_id": None}, "row_id", "rækkens id '' mangler eller er ændret"),
    ],
)
def test_a_wrong_cell_is_named_and_the_other_rows_are_taken(
    desk: Desk, sent: Path, cells: dict[str, object], column: str, problem: str
) -> None:
    wrong = page_id("/plan")
    filled = fill(sent, lambda page, _: cells if page == wrong else {"decision": "tvivl"})
    receipt = import_file(desk, filled)
    sheet = answer_sheet(openpyxl.load_workbook(filled))
    at = headings(sheet)[WORDS.heading(column)]
    assert len(receipt.parts[0].findings.problems) == 1
    found = str(receipt.parts[0].findings.problems[0])
    assert problem in found
    row = next(
        number
        for number in range(2, sheet.max_row + 1)
        if str(sheet.cell(number, headings(sheet)["Sidens titel"]).value) == "Tryghedsplan"
    )
    assert f"arket »Kodning«, celle {get_column_letter(at)}{row} ({WORDS.heading(column)})" in found
    assert set(answers(desk)) == {page_id(path) for path in TEXTS} - {wrong}


def test_the_same_file_twice_changes_nothing(desk: Desk, sent: Path) -> None:
    filled = fill(sent, everything())
    import_file(desk, filled)
    before = stored(desk)
    again = import_file(desk, filled)
    assert again.parts[0].stored.unchanged == len(TEXTS)
    assert stored(desk) == before


def test_a_changed_answer_is_a_new_version_and_the_earlier_stays(desk: Desk, sent: Path) -> None:
    first = fill(sent, everything("indsats"), sent.with_name("1.xlsx"))
    second = fill(sent, everything("tvivl"), sent.with_name("2.xlsx"))
    import_file(desk, first)
    version = review_version(desk.state)
    assert import_file(desk, second).parts[0].stored.changed == len(TEXTS)
    assert review_version(desk.state) != version, "numbers made from the earlier answers are old"
    assert set(answers(desk).values()) == {"doubt"}
    assert sorted((row["version"], row["decision"]) for row in stored(desk))[:: len(TEXTS)] == [
        (1, "yes"),
        (2, "doubt"),
    ]
    import_file(desk, first)
    assert set(answers(desk).values()) == {"doubt"}, "an old file sent again does not undo a later answer"


def test_rows_in_another_order_are_the_same_answers(desk: Desk, sent: Path) -> None:
    filled = fill(sent, lambda page, _: {"decision": "indsats" if page < "8" else "tvivl"})

    def reverse(sheet: Any) -> None:
        rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
        for number, values in enumerate(reversed(rows), 2):
            for column, value in enumerate(values, 1):
                sheet.cell(number, column).value = value

    assert import_file(desk, spoil(filled, reverse)).whole
    assert answers(desk) == {page_id(path): "yes" if page_id(path) < "8" else "doubt" for path in TEXTS}


def delete(heading: str) -> Callable[[Any], None]:
    return lambda sheet: sheet.delete_cols(headings(sheet)[heading])


@pytest.mark.parametrize("heading", [DECISION, ROW_ID])
def test_a_column_without_which_nothing_can_be_placed_refuses_the_file_by_name(
    desk: Desk, sent: Path, heading: str
) -> None:
    receipt = import_file(desk, spoil(fill(sent, everything()), delete(heading)))
    assert f"kolonnen »{heading}« mangler" in receipt.refused
    assert answers(desk) == {}


def test_another_deleted_column_is_named_and_what_is_left_is_taken(desk: Desk, sent: Path) -> None:
    def spoiled(sheet: Any) -> None:
        delete(WORDS.heading(AREAS[0]))(sheet)
        delete(TEXT)(sheet)

    filled = fill(sent, lambda *_: {"decision": "indsats", AREAS[1]: "ja", "rest": "resten er nej"})
    receipt = import_file(desk, spoil(filled, spoiled))
    assert receipt.whole
    assert len(receipt.parts[0].findings.remarks) == 2
    assert {tuple(sorted(entry.areas)) for entry in desk.codings()} == {tuple(sorted(AREAS[1:]))}


def test_a_row_twice_with_different_answers_is_named_and_alike_is_one_answer(desk: Desk, sent: Path) -> None:
    filled = fill(sent, lambda page, _: {"decision": "indsats"})

    def copy(sheet: Any) -> None:
        for number, (source, decision) in enumerate(
            [(2, "tvivl"), (3, "indsats"), (4, None)], sheet.max_row + 1
        ):
            for cell in sheet[source]:
                sheet.cell(number, cell.column).value = cell.value
            sheet.cell(number, headings(sheet)[DECISION]).value = decision

    receipt = import_file(desk, spoil(filled, copy))
    assert [problem.problem for problem in receipt.parts[0].findings.problems] == [
        f"række 2, {len(TEXTS) + 2} er den samme side med forskellige svar"
    ]
    assert len(answers(desk)) == len(TEXTS) - 1


def test_last_months_file_counts_where_the_text_is_the_same(desk: Desk, sent: Path) -> None:
    changed = {**TEXTS, "/plan": "# Tryghedsplan\nPlanen er en anden nu."}
    del changed["/ferie"]
    put(desk.lake, changed)
    receipt = import_filled(desk, sent, everything())
    assert sorted(problem.problem for problem in receipt.parts[0].findings.problems) == [
        "siden findes ikke i denne samling",
        "sidens tekst er ændret på hjemmesiden, siden arket blev lavet",
    ]
    assert set(answers(desk)) == {page_id(path) for path in TEXTS} - {page_id("/plan"), page_id("/ferie")}


def test_an_answer_about_a_text_that_has_changed_since_is_kept_but_does_not_count(
    desk: Desk, sent: Path
) -> None:
    import_filled(desk, sent, everything())
    put(desk.lake, {**TEXTS, "/plan": "# Tryghedsplan\nPlanen er en anden nu."})
    assert page_id("/plan") not in answers(desk)
    assert len(stored(desk)) == len(TEXTS)
    (again,) = export_coding(desk, ["Anne"], None, "xlsx")
    assert answer_sheet(openpyxl.load_workbook(again)).max_row == 2, "only the changed page goes out again"


def test_a_file_of_another_corpus_is_refused(desk: Desk, sent: Path) -> None:
    filled = fill(sent, everything())
    receipt = import_file(replace(desk, corpus="live"), filled)
    assert "den hører til samlingen 'sample', ikke 'live'" in receipt.refused
    assert answers(desk) == {}


def zipped(parts: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return buffer.getvalue()


def with_part(source: Path, name: str, content: bytes) -> bytes:
    with zipfile.ZipFile(source) as package:
        parts = {entry: package.read(entry) for entry in package.namelist()}
    return zipped({**parts, name: content})


def without_hidden_sheet(source: Path) -> bytes:
    book = openpyxl.load_workbook(source)
    del book["Lister"]
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def as_xlsm(source: Path) -> bytes:
    with zipfile.ZipFile(source) as package:
        types = package.read("[Content_Types].xml")
    macro = b"application/vnd.ms-excel.sheet.macroEnabled.main+xml"
    plain = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    assert plain in types
    return with_part(source, "[Content_Types].xml", types.replace(plain, macro))


def with_a_row_far_down(source: Path) -> bytes:
    book = openpyxl.load_workbook(source)
    answer_sheet(book)["A20005"].value = "x"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


DTD = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbb">]><a>&b;</a>'


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda _: b"", "ikke et helt Excel-ark"),
        (lambda _: b"Kommune;Svar\n", "ikke et helt Excel-ark"),
        (lambda path: path.read_bytes()[:-500], "ikke et helt Excel-ark"),
        (lambda _: zipped({"xl/workbook.xml": b"<a/>"}), "den kan ikke læses"),
        (lambda _: zipped({"a.txt": b"a"}), "ikke et Excel-ark"),
        (lambda path: with_part(path, "xl/worksheets/sheet9.xml", bytes(60_000_000)), "zip-bombe"),
        (lambda path: zipped({f"{n}.xml": b"<a/>" for n in range(1_500)}), "zip-bombe"),
        (lambda path: with_part(path, "xl/vbaProject.bin", b"x"), "den har makroer"),
        (as_xlsm, "den har makroer"),
        (with_a_row_far_down, "mere end 20000 rækker"),
        (lambda path: with_part(path, "xl/sharedStrings.xml", DTD), "har en DTD"),
        (lambda path: with_part(path, "xl/sharedStrings.xml", b" " * 9000 + DTD), "har en DTD"),
        (lambda path: with_part(path, "xl/styles.xml", DTD.decode().encode("utf-16")), "har en DTD"),
        (without_hidden_sheet, "ikke et ark fra Tryg Assets"),
    ],
    ids=[
        "empty", "text", "cut off", "no workbook", "another zip", "bomb", "many parts", "macros", "xlsm", "too many rows", "entities",
        "entities further in", "entities in utf-16", "another workbook",
    ],
)  # fmt: skip
def test_what_is_no_workbook_of_ours_is_refused_unread(
    desk: Desk, sent: Path, tmp_path: Path, make: Callable[[Path], bytes], problem: str
) -> None:
    path = tmp_path / "fil.xlsx"
    path.write_bytes(make(sent))
    receipt = import_file(desk, path)
    assert problem in receipt.refused
    assert not receipt.whole
    assert stored(desk) == []


def test_links_to_other_files_are_not_followed(desk: Desk, sent: Path, tmp_path: Path) -> None:
    path = tmp_path / "fil.xlsx"
    link = b'<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>'
    path.write_bytes(with_part(fill(sent, everything()), "xl/externalLinks/externalLink1.xml", link))
    assert import_file(desk, path).whole
    assert len(answers(desk)) == len(TEXTS)


def test_a_workbook_saved_by_libreoffice_has_the_same_answers(desk: Desk) -> None:
    """The file was exported from this corpus, filled in, and converted by `soffice --convert-to xlsx` (7.4)."""
    receipt = import_file(desk, SAVED_BY_LIBREOFFICE)
    assert receipt.whole, receipt.text()
    assert {entry.coder for entry in desk.codings()} == {"Anne"}
    assert answers(desk) == dict.fromkeys((page_id(path) for path in TEXTS), "yes")
    assert {tuple(entry.areas.values()) for entry in desk.codings()} == {("yes",) + ("no",) * 10}


def test_the_inbox_is_emptied_and_every_file_has_a_receipt(desk: Desk, sent: Path) -> None:
    inbox = desk.folder / "inbox"
    inbox.mkdir(parents=True)
    shutil.copy(fill(sent, everything()), inbox / "anne.xlsx")
    shutil.copy(fill(sent, lambda *_: {"decision": "måske"}), inbox / "måske.xlsx")
    (inbox / "indkøb.xlsx").write_bytes(b"mel, sukker")
    (inbox / "~$anne.xlsx").write_bytes(b"Excel's own")
    receipts = {receipt.file: receipt for receipt in import_inbox(desk)}
    assert {name: receipt.whole for name, receipt in receipts.items()} == {
        "anne.xlsx": True,
        "indkøb.xlsx": False,
        "måske.xlsx": False,
    }
    assert [path.name for path in inbox.iterdir()] == ["~$anne.xlsx"]
    assert sorted(path.name for path in (desk.folder / "done").iterdir()) == ["anne.xlsx", "anne.xlsx.txt"]
    why = (desk.folder / "rejected" / "måske.xlsx.txt").read_text(encoding="utf-8")
    assert why.count("AFVIST arket »Kodning«, celle D") == len(TEXTS)
    assert (desk.folder / "rejected" / "indkøb.xlsx").read_bytes() == b"mel, sukker"
    assert import_inbox(desk) == []
    shutil.copy(desk.folder / "done" / "anne.xlsx", inbox / "anne.xlsx")
    import_inbox(replace(desk, clock=fixed_clock(NOW + timedelta(days=1))))
    assert (desk.folder / "done" / "anne-2.xlsx").exists(), "a second file of the same name replaces nothing"
    assert len(stored(desk)) == len(TEXTS)
