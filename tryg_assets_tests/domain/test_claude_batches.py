"""Batches: sent once, stored in any order, found again after a lost reply; what failed goes back to the queue."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tryg_assets.clock import system_clock
from tryg_assets.domain.coding.claude.engine import Claude
from tryg_assets.domain.coding.interface import Page
from tryg_assets.domain.coding.pages import code_pages
from tryg_assets.errors import AnswersPending, BudgetReached, ServerUnavailable
from tryg_assets_tests.claude_setup import bill, engine, service, strategy
from tryg_assets_tests.standin import StandIn, stand_in

PAGES = [strategy(number) for number in range(6)] + [service(number) for number in range(6)]


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with stand_in() as running:
        yield running


def to_the_end(claude: Claude, pages: list[Page]) -> list[list[str]]:
    """Submit and collect until nothing is left; returns the municipalities that each look made ready."""
    ready = []
    while claude.submit(pages) or claude.batches.open():
        ready.append(claude.batches.collect())
    return ready


def test_a_batch_gives_the_same_rows_as_single_calls_at_half_the_price(
    standin: StandIn, tmp_path: Path
) -> None:
    one_by_one = engine(standin, tmp_path / "live", concurrency=1)
    rows = code_pages(PAGES, one_by_one)
    one_by_one.prepare_actors(PAGES[:6])
    charged = bill(standin.charges)
    standin.charges.clear()
    standin.cached.clear()
    batched = engine(standin, tmp_path / "batch", cap=50)
    to_the_end(batched, PAGES)
    asked = standin.calls()
    same = ("page_id", "is_initiative", "criterion", "quote", "evidence_ids", "initiatives", "focus_areas")
    again = code_pages(PAGES, batched)
    assert [[row[field] for field in same] for row in again] == [
        [row[field] for field in same] for row in rows
    ]
    assert batched.actors(PAGES[0]) == one_by_one.actors(PAGES[0])
    assert standin.calls() == asked, "nothing is asked outside the batches"
    assert all(charge.batch for charge in standin.charges)
    totals = batched.decisions.ledger.totals()
    assert (totals.settled, totals.open) == (bill(standin.charges), 0)
    assert totals.settled < charged * 3 / 4, (
        "half, less what an hour in the cache costs more than five minutes"
    )


def test_above_the_threshold_a_run_sends_a_batch_and_says_that_it_waits(
    standin: StandIn, tmp_path: Path
) -> None:
    claude = engine(standin, tmp_path, least=10)
    with pytest.raises(AnswersPending, match=r"12 answers.*tryg batches"):
        code_pages(PAGES, claude)
    with pytest.raises(AnswersPending, match="12 answers"):
        code_pages(PAGES, engine(standin, tmp_path, least=10))
    assert (standin.calls(), len(standin.batches)) == (0, 1), "a restart finds its batch again"
    rows = code_pages(PAGES, engine(standin, tmp_path, least=10))
    assert sum(row["is_initiative"] == "yes" for row in rows) == 6
    assert sum(not charge.batch for charge in standin.charges) == 6, "few questions are asked one by one"


def test_batches_are_limited_in_number_and_bytes(standin: StandIn, tmp_path: Path) -> None:
    assert engine(standin, tmp_path / "number", most=5, cap=50).submit(PAGES) == 12
    assert [len(one.requests) for one in standin.batches.values()] == [5, 5, 2]
    standin.batches.clear()
    long = [service(number, f"Nummer {number}. " + "Vi hjælper gerne. " * 1200) for number in range(60)]
    assert engine(standin, tmp_path / "bytes", megabytes=1, cap=50).submit(long) == 60
    sizes = [len(str(one.requests).encode()) for one in standin.batches.values()]
    assert len(sizes) > 1
    assert max(sizes) < 1_100_000


def test_each_look_names_the_municipalities_that_can_go_on(standin: StandIn, tmp_path: Path) -> None:
    claude = engine(standin, tmp_path)
    claude.submit([strategy(1, "aarhus"), strategy(2, "odense")])
    assert claude.batches.collect() == [], "it has not ended"
    assert claude.batches.collect() == ["aarhus", "odense"]
    assert claude.batches.collect() == []


@pytest.mark.parametrize("fault", ["expired", "errored", "canceled"])
def test_what_a_batch_did_not_answer_costs_nothing_and_is_asked_again(
    standin: StandIn, tmp_path: Path, fault: str
) -> None:
    standin.fail(fault, times=2, about="Åbningstider")
    claude = engine(standin, tmp_path)
    to_the_end(claude, PAGES)
    assert len(code_pages(PAGES, claude)) == 12
    keys = [charge.key for charge in standin.charges]
    assert len(keys) == len(set(keys))
    totals = claude.decisions.ledger.totals()
    assert (totals.settled, totals.open) == (bill(standin.charges), 0)


def test_a_lost_reply_makes_no_second_batch(standin: StandIn, tmp_path: Path) -> None:
    standin.fail("lost_reply")
    claude = engine(standin, tmp_path)
    with pytest.raises(ServerUnavailable, match="broke off"):
        claude.submit(PAGES)
    assert len(standin.batches) == 1, "the create is never sent twice"
    assert claude.submit(PAGES) == 0, "its questions are taken"
    assert claude.batches.open()[0].server_id is None
    after = engine(standin, tmp_path, run="after")
    after.batches.collect()
    after.batches.collect()
    assert standin.calls() == 12
    assert sum(row["is_initiative"] == "no" for row in code_pages(PAGES, after)) == 6
    assert len(standin.batches) == 1


def test_a_batch_that_never_arrived_is_free_again_after_a_while(standin: StandIn, tmp_path: Path) -> None:
    standin.fail("reset")
    claude = engine(standin, tmp_path)
    with pytest.raises(ServerUnavailable):
        claude.submit(PAGES)
    claude.batches.collect()
    assert len(claude.batches.open()) == 1, "it may still be on its way"
    later = engine(standin, tmp_path, clock=lambda: system_clock() + timedelta(minutes=16))
    later.batches.collect()
    assert later.batches.open() == []
    assert later.decisions.ledger.totals().counted == 0
    assert later.submit(PAGES) == 12


def test_the_batch_of_somebody_else_with_as_many_requests_is_not_taken_for_ours(
    standin: StandIn, tmp_path: Path
) -> None:
    other = engine(standin, tmp_path / "other")
    other.submit([service(number + 100) for number in range(12)])
    standin.fail("reset")
    claude = engine(standin, tmp_path / "ours", unsure_minutes=0)
    with pytest.raises(ServerUnavailable):
        claude.submit(PAGES)
    claude.batches.collect()
    assert len(claude.batches.open()) == 1, "the other one has not ended, so it may be ours"
    claude.batches.collect()
    assert claude.batches.open() == []
    assert len(code_pages(PAGES, claude)) == 12


def test_the_key_is_not_sent_to_another_host(standin: StandIn, tmp_path: Path) -> None:
    claude = engine(standin, tmp_path)
    claude.submit(PAGES)
    standin.fail("foreign_results", times=9)
    claude.batches.collect()
    with pytest.raises(ServerUnavailable, match=r"elsewhere\.test.*not sent"):
        claude.batches.collect()


def test_a_server_without_batches_is_asked_one_by_one(standin: StandIn, tmp_path: Path) -> None:
    standin.offers_batches = False
    claude = engine(standin, tmp_path, least=10)
    assert len(code_pages(PAGES, claude)) == 12
    assert not claude.batches.offered
    assert claude.account()["batches"] == "not offered by the server"
    totals = claude.decisions.ledger.totals()
    assert (totals.settled, totals.open) == (bill(standin.charges), 0)


def test_a_batch_that_does_not_fit_under_the_cap_is_not_sent(standin: StandIn, tmp_path: Path) -> None:
    with pytest.raises(BudgetReached):
        engine(standin, tmp_path, cap="0.001").submit(PAGES)
    claude = engine(standin, tmp_path, cap="0.009", most=4, run="next")
    assert claude.submit(PAGES) in (4, 8), "what fits is sent, the rest is left for the next time"
    assert claude.decisions.ledger.totals().counted <= 0.009  # type: ignore[operator]
