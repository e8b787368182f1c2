"""The statistic beside the term lists: it counts pieces of words, was never shown a held-out text, and says how it was made."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tryg_assets.domain.coding.statistics import ABOUT, TABLE, area_statistics, ngrams, read_statistics
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


def test_no_held_out_text_was_shown_to_it() -> None:
    about = read_yaml(ABOUT)
    ids = about["trained_on"]["ids"]
    assert len(ids) > 200
    assert not [name for name in ids if name.split("-")[0] in PREFIXES and held_out(name)]
    assert about["trained_on"]["ids_sha256"] == hashlib.sha256("\n".join(ids).encode()).hexdigest()


PREFIXES = {
    "trafik",
    "klima",
    "krim",
    "bolig",
    "sundhed",
    "aeldre",
    "familie",
    "social",
    "borger",
    "digital",
    "beredskab",
}


def test_the_shipped_weights_know_every_area_and_give_the_same_answer_each_time() -> None:
    statistics = area_statistics()
    assert statistics.areas == tuple(focus_areas())
    first = statistics.logits(
        "Trygge skoleveje", "Nye cykelstier og lavere fart ved skolen gør skolevejen tryg."
    )
    assert first == statistics.logits(
        "Trygge skoleveje", "Nye cykelstier og lavere fart ved skolen gør skolevejen tryg."
    )
    assert max(first, key=lambda area: first[area]) == "trafiksikkerhed"
    assert set(statistics.logits("", "")) == set(focus_areas())


def test_files_that_do_not_fit_each_other_are_named(tmp_path: Path) -> None:
    wrong = tmp_path / "focus_area_statistics.csv"
    wrong.write_text("ngram,idf\n abc,1.0\n", encoding="utf-8")
    with pytest.raises(DataFileError, match=r"focus_area_statistics\.csv.*fit_focus_areas"):
        read_statistics(wrong, ABOUT)
    assert TABLE.exists()
