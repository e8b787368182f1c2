"""Runs of the engine ``claude`` as processes of their own, to be killed. Importing this makes ready what all of them need."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import anthropic  # noqa: F401 - half a second that a child then need not spend

from tryg_assets.clock import system_clock
from tryg_assets.domain.coding.claude.tasks import tasks
from tryg_assets.domain.coding.pages import code_pages
from tryg_assets_tests.claude_setup import engine, service, strategy
from tryg_assets_tests.standin import StandIn

PAGES = [strategy(number) for number in range(5)] + [service(number) for number in range(3)]
QUESTIONS = 5 * 2 + 3
CONCURRENCY = 3


def live_run(address: int, home: Path, late: int) -> None:
    """Code all pages; ``late`` seconds after the run before, whose claims have then expired."""

    def clock() -> datetime:
        return system_clock() + timedelta(seconds=late)

    claude = engine(StandIn(port=address), home, clock=clock, run=f"run {late}", concurrency=CONCURRENCY)
    code_pages(PAGES, claude)


def batch_run(address: int, home: Path, late: int) -> None:
    """Ask and fetch in batches until all pages are coded; without a reply it is looked for at once."""
    claude = engine(StandIn(port=address), home, run=f"run {late}", most=4, unsure_minutes=0)
    while True:
        claude.batches.collect()
        if not claude.submit(PAGES) and not claude.batches.open():
            return


tasks()
