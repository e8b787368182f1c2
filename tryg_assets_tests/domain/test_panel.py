"""Two codings side by side: agreement by hand, what flips and why, and canaries that see a change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from tryg_assets.clock import fixed_clock
from tryg_assets.contracts import contract
from tryg_assets.domain.coding.canaries import COUNT, Canaries
from tryg_assets.domain.coding.interface import ActorMention, Page, PageCoding
from tryg_assets.domain.coding.panel import (
    ALL_AREAS,
    PAGE,
    Answer,
    Flip,
    Panelist,
    answers,
    compare,
    flips,
    pages_of_choice,
)
from tryg_assets.errors import BudgetReached, ConfigurationError
from tryg_assets.state import open_state

MORNING = datetime(2026, 11, 21, 6, tzinfo=UTC)


def answer(number: int, decision: str, *areas: str) -> Answer:
    return Answer(f"p{number}", f"http://x/{number}", decision, areas, f"fordi {decision}")


def test_agreement_is_counted_with_doubt_as_no_and_areas_where_both_say_yes() -> None:
    first = [
        answer(1, "yes", "a"),
        answer(2, "yes", "a", "b"),
        answer(3, "no"),
        answer(4, "doubt"),
        answer(9, "yes"),
    ]
    second = [
        answer(1, "yes", "a"),
        answer(2, "yes", "b"),
        answer(3, "yes", "a"),
        answer(4, "no"),
        answer(8, "no"),
    ]
    page, a, b, pooled = compare(first, second, ["a", "b"])
    assert (page["item"], page["n"]) == (PAGE, 4)
    assert [page[name] for name in ("both_yes", "first_only", "second_only", "both_no")] == [2, 0, 1, 1]
    assert page["percent_agreement"] == 0.75
    assert page["kappa"] == pytest.approx(0.5)
    assert page["ci_low"] < 0.75 < page["ci_high"]
    assert [a[name] for name in ("n", "both_yes", "first_only", "second_only", "both_no")] == [2, 1, 1, 0, 0]
    assert (b["percent_agreement"], pooled["item"], pooled["n"]) == (1.0, ALL_AREAS, 4)


def test_without_a_common_page_there_is_no_agreement() -> None:
    for row in compare([answer(1, "yes")], [answer(2, "yes")], ["a"]):
        assert (row["n"], row["percent_agreement"], row["ci_low"], row["kappa"]) == (0, None, None, None)


def test_flips_show_page_old_new_and_reason_with_changed_decisions_first() -> None:
    before = [answer(1, "yes", "a"), answer(2, "no"), answer(3, "yes", "a"), answer(4, "no")]
    now = [answer(1, "yes", "b"), answer(2, "doubt"), answer(3, "yes", "a"), answer(5, "yes")]
    assert list(flips(before, now)) == [
        Flip("p2", "http://x/2", "no", "doubt", (), (), "fordi doubt"),
        Flip("p1", "http://x/1", "yes", "yes", ("a",), ("b",), "fordi yes"),
    ]


def test_pages_are_chosen_by_hash_whatever_their_order_and_more_keep_the_fewer() -> None:
    ids = [f"page-{number}" for number in range(200)]
    ten = pages_of_choice(ids, 10)
    assert ten == pages_of_choice(reversed(ids), 10) != sorted(ids)[:10]
    assert pages_of_choice(ids, 20)[:10] == ten
    assert pages_of_choice(ids, 0) == []


def test_a_panelist_is_an_engine_with_model_and_codebook(tmp_path: Path) -> None:
    (tmp_path / "definition.yml").touch()
    assert Panelist.parse("offline-rules") == Panelist("offline-rules")
    assert Panelist.parse(f"claude:m@{tmp_path}") == Panelist("claude", "m", tmp_path)
    with pytest.raises(ConfigurationError, match="holds no codebook"):
        Panelist.parse("offline-rules@nowhere")


class Engine:
    """An engine that says yes to the pages it is told to, and counts how often it is asked."""

    engine, label = "test", "Test"

    def __init__(self, version: str, yes: Sequence[str] = (), broken: bool = False) -> None:
        self.codebook_hash, self.yes, self.broken, self.asked = version, yes, broken, 0

    def ready(self) -> None: ...

    def prepare(self, pages: Sequence[Page]) -> None:
        if self.broken and pages:
            raise BudgetReached("Nothing left.")

    def code(self, page: Page) -> PageCoding:
        self.asked += 1
        if page.page_id not in self.yes:
            return PageCoding("no", None, 0.9, True, (), None, "Nej.")
        return PageCoding("yes", "projekt", 0.9, True, (1,), page.sentence(1), "Ja.", focus_areas=("a",))

    def prepare_actors(self, pages: Sequence[Page]) -> None: ...

    def actors(self, page: Page, sentence_ids: tuple[int, ...] = ()) -> list[ActorMention]:
        return []

    def account(self) -> dict[str, str | int | float]:
        return {}


def rows(ids: Sequence[str]) -> list[dict[str, str]]:
    return [
        {
            "page_id": i,
            "municipality": "aarhus",
            "url": f"http://x/{i}",
            "title": i,
            "text": f"Tryg {i}.",
            "other": "",
        }
        for i in ids
    ]


@pytest.fixture
def state(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_state(f"sqlite:///{tmp_path / 'state.db'}")
    yield engine
    engine.dispose()


def canaries(state: sa.Engine, hour: int = 6) -> Canaries:
    return Canaries(state, fixed_clock(MORNING.replace(hour=hour)))


def test_an_answer_whose_quote_is_not_on_the_page_is_a_doubt() -> None:
    page = Page.of("p", "aarhus", "http://x", "T", "Tryg by.")
    (said,) = answers(Engine("1", ["p"]), [page])
    assert said.is_initiative == "yes"

    class Inventing(Engine):
        def code(self, page: Page) -> PageCoding:
            return replace(super().code(page), quote="Opfundet.")

    (said,) = answers(Inventing("1", ["p"]), [page])
    assert said.is_initiative == "doubt"


def test_fifty_canaries_are_chosen_once_and_keep_their_texts(state: sa.Engine) -> None:
    kept = canaries(state)
    kept.choose([f"p{n}" for n in range(30)], rows)
    assert len(kept.pages()) == 30
    kept.choose([f"p{n}" for n in range(200)], rows)
    chosen = kept.pages()
    assert len(chosen) == COUNT
    assert {f"p{n}" for n in range(30)} <= {page.page_id for page in chosen}
    kept.choose(["new"], lambda ids: rows(ids) and pytest.fail("nothing more is chosen"))
    assert kept.pages() == chosen


def test_a_version_is_asked_once_and_compared_with_the_one_before(state: sa.Engine) -> None:
    canaries(state).choose(["p1", "p2", "p3"], rows)
    first = Engine("v1", ["p1"])
    table = contract("canaries").frame(canaries(state, 6).ask(first))
    assert table["now"].to_list() == ["yes", "no", "no"]
    assert table["changed"].to_list() == [None] * 3
    assert table["version_before"].to_list() == [None] * 3
    second = Engine("v2", ["p1", "p2"])
    table = contract("canaries").frame(canaries(state, 7).ask(second))
    assert table["changed"].to_list() == [False, True, False]
    assert set(table["version_before"]) == {"v1"}
    assert table["areas_now"].to_list() == [["a"], ["a"], []]
    again = Engine("v2", [])
    assert canaries(state, 8).ask(again) == table.to_dicts()
    assert (first.asked, second.asked, again.asked) == (3, 3, 0)


def test_two_publications_that_ask_a_version_at_once_store_it_once(state: sa.Engine) -> None:
    canaries(state).choose(["p1", "p2"], rows)

    class Overtaken(Engine):
        def prepare(self, pages: Sequence[Page]) -> None:
            canaries(state).ask(Engine("v1", ["p1"]))

    assert [row["now"] for row in canaries(state).ask(Overtaken("v1", ["p1"]))] == ["yes", "no"]
    assert len(canaries(state).answers("test", "v1")) == 2


def test_canaries_that_cannot_be_asked_say_why_and_are_asked_the_next_time(state: sa.Engine) -> None:
    canaries(state).choose(["p1", "p2"], rows)
    table = contract("canaries").frame(canaries(state).ask(Engine("v1", broken=True)))
    assert table["now"].to_list() == [None, None]
    assert set(table["rationale"]) == {"Nothing left."}
    mended = Engine("v1", ["p1"])
    assert [row["now"] for row in canaries(state).ask(mended)] == ["yes", "no"]
    assert mended.asked == 2
