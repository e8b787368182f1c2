"""An estimate adds up by hand, grows from low to high, and leaves out what is answered already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tryg_assets.domain.coding.claude.decisions import Decision
from tryg_assets.domain.coding.claude.estimate import (
    LEVELS,
    WAYS,
    Assumptions,
    Counted,
    Texts,
    Work,
    count,
    estimate,
    page_texts,
    work_left,
)
from tryg_assets.domain.coding.claude.prices import Prices, Spread, Usage
from tryg_assets.domain.coding.claude.questions import Model, ask
from tryg_assets.domain.coding.claude.tasks import tasks
from tryg_assets.domain.coding.interface import Page
from tryg_assets.errors import UnknownPrice

PRICES, ASSUMED = Prices.load(), Assumptions.load()
FIVES = [model for model in PRICES.models if model.endswith("5-5")]
HAIKU = "claude-haiku-5-5"
MODEL = Model(HAIKU, {"thinking": {"type": "disabled"}})
REPORT = Work(Texts(13_598, int(13_598 * 600 * ASSUMED.characters_per_word)))
SEEN = Counted(
    dict.fromkeys(("decide", "describe", "actors", "master", "subcategory"), 3000),
    dict.fromkeys(("decide", "describe", "actors", "master", "subcategory"), 500),
    Decimal(1),
)


def flat(value: str) -> Spread:
    return Spread(low=Decimal(value), likely=Decimal(value), high=Decimal(value))


def page(name: str, text: str = "Byrådet har vedtaget en tryghedsplan. Ring 86 12 34 56.") -> Page:
    return Page.of(name, "aarhus", f"http://x/{name}", f"Side {name}", text)


def test_one_call_costs_what_its_tokens_cost() -> None:
    nobody = ASSUMED.model_copy(update={"share_yes": flat("0")})
    found = estimate(HAIKU, Work(Texts(1, 1000)), tasks(), PRICES, nobody, SEEN)
    step = found.steps["likely"][0]
    assert (step.prefix, step.body) == (3000, 1000 + 500)
    expected = Usage(4500, round(ASSUMED.answer_characters.decide.likely))
    assert found.usd["single"]["likely"] == PRICES.cost(HAIKU, expected, batch=False)
    assert found.usd["batch"]["likely"] == PRICES.cost(HAIKU, expected, batch=True)
    assert found.calls("likely") == 1


def test_what_the_cache_holds_is_read_and_the_rest_is_written() -> None:
    certain = ASSUMED.model_copy(
        update={
            "share_yes": flat("0"),
            "cache_hits": ASSUMED.cache_hits.model_copy(update={"live": flat("0.75"), "batch": flat("0.5")}),
        }
    )
    found = estimate("claude-opus-5", Work(Texts(4, 4000)), tasks(), PRICES, certain, SEEN)
    step = found.steps["likely"][0]

    def cost(batch: bool, **cached: int) -> Decimal:
        return PRICES.cost("claude-opus-5", Usage(step.body, step.answer, **cached), batch=batch)

    read, written = cost(False, cache_read_tokens=step.prefix), cost(False, cache_write_5m_tokens=step.prefix)
    assert found.usd["single, cached"]["likely"] == 3 * read + written
    read, written = cost(True, cache_read_tokens=step.prefix), cost(True, cache_write_1h_tokens=step.prefix)
    assert found.usd["batch, cached"]["likely"] == 2 * read + 2 * written


@pytest.mark.parametrize("model", FIVES)
def test_cache_and_batch_make_the_job_of_the_report_at_least_55_percent_cheaper(model: str) -> None:
    found = estimate(model, REPORT, tasks(), PRICES, ASSUMED)
    assert found.saving() >= Decimal("0.55")
    assert found.steps["likely"][0].calls == 13_598


@pytest.mark.parametrize("model", sorted(PRICES.models))
def test_the_three_columns_never_fall(model: str) -> None:
    found = estimate(model, REPORT, tasks(), PRICES, ASSUMED)
    for way in WAYS:
        low, likely, high = (found.usd[way][level] for level in LEVELS)
        assert 0 < low <= likely <= high


def test_a_prompt_too_short_for_the_cache_costs_what_it_costs_without_and_is_named() -> None:
    found = estimate("claude-haiku-4-5", REPORT, tasks(), PRICES, ASSUMED)
    assert any("Too short to be cached: decide" in note for note in found.notes)
    nobody = ASSUMED.model_copy(update={"share_yes": flat("0")})
    only = estimate("claude-haiku-4-5", REPORT, tasks(), PRICES, nobody)
    assert only.usd["single, cached"] == only.usd["single"]


def test_where_the_least_cached_length_is_not_published_high_counts_without_the_cache() -> None:
    found = estimate(HAIKU, REPORT, tasks(), PRICES, ASSUMED)
    assert any("not published" in note for note in found.notes)
    assert found.usd["batch, cached"]["high"] == found.usd["batch"]["high"]


def test_thinking_that_cannot_be_turned_off_is_paid_for() -> None:
    work = Work(Texts(1, 1000))
    sonnet, opus = (estimate(m, work, tasks(), PRICES, ASSUMED).steps["likely"][0] for m in FIVES[1:])
    assert opus.answer - sonnet.answer == ASSUMED.thinking_tokens.likely


def test_nothing_to_ask_costs_nothing() -> None:
    found = estimate(HAIKU, Work(Texts()), tasks(), PRICES, ASSUMED)
    assert {usd for way in found.usd.values() for usd in way.values()} == {Decimal(0)}
    assert found.saving() == 0


def test_a_model_without_a_price_stops_the_estimate() -> None:
    with pytest.raises(UnknownPrice):
        estimate("claude-next", REPORT, tasks(), PRICES, ASSUMED)


@given(st.integers(1, 5000), st.integers(100, 20_000), st.integers(1, 5))
def test_twice_the_pages_cost_twice_as_much(count: int, characters: int, times: int) -> None:
    once = estimate(HAIKU, Work(Texts(count, count * characters)), tasks(), PRICES, ASSUMED)
    more = estimate(HAIKU, Work(Texts(times * count, times * count * characters)), tasks(), PRICES, ASSUMED)
    for way in WAYS:
        assert more.usd[way]["likely"] == pytest.approx(times * once.usd[way]["likely"])


def test_the_offline_engine_says_how_many_pages_are_likely_to_be_described() -> None:
    half = estimate(HAIKU, replace(REPORT, share_yes=Decimal("0.5")), tasks(), PRICES, ASSUMED)
    calls = {level: next(s.calls for s in half.steps[level] if s.task == "describe") for level in LEVELS}
    assert calls["likely"] == calls["high"] == 13_598 / Decimal(2)
    assert calls["low"] == 13_598 * ASSUMED.share_yes.low


def decision(key: str, said: str | None, quote: str = "Byrådet har vedtaget en tryghedsplan.") -> Decision:
    """Return a stored decision that says ``said``, or one that waits in a batch."""
    content = f'{{"sentences": [1], "quote": "{quote}", "criterion": "handleplan", "decision": "{said}", "confidence": 5}}'
    raw = {"content": [{"type": "text", "text": content}], "stop_reason": "end_turn"}
    status = "batched" if said is None else "answered"
    return Decision(key, 1, status, "me", raw if said else {}, 1, Usage(), Decimal())


def test_only_what_is_not_answered_and_waits_in_no_batch_is_left() -> None:
    pages = [page(name) for name in ("yes", "no", "unquoted", "waits", "new")]
    asked = {}

    def find(keys: Sequence[str]) -> dict[str, Decision]:
        return {key: asked[key] for key in keys if key in asked}

    work, questions = work_left(pages, tasks(), MODEL, find)
    assert work.decide.count == len(questions) == 5
    by_name = dict(zip((p.page_id for p in pages), questions, strict=True))
    for name, said in (("yes", "yes"), ("no", "no"), ("waits", None)):
        asked[by_name[name].key] = decision(by_name[name].key, said)
    asked[by_name["unquoted"].key] = decision(by_name["unquoted"].key, "yes", "Det står her ikke")
    work, questions = work_left(pages, tasks(), MODEL, find, said_yes={"new"})
    assert [question.key for question in questions] == [by_name["new"].key]
    assert (work.decide.count, work.describe.count, work.actors.count) == (1, 1, 1)
    assert work.share_yes == 1
    no_answer = replace(decision(by_name["no"].key, "no"), raw={})
    assert len(work_left(pages, tasks(), MODEL, lambda keys: find(keys) | {no_answer.key: no_answer})[1]) == 2
    described = ask(tasks().describe, by_name["yes"].content, "aarhus", MODEL)
    asked[described.key] = decision(described.key, None)
    work, _ = work_left(pages, tasks(), MODEL, find)
    assert (work.describe.count, work.actors.count) == (0, 1)


def test_pages_with_the_same_text_are_asked_once() -> None:
    twins = [page("a"), replace(page("a"), page_id="b", municipality="odense"), page("c")]
    work, questions = work_left(twins, tasks(), MODEL, lambda keys: {})
    assert work.decide.count == len(questions) == 2


def test_texts_are_measured_as_they_are_sent_masked() -> None:
    plain, secret = (
        page_texts([page("a", f"Ring {number}")], tasks()) for number in ("[telefon]", "86123456")
    )
    assert plain == secret


def test_without_counting_tokens_are_inferred_from_characters() -> None:
    task, per_token = tasks().decide, PRICES.characters_per_token(HAIKU).likely
    step = estimate(HAIKU, Work(Texts(2, 2000)), tasks(), PRICES, ASSUMED).steps["likely"][0]
    assert step.prefix == round((len(task.codebook) + len(task.question)) / per_token)
    schema = round(len(task.schema_text) / per_token)
    assert step.body == 1000 / per_token + schema + PRICES.request_overhead_tokens


def test_tokens_are_what_the_server_counts() -> None:
    def count_tokens(**body: Any) -> SimpleNamespace:
        assert "max_tokens" not in body
        system = sum(len(block["text"]) for block in body.get("system", ()))
        schema = len(str(body["output_config"])) if "output_config" in body else 0
        return SimpleNamespace(input_tokens=7 + system + schema + 2 * len(body["messages"][0]["content"]))

    client = SimpleNamespace(messages=SimpleNamespace(count_tokens=count_tokens))
    _, questions = work_left([page("a"), page("b")], tasks(), MODEL, lambda keys: {})
    seen = count(client, questions, tasks())
    assert float(seen.characters_per_token) == pytest.approx(0.5, rel=0.03)
    assert set(seen.prefix) == set(seen.rest) == {"decide", "describe", "actors", "master", "subcategory"}
    assert seen.prefix["decide"] == len(tasks().decide.codebook) + len(tasks().decide.question)
