"""The ledger never lets a cap be passed, forgets nothing open, and counts nothing twice."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from tryg_assets.clock import fixed_clock
from tryg_assets.contracts import contract
from tryg_assets.domain.coding.claude.ledger import Ledger, Planned, Totals
from tryg_assets.domain.coding.claude.prices import Prices, Usage
from tryg_assets.errors import BudgetReached, TrygError, UnknownPrice
from tryg_assets.state import open_state

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HAIKU = "claude-haiku-5-5"
CENT = Usage(output_tokens=20_000)  # 1 cent at Haiku 5.5's price


@pytest.fixture
def engine(state_url: str) -> Iterator[sa.Engine]:
    engine = open_state(state_url)
    yield engine
    engine.dispose()


def ledger(
    engine: sa.Engine,
    *,
    run: str = "run-1",
    run_cap: str | None = "0.10",
    month_cap: str | None = None,
    moment: datetime = NOON,
) -> Ledger:
    return Ledger(
        engine,
        fixed_clock(moment),
        run_cap=Decimal(run_cap) if run_cap is not None else None,
        month_cap=Decimal(month_cap) if month_cap is not None else None,
        run_id=run,
    )


def reserve(book: Ledger, usage: Usage = CENT, *, batch: bool = False) -> str:
    return book.reserve(HAIKU, usage, batch=batch, task="decision", municipality="aarhus")


def test_money_is_reserved_at_its_worst_case_and_settled_at_what_it_was(engine: sa.Engine) -> None:
    book = ledger(engine)
    reservation = reserve(book)
    assert book.totals(run_id="run-1") == Totals(Decimal(0), Decimal("0.01"))
    assert book.settle(reservation, Usage(input_tokens=10_000), "answer-1") == Decimal("0.001")
    assert book.totals(run_id="run-1") == Totals(Decimal("0.001"), Decimal(0))


def test_the_request_that_would_pass_the_cap_is_refused_and_the_one_that_just_reaches_it_is_not(
    engine: sa.Engine,
) -> None:
    book = ledger(engine)
    for _ in range(10):
        reserve(book)
    with pytest.raises(BudgetReached, match=r"cap of this run \(run-1\) is 0.10 USD.*TRYG_BUDGET_RUN_USD"):
        reserve(book, Usage(output_tokens=1))
    assert book.totals().counted == Decimal("0.10")


def test_what_is_settled_below_its_worst_case_makes_room(engine: sa.Engine) -> None:
    book = ledger(engine)
    reservations = [reserve(book) for _ in range(10)]
    book.settle(reservations[0], Usage(output_tokens=100), "a")
    book.release(reservations[1])
    reserve(book)
    with pytest.raises(BudgetReached):
        reserve(book)


def test_the_cap_of_the_month_counts_all_runs_of_that_month_only(engine: sa.Engine) -> None:
    october = ledger(
        engine, run="run-0", run_cap=None, month_cap="0.02", moment=datetime(2026, 10, 31, 23, 59, tzinfo=UTC)
    )
    reserve(october)
    reserve(october)
    first = ledger(engine, run="run-1", run_cap=None, month_cap="0.02")
    second = ledger(engine, run="run-2", run_cap=None, month_cap="0.02")
    reserve(first)
    reserve(second)
    with pytest.raises(BudgetReached, match=r"cap of this month \(2026-11\)"):
        reserve(second)


def test_an_answer_after_the_turn_of_the_month_belongs_to_the_month_it_was_asked_in(
    engine: sa.Engine,
) -> None:
    late = ledger(engine, moment=datetime(2026, 10, 31, 23, 59, tzinfo=UTC))
    reservation = reserve(late)
    ledger(engine).settle(reservation, CENT, "a")
    assert ledger(engine).totals(month="2026-10").settled == Decimal("0.01")
    assert ledger(engine).totals(month="2026-11").counted == 0


def test_many_requests_are_reserved_all_or_none(engine: sa.Engine) -> None:
    book = ledger(engine)
    planned = [Planned(HAIKU, CENT, True, "decision", "aarhus")] * 20  # half price each
    assert len(set(book.reserve_all(planned))) == 20
    with pytest.raises(BudgetReached):
        book.reserve_all(planned[:2])
    assert len(book.open_reservations()) == 20
    assert book.reserve_all([]) == []


def test_settling_twice_counts_once(engine: sa.Engine) -> None:
    book = ledger(engine)
    reservation = reserve(book)
    assert book.settle(reservation, CENT, "a") == book.settle(reservation, Usage(5), "a") == Decimal("0.01")
    with pytest.raises(TrygError, match="was settled for a, not b"):
        book.settle(reservation, CENT, "b")
    book.release(reservation)
    assert book.totals().settled == Decimal("0.01")


def test_a_request_released_by_mistake_can_still_be_settled(engine: sa.Engine) -> None:
    book = ledger(engine)
    reservation = reserve(book)
    book.release(reservation)
    book.release(reservation)
    assert book.totals().counted == 0
    book.settle(reservation, CENT, "a")
    assert book.totals().settled == Decimal("0.01")


def test_an_answer_never_to_be_known_is_counted_as_charged_in_full(engine: sa.Engine) -> None:
    book = ledger(engine)
    reservation = reserve(book, batch=True)
    assert book.settle_at_worst(reservation) == Decimal("0.005")
    assert book.open_reservations() == []
    book.release(reservation)
    assert book.settle_at_worst(reservation) == book.totals().settled == Decimal("0.005")


def test_a_request_released_by_a_person_can_still_be_charged_in_full(engine: sa.Engine) -> None:
    book = ledger(engine)
    reservation = reserve(book)
    book.release(reservation)
    assert book.settle_at_worst(reservation) == book.totals().settled == Decimal("0.01")


@pytest.mark.parametrize("decide", [Ledger.settle_at_worst, Ledger.release])
def test_an_answer_that_comes_after_a_person_decided_says_what_it_cost(
    engine: sa.Engine, decide: Callable[[Ledger, str], object]
) -> None:
    book = ledger(engine)
    reservation = reserve(book)
    decide(book, reservation)
    assert book.settle(reservation, Usage(output_tokens=2_000), "a") == Decimal("0.001")
    assert book.totals() == Totals(Decimal("0.001"), Decimal(0))
    assert book.settle_at_worst(reservation) == Decimal("0.001"), "it is known now"


def test_open_requests_of_a_dead_run_are_shown_and_count_until_someone_decides(engine: sa.Engine) -> None:
    reserve(ledger(engine, run="dead", month_cap="0.015"))
    later = ledger(engine, run="next", month_cap="0.015")
    (found,) = later.open_reservations()
    assert (found.run_id, found.municipality, found.task, found.model) == (
        "dead",
        "aarhus",
        "decision",
        HAIKU,
    )
    assert (found.usd, found.reserved_at, found.batch) == (
        Decimal("0.01"),
        "2026-11-21T12:00:00+00:00",
        False,
    )
    with pytest.raises(BudgetReached):
        reserve(later)
    later.release(found.id)
    reserve(later)


def test_a_model_without_a_price_reserves_nothing(engine: sa.Engine) -> None:
    with pytest.raises(UnknownPrice):
        ledger(engine).reserve("claude-next", CENT, batch=False, task="t", municipality="m")
    assert ledger(engine).totals().counted == 0


@pytest.mark.parametrize(
    "act",
    [
        lambda book: book.settle("none", CENT, "a"),
        lambda book: book.release("none"),
        lambda book: book.settle_at_worst("none"),
    ],
)
def test_an_unknown_reservation_is_named(engine: sa.Engine, act: object) -> None:
    with pytest.raises(TrygError, match="no reservation none"):
        act(ledger(engine))  # type: ignore[operator]


def test_a_price_too_fine_for_the_ledger_is_rounded_up_never_lost(engine: sa.Engine) -> None:
    prices = Prices.load()
    assert prices.cost(HAIKU, Usage(cache_read_tokens=1), batch=True) == Decimal("5e-9")
    book = ledger(engine)
    reservation = reserve(book, Usage(cache_read_tokens=1), batch=True)
    assert book.settle(reservation, Usage(cache_read_tokens=1), "a") == Decimal("5e-9")


def test_the_table_of_spend_is_by_municipality_model_task_and_month(engine: sa.Engine) -> None:
    book = ledger(engine)
    one = book.reserve(HAIKU, CENT, batch=False, task="decide", municipality="aarhus")
    two = book.reserve(HAIKU, CENT, batch=True, task="decide", municipality="aarhus")
    book.reserve(HAIKU, CENT, batch=False, task="describe", municipality="aarhus")
    released = book.reserve(HAIKU, CENT, batch=False, task="decide", municipality="odense")
    book.settle(one, Usage(100, 20, 30, 4, 5), "a")
    book.settle(two, Usage(10), "b")
    book.release(released)
    table = contract("spend").frame(book.rows())
    decide, describe = table.to_dicts()
    assert (decide["requests"], decide["batched"], decide["open_requests"]) == (2, 1, 0)
    assert [decide[f"{kind}_tokens"] for kind in ("input", "output", "cache_read", "cache_write")] == [
        110,
        20,
        30,
        9,
    ]
    assert decide["cost_usd"] == pytest.approx(float(book.totals().settled))
    assert (describe["requests"], describe["open_requests"], describe["open_usd"]) == (0, 1, 0.01)
    assert (describe["month"], describe["model"]) == ("2026-11", HAIKU)
    assert book.latest_run() == "run-1"


def test_an_empty_ledger_is_an_empty_table(engine: sa.Engine) -> None:
    assert contract("spend").frame(ledger(engine).rows()).is_empty()
    assert ledger(engine).latest_run() is None


AMOUNTS = st.integers(0, 60_000)
ACTIONS = st.lists(
    st.tuples(st.sampled_from(["settle", "release", "leave"]), AMOUNTS, st.floats(0, 1)), max_size=20
)


@given(ACTIONS, st.integers(0, 20))
def test_whatever_is_settled_and_released_in_between_the_cap_is_never_passed(
    actions: list[tuple[str, int, float]], cap: int
) -> None:
    engine = open_state("sqlite://")
    book = ledger(engine, run_cap=str(Decimal(cap) / 100))
    expected = Decimal(0)
    for number, (action, tokens, used) in enumerate(actions):
        try:
            reservation = reserve(book, Usage(output_tokens=tokens))
        except BudgetReached:
            assert expected + book.prices.cost(HAIKU, Usage(output_tokens=tokens), batch=False) > book.run_cap
            continue
        really = Usage(output_tokens=int(tokens * used))
        if action == "settle":
            expected += book.settle(reservation, really, str(number))
        elif action == "release":
            book.release(reservation)
        else:
            expected += book.prices.cost(HAIKU, Usage(output_tokens=tokens), batch=False)
        assert book.totals().counted == expected <= book.run_cap
    engine.dispose()


def _spend_until_refused(url: str, run: str) -> None:
    engine = open_state(url)
    book = ledger(engine, run=run, run_cap=None, month_cap="0.50")
    for number in range(100):
        try:
            reservation = reserve(book)
        except BudgetReached:
            break
        if number % 2:
            book.settle(reservation, CENT, f"{run}-{number}")
    engine.dispose()


def test_threads_together_stop_at_the_cap(state_url: str) -> None:
    threads = [threading.Thread(target=_spend_until_refused, args=(state_url, f"run-{n}")) for n in range(4)]
    open_state(state_url).dispose()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    engine = open_state(state_url)
    assert ledger(engine).totals().counted == Decimal("0.50")
    engine.dispose()


def test_processes_together_stop_at_the_cap(state_url: str) -> None:
    open_state(state_url).dispose()
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=_spend_until_refused, args=(state_url, f"run-{n}")) for n in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    engine = open_state(state_url)
    assert ledger(engine).totals().counted == Decimal("0.50")
    engine.dispose()
