"""Names of persons are recognised wherever they stand; places and organisations named after persons are none."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tryg_assets.domain.actors.entities import actor_rows
from tryg_assets.domain.actors.lexicon import lexicon
from tryg_assets.domain.actors.persons import person_spans, persons_named, without_person, without_persons
from tryg_assets.domain.coding.interface import ActorMention, Page, PageCoding, Placement
from tryg_assets.domain.reference import UNRESOLVED, actor_taxonomy


def persons(text: str) -> list[str]:
    return [text[start:end] for start, end in person_spans(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Kontakt Mette Hansen på rådhuset.", ["Mette Hansen"]),
        ("Kontaktperson: Søren Ø. Larsen", ["Søren Ø. Larsen"]),
        ("Anne-Marie Hansen og Per Holm svarer.", ["Anne-Marie Hansen", "Per Holm"]),
        ("Niels på 82 år er tryg.", ["Niels"]),
        ("Mette Hansens have", ["Mette Hansens"]),
        ("Det siger lektor Fjordbak.", ["Fjordbak"]),
        ("Borgmester Xu Hansen åbner huset.", ["Borgmester Xu Hansen"]),
        ("Aarhus Kommune Jens Hansen", ["Jens Hansen"]),
        ("Fatma Yilmaz og Xin Nguyen er frivillige.", ["Fatma Yilmaz", "Xin Nguyen"]),
        (
            "Mette\u00adHansen og Met\u00adte\u00a0Han\u00adsen",
            ["Mette\u00adHansen", "Met\u00adte\u00a0Han\u00adsen"],
        ),
        (
            "Anne\u2011Marie Hansen, KontaktMette HansenTelefon",
            ["Anne\u2011Marie Hansen", "Mette HansenTelefon"],
        ),
    ],
)
def test_a_person_is_found(text: str, found: list[str]) -> None:
    assert persons(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "Peter Bangs Vej er blevet trygt.",
        "Anne Frank Skolen deltager.",
        "H.C. Andersens Skole deltager.",
        "Kirsten Kimers Børnehave",
        "Sankt Hans Torv",
        "Anker Jørgensens Plads",
        "Nordsjællands Brandvæsen rykker ud.",
        "Bo trygt hele livet",
        "Projektet Bo Trygt",
        "ALL IN-indsatsen",
        "Per måned",
        "Line af lys",
        "SoMe og LinkedIn",
        "Tryg Odense og Aarhus Kommune",
        "ingen navne her",
        "",
    ],
)
def test_what_is_no_person_stays(text: str) -> None:
    assert persons(text) == []


def test_persons_are_replaced_and_counted() -> None:
    assert without_persons("Mette Hansen og Jens Holm.", "[navn]") == ("[navn] og [navn].", 2)


def test_on_pages_persons_are_only_counted() -> None:
    page = Page.of("p1", "aarhus", "http://x", "T", "Mette Hansen svarer. Ring til Jens Holm.")
    assert persons_named([page, page]) == 4


def test_no_known_actor_is_taken_for_a_person() -> None:
    rules = [rule for rules in lexicon().words.values() for rule, _ in rules]
    known = {rule.canonical for rule in rules if rule.canonical}
    known |= {name for entry in actor_taxonomy().subcategories.values() for name in entry.typical_names}
    assert "Niels Brock" in known
    assert [name for name in sorted(known) if without_person(name) != name] == []


@pytest.mark.parametrize(
    ("name", "actor"),
    [
        ("Borgmester Mette Hansen", ""),
        ("politikommissær Jens Jensen", ""),
        ("SSP-konsulent Ali Khan", ""),
        ("Mette Hansen, Natteravnene", ""),
        ("Fatma Yilmaz", ""),
        ("Niels", ""),
        ("Natteravnene v. Kirsten Sørensen", "Natteravnene"),
        ("Natteravnene v/formand Kirsten Sørensen", "Natteravnene"),
        ("Grundejerforeningen (Mette Hansen)", "Grundejerforeningen"),
        ("Natteravnene, kontaktperson Mette", "Natteravnene"),
        ("borgmesteren", "borgmesteren"),
        ("Niels Brock", "Niels Brock"),
        ("Café Sofie", "Café Sofie"),
        ("Jens Baggesens Skole", "Jens Baggesens Skole"),
    ],
)
def test_of_the_name_of_an_actor_only_what_is_no_person_is_kept(name: str, actor: str) -> None:
    assert without_person(name) == actor


class Naive:
    """An engine that takes every name for an actor."""

    engine, label, codebook_hash = "test", "Test", "0"

    def ready(self) -> None: ...

    def code(self, page: Page) -> PageCoding:
        raise NotImplementedError

    def prepare(self, pages: Sequence[Page]) -> None: ...

    def prepare_actors(self, pages: Sequence[Page]) -> None: ...

    def actors(self, page: Page, sentence_ids: tuple[int, ...] = ()) -> list[ActorMention]:
        named = [(name, name) for name in ("Mette Hansen", "Niels", "Natteravnene", "Niels Brock")]
        named += [
            ("Borgmester Mette Hansen", "Borgmesteren"),
            ("Borgmesteren", "Borgmester Mette Hansen"),
            ("Ældrerådet v. Kirsten Sørensen", "Ældrerådet"),
        ]
        return [
            ActorMention(surface, 1, "deltager", Placement(name, "local", UNRESOLVED, UNRESOLVED, "model"))
            for surface, name in named
        ]


def test_whatever_the_engine_says_no_person_becomes_an_actor() -> None:
    page = Page.of(
        "p1", "aarhus", "http://x", "T", "Mette Hansen, Niels, Natteravnene og Niels Brock deltager."
    )
    initiative = {
        "initiative_id": "i",
        "name": "I",
        "pages": ["p1"],
        "evidence_page": "p1",
        "evidence_ids": [1],
    }
    mentions, entities = actor_rows([initiative], {"p1": page}, Naive(), "aarhus")
    assert {row["surface"] for row in mentions} == {"Natteravnene", "Niels Brock", "Ældrerådet"}
    assert {row["canonical_name"] for row in entities} == {"Natteravnene", "Niels Brock", "Ældrerådet"}
