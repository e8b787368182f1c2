"""Does the cost model say what is charged? The estimate beside the bill of the stand-in, and what cache and batch save."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks.cleaning import Crawled
from tryg_assets.domain.coding.claude.engine import Claude
from tryg_assets.domain.coding.claude.estimate import (
    Assumptions,
    Counted,
    Texts,
    Way,
    Work,
    count,
    estimate,
    work_left,
)
from tryg_assets.domain.coding.claude.prices import Prices, Spread
from tryg_assets.domain.coding.claude.tasks import tasks
from tryg_assets.domain.coding.interface import Page
from tryg_assets_tests.claude_setup import MODEL, bill, engine
from tryg_assets_tests.standin import StandIn, stand_in

_PAGES_OF_THE_REPORT = 13_598
_WORDS = 600


def report(crawled: Crawled) -> None:
    prices, assumed = Prices.load(), Assumptions.load()
    print("\n== money: the engine claude against the stand-in (its own tokens and answers; no model) ==")
    pages = [
        Page.of(row["page_id"], row["municipality"], url, row["title"], row["text"])
        for url, row in sorted(crawled.raw.items())
    ]
    ways: tuple[tuple[Way, Any], ...] = (("single, cached", _live), ("batch, cached", _batched))
    for way, run in ways:
        with stand_in() as standin, tempfile.TemporaryDirectory() as folder:
            coder = engine(standin, Path(folder), cap=1000)
            work, seen = _before(standin, coder, pages, assumed.counted_pages)
            run(coder, pages)
            charged, told = bill(standin.charges), coder.decisions.ledger.totals().settled
            facts = _as_they_came(coder.decisions.ledger.rows(), seen, assumed)
            said = estimate(MODEL, work, tasks(), prices, facts, seen).usd[way]["likely"]
            print(
                f"{way:<16} {standin.calls():>6} answers  charged {charged:.6f} USD  ledger {told:.6f}  "
                f"cost model {said:.6f}  ({100 * (said / charged - 1):+.2f} %)"
            )
    words = Work(
        Texts(_PAGES_OF_THE_REPORT, int(_PAGES_OF_THE_REPORT * _WORDS * assumed.characters_per_word))
    )
    for model in prices.models:
        found = estimate(model, words, tasks(), prices, assumed)
        single, best = (found.usd[way]["likely"] for way in ("single", "batch, cached"))
        print(
            f"{_PAGES_OF_THE_REPORT:,} pages, {model:<18} single {single:>8.2f} USD  batch and cache {best:>8.2f} USD  "
            f"{100 * found.saving():.1f} % less"
        )


def _before(standin: StandIn, coder: Claude, pages: list[Page], counted: int) -> tuple[Work, Counted]:
    """Return the work and the tokens that the stand-in counts of the tasks and of some pages, as `tryg estimate --count` does."""
    from anthropic import Anthropic

    work, questions = work_left(pages, coder.tasks, coder.model, coder.decisions.find)
    client = Anthropic(base_url=standin.url, api_key="none")
    return work, count(client, questions[:: max(1, len(questions) // counted)], coder.tasks)


def _live(coder: Claude, pages: list[Page]) -> None:
    coder.limits = coder.limits.model_copy(
        update={"batch": coder.limits.batch.model_copy(update={"least": 10**9})}
    )
    coder.prepare(pages)
    coder.prepare_actors([page for page in pages if coder.code(page).initiatives])


def _batched(coder: Claude, pages: list[Page]) -> None:
    while coder.submit(pages):
        while coder.batches.open():
            coder.batches.collect()


def _as_they_came(rows: list[dict[str, Any]], seen: Counted, assumed: Assumptions) -> Assumptions:
    """Return the assumptions with what depends on the answers as it came: their number and length, and the cache hits.

    What is left to the model is what it reckons from lengths, counted tokens, formula and prices.
    """
    total: dict[str, dict[str, Decimal]] = {}
    for row in rows:
        for name, value in row.items():
            if isinstance(value, int):
                of_task = total.setdefault(str(row["task"]), {})
                of_task[name] = of_task.get(name, Decimal()) + value

    def per_call(task: str, name: str) -> Decimal:
        return total[task][name] / total[task]["requests"]

    def times(task: str, of: str) -> Decimal:
        return total[task]["requests"] / total[of]["requests"]

    read, written = (
        sum((of_task[name] for of_task in total.values()), Decimal())
        for name in ("cache_read_tokens", "cache_write_tokens")
    )
    listed = (per_call("master", "input_tokens") - seen.rest["master"]) * times("master", "actors")
    return assumed.model_copy(
        update={
            "share_yes": _flat(times("describe", "decide")),
            "calls": _spreads(
                assumed.calls,
                {
                    "describe": Decimal(1),
                    "actors": times("actors", "describe"),
                    "master": times("master", "actors"),
                    "subcategory": times("subcategory", "actors"),
                },
            ),
            "answer_characters": _spreads(
                assumed.answer_characters,
                {task: per_call(task, "output_tokens") * seen.characters_per_token for task in total},
            ),
            "actor_list_characters": _flat(listed * seen.characters_per_token),
            "cache_hits": _spreads(
                assumed.cache_hits, dict.fromkeys(("live", "batch"), read / (read + written))
            ),
        }
    )


def _spreads(of: Any, values: Mapping[str, Decimal]) -> Any:
    return of.model_copy(update={name: _flat(value) for name, value in values.items()})


def _flat(value: Decimal) -> Spread:
    return Spread(low=value, likely=value, high=value)
