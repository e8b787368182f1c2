"""The workbook that goes out: what a reviewer sees, what he or she cannot see, and that text stays text."""

from __future__ import annotations

import unicodedata
import zipfile
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tryg_assets.domain.review.desk import Desk
from tryg_assets.domain.review.export import export_coding
from tryg_assets.domain.review.pages import CELL, ReviewPage, sealed
from tryg_assets.domain.review.words import review_words
from tryg_assets.domain.review.workbook import META_SHEET
from tryg_assets.errors import ConfigurationError
from tryg_assets_tests.domain.review.conftest import (
    AREAS,
    FORMULA,
    TEXTS,
    answer_sheet,
    day,
    fill,
    headings,
    page_id,
)

WORDS = review_words()


@pytest.fixture
def book(desk: Desk) -> openpyxl.Workbook:
    (path,) = export_coding(desk, ["Anne"], None, "xlsx")
    return openpyxl.load_workbook(path)


def texts(book: openpyxl.Workbook) -> dict[str, str]:
    sheet = answer_sheet(book)
    at = headings(sheet)
    return {
        str(sheet.cell(row, at[WORDS.columns["row_id"]]).value)[:16]: str(
            sheet.cell(row, at[WORDS.columns["text"]]).value
        )
        for row in range(2, sheet.max_row + 1)
    }


def test_a_row_per_page_with_columns_for_every_answer(book: openpyxl.Workbook) -> None:
    assert book.sheetnames == ["Vejledning", "Kodning", META_SHEET]
    names = list(headings(answer_sheet(book)))
    assert [WORDS.heading(column) for column in ("decision", *AREAS, "rest", "comment")] == names[3:-3]
    assert set(texts(book)) == {page_id(path) for path in TEXTS}
    assert texts(book)[page_id("/plan")].startswith("[S1] Tryghedsplan\n[S2] Byrådet har vedtaget")


def test_nothing_in_the_file_tells_what_the_engine_says(desk: Desk) -> None:
    (path,) = export_coding(desk, ["Anne"], None, "xlsx")
    with zipfile.ZipFile(path) as package:
        content = b"".join(package.read(name) for name in package.namelist()).decode()
    codings = desk.lake.scan("page_codings").collect()
    assert "offline-rules" not in content
    assert not any(row["rationale"] in content for row in codings.iter_rows(named=True))


def test_text_that_looks_like_a_formula_stays_text(book: openpyxl.Workbook) -> None:
    assert texts(book)[page_id("/formel")] == f"[S1] {FORMULA}"
    sheet = answer_sheet(book)
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    titles = [sheet.cell(row, headings(sheet)[WORDS.columns["title"]]) for row in range(2, sheet.max_row + 1)]
    assert {cell.value for cell in titles if str(cell.value)[0] in "=+"} == {
        TEXTS["/formel"][:80],
        TEXTS["/plus"].split("\n")[0],
    }


def test_answers_are_chosen_from_lists_on_the_hidden_sheet_and_only_answers_can_be_changed(
    book: openpyxl.Workbook,
) -> None:
    sheet, lists = answer_sheet(book), book[META_SHEET]
    assert lists.sheet_state == "hidden"
    sources = {entry.formula1 for entry in sheet.data_validations.dataValidation}
    assert all(source.startswith(META_SHEET) for source in sources)
    assert len(sheet.data_validations.dataValidation) == 1 + len(AREAS) + 1
    assert [lists["C1"].value, lists["C2"].value, lists["C3"].value] == list(WORDS.labels("decision"))
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref.startswith("A1:")
    unlocked = {cell.column for cell in sheet[2] if not cell.protection.locked}
    assert unlocked == {
        column
        for name, column in headings(sheet).items()
        if name in {WORDS.heading(key) for key in ("decision", *AREAS, "rest", "comment")}
    }
    assert sheet.protection.sheet
    assert not sheet.protection.password


