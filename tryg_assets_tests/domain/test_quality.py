"""The quality page: disagreements side by side, evidence marked, readable without script, never huge."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser

from tryg_assets.domain.reference import focus_areas
from tryg_assets.domain.reporting.quality import (
    MOST_CASES,
    find_cases,
    reference_version,
    render_quality,
)
from tryg_assets.domain.review.pages import ReviewPage
from tryg_assets_tests.domain.review.conftest import rows

NOON = datetime(2026, 4, 21, 12, 5, tzinfo=UTC)
HOSTILE = '<script>alert("x")</script>'
ONE, OTHER = list(focus_areas())[:2]
SENTENCES = tuple(f"Sætning nummer {n}." for n in range(1, 61))


def pages(wanted: Iterable[str]) -> dict[str, ReviewPage]:
    return {
        page: ReviewPage(
            page, "aarhus", "Aarhus Kommune", f"https://aarhus.dk/{page}", f"{page} {HOSTILE}", "a.warc.gz#1",
            date(2026, 4, 1), "0" * 64, (HOSTILE, *SENTENCES),
        )
        for page in wanted
    }  # fmt: skip


def coded(page: str, decision: str, *areas: str, confidence: float = 0.5) -> dict[str, Any]:
    return {
        "page_id": page,
        "is_initiative": decision,
        "focus_areas": list(areas),
        "confidence": confidence,
        "evidence_ids": [50],
        "rationale": f"Fordi {HOSTILE}",
    }


def said(
    page: str, decision: str, *areas: str, coder: str = "anne", version: str = "blind"
) -> list[dict[str, Any]]:
    common = {"page_id": page, "coder": coder, "gold_version": version, "coder_kind": "person"}
    return [
        {**common, "task": "relevance", "item": "page", "value": decision},
        *(
            {**common, "task": "focus_area", "item": area, "value": "yes" if area in areas else "no"}
            for area in focus_areas()
        ),
    ]


def cases(human: list[dict[str, Any]], *codings: dict[str, Any]) -> Any:
    return find_cases(rows("human_codings", *human), rows("page_codings", *codings), pages)


def html(human: list[dict[str, Any]], *codings: dict[str, Any]) -> str:
    found, total = cases(human, *codings)
    return render_quality(found, total, "blind", ["person"], "Regelbaseret, ikke AI", NOON, is_sample=False)


def test_only_pages_with_a_difference_are_shown_and_a_doubt_is_a_no() -> None:
    human = [
        *said("a", "yes", ONE), *said("b", "no"), *said("c", "doubt"), *said("d", "yes", ONE), *said("e", "no"),
    ]  # fmt: skip
    found, total = cases(
        human,
        coded("a", "yes", ONE),
        coded("b", "doubt"),
        coded("c", "yes", OTHER),
        coded("d", "yes", OTHER),
        coded("e", "no"),
    )
    assert total == 2
    assert [(case.page.page_id, case.differs) for case in found] == [("c", ("indsats",)), ("d", (ONE, OTHER))]


def test_the_engines_surest_mistakes_come_first_and_the_page_is_capped() -> None:
    human = [row for n in range(MOST_CASES + 30) for row in said(f"{n:03}", "no")]
    found, total = cases(
        human, *(coded(f"{n:03}", "yes", confidence=n / 300) for n in range(MOST_CASES + 30))
    )
    assert (len(found), total) == (MOST_CASES, MOST_CASES + 30)
    assert found[0].page.page_id == f"{MOST_CASES + 29:03}"
    page = render_quality(found, total, "blind", ["person"], "m", NOON, is_sample=False)
    assert "230 sider har mindst ét forskelligt svar; de 200, hvor maskinen er sikrest, vises" in page
    assert len(page) < 2_000_000


def test_the_evidence_is_marked_and_a_long_page_is_shown_around_it() -> None:
    tree = LexborHTMLParser(html(said("a", "no"), coded("a", "yes")))
    assert [node.text() for node in tree.css("mark")] == ["Sætning nummer 49."]
    shown = [node.text() for node in tree.css(".text .s")]
    assert shown == [f"S{n}" for n in (*range(1, 26), *range(48, 53))]
    assert "31 sætninger er udeladt her" in tree.text()


def test_hostile_text_stays_text_and_nothing_is_fetched() -> None:
    page = html(said("a", "no"), coded("a", "yes"))
    tree = LexborHTMLParser(page)
    assert tree.css("script, img, link, iframe") == []
    assert page.count("&lt;script&gt;") >= 3
    assert [node.attributes["href"] for node in tree.css("a[href^=http]")] == ["https://aarhus.dk/a"]


def test_it_can_be_read_and_filtered_without_script() -> None:
    tree = LexborHTMLParser(
        html([*said("a", "no"), *said("b", "yes", ONE)], coded("a", "yes"), coded("b", "yes"))
    )
    assert [node.text().strip() for node in tree.css("fieldset label")] == [
        "alt (2)", "Indsats eller ej (1)", f"{focus_areas()[ONE].name} (1)",
    ]  # fmt: skip
    assert all(label.css_first("input[type=radio]") for label in tree.css("fieldset label"))
    style = "".join(node.text() for node in tree.css("style"))
    filters = {node.attributes["id"] for node in tree.css("fieldset input")} - {"f-alt"}
    assert all(
        f"#{name}:checked) .case:not(.{name.replace('f-', 'd-')})" in style for name in filters if name
    )
    assert [sorted((node.attributes["class"] or "").split()) for node in tree.css("article")] == [
        ["case", "d-indsats"],
        ["case", f"d-{ONE}"],
    ]


def test_it_can_be_read_by_everyone() -> None:
    tree = LexborHTMLParser(html(said("a", "no"), coded("a", "yes")))
    assert tree.css('html[lang="da"]')
    levels = [int((node.tag or "h0")[1]) for node in tree.css("h1, h2, h3, h4")]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert tree.css("fieldset legend")
    assert tree.css('a.skip[href="#indhold"]')


def test_two_blind_coders_stand_side_by_side() -> None:
    tree = LexborHTMLParser(html([*said("a", "no"), *said("a", "yes", coder="bo")], coded("a", "yes")))
    assert [node.text() for node in tree.css(".sides h3")] == [
        "Maskinen: indsats",
        "Koder 1: ikke indsats",
        "Koder 2: indsats",
    ]


@pytest.mark.parametrize(
    ("human", "text"),
    [([], "Der er ingen referencekodninger"), (said("a", "yes"), "svarer ens på alle sider")],
)
def test_with_nothing_to_show_it_says_so(human: list[dict[str, Any]], text: str) -> None:
    table = rows("human_codings", *human)
    found, total = find_cases(table, rows("page_codings", coded("a", "yes")), pages)
    assert text in render_quality(found, total, reference_version(table), [], "m", NOON, is_sample=False)


@pytest.mark.parametrize("kind", ["person", "sample_reference"])
@pytest.mark.parametrize("is_sample", [True, False])
def test_the_sample_denmark_is_named_on_the_front_whoever_coded_its_pages(kind: str, is_sample: bool) -> None:
    found, total = cases(said("a", "no"), coded("a", "yes"))
    tree = LexborHTMLParser(render_quality(found, total, "v", [kind], "m", NOON, is_sample=is_sample))
    assert [bool(tree.css(".banner.sample")), "Referencen er svarene fra dem" in tree.text()] == [
        is_sample,
        kind == "sample_reference",
    ]
