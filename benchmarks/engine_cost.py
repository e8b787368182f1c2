"""What the engine claude itself costs around its calls: against a stand-in with instant answers, in a process of its own.

Codings per second of our own processor time and of the clock, single and in batches, memory over many pages, and calls of a
second run. The stand-in is no model; its answers mean nothing here.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.memory import peak
from tryg_assets.domain.coding.claude.engine import Claude
from tryg_assets.domain.coding.interface import Page
from tryg_assets.domain.coding.pages import coding_row
from tryg_assets_tests.claude_setup import engine
from tryg_assets_tests.standin import StandIn, stand_in

_LIVE, _BATCHED, _MANY, _PORTION = 1000, 5000, 20_000, 200
_SENTENCES = (
    "Borgerservice har åbent mandag til fredag fra 9 til 14, og du kan bestille tid på forhånd.",
    "Du kan trygt kontakte os på rådhuset, hvis du har spørgsmål til din sag.",
    "Vi vejleder om pas, kørekort, flytning og sundhedskort og hjælper med selvbetjening.",
)


def report() -> None:
    print("\n== the engine claude around its calls (stand-in with instant answers; no model) ==")
    _in_a_process(_measure_live)
    _in_a_process(_measure_batches)
    _in_a_process(_measure_memory)


def pages(count: int, start: int = 0) -> Iterator[Page]:
    """Yield pages of 41 sentences, each with a text of its own."""
    for number in range(start, start + count):
        text = "\n".join([f"Dette er side nummer {number}.", *(_SENTENCES[at % 3] for at in range(40))])
        yield Page.of(f"p{number}", "aarhus", f"https://aarhus.dk/{number}", f"Side {number}", text)


def _in_a_process(measure: Callable[[int, Path], None]) -> None:
    """Measure in a process of its own, so that neither the stand-in nor an earlier measurement is counted."""
    with stand_in(keep=False) as standin, tempfile.TemporaryDirectory() as folder:
        process = multiprocessing.get_context("spawn").Process(
            target=measure, args=(standin.port, Path(folder))
        )
        process.start()
        process.join()
        if process.exitcode:
            raise RuntimeError(f"{measure.__name__} ended with {process.exitcode}")


def _open(port: int, home: Path, **changed: Any) -> Claude:
    claude = engine(StandIn(port=port), home, cap=10_000, concurrency=8, **changed)
    claude.prepare([Page.of("first", "aarhus", "", "Den første", "Opvarmning.")])  # imports, connections
    return claude


def _measure_live(port: int, home: Path) -> None:
    claude, todo = _open(port, home), list(pages(_LIVE))
    # In portions below the threshold of batches, as municipalities are.
    own, clock = _timed(lambda: [_code(claude, todo[at : at + _PORTION]) for at in range(0, _LIVE, _PORTION)])
    print(
        f"single calls     {_LIVE / own:>7.0f} codings a second and core  ({_LIVE / clock:.0f} by the clock, n = {_LIVE})"
    )
    before = claude.live.tally.calls
    own, clock = _timed(lambda: [_code(claude, todo[at : at + _PORTION]) for at in range(0, _LIVE, _PORTION)])
    print(
        f"second run       {_LIVE / own:>7.0f} codings a second and core, {claude.live.tally.calls - before} calls"
    )
    todo[7] = next(pages(1, start=_LIVE))
    _code(claude, todo[:_PORTION])
    print(f"one page changed {claude.live.tally.calls - before:>7} calls, of {_LIVE} pages")


def _measure_batches(port: int, home: Path) -> None:
    claude, todo = _open(port, home), list(pages(_BATCHED))

    def send() -> None:
        claude.submit(todo)

    def fetch() -> None:
        while claude.batches.open():
            claude.batches.collect()

    sending, _ = _timed(send)
    fetching, _ = _timed(fetch)
    own = sending + fetching
    print(
        f"in batches       {_BATCHED / own:>7.0f} codings a second and core  "
        f"(sending {_BATCHED / sending:.0f}, fetching and storing {_BATCHED / fetching:.0f}, n = {_BATCHED})"
    )


def _measure_memory(port: int, home: Path) -> None:
    claude = _open(port, home)
    seen = []
    for start in range(0, _MANY, _PORTION):
        _code(claude, list(pages(_PORTION, start)))
        seen.append(peak())
    quarter = len(seen) // 4
    print(
        f"memory           {seen[quarter]:>7.0f} MB at most after {_MANY // 4:,} pages, {seen[-1]:.0f} MB after {_MANY:,} "
        f"({seen[-1] / seen[quarter]:.2f} times)"
    )


def _code(claude: Claude, some: list[Page]) -> None:
    claude.prepare(some)
    for page in some:
        coding_row(page, claude)


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    own, clock = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - own, time.perf_counter() - clock


if __name__ == "__main__":
    report()
