"""The statistics beside the term lists: they count pieces of words, were never shown a held-out text, and say how they were made."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.texts import modelled, training
from tryg_assets import paths
from tryg_assets.domain.coding.statistics import (
    FOCUS_AREAS,
    INITIATIVE,
    PAGES,
    area_statistics,
    ngrams,
    page_statistics,
    read_statistics,
)
from tryg_assets.domain.reference import focus_areas, read_yaml
from tryg_assets.domain.sample_web.texts import held_out
from tryg_assets.errors import DataFileError


def test_ngrams_stay_within_words_padded_with_a_space() -> None:
    assert ngrams("Tryg by") == {
        **{" tr": 1, "try": 1, "ryg": 1, "yg ": 1, " try": 1, "tryg": 1, "ryg ": 1, " tryg": 1, "tryg ": 1},
        **{" by": 1, "by ": 1, " by ": 1},
    }
    assert ngrams("å å") == {" å ": 2}
    assert ngrams("  \n ") == {}


@given(st.text())
def test_case_and_white_space_make_no_difference(text: str) -> None:
    assert ngrams(text) == ngrams(f"  {text}\n")
    assert all(3 <= len(gram) <= 5 for gram in ngrams(text))


@pytest.mark.parametrize("table", [FOCUS_AREAS, PAGES])
def test_no_held_out_text_was_shown_to_it(table: Path) -> None:
    about = read_yaml(table.with_suffix(".yml"))
    ids = about["trained_on"]["ids"]
    assert len(ids) > 200
    assert about["trained_on"]["ids_sha256"] == hashlib.sha256("\n".join(ids).encode()).hexdigest()
    sample = {entry["id"] for path in (paths.SAMPLE_WEB / "texts").glob("*.yml") for entry in read_yaml(path)}
    assert len(sample & set(ids)) > 200
    assert not [name for name in sample & set(ids) if held_out(name)]
    assert not {text.group for text in modelled(held_out=True)} & set(ids)


def test_texts_modelled_on_pages_of_one_site_are_on_one_side() -> None:
    shown, kept = (modelled(held_out=side) for side in (False, True))
    assert not {text.group for text in shown} & {text.group for text in kept}
    assert len(kept) > 100
    ids = [text.id for text in (*shown, *kept)]
    assert len(set(ids)) == len(ids)


def test_every_text_speaks_of_safety_and_only_initiatives_have_areas() -> None:
    pages = [text for text in training() if text.id.startswith("pages_")]
    for text in (*modelled(held_out=False), *modelled(held_out=True), *pages):
        assert "tryg" in f"{text.title} {text.text}".casefold(), text.id
        assert text.initiative or not text.areas, text.id


def test_the_shipped_weights_know_every_area_and_give_the_same_answer_each_time() -> None:
    statistics = area_statistics()
    assert statistics.labels == tuple(focus_areas())
    first = statistics.logits(
        "Trygge skoleveje", "Nye cykelstier og lavere fart ved skolen gør skolevejen tryg."
    )
    assert first == statistics.logits(
        "Trygge skoleveje", "Nye cykelstier og lavere fart ved skolen gør skolevejen tryg."
    )
    assert max(first, key=lambda area: first[area]) == "trafiksikkerhed"
    assert set(statistics.logits("", "")) == set(focus_areas())


def test_the_page_statistic_tells_a_decision_from_a_value() -> None:
    said = page_statistics()
    done = said.logits(
        "Nyt partnerskab",
        "Byrådet har vedtaget en tryghedsplan med politiet, der skal øge trygheden i bymidten.",
    )
    value = said.logits(
        "Velkommen til børnehaven", "Hos os lægger vi vægt på nærvær, omsorg og trygge rammer."
    )
    assert done[INITIATIVE] > 0 > value[INITIATIVE]


def test_files_that_do_not_fit_each_other_are_named(tmp_path: Path) -> None:
    wrong = tmp_path / FOCUS_AREAS.name
    wrong.write_text("ngram,idf\n abc,1.0\n", encoding="utf-8")
    shutil.copy(FOCUS_AREAS.with_suffix(".yml"), tmp_path)
    with pytest.raises(DataFileError, match=r"focus_area_statistics\.csv.*fit_statistics"):
        read_statistics(wrong)
