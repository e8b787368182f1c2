"""Runs of the engine ``claude`` killed with -9 at any moment: no answer is lost, and what was paid for is known."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tryg_assets.state import batch, decision, open_state
from tryg_assets_tests.claude_children import CONCURRENCY, QUESTIONS, batch_run, live_run
from tryg_assets_tests.claude_setup import bill, engine
from tryg_assets_tests.standin import StandIn, stand_in

pytestmark = pytest.mark.slow

SPAWN = multiprocessing.get_context("forkserver")
# Children start in milliseconds, forked from a process that has everything imported and no threads.
SPAWN.set_forkserver_preload(
    ["tryg_assets_tests.claude_setup", "tryg_assets.domain.coding.pages", "anthropic"]
)


def killed(
    run: Callable[[int, Path, int], None], standin: StandIn, home: Path, dice: random.Random, kills: int
) -> int:
    """Start ``run`` and kill it, ``kills`` times, then let it finish; returns how often it was killed before its end."""
    hit = 0
    for number in range(kills + 1):
        process = SPAWN.Process(target=run, args=(standin.port, home, number * 300))
        process.start()
        if number < kills:
            # At a number of answers that is still to come, or at any time before the first.
            wanted, deadline = standin.calls() + dice.randint(0, 3), time.monotonic() + 20
            while standin.calls() < wanted and process.is_alive() and time.monotonic() < deadline:
                time.sleep(0.001)
            time.sleep(dice.uniform(0, 0.06))
            hit += process.is_alive()
            process.kill()
        process.join()
        # What was on its way arrives at the server all the same.
        time.sleep(0.05)
    assert process.exitcode == 0
    return hit


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with stand_in(delay=0.005) as running:
        yield running


@pytest.mark.parametrize("seed", range(6))
def test_a_live_run_killed_five_times_loses_no_answer_and_accounts_for_every_charge(
    standin: StandIn, tmp_path: Path, seed: int
) -> None:
    kills = killed(live_run, standin, tmp_path, random.Random(seed), 5)
    assert kills > 0
    state = open_state(f"sqlite:///{tmp_path / 'state.db'}")
    with state.connect() as connection:
        rows = connection.execute(sa.select(decision)).all()
    assert len(rows) == QUESTIONS
    assert {row.status for row in rows} == {"answered"}, "every answer is there"
    ledger = engine(standin, tmp_path).decisions.ledger
    totals, charged = ledger.totals(), bill(standin.charges)
    # What was under way when a process died was charged by the server, and nobody has the answer. It was asked again; the money
    # for it is still reserved. Nothing else was paid for twice.
    lost = len(standin.charges) - QUESTIONS
    assert 0 <= lost <= kills * CONCURRENCY
    assert lost <= len(ledger.open_reservations()) <= kills * CONCURRENCY
    assert totals.settled <= charged <= totals.settled + totals.open
    if lost == 0:
        assert totals.settled == charged


@pytest.mark.parametrize("seed", range(6))
def test_a_batch_run_killed_five_times_pays_each_question_once(
    standin: StandIn, tmp_path: Path, seed: int
) -> None:
    assert killed(batch_run, standin, tmp_path, random.Random(100 + seed), 5) > 0
    state = open_state(f"sqlite:///{tmp_path / 'state.db'}")
    with state.connect() as connection:
        rows = connection.execute(sa.select(decision)).all()
        batches = connection.execute(sa.select(batch)).all()
    assert {row.status for row in rows} == {"answered"}
    assert {row.status for row in batches} <= {"stored", "lost"}
    assert set(Counter(charge.key for charge in standin.charges).values()) == {1}
    assert {charge.key for charge in standin.charges} == {row.key for row in rows}
    totals = engine(standin, tmp_path).decisions.ledger.totals()
    assert (totals.settled, totals.open) == (bill(standin.charges), 0)
