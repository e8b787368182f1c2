"""How a page's text becomes numbered sentences."""

from __future__ import annotations

import pytest

from tryg_assets.domain.coding.sentences import split_sentences


def texts(text: str) -> list[str]:
    return [sentence.text for sentence in split_sentences(text)]


def test_a_sentence_ends_at_a_mark_before_a_capital() -> None:
    assert texts("Vi går en tur. Kom med! Hvem er med?") == ["Vi går en tur.", "Kom med!", "Hvem er med?"]


@pytest.mark.parametrize(
    "text",
    [
        "Mødet er d. 3. maj kl. 19 på rådhuset.",
        "Der er afsat 1,2 mio. Kroner i alt.",
        "Kontakt bl.a. Politiet og SSP.",
        "Det gælder alm. Daghjem og klubber.",
        "Det sker i samarbejde med H. C. Andersens Skole.",
    ],
)
def test_abbreviations_ordinals_and_initials_end_nothing(text: str) -> None:
    assert texts(text) == [text]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Det koster 2 mio. kr. Pengene er afsat.", ["Det koster 2 mio. kr.", "Pengene er afsat."]),
        ("Vi har lys, bænke m.m. Det virker.", ["Vi har lys, bænke m.m.", "Det virker."]),
        (
            "Der gives 500.000 kr. Realdania betaler resten.",
            ["Der gives 500.000 kr. Realdania betaler resten."],
        ),
        ("Se adr. I er velkomne.", ["Se adr. I er velkomne."]),
        ("Der er afsat 3 mio. kr. 2 mio. går til lys.", ["Der er afsat 3 mio. kr. 2 mio. går til lys."]),
    ],
)
def test_an_abbreviation_that_may_stand_last_ends_a_sentence_before_a_clear_opening(
    text: str, sentences: list[str]
) -> None:
    assert texts(text) == sentences


def test_a_year_ends_a_sentence() -> None:
    assert texts("Parken åbner i 2026. Kom og se.") == ["Parken åbner i 2026.", "Kom og se."]


def test_headings_and_list_items_are_sentences_of_their_own_kind() -> None:
    heading, item, plain = split_sentences("# Trygge veje\n- Nye lamper på stien\nVi bygger i maj.")
    assert (heading.text, heading.heading, heading.item, heading.block) == ("Trygge veje", True, False, 0)
    assert (item.text, item.heading, item.item, item.block) == ("Nye lamper på stien", False, True, 1)
    assert (plain.heading, plain.item, plain.block) == (False, False, 2)


def test_sentences_of_one_block_share_its_number_and_empty_lines_count_for_nothing() -> None:
    assert [sentence.block for sentence in split_sentences("En. To.\n\nTre.")] == [0, 0, 1]


def test_no_text_has_no_sentences() -> None:
    assert split_sentences("") == ()
