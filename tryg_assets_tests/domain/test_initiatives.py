"""The same initiative on several pages of a municipality is one row."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tryg_assets.contracts import contract
from tryg_assets.domain.coding.initiatives import alike, name_key, resolve

DAY, BEFORE = date(2026, 11, 21), date(2026, 10, 1)


def initiative(name: str, **stated: Any) -> dict[str, Any]:
    return {
        "name": name,
        "kind": "projekt",
        "focus_areas": ["trafiksikkerhed"],
        "themes": [],
        "target_group": None,
        "place": None,
        "department": None,
        "economy_dkk": None,
        "users_per_year": None,
        "organisation_form": None,
        "sentence_ids": [1],
        "quote": f"{name} gør vejen tryg.",
        **stated,
    }


def coding(
    page: str, *initiatives: dict[str, Any], decision: str = "yes", confidence: float = 0.8
) -> dict[str, Any]:
    return {
        "page_id": page,
        "municipality": "aarhus",
        "engine": "offline-rules",
        "is_initiative": decision,
        "confidence": confidence,
        "initiatives": list(initiatives),
    }


def raw(page: str, title: str = "En side", text: str = "") -> dict[str, Any]:
    return {"page_id": page, "url": f"https://aarhus.dk/{page}", "title": title, "text": text}


def solve(
    codings: list[dict[str, Any]],
    pages: list[dict[str, Any]] | None = None,
    earlier: list[dict[str, Any]] | None = None,
) -> list[dict[str, Any]]:
    known = {row["page_id"]: raw(row["page_id"]) for row in codings} | {
        row["page_id"]: row for row in pages or []
    }
    return resolve(codings, known, earlier or [], DAY)


def test_rows_honour_the_contract() -> None:
    rows = solve([coding("a", initiative("Trygge skoleveje"))])
    assert contract("classified_initiatives").frame(rows).height == 1


@pytest.mark.parametrize(
    "other",
    [
        "trygge skoleveje",
        "“Trygge skoleveje”",
        "Trygge skoleveje i Aarhus",
        "Trygge Skoleveje 2024-2026",
        "Trygge skolevej",
    ],
)
def test_names_that_differ_in_spelling_only_are_one_initiative(other: str) -> None:
    (row,) = solve([coding("a", initiative("Trygge skoleveje")), coding("b", initiative(other))])
    assert row["pages"] == ["a", "b"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Trygt natteliv", "Trygge skoleveje"),
        ("Cykelsti etape 1", "Cykelsti etape 2"),
        ("Tryghedsråd Øst", "Tryghedsråd Vest"),
    ],
)
def test_different_names_stay_apart(one: str, other: str) -> None:
    assert len(solve([coding("a", initiative(one)), coding("b", initiative(other))])) == 2


def test_areas_and_themes_are_united_and_what_is_stated_is_kept() -> None:
    (row,) = solve(
        [
            coding(
                "a",
                initiative("Lys på stien", focus_areas=["bymiljoe_bolig"], economy_dkk=1e6),
                confidence=0.7,
            ),
            coding("b", initiative("Lys på stien", place="Torvet", economy_dkk=2e6), confidence=0.9),
        ]
    )
    assert row["focus_areas"] == ["trafiksikkerhed", "bymiljoe_bolig"]
    assert (row["place"], row["economy_dkk"], row["users_per_year"]) == ("Torvet", 2e6, None)
    assert (row["evidence_page"], row["evidence_url"]) == ("b", "https://aarhus.dk/b")


def test_news_without_a_name_of_its_own_belongs_to_the_initiative_it_speaks_of() -> None:
    news = raw("b", "Skolepatruljen er klar", "De er en del af Trygge skoleveje, som giver nye overgange.")
    (row,) = solve(
        [coding("a", initiative("Trygge skoleveje")), coding("b", initiative("Skolepatruljen er klar"))],
        [news],
    )
    assert row["name"] == "Trygge skoleveje"
    assert row["pages"] == ["a", "b"]
    assert row["evidence_page"] == "a"


def test_only_pages_decided_yes_count() -> None:
    assert solve([coding("a", initiative("Trygt torv"), decision="doubt"), coding("b", decision="no")]) == []


def test_an_initiative_seen_before_keeps_its_id_and_first_day() -> None:
    (old,) = resolve([coding("a", initiative("Trygge skoleveje"))], {"a": raw("a")}, [], BEFORE)
    (row,) = solve([coding("c", initiative("Trygge skolevejs"))], earlier=[old])
    assert row["initiative_id"] == old["initiative_id"]
    assert (row["first_seen"], row["last_seen"]) == (BEFORE, DAY)


def test_an_initiative_no_longer_on_the_site_has_no_row() -> None:
    (old,) = resolve([coding("a", initiative("Trygt torv"))], {"a": raw("a")}, [], BEFORE)
    assert [row["name"] for row in solve([coding("b", initiative("Lys på stien"))], earlier=[old])] == [
        "Lys på stien"
    ]


def test_one_earlier_initiative_gives_its_id_to_one_row_only() -> None:
    (old,) = resolve([coding("a", initiative("Tryghedsvandringer"))], {"a": raw("a")}, [], BEFORE)
    rows = solve(
        [coding("a", initiative("Tryghedsvandringer")), coding("b", initiative("Trygt torv"))], earlier=[old]
    )
    assert len({row["initiative_id"] for row in rows}) == 2


def test_the_order_of_pages_does_not_matter() -> None:
    codings = [
        coding("a", initiative("Lys på stien")),
        coding("b", initiative("Trygt torv")),
        coding("c", initiative("lys på stien")),
    ]
    assert solve(codings) == solve(codings[::-1])


def test_the_municipalitys_name_is_kept_where_it_is_the_name() -> None:
    assert name_key("Tryg Aarhus", "aarhus") == "tryg"
    assert name_key("Aarhus", "aarhus") == "aarhus"
    assert not alike("tryg", "trygt natteliv")