def test_the_guide_has_the_definition_and_the_six_criteria(book: openpyxl.Workbook) -> None:
    guide = "\n".join(str(row[0].value) for row in book["Vejledning"].iter_rows() if row[0].value)
    assert "Sådan koder du · Anne" in guide
    assert "En tryghedsindsats er noget bestemt" in guide
    assert guide.count("•") == 6


def test_a_page_too_long_for_a_cell_is_cut_at_a_sentence_and_is_whole_beside_the_workbook(
    desk: Desk, book: openpyxl.Workbook
) -> None:
    text = texts(book)[page_id("/lang")]
    assert len(text) < 32_767
    last = text.split("\n")[-2]
    shown = int(last[2 : last.index("]")])
    assert text.endswith(f"[Afkortet: {900 - shown} sætninger mere i kopien af siden.]")
    copies = (desk.folder / "outbox" / "kodning-anne-sider.html").read_text(encoding="utf-8")
    assert "[S900] Sætning 899" in copies
    assert f'id="{page_id("/lang")}"' in copies
    assert "&lt;b&gt;fed&lt;/b&gt;" in copies
    links = {
        cell.hyperlink.target for row in answer_sheet(book).iter_rows() for cell in row if cell.hyperlink
    }
    assert "https://albertslund.dk/plan" in links
    assert any(link.startswith("kodning-anne-sider.html") for link in links)


@given(st.text(max_size=60), st.integers(1, 900))
def test_no_text_is_longer_than_a_cell(sentence: str, count: int) -> None:
    page = ReviewPage("p", "m", "M", "u", "t", "a", day(), "s" * 64, tuple([sentence * 3] * count))
    assert len(page.text.encode("utf-16-le", "surrogatepass")) // 2 <= 32_767
    assert CELL < 32_767


@given(st.text(), st.text())
def test_a_seal_breaks_when_the_text_is_changed_but_not_when_white_space_is(one: str, other: str) -> None:
    seal = sealed("a", "b", one)
    assert sealed("a", "b", "  ".join(one.split())) == seal
    if one.split() != other.split():
        same = unicodedata.normalize("NFC", one).split() == unicodedata.normalize("NFC", other).split()
        assert (sealed("a", "b", other) == seal) is same


def test_the_same_export_gives_the_same_bytes_and_a_filled_file_is_never_written_over(desk: Desk) -> None:
    first = export_coding(desk, ["Anne", "Bo"], None, "xlsx")
    before = [path.read_bytes() for path in first]
    assert export_coding(desk, ["Bo", "Anne"], None, "xlsx") == first
    assert [path.read_bytes() for path in first] == before
    typed = fill(first[0], lambda *_: {"decision": "indsats"}, first[0]).read_bytes()
    again = export_coding(desk, ["Anne", "Bo"], None, "xlsx")
    assert [path.name for path in again] == ["kodning-anne-2.xlsx", "kodning-bo.xlsx"]
    assert first[0].read_bytes() == typed


def test_what_is_shown_is_masked_first(desk: Desk) -> None:
    masked = replace(desk, mask=lambda text: text.replace("Byrådet", "[maske]"))
    (path,) = export_coding(masked, ["Anne"], None, "xlsx")
    assert "[S2] [maske] har vedtaget" in texts(openpyxl.load_workbook(path))[page_id("/plan")]
    assert "Byrådet" not in (path.parent / "kodning-anne-sider.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["", "  ", "../../etc", "=cmd", "x" * 61, "a\nb/c", "A<b>"])
def test_a_name_that_cannot_be_a_file_is_refused(desk: Desk, name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be a reviewer's name"):
        export_coding(desk, [name], None, "xlsx")


def test_without_a_sample_the_remedy_is_named(desk: Desk, tmp_path: Path) -> None:
    desk.lake.path("review_sample").unlink()
    with pytest.raises(ConfigurationError, match="tryg run"):
        export_coding(desk, ["Anne"], None, "xlsx")
