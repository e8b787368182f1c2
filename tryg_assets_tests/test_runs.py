"""What becomes of the processes that run municipalities."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest

from tryg_assets import runs
from tryg_assets.errors import ConfigurationError, ServerUnavailable
from tryg_assets.stamps import Stamps

_RUN = """
import multiprocessing, os, time
from concurrent.futures import ProcessPoolExecutor
from tryg_assets import runs

if __name__ == "__main__":
    pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), runs._start, ({},))
    print(pool.submit(os.getpid).result(), flush=True)
    pool.submit(time.sleep, 60).result()
"""


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_run_leaves_no_worker_that_crawls_on(blow: signal.Signals, tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(_RUN, encoding="utf-8")
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
        assert run.stdout is not None
        worker = int(run.stdout.readline())
        run.send_signal(blow)
        # The worker has inherited the pipe: it is at its end when nobody is left to write to it.
        ended, _, _ = select.select([run.stdout], [], [], 10)
        if not ended:
            os.kill(worker, signal.SIGKILL)
    assert ended


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConfigurationError, "It needs a key: set it."),
        (ValueError, "builtins.ValueError: It needs a key: set it."),
    ],
)
def test_an_error_meant_for_a_person_is_told_without_its_class(error: type, said: str) -> None:
    message = f"{error.__module__}.{error.__name__}: It needs a key: set it.\n"
    assert runs._message(SimpleNamespace(message=message)) == said


def chain(*errors: tuple[str, str]) -> SimpleNamespace | None:
    """Return an error as Dagster keeps it: the first is the outermost, each has the next as its cause."""
    found = None
    for name, said in reversed(errors):
        found = SimpleNamespace(message=f"{name}: {said}\n", cls_name=name.rpartition(".")[2], cause=found)
    return found


STEP = ("dagster.DagsterExecutionStepExecutionError", "Error occurred while executing op")


@pytest.mark.parametrize(
    ("causes", "said"),
    [
        (
            [
                ("tryg_assets.errors.ConfigurationError", "401. Check ANTHROPIC_API_KEY."),
                ("anthropic.AuthenticationError", "Error code: 401 - {...}"),
            ],
            "401. Check ANTHROPIC_API_KEY.",
        ),
        (
            [
                ("tryg_assets.errors.ServerUnavailable", "http://x cannot be reached."),
                ("anthropic.APIConnectionError", "Connection error."),
                ("httpcore.ConnectError", "[Errno 111]"),
            ],
            "http://x cannot be reached.",
        ),
        (
            [
                ("tryg_assets.errors.StateNotWritten", "The disk is full."),
                ("sqlite3.OperationalError", "database or disk is full"),
            ],
            "The disk is full.",
        ),
        ([("polars.ComputeError", "bad"), ("builtins.ValueError", "worse")], "builtins.ValueError: worse"),
    ],
)
def test_of_a_chain_of_errors_the_one_meant_for_a_person_is_told(
    causes: list[tuple[str, str]], said: str
) -> None:
    assert runs._message(runs._told(chain(STEP, *causes))) == said


@pytest.mark.parametrize(
    ("kind", "work", "noted"),
    [
        (ServerUnavailable, "all", "Sprogmodellens server"),
        (ConfigurationError, "all", "Sprogmodellens server"),
        (ConfigurationError, "crawl only", "said"),
        (ValueError, "all", "said"),
    ],
)
def test_of_a_failed_server_the_report_only_says_that_it_failed(
    kind: type, work: str, noted: str, tmp_path: Path
) -> None:
    stamps = Stamps(tmp_path, "claude", "m")
    outcome = runs.Outcome("aarhus", False, work, "said 86 12 34 56", frozenset({kind.__name__}))
    assert runs._noted(stamps, outcome).message == "said 86 12 34 56", "the terminal is told all"
    assert stamps.failures(["aarhus"])["aarhus"].startswith(noted)


@pytest.mark.parametrize(
    ("counts", "had"), [([{}, {"rejected": 0}], False), ([{"rejected": 0}, {"rejected": 2}], True)]
)
def test_a_run_whose_server_rejected_a_question_of_any_step_is_not_done_with_it(
    counts: list[dict[str, int]], had: bool
) -> None:
    events = [
        SimpleNamespace(materialization=dg.AssetMaterialization("page_codings", metadata=told))
        for told in counts
    ]
    assert runs._had_rejections(SimpleNamespace(get_asset_materialization_events=lambda: events)) == had
