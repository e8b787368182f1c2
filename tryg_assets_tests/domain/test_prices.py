"""Prices are dated facts in a file; a model without one stops."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from anthropic.types import Usage as SdkUsage

from tryg_assets import paths
from tryg_assets.domain.coding.claude.prices import Prices, Usage, most_tokens
from tryg_assets.errors import DataFileError, UnknownPrice

SHIPPED = yaml.safe_load((paths.DATA / "prices.yml").read_text(encoding="utf-8"))
MILLION = 1_000_000


def haiku(raw: Any) -> Any:
    return raw["models"]["claude-haiku-5-5"]


@pytest.mark.parametrize(
    ("model", "usage", "batch", "usd"),
    [
        ("claude-haiku-5-5", Usage(input_tokens=50_000), False, "0.005"),
        ("claude-haiku-5-5", Usage(output_tokens=1_000), False, "0.0005"),
        ("claude-haiku-5-5", Usage(cache_read_tokens=10_000), False, "0.0001"),
        ("claude-haiku-5-5", Usage(cache_write_5m_tokens=8_000), False, "0.001"),
        ("claude-haiku-5-5", Usage(cache_write_1h_tokens=10_000), False, "0.002"),
        ("claude-haiku-5-5", Usage(1_000, 200, 3_000, 0, 0), True, "0.000115"),
        ("claude-sonnet-5-5", Usage(MILLION, MILLION, MILLION, MILLION, MILLION), False, "18.60"),
        ("claude-sonnet-5-5", Usage(MILLION, MILLION, MILLION, MILLION, MILLION), True, "9.30"),
        ("claude-opus-5-5", Usage(1, 1, 0, 0, 0), False, "0.000024"),
        ("claude-haiku-5-5", Usage(), False, "0"),
    ],
)
def test_the_cost_of_a_request_is_exact(model: str, usage: Usage, batch: bool, usd: str) -> None:
    assert Prices.load().cost(model, usage, batch=batch) == Decimal(usd)


@pytest.mark.parametrize(
    ("usage", "usd"),
    [
        (Usage(input_tokens=100_000, output_tokens=1_000), "0.0105"),
        (Usage(input_tokens=100_001, output_tokens=1_000), "0.0525005"),
        (Usage(input_tokens=1, cache_read_tokens=100_000, output_tokens=1_000), "0.0075005"),
        (Usage(input_tokens=50_000, cache_write_1h_tokens=50_001), "0.075001"),
    ],
)
def test_a_long_prompt_pays_the_higher_price_on_every_token_cached_ones_counted(
    usage: Usage, usd: str
) -> None:
    assert Prices.load().cost("claude-haiku-5-5", usage, batch=False) == Decimal(usd)


def test_a_model_without_a_price_stops_and_says_where_to_add_it() -> None:
    with pytest.raises(UnknownPrice, match=r"prices\.yml has no price for model 'claude-next'.*TRYG_MODEL"):
        Prices.load().cost("claude-next", Usage(1), batch=False)


@pytest.mark.parametrize(
    ("raw", "usage"),
    [
        ({"input_tokens": 10, "output_tokens": 5}, Usage(10, 5)),
        (
            {
                "input_tokens": 10,
                "output_tokens": 5,
                "cache_read_input_tokens": 7,
                "cache_creation_input_tokens": 3,
            },
            Usage(10, 5, 7, 3, 0),
        ),
        (
            {
                "input_tokens": 1,
                "output_tokens": 2,
                "cache_creation_input_tokens": 9,
                "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 5},
            },
            Usage(1, 2, 0, 4, 5),
        ),
        (
            {"input_tokens": 1, "output_tokens": 2, "cache_creation": None, "cache_read_input_tokens": None},
            Usage(1, 2),
        ),
        (
            {"input_tokens": 1, "output_tokens": 9, "output_tokens_details": {"thinking_tokens": 6}},
            Usage(1, 9),
        ),
        ({"input_tokens": 3.0}, Usage(3)),
        ({}, Usage()),
    ],
)
def test_usage_is_read_as_servers_send_it(raw: dict[str, object], usage: Usage) -> None:
    assert Usage.of(raw) == usage


@pytest.mark.parametrize(
    "raw",
    [
        None,
        [1],
        "12",
        {"input_tokens": "n/a"},
        {"input_tokens": 1.5},
        {"output_tokens": -1},
        {"output_tokens": 10**30},
        {"output_tokens": float("nan")},
        {"cache_creation": 5},
        {"cache_creation": {"ephemeral_1h_input_tokens": [1]}},
    ],
)
def test_a_usage_that_is_no_set_of_counts_is_refused_and_never_taken_for_nothing(raw: object) -> None:
    with pytest.raises(ValueError, match="count"):
        Usage.of(raw)


def test_usage_is_read_from_the_answer_of_the_installed_client() -> None:
    sent = SdkUsage.model_validate(
        {
            "input_tokens": 11,
            "output_tokens": 22,
            "cache_read_input_tokens": 33,
            "cache_creation_input_tokens": 44,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 44},
        }
    )
    assert Usage.of(sent.model_dump(mode="json")) == Usage(11, 22, 33, 0, 44)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda raw: haiku(raw)["prices"].pop("output"), "claude-haiku-5-5, prices, output: Field required"),
        (lambda raw: haiku(raw)["prices"].update(output="cheap"), "prices, output: .* decimal .*'cheap'"),
        (lambda raw: haiku(raw)["prices"].update(output=-1), "prices, output: .*greater than or equal to 0"),
        (lambda raw: haiku(raw)["prices"].update(outputs=1), "prices, outputs: Extra inputs"),
        (lambda raw: haiku(raw).update(checked_on="soon"), "claude-haiku-5-5, checked_on: .*'soon'"),
        (
            lambda raw: haiku(raw).update(tokenizer="own"),
            "tokenizer 'own' of model claude-haiku-5-5 is unknown",
        ),
        (lambda raw: haiku(raw).update(thinks_anyway="maybe"), "thinks_anyway: .*'maybe'"),
        (lambda raw: raw["models"].update({"x": None}), "models, x: "),
        (
            lambda raw: raw["tokenizers"]["newer"].update(low=1),
            "tokenizers, newer: .*must fall from low to high",
        ),
        (lambda raw: raw["dkk_per_usd"].pop("source"), "dkk_per_usd, source: Field required"),
        (lambda raw: raw.update(models=[]), "models: .*dictionary"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, change: Callable[[Any], object], said: str) -> None:
    raw = yaml.safe_load(yaml.safe_dump(SHIPPED))
    change(raw)
    path = tmp_path / "prices.yml"
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")
    with pytest.raises(DataFileError, match=said):
        Prices.load(path)


def test_every_shipped_model_says_source_and_date_and_how_to_keep_thinking_short() -> None:
    prices = Prices.load()
    for model in prices.models.values():
        assert "platform.claude.com" in model.source
        assert model.prices.cache_read < model.prices.input < model.prices.cache_write_5m
        assert set(model.thinking_off) <= {"thinking", "output_config"}
        assert model.thinks_anyway == ("output_config" in model.thinking_off)


def test_kroner_are_rounded_to_the_oere() -> None:
    assert Prices.load().dkk(Decimal("1.234")) == (Decimal("1.234") * Decimal("6.5")).quantize(
        Decimal("0.01")
    )


def test_the_most_tokens_of_a_text_are_its_bytes() -> None:
    assert most_tokens("tryg på gaden") == 14
