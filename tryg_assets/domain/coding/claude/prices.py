"""What a request costs: the dated prices of ``data/prices.yml``, and the tokens a server says it has counted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from tryg_assets import paths
from tryg_assets.domain.reference import read_yaml
from tryg_assets.errors import DataFileError, UnknownPrice

_MILLION = Decimal(1_000_000)
KINDS = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one request, as they are billed. Tokens of thinking are among ``output_tokens``."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0

    @classmethod
    def of(cls, raw_usage: Mapping[str, Any]) -> Usage:
        """Read the ``usage`` of an answer of the Messages API.

        Counts that a server does not send (Ollama, vLLM) are 0. Without the split by lifetime, tokens written to the
        cache are taken as written for five minutes, the default of the API.
        """
        written = _count(raw_usage, "cache_creation_input_tokens")
        split = raw_usage.get("cache_creation") or {}
        hour = _count(split, "ephemeral_1h_input_tokens")
        return cls(
            input_tokens=_count(raw_usage, "input_tokens"),
            output_tokens=_count(raw_usage, "output_tokens"),
            cache_read_tokens=_count(raw_usage, "cache_read_input_tokens"),
            cache_write_5m_tokens=max(_count(split, "ephemeral_5m_input_tokens"), written - hour),
            cache_write_1h_tokens=hour,
        )

    def __add__(self, other: Usage) -> Usage:
        return Usage(*(one + two for one, two in zip(self.counts(), other.counts(), strict=True)))

    @property
    def prompt_tokens(self) -> int:
        """Every token sent, cached or not."""
        return (
            self.input_tokens
            + self.cache_read_tokens
            + self.cache_write_5m_tokens
            + self.cache_write_1h_tokens
        )

    def counts(self) -> tuple[int, int, int, int, int]:
        """Return the counts in the order of ``KINDS``."""
        return (
            self.input_tokens,
            self.output_tokens,
            self.cache_read_tokens,
            self.cache_write_5m_tokens,
            self.cache_write_1h_tokens,
        )


def _count(raw: Mapping[str, Any], name: str) -> int:
    return int(raw.get(name) or 0)


@dataclass(frozen=True, slots=True)
class CharactersPerToken:
    """Characters of Danish text per token: ``low`` gives the lowest estimate of tokens, ``high`` the highest."""

    low: Decimal
    likely: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """The prices and habits of one model, see the head of ``data/prices.yml``."""

    model: str
    source: str
    checked_on: dt.date
    prices: Mapping[str, Decimal]
    long_above: int | None
    long_prices: Mapping[str, Decimal]
    batch_factor: Decimal
    minimum_cacheable_tokens: int | None
    thinking_off: Mapping[str, Any]
    characters_per_token: CharactersPerToken

    def prices_for(self, usage: Usage) -> Mapping[str, Decimal]:
        """Return the prices of a request: those for long prompts hold for every token of a long one."""
        is_long = self.long_above is not None and usage.prompt_tokens > self.long_above
        return self.long_prices if is_long else self.prices


@dataclass(frozen=True, slots=True)
class ExchangeRate:
    """Kroner for one dollar, with its day and source."""

    dkk_per_usd: Decimal
    on: dt.date
    source: str


@dataclass(frozen=True, slots=True)
class Prices:
    """All models with a known price."""

    path: Path
    models: Mapping[str, ModelPrice]
    exchange: ExchangeRate
    request_overhead_tokens: int

    @classmethod
    def load(cls, path: Path | None = None) -> Prices:
        """Read ``data/prices.yml``.

        Raises:
            DataFileError: a field is missing, or a figure is no number or negative; the message names the entry.
        """
        path = path or paths.DATA / "prices.yml"
        raw = _Entry(path, "file", read_yaml(path))
        tokenizers = {
            name: _tokenizer(raw.entry("tokenizers").entry(name)) for name in raw.mapping("tokenizers")
        }
        rate = raw.entry("dkk_per_usd")
        return cls(
            path=path,
            models={
                name: _model(name, raw.entry("models").entry(name), tokenizers)
                for name in raw.mapping("models")
            },
            exchange=ExchangeRate(rate.number("rate"), rate.date("checked_on"), rate.text("source")),
            request_overhead_tokens=int(raw.number("request_overhead_tokens")),
        )

    def of(self, model: str) -> ModelPrice:
        """Return the prices of ``model``.

        Raises:
            UnknownPrice: it has none; a price is never taken as nothing.
        """
        if model not in self.models:
            raise UnknownPrice(
                f"{self.path} has no price for model '{model}'. Known: {', '.join(sorted(self.models))}. "
                "Choose one of them (TRYG_MODEL), or add the model there with source and date."
            )
        return self.models[model]

    def cost(self, model: str, usage: Usage, *, batch: bool) -> Decimal:
        """Return what one request costs, in US dollars, exactly.

        ``sum over kinds of tokens * price / 1,000,000``, times the batch factor if it is part of a batch. ``usage`` must be
        that of one request: which prices hold depends on the length of its prompt.

        Raises:
            UnknownPrice: the model has no price.
        """
        known = self.of(model)
        prices = known.prices_for(usage)
        total = sum(
            (count * prices[kind] for kind, count in zip(KINDS, usage.counts(), strict=True)), Decimal()
        )
        return total * (known.batch_factor if batch else 1) / _MILLION

    def dkk(self, usd: Decimal) -> Decimal:
        """Return dollars as kroner, to the øre, at the rate of the file."""
        return (usd * self.exchange.dkk_per_usd).quantize(Decimal("0.01"))


def most_tokens(text: str) -> int:
    """Return more tokens than ``text`` can have in any tokenizer over bytes: its length in UTF-8.

    What is reserved before sending must not be an estimate, or a cap would not be hard.
    """
    return len(text.encode())


@dataclass(frozen=True, slots=True)
class _Entry:
    """A mapping in the file, with the place to name if something in it is wrong."""

    path: Path
    where: str
    raw: Any

    def entry(self, name: str) -> _Entry:
        return _Entry(self.path, f"{self.where}, {name}" if self.where != "file" else name, self._get(name))

    def mapping(self, name: str) -> Mapping[str, Any]:
        found = self._get(name)
        if not isinstance(found, dict):
            raise DataFileError(
                self.path, self.where, f"'{name}' is no mapping", "Compare with the other entries."
            )
        return found

    def number(self, name: str) -> Decimal:
        found = self._get(name)
        try:
            number = Decimal(str(found))
        except InvalidOperation:
            number = Decimal("NaN")
        if isinstance(found, bool) or not number.is_finite() or number < 0:
            raise DataFileError(
                self.path, self.where, f"{name} '{found}' is no price or count", "Write a number from 0."
            )
        return number

    def whole(self, name: str) -> int | None:
        return None if self._get(name) is None else int(self.number(name))

    def text(self, name: str) -> str:
        return str(self._get(name))

    def date(self, name: str) -> dt.date:
        found = self._get(name)
        if not isinstance(found, dt.date):
            raise DataFileError(
                self.path, self.where, f"{name} '{found}' is no date", "Write it as 2026-11-21."
            )
        return found

    def _get(self, name: str) -> Any:
        if not isinstance(self.raw, dict) or name not in self.raw:
            raise DataFileError(
                self.path, self.where, f"field '{name}' is missing", "Compare with the other entries."
            )
        return self.raw[name]


def _tokenizer(entry: _Entry) -> CharactersPerToken:
    found = CharactersPerToken(entry.number("low"), entry.number("likely"), entry.number("high"))
    if not found.low >= found.likely >= found.high > 0:
        raise DataFileError(
            entry.path,
            entry.where,
            "the figures must fall from low to high",
            "More characters per token are fewer tokens.",
        )
    return found


def _model(name: str, entry: _Entry, tokenizers: Mapping[str, CharactersPerToken]) -> ModelPrice:
    tokenizer = entry.text("tokenizer")
    if tokenizer not in tokenizers:
        raise DataFileError(
            entry.path,
            entry.where,
            f"tokenizer '{tokenizer}' is unknown",
            f"Use one of {', '.join(tokenizers)}.",
        )
    long_prompt = None if entry.entry("long_prompt").raw is None else entry.entry("long_prompt")
    return ModelPrice(
        model=name,
        source=entry.text("source"),
        checked_on=entry.date("checked_on"),
        prices=_prices(entry.entry("prices")),
        long_above=long_prompt.whole("above_tokens") if long_prompt else None,
        long_prices=_prices(long_prompt.entry("prices")) if long_prompt else {},
        batch_factor=entry.number("batch_factor"),
        minimum_cacheable_tokens=entry.whole("minimum_cacheable_tokens"),
        thinking_off=entry.mapping("thinking_off"),
        characters_per_token=tokenizers[tokenizer],
    )


def _prices(entry: _Entry) -> dict[str, Decimal]:
    return {kind: entry.number(kind) for kind in KINDS}
