"""The evidence rule that every engine is held to, and the folding it compares by."""

from __future__ import annotations

import dataclasses

import pytest

from tryg_assets.domain.coding import coder
from tryg_assets.domain.coding.interface import Page, PageCoding, fold, verify
from tryg_assets.errors import ConfigurationError

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


def test_an_engine_is_found_by_id() -> None:
    assert coder("offline-rules").engine == "offline-rules"


def test_an_unknown_engine_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match=r"'oracle'.*offline-rules"):
        coder("oracle")
