"""What a request costs: the dated prices of ``data/prices.yml``, and the tokens a server says it has counted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tryg_assets import paths
from tryg_assets.domain.reference import read_typed
from tryg_assets.errors import UnknownPrice

PATH = paths.DATA / "prices.yml"
_MILLION = Decimal(1_000_000)
_MOST = 10**9  # tokens; more than any request has
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
    def of(cls, raw_usage: object) -> Usage:
        """Read the ``usage`` of an answer of the Messages API.

        Counts that a server does not send (Ollama, vLLM) are 0. Without the split by lifetime, tokens written to the
        cache are taken as written for five minutes, the default of the API.

        Raises:
            ValueError: it is no set of counts, so what the request cost is not known.
        """
        counts = _counts(raw_usage)
        written = _count(counts, "cache_creation_input_tokens")
        split = _counts(counts.get("cache_creation") or {})
        hour = _count(split, "ephemeral_1h_input_tokens")
        return cls(
            input_tokens=_count(counts, "input_tokens"),
            output_tokens=_count(counts, "output_tokens"),
            cache_read_tokens=_count(counts, "cache_read_input_tokens"),
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


def _counts(raw: object) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping):
        raise ValueError(f"{raw!r} are no counts")
    return raw


def _count(counts: Mapping[str, Any], name: str) -> int:
    count = counts.get(name) or 0
    if not isinstance(count, int | float) or not 0 <= count <= _MOST or count != int(count):
        raise ValueError(f"{name} is no count: {count!r}")
    return int(count)


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


_Amount = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]


class Spread(_Fact):
    """A figure as low, likely and high."""

    low: _Amount
    likely: _Amount
    high: _Amount


class CharactersPerToken(Spread):
    """Characters of Danish text per token: ``low`` gives the lowest estimate of tokens, ``high`` the highest."""

    @model_validator(mode="after")
    def _falling(self) -> Self:
        if not self.low >= self.likely >= self.high > 0:
            raise ValueError(
                "the figures must fall from low to high: more characters per token are fewer tokens"
            )
        return self


class Rates(_Fact):
    """US dollars per million tokens."""

    input: _Amount
    output: _Amount
    cache_read: _Amount
    cache_write_5m: _Amount
    cache_write_1h: _Amount


class LongPrompt(_Fact):
    """Prices of requests whose prompt is longer than ``above_tokens``."""

    above_tokens: int
    prices: Rates


class ModelPrice(_Fact):
    """The prices and habits of one model, see the head of ``data/prices.yml``."""

    source: str
    checked_on: dt.date
    prices: Rates
    long_prompt: LongPrompt | None
    batch_factor: _Amount
    minimum_cacheable_tokens: int | None
    thinking_off: dict[str, Any]
    thinks_anyway: bool
    tokenizer: str

    def rates(self, usage: Usage) -> Rates:
        """Return the prices of a request: those for long prompts hold for every token of a long one."""
        long = self.long_prompt
        return long.prices if long and usage.prompt_tokens > long.above_tokens else self.prices


class ExchangeRate(_Fact):
    """Kroner for one dollar, with day and source."""

    rate: _Amount
    checked_on: dt.date
    source: str


class Prices(_Fact):
    """The content of ``data/prices.yml``: all models with a known price."""

    checked_on: dt.date
    stale_after_days: Annotated[int, Field(gt=0)]
    dkk_per_usd: ExchangeRate
    request_overhead_tokens: int
    tokenizers: dict[str, CharactersPerToken]
    models: dict[str, ModelPrice]

    @classmethod
    def load(cls, path: Path | None = None) -> Prices:
        """Read ``data/prices.yml``.

        Raises:
            DataFileError: a field is missing or unknown, or a figure is no number or negative; the message names the entry.
        """
        return read_typed(path or PATH, cls)

    @model_validator(mode="after")
    def _known_tokenizers(self) -> Self:
        for name, model in self.models.items():
            if model.tokenizer not in self.tokenizers:
                raise ValueError(f"tokenizer '{model.tokenizer}' of model {name} is unknown")
        return self

    def of(self, model: str) -> ModelPrice:
        """Return the prices of ``model``.

        Raises:
            UnknownPrice: it has none; a price is never taken as nothing.
        """
        if model not in self.models:
            raise UnknownPrice(
                f"{PATH} has no price for model '{model}'. Known: {', '.join(sorted(self.models))}. "
                "Choose one of them (TRYG_MODEL), or add the model there with source and date."
            )
        return self.models[model]

    def said_of_age(self, model: str, today: dt.date) -> str | None:
        """Return a warning if the prices of ``model`` were checked too long ago to be relied on, else ``None``.

        Raises:
            UnknownPrice: the model has no price.
        """
        days = (today - self.of(model).checked_on).days
        if days <= self.stale_after_days:
            return None
        return f"The prices of {model} were checked {days} days ago. Check them, and correct price and date in data/prices.yml."

    def characters_per_token(self, model: str) -> CharactersPerToken:
        """Return how many characters of Danish text make a token of ``model``."""
        return self.tokenizers[self.of(model).tokenizer]

    def cost(self, model: str, usage: Usage, *, batch: bool) -> Decimal:
        """Return what one request costs, in US dollars, exactly.

        ``sum over kinds of tokens * price / 1,000,000``, times the batch factor if it is part of a batch. ``usage`` must be
        that of one request: which prices hold depends on the length of its prompt.

        Raises:
            UnknownPrice: the model has no price.
        """
        known = self.of(model)
        rates = known.rates(usage)
        counted = zip(KINDS, usage.counts(), strict=True)
        total = sum((count * getattr(rates, kind) for kind, count in counted), Decimal())
        return total * (known.batch_factor if batch else 1) / _MILLION

    def dkk(self, usd: Decimal) -> Decimal:
        """Return dollars as kroner, to the øre, at the rate of the file."""
        return (usd * self.dkk_per_usd.rate).quantize(Decimal("0.01"))


def most_tokens(text: str) -> int:
    """Return more tokens than ``text`` can have in any tokenizer over bytes: its length in UTF-8.

    What is reserved before sending must not be an estimate, or a cap would not be hard.
    """
    return len(text.encode())
