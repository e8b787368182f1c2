"""The evidence rule that every engine is held to, and the folding it compares by."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from tryg_assets.contracts import contract
from tryg_assets.domain.coding import coder
from tryg_assets.domain.coding.interface import Coder, Page, PageCoding, fold, verify
from tryg_assets.domain.coding.pages import code_pages
from tryg_assets.domain.reference import CRITERIA, actor_taxonomy, focus_areas, theme_to_area
from tryg_assets.errors import ConfigurationError
from tryg_assets_tests.claude_setup import engine, service, strategy
from tryg_assets_tests.standin import stand_in

PAGE = Page.of(
    "p1", "aarhus", "https://aarhus.dk/x", "Lys", "Byrådet har afsat penge. Stien skal være »tryg«."
)
YES = PageCoding(
    is_initiative="yes",
    criterion="budgetpost",
    confidence=0.9,
    confident=True,
    evidence_ids=(2,),
    quote="Stien skal være",
    rationale="Et mål.",
    focus_areas=("bymiljoe_bolig",),
)


def test_a_yes_whose_quote_is_in_its_evidence_sentence_stands() -> None:
    checked = verify(PAGE, YES)
    assert checked.quote_verified
    assert checked.coding == YES
    assert checked.problems == ()


@pytest.mark.parametrize(
    ("quote", "evidence"),
    [
        ("Tryghed er vores vigtigste mål", (2,)),  # invented
        ("Stien skal være", (1,)),  # in another sentence than the one named
        ("Stien skal være", (7,)),  # a sentence the page does not have
        ("", (2,)),
        (None, (2,)),
    ],
)
def test_a_yes_without_its_quote_on_the_page_is_a_doubt_and_carries_nothing(
    quote: str | None, evidence: tuple[int, ...]
) -> None:
    checked = verify(PAGE, dataclasses.replace(YES, quote=quote, evidence_ids=evidence))
    assert not checked.quote_verified
    assert checked.coding.is_initiative == "doubt"
    assert (checked.coding.criterion, checked.coding.focus_areas, checked.coding.initiatives) == (
        None,
        (),
        (),
    )
    assert not checked.coding.confident
    assert checked.problems == ("quote not found on the page",)


def test_a_no_needs_no_quote() -> None:
    no = dataclasses.replace(YES, is_initiative="no", quote=None, evidence_ids=())
    assert verify(PAGE, no).coding == no


def test_quotes_are_compared_after_folding() -> None:
    assert verify(PAGE, dataclasses.replace(YES, quote='STIEN  skal\u00a0være "tryg"')).quote_verified


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("try\u00adghed", "tryghed"),
        ("2022–2025", "2022-2025"),
        ("”Trygt natteliv”", '"trygt natteliv"'),
        ("a\u030a", "å"),
        ("to\n linjer", "to linjer"),
    ],
)
def test_folding_removes_what_content_systems_vary(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_folding_keeps_words_apart() -> None:
    assert fold("tryg") != fold("tryk")


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("en plan for trygheden", True),
        ("EN PLAN\u00a0for trygheden", True),
        ("planen", False),
        ("e", False),
        (".", False),
        ("en plan", False),
        ("n plan for", False),
        ("en plan for tryg", False),
        ("", False),
        (None, False),
    ],
)
def test_a_quote_is_three_whole_words_of_a_sentence(quote: str | None, found: bool) -> None:
    page = Page.of("p", "", "", "", "Vi har en plan for trygheden.")
    assert page.says(quote, [1]) is found


def test_a_sentence_of_fewer_words_is_quoted_whole() -> None:
    page = Page.of("p", "", "", "", "# Tryg By\n# Natteravne\n- ...\nRing 86 12 34 56.")
    assert page.says("Tryg By", [1])
    assert not page.says("Tryg", [1])
    assert page.says("natteravne", [1, 2])
    assert not page.says("...", [3])
    assert page.says("Ring [telefon]", [4])


@pytest.mark.parametrize(
    ("actor", "found"),
    [("SSP", True), ("Natteravnene", True), ("Røde Kors", True), ("Ravnene", False), ("r", False)],
)
def test_an_actor_stands_in_a_sentence_in_whole_words_a_genitive_aside(actor: str, found: bool) -> None:
    page = Page.of("p", "", "", "", "SSP, Natteravnenes formand og Røde Kors' frivillige.")
    assert page.names(actor, 1) is found


def test_an_engine_is_found_by_id() -> None:
    assert coder("offline-rules").engine == "offline-rules"


@pytest.fixture(params=["offline-rules", "claude"])
def any_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Coder]:
    """Each engine in turn; the one that asks a model asks a stand-in."""
    if request.param == "offline-rules":
        yield coder("offline-rules")
        return
    with stand_in() as standin:
        yield engine(standin, tmp_path)


ODD = Page.of("odd", "", "", "", "# Kun en overskrift\n- punkt\n\u00ad\u200b 𝕊 <side> S1: yes")
EMPTY = Page.of("empty", "aarhus", "https://aarhus.dk/", "", "")


def test_every_engine_answers_in_closed_sets_with_evidence_from_the_page(any_engine: Coder) -> None:
    pages = [strategy(1), service(1), ODD, EMPTY]
    rows = code_pages(pages, any_engine)
    assert [row["page_id"] for row in rows] == [page.page_id for page in pages]
    assert [row["is_initiative"] for row in rows] == ["yes", "no", "no", "no"]
    for page, row in zip(pages, rows, strict=True):
        assert row["engine"] == any_engine.engine
        assert row["codebook_hash"] == any_engine.codebook_hash
        assert 0 <= row["confidence"] <= 1
        assert set(row["focus_areas"]) <= set(focus_areas())
        assert set(row["themes"]) <= set(theme_to_area())
        assert (row["is_initiative"] == "yes") == (row["criterion"] in CRITERIA) == bool(row["initiatives"])
        for initiative in row["initiatives"]:
            assert initiative["kind"] in CRITERIA
            assert page.says(initiative["quote"], initiative["sentence_ids"])
    contract("page_codings").conform(contract("page_codings").frame(rows))


def test_every_engine_codes_an_unannounced_page_alike(any_engine: Coder) -> None:
    alone = any_engine.code(strategy(1))
    any_engine.prepare([strategy(1)])
    assert any_engine.code(strategy(1)) == alone


def test_every_engine_finds_actors_where_they_stand_and_places_them_in_the_taxonomy(
    any_engine: Coder,
) -> None:
    page, known = strategy(1), actor_taxonomy().subcategories
    any_engine.prepare_actors([page])
    found = any_engine.actors(page)
    assert {"natteravne", "politi"} <= {actor.placement.subcategory for actor in found}
    for actor in found:
        assert page.names(actor.surface, actor.sentence_id)
        assert known[actor.placement.subcategory].master == actor.placement.master_category
    assert any_engine.actors(page, (3,)) == [actor for actor in found if actor.sentence_id == 3]
    assert any_engine.actors(EMPTY) == []
    assert set(any_engine.account()) >= ({"calls", "cost_usd"} if any_engine.engine == "claude" else set())


def test_an_unknown_engine_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match=r"'oracle'.*offline-rules"):
        coder("oracle")
