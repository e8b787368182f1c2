"""What each word with the stem means: safety, a name, or noise."""

from __future__ import annotations

import re

import pytest

from tryg_assets.domain.filtering.rules import cleaning_rules
from tryg_assets.domain.filtering.senses import count_senses, word_senses

RULES = cleaning_rules()
MACHINE_READ = "Politik for trykhed i kommunen"


@pytest.mark.parametrize(
    ("word", "sense"),
    [
        *(
            (word, "safe")
            for word in (
                "tryg",
                "trygt",
                "trygge",
                "tryggere",
                "utryg",
                "utrygge",
                "tryghed",
                "Tryghed",
                "TRYGHED",
                "utryghed",
                "tryghedsvandring",
            )
        ),
        *(
            (word, "safe")
            for word in (
                "Tryghedsplan",
                "bytryghed",
                "hverdagstryghed",
                "tryghedsskabende",
                "tryg-hed",
                "sikkerheds-tryghed",
                "SSP-tryghedsplan",
                "tryg‑hed",
            )
        ),
        *(
            (word, "safe")
            for word in (
                "trykhed",
                "utrykhed",
                "trykhedsvandring",
                "Trykhedsplan",
                "tryksheden",
                "trykshedsfremmende",
            )
        ),
        *(
            (word, "name")
            for word in (
                "TrygFonden",
                "trygfonden",
                "TrygFondens",
                "Tryg-fonden",
                "Trygfondens",
                "TrygFonden-projekt",
                "Trygfonds",
                "TrygVesta",
                "Trygve",
                "Trygves",
                "tryg.dk",
                "www.tryg.dk/privat",
                "https://tryghed.example.dk/pulje",
                "post@tryg.dk",
            )
        ),
        *(
            (word, "noise")
            for word in (
                "trykimprægneret",
                "blodtryk",
                "tryksag",
                "tryksager",
                "udtryk",
                "udtrykke",
                "udtrykt",
                "aftryk",
                "indtryk",
                "fingeraftryk",
            )
        ),
        *(
            (word, "noise")
            for word in (
                "betryggende",
                "betrygge",
                "trykke",
                "trykker",
                "trykkede",
                "trykkeri",
                "trykt",
                "trykluft",
                "trykprøve",
                "trykknap",
            )
        ),
        *(
            (word, "noise")
            for word in (
                "ikke-betryggende",
                "ubetryggende",
                "lufttryk",
                "klimaaftryk",
                "eftertryk",
                "undertrykkelse",
                "tryk",
                "tryktank",
                "trykfald",
                "tryksensor",
                "tryksår",
                "trykkefrihed",
                "håndtryk",
                "CO2-aftryk",
                "trygdeordning",
            )
        ),
    ],
)
def test_the_sense_of_a_word(word: str, sense: str) -> None:
    assert word_senses(f"Der står {word} her.", RULES) == [(word, sense)]


@pytest.mark.parametrize(
    ("line", "sense"),
    [
        ("Vi har tegnet den hos Tryg Forsikring.", "name"),
        ("Tryg Forsikring A/S dækker skaden.", "name"),
        ("Ring til forsikringsselskabet Tryg.", "name"),
        ("Den er tegnet via Tryg, som dækker skaden.", "name"),
        ("Kommunen er forsikret gennem Tryg.", "name"),
        ("Skaden meldes efter Trygs regler.", "name"),
        ("Hallen ejes af Tryg A/S og kommunen.", "name"),
        ("Kommunen er forsikret i Tryg og melder skader dertil.", "name"),
        ("TRYG FORSIKRING har kontor i byen.", "name"),
        ("Penge fra Tryg Fonden gjorde det muligt.", "name"),
        ("TRYG I BYEN er navnet.", "safe"),
        ("Læs om Tryg og Sikker her.", "safe"),
        ("Tryg Aalborg er et samarbejde i byen.", "safe"),
        ("Læs om Tryg Aalborg her.", "safe"),
        ("Læs om Tryg i Natten her.", "safe"),
        ("Læs om Tryg 2030 her.", "safe"),
        ("Tryg hverdag for alle.", "safe"),
        ("# Tryg hverdag for alle", "safe"),
        ("- Tryg hverdag for alle", "safe"),
        ("Målet er klart: Tryg hverdag for alle.", "safe"),
        ("Planen hedder »Tryg og sikker by«.", "safe"),
        ("Det gør os tryg ved livet.", "safe"),
    ],
)
def test_the_insurer_is_told_from_the_adjective_by_what_stands_around_it(line: str, sense: str) -> None:
    assert [found for _, found in word_senses(line, RULES)] == [sense]


@pytest.mark.parametrize("word", ["Tryk Aalborg", "tryk", "trykke"])
def test_an_ambiguous_word_is_safe_in_a_machine_read_document_only(word: str) -> None:
    assert [sense for _, sense in word_senses(word, RULES)] == ["noise"]
    assert [sense for _, sense in word_senses(f"{MACHINE_READ}\n{word}", RULES)] == ["safe", "safe"]


@pytest.mark.parametrize("word", ["blodtryk", "udtryk", "trykimprægneret", "tryksag"])
def test_noise_stays_noise_in_a_machine_read_document(word: str) -> None:
    assert [sense for _, sense in word_senses(f"{MACHINE_READ}\n{word}", RULES)] == ["safe", "noise"]


def test_a_word_beside_an_address_counts_and_a_word_inside_it_does_not() -> None:
    assert word_senses("Tryghed i byen: se www.tryg.dk/tryghed.", RULES) == [
        ("Tryghed", "safe"),
        ("www.tryg.dk/tryghed", "name"),
    ]


def test_a_word_broken_over_two_lines_keeps_its_sense() -> None:
    assert [sense for _, sense in word_senses("Kommunens tryg-\nhedsplan", RULES)] == ["safe"]


def test_a_soft_hyphen_is_no_letter() -> None:
    assert word_senses("Tryg\u00adheds\u00advandring", RULES) == [("Tryghedsvandring", "safe")]


def test_words_are_counted_by_sense_in_lower_case() -> None:
    counts = count_senses("Tryghed er tryghed.\nBlodtryk måles hos TrygFonden.", RULES)
    assert counts == {"safe": {"tryghed": 2}, "name": {"trygfonden": 1}, "noise": {"blodtryk": 1}}


def test_words_without_the_stem_have_no_sense() -> None:
    assert word_senses("Byrådet mødes mandag.", RULES) == []


@pytest.mark.parametrize("sense", ["name", "misread", "noise", "safe"])
def test_no_pattern_matches_the_empty_word(sense: str) -> None:
    assert dict(RULES.senses)[sense].match("") is None
    assert dict(RULES.senses)[sense].flags & re.IGNORECASE
