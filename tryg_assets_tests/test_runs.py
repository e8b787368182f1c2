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
from tryg_assets.errors import ConfigurationError

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
