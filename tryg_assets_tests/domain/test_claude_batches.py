"""Batches: sent once, stored in any order, found again after a lost reply; what failed goes back to the queue."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tryg_assets.clock import system_clock
from tryg_assets.contracts import contract
from tryg_assets.domain.coding.claude.engine import Claude
from tryg_assets.domain.coding.interface import Page
from tryg_assets.domain.coding.pages import code_pages
from tryg_assets.errors import AnswersPending, BudgetReached, ConfigurationError, ServerUnavailable
from tryg_assets_tests import standin as rules
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


def test_results_are_fetched_where_was_asked_whatever_host_the_server_names(
    standin: StandIn, tmp_path: Path
) -> None:
    """The key goes with the request; behind a gateway the server names a host that we could not reach."""
    claude = engine(standin, tmp_path)
    claude.submit(PAGES)
    standin.fail("foreign_results", times=9)
    claude.batches.collect()
    assert claude.batches.collect() == ["aarhus"]
    assert claude.batches.troubles == {}


@pytest.mark.parametrize("status", [408, 500, 502, 504, 524, 529])
def test_a_create_that_a_gateway_gave_up_on_is_looked_for_and_not_sent_twice(
    standin: StandIn, tmp_path: Path, status: int
) -> None:
    standin.fail("gateway", status=status)
    claude = engine(standin, tmp_path)
    with pytest.raises(ServerUnavailable, match=str(status)):
        claude.submit(PAGES)
    assert claude.submit(PAGES) == 0, "its questions are taken"
    to_the_end(claude, PAGES)
    assert len({charge.key for charge in standin.charges}) == standin.calls()
    totals = claude.decisions.ledger.totals()
    assert (totals.settled, totals.open) == (bill(standin.charges), 0)


@pytest.mark.parametrize("fault", ["bad_request", "rate_limit", "no_credit"])
def test_a_create_that_the_server_refused_leaves_its_questions_free(
    standin: StandIn, tmp_path: Path, fault: str
) -> None:
    standin.fail(fault)
    claude = engine(standin, tmp_path)
    with pytest.raises(ServerUnavailable):
        claude.submit(PAGES)
    assert claude.decisions.ledger.totals().counted == 0
    assert claude.submit(PAGES) == 12


def test_results_that_lack_some_requests_leave_the_batch_open_until_they_are_there(
    standin: StandIn, tmp_path: Path
) -> None:
    claude = engine(standin, tmp_path)
    claude.submit(PAGES)
    standin.fail("short_results")
    claude.batches.collect()
    assert claude.batches.collect() == []
    assert "lack 6 of 12 requests" in next(iter(claude.batches.troubles.values()))
    assert claude.submit(PAGES) == 0, "those that are lacking are not sent again"
    claude.batches.collect()
    assert claude.batches.troubles == {}
    to_the_end(claude, PAGES)
    assert len({charge.key for charge in standin.charges}) == standin.calls()
    assert claude.decisions.ledger.totals().settled == bill(standin.charges)


@pytest.mark.parametrize("odd", ["\u2028", "\u0085", "\v", "\f", "\x1c", "\x1e", "\ud83d", '"\\'])
def test_whatever_sign_stands_in_an_answer_it_is_stored(
    standin: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, odd: str
) -> None:
    told = rules._decide
    monkeypatch.setattr(rules, "_decide", lambda text: told(text) | {"quote": f"Du kan{odd} trygt"})
    claude = engine(standin, tmp_path)
    to_the_end(claude, PAGES[6:])
    rows = code_pages(PAGES[6:], claude)
    assert {row["quote"] for row in rows} == {f"Du kan{odd} trygt".replace("\ud83d", "\ufffd")}
    contract("page_codings").frame(rows)
    assert claude.decisions.ledger.totals().open == 0


def test_a_batch_that_cannot_be_fetched_keeps_no_other_from_being_stored(
    standin: StandIn, tmp_path: Path
) -> None:
    claude = engine(standin, tmp_path)
    claude.submit(PAGES[6:])
    gone = standin.batches.popitem()[0]
    claude.submit([strategy(9, "odense")])
    claude.batches.collect()
    assert claude.batches.collect() == ["odense"]
    assert "no longer has it" in claude.batches.troubles[gone]
    code_pages([strategy(9, "odense")], claude)
    with pytest.raises(AnswersPending, match=rf"{gone}.*no longer has it"):
        code_pages(PAGES[6:], claude)


def test_a_batch_can_be_dropped_and_its_money_waits_for_a_decision(standin: StandIn, tmp_path: Path) -> None:
    claude = engine(standin, tmp_path)
    claude.submit(PAGES[6:])
    gone = standin.batches.popitem()[0]
    reserved = claude.decisions.ledger.totals().open
    with pytest.raises(ConfigurationError, match="called another"):
        claude.batches.drop("another")
    assert claude.batches.drop(gone) == 6
    assert claude.batches.open() == []
    assert claude.decisions.ledger.totals().open == reserved
    assert len(code_pages(PAGES[6:], claude)) == 6


def test_pages_that_wait_for_no_batch_do_not_ask_the_server_for_any(tmp_path: Path) -> None:
    with stand_in() as standin:
        claude = engine(standin, tmp_path)
        rows = code_pages([strategy(7)], claude)
        claude.submit(PAGES)
    down = engine(standin, tmp_path, retries=0)
    assert code_pages([strategy(7)], down) == rows
    with pytest.raises(ServerUnavailable):
        code_pages(PAGES, down)


def test_what_a_person_decided_about_a_waiting_request_gives_way_to_its_answer(
    standin: StandIn, tmp_path: Path
) -> None:
    claude = engine(standin, tmp_path)
    claude.submit(PAGES[6:])
    ledger = claude.decisions.ledger
    charged, released, *_ = (one.id for one in ledger.open_reservations())
    ledger.settle_at_worst(charged)
    ledger.release(released)
    to_the_end(claude, PAGES[6:])
    assert (ledger.totals().settled, ledger.totals().open) == (bill(standin.charges), 0)


def test_a_question_that_fails_in_batches_is_left_to_single_calls(standin: StandIn, tmp_path: Path) -> None:
    standin.fail("errored", times=10**6)
    claude = engine(standin, tmp_path, tries=2)
    sent = []
    while number := claude.submit(PAGES[6:]):
        sent.append(number)
        claude.batches.collect()
        claude.batches.collect()
    assert sent == [6, 6]
    assert claude.batches.failed == {"api_error: stand-in: errored": 6}
    assert len(code_pages(PAGES[6:], engine(standin, tmp_path, least=2, tries=2))) == 6
    assert claude.decisions.ledger.totals().open == 0


def test_two_processes_that_fetch_one_batch_free_its_questions_once(standin: StandIn, tmp_path: Path) -> None:
    standin.fail("errored", times=6)
    slow, quick = engine(standin, tmp_path), engine(standin, tmp_path)
    slow.submit(PAGES[6:])
    slow.batches.collect()
    fetch = slow.batches._results

    def overtaken(*wanted: Any) -> Iterator[Any]:
        found = list(fetch(*wanted))
        quick.batches.collect()
        assert quick.submit(PAGES[6:]) == 6
        yield from found

    slow.batches._results = overtaken  # type: ignore[assignment,method-assign]
    slow.batches.collect()
    assert slow.submit(PAGES[6:]) == 0, "they are in the batch of the other"
    to_the_end(quick, PAGES[6:])
    assert standin.calls() == 6
    assert quick.decisions.ledger.totals().settled == bill(standin.charges)


@pytest.mark.parametrize("odd", ["\ud83d", "\0", ["list"]])
def test_whatever_a_server_says_of_an_error_can_be_stored(
    standin: StandIn, tmp_path: Path, odd: object
) -> None:
    claude = engine(standin, tmp_path)
    claude.submit(PAGES[6:])
    (there,) = standin.batches.values()
    error = {"type": "error", "error": {"type": odd, "message": odd}}
    there.results = [
        {"custom_id": one["custom_id"], "result": {"type": "errored", "error": error}}
        for one in there.requests
    ]
    assert claude.batches.collect() == ["aarhus"]
    assert claude.batches.failed.total() == 6


def test_what_a_server_echoes_of_a_page_is_masked(standin: StandIn, tmp_path: Path) -> None:
    claude = engine(standin, tmp_path)
    claude.submit(PAGES[6:])
    (there,) = standin.batches.values()
    error = {"type": "error", "error": {"type": "api_error", "message": "prompt was: 010203-1234 mette@x.dk"}}
    there.results = [
        {"custom_id": one["custom_id"], "result": {"type": "errored", "error": error}}
        for one in there.requests
    ]
    claude.batches.collect()
    (said,) = claude.batches.failed
    assert "prompt was" in said
    assert "1234" not in said
    assert "mette" not in said


def test_a_request_that_the_server_calls_wrong_is_not_put_into_a_batch_again(
    standin: StandIn, tmp_path: Path
) -> None:
    standin.fail("invalid", about="Åbningstider 2")
    standin.fail("bad_request", about="Åbningstider 2")
    claude = engine(standin, tmp_path)
    to_the_end(claude, PAGES[6:])
    assert len(standin.batches) == 1
    rows = {row["page_id"]: row["problem"] for row in code_pages(PAGES[6:], claude)}
    assert rows.pop("n2") == "rejected"
    assert set(rows.values()) == {None}


def test_an_answer_in_a_batch_that_is_none_of_the_interface_counts_as_failed(
    standin: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(StandIn, "answer", lambda *_, **__: {"detail": "busy"})
        claude = engine(standin, tmp_path)
        claude.submit(PAGES[6:])
        claude.batches.collect()
        claude.batches.collect()
    assert claude.batches.failed.total() == 6
    to_the_end(claude, PAGES[6:])
    assert {row["problem"] for row in code_pages(PAGES[6:], claude)} == {None}


def test_municipalities_that_share_a_text_both_hear_of_its_answer(standin: StandIn, tmp_path: Path) -> None:
    claude = engine(standin, tmp_path)
    claude.submit([strategy(1, "aarhus"), strategy(1, "odense")])
    later = engine(standin, tmp_path)
    assert later.submit([strategy(1, "aalborg")]) == 0, "it waits for the same answer"
    with pytest.raises(AnswersPending):
        code_pages([strategy(1, "vejle")], later)
    assert later.batches.collect() == ["aalborg", "aarhus", "odense", "vejle"]


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
    sent = claude.submit(PAGES)
    assert sent in (4, 8), "what fits is sent, the rest is left for the next time"
    assert claude.batches.left.startswith(
        f"{12 - sent} questions were left for the next time. The cap of this run"
    )
    assert claude.decisions.ledger.totals().counted <= 0.009  # type: ignore[operator]
