"""What a run would cost, before anything is asked.

For each task, and for the low, the likely and the high case::

    calls * (prefix * (hit * read + (1 - hit) * write) + body * input + answer * output) * (batch factor)

``prefix`` are the tokens of codebook and question, the same in every call, ``body`` those of the page, the answer's form and the frame of
the request, ``answer`` those that come back. Without caching (or with a prefix shorter than the model caches) the prefix costs
what other input costs. Prices are those of ``data/prices.yml``, what is assumed is in ``data/estimate.yml``, and lengths are measured.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict

from tryg_assets import paths
from tryg_assets.domain.coding.claude.answers import decided, read_reply
from tryg_assets.domain.coding.claude.decisions import Decision
from tryg_assets.domain.coding.claude.masking import masked_page
from tryg_assets.domain.coding.claude.prices import ModelPrice, Prices, Spread, Usage
from tryg_assets.domain.coding.claude.questions import Model, Question, ask, page_content
from tryg_assets.domain.coding.claude.tasks import Task, Tasks
from tryg_assets.domain.coding.interface import Page
from tryg_assets.domain.reference import read_typed

Level = Literal["low", "likely", "high"]
Way = Literal["single", "single, cached", "batch", "batch, cached"]
LEVELS: tuple[Level, ...] = get_args(Level)
WAYS: tuple[Way, ...] = get_args(Way)


class Calls(BaseModel):
    """Calls of each task that follow a page that describes an initiative."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    describe: Spread
    actors: Spread
    master: Spread
    subcategory: Spread


class AnswerCharacters(Calls):
    """Length of the answer to each task."""

    decide: Spread


class CacheHits(BaseModel):
    """Share of calls whose prefix is still in the server's cache."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    live: Spread
    batch: Spread


class Assumptions(BaseModel):
    """The content of ``data/estimate.yml``, see its comments."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    share_yes: Spread
    calls: Calls
    answer_characters: AnswerCharacters
    actor_list_characters: Spread
    cache_hits: CacheHits
    thinking_tokens: Spread
    assumed_minimum_cacheable_tokens: int
    characters_per_word: Decimal
    counted_pages: int

    @classmethod
    def load(cls, path: Path | None = None) -> Assumptions:
        """Read ``data/estimate.yml``.

        Raises:
            DataFileError: an entry is missing or no number; the message names it.
        """
        return read_typed(path or paths.DATA / "estimate.yml", cls)


@dataclass(frozen=True, slots=True)
class Texts:
    """How many texts are to be sent, and their characters together."""

    count: int = 0
    characters: int = 0

    @classmethod
    def of(cls, contents: Iterable[str]) -> Texts:
        """Measure ``contents``."""
        lengths = [len(content) for content in contents]
        return cls(len(lengths), sum(lengths))


@dataclass(frozen=True, slots=True)
class Work:
    """What is still to be asked: pages to decide, and pages decided "yes" whose description or actors are missing.

    ``share_yes`` is the share of the pages to decide that another engine found to describe an initiative, if one did.
    """

    decide: Texts
    describe: Texts = Texts()
    actors: Texts = Texts()
    share_yes: Decimal | None = None


def work_left(
    pages: Iterable[Page],
    tasks: Tasks,
    model: Model,
    find: Callable[[Sequence[str]], Mapping[str, Decision]],
    said_yes: Container[str] = (),
) -> tuple[Work, list[Question]]:
    """Return what is not answered yet of these pages, and the questions of the pages to decide.

    ``find`` looks questions up in the table of decisions; a question that waits in a batch is paid for already. ``said_yes`` are
    the ids of pages that another engine found to describe an initiative.
    """
    # Pages with the same text are one question, which is asked once.
    asked: dict[str, tuple[Page, Question]] = {}
    for page in pages:
        text, cut = _sent(page, tasks)
        question = ask(tasks.decide, text, page.municipality, model, cut=cut)
        asked.setdefault(question.key, (page, question))
    stored = find(list(asked))
    undecided: list[Question] = []
    yes: list[Question] = []
    share = 0
    for key, (page, question) in asked.items():
        found = stored.get(key)
        if found is None or not _paid(found):
            undecided.append(question)
            share += page.page_id in said_yes
        elif found.answered:
            coding = decided(page, read_reply(found.raw, tasks.decide), cut=question.cut)
            if coding.is_initiative == "yes" and page.says(coding.quote, coding.evidence_ids):
                yes.append(question)
    return (
        Work(
            decide=Texts.of(question.content for question in undecided),
            describe=_missing(tasks.describe, yes, find),
            actors=_missing(tasks.actors, yes, find),
            share_yes=Decimal(share) / len(undecided) if said_yes and undecided else None,
        ),
        undecided,
    )


def page_texts(pages: Iterable[Page], tasks: Tasks) -> Texts:
    """Measure ``pages`` as they would be sent."""
    return Texts.of(_sent(page, tasks)[0] for page in pages)


def _sent(page: Page, tasks: Tasks) -> tuple[str, bool]:
    masked, _ = masked_page(page)
    return page_content(masked, tasks.page_characters)


def _paid(found: Decision) -> bool:
    return found.answered or found.status == "batched"


def _missing(
    task: Task, asked: Sequence[Question], find: Callable[[Sequence[str]], Mapping[str, Decision]]
) -> Texts:
    """Return the texts of which ``task`` is not answered yet."""
    questions = [ask(task, one.content, one.municipality, one.model) for one in asked]
    stored = find([question.key for question in questions])
    return Texts.of(
        question.content
        for question in questions
        if question.key not in stored or not _paid(stored[question.key])
    )


@dataclass(frozen=True, slots=True)
class Step:
    """All calls of one task at one level, and the tokens of one of them."""

    task: str
    calls: Decimal
    prefix: int
    body: int
    answer: int

    @property
    def prompt_tokens(self) -> Decimal:
        """Tokens sent in all calls."""
        return self.calls * (self.prefix + self.body)

    @property
    def answer_tokens(self) -> Decimal:
        """Tokens received in all calls."""
        return self.calls * self.answer


@dataclass(frozen=True, slots=True)
class Estimate:
    """Steps by level, US dollars by way and level, and what a reader must know about them."""

    model: str
    steps: Mapping[Level, tuple[Step, ...]]
    usd: Mapping[Way, Mapping[Level, Decimal]]
    notes: tuple[str, ...]

    def calls(self, level: Level) -> int:
        """Return the calls of all tasks, rounded."""
        return round(sum((step.calls for step in self.steps[level]), Decimal()))

    def saving(self) -> Decimal:
        """Return the share by which batch and cache together are cheaper than single calls, in the likely case."""
        single = self.usd["single"]["likely"]
        return 1 - self.usd["batch, cached"]["likely"] / single if single else Decimal()


def estimate(
    model: str,
    work: Work,
    tasks: Tasks,
    prices: Prices,
    assumptions: Assumptions,
    seen: Counted | None = None,
) -> Estimate:
    """Return what ``work`` would cost with ``model``; what the server has ``seen`` takes the place of inferred tokens.

    Raises:
        UnknownPrice: the model has no price.
    """
    known = prices.of(model)
    steps = {level: _steps(level, model, work, tasks, prices, assumptions, seen) for level in LEVELS}
    usd: dict[Way, dict[Level, Decimal]] = {
        way: {level: _cost(way, level, model, steps[level], prices, assumptions) for level in LEVELS}
        for way in WAYS
    }
    notes = []
    if known.minimum_cacheable_tokens is None:
        notes.append(
            f"The shortest prompt that {model} caches is not published: 'high' counts without the cache."
        )
    if short := [step.task for step in steps["likely"] if step.prefix < _least_cached(known, assumptions)]:
        notes.append(f"Too short to be cached: {', '.join(short)}.")
    return Estimate(model, steps, usd, tuple(notes))


def _steps(
    level: Level,
    model: str,
    work: Work,
    tasks: Tasks,
    prices: Prices,
    assumptions: Assumptions,
    seen: Counted | None,
) -> tuple[Step, ...]:
    share = _share_yes(work, assumptions)
    inferred: Decimal = getattr(prices.characters_per_token(model), level)
    per_token = seen.characters_per_token if seen else inferred
    thinking: Decimal = getattr(assumptions.thinking_tokens, level) * prices.of(model).thinks_anyway
    page = Decimal(work.decide.characters) / max(1, work.decide.count)
    follow = work.decide.count * getattr(share, level)
    actors = follow + work.actors.count
    list_length = getattr(assumptions.actor_list_characters, level)

    def step(task: str, asked: Sequence[Task], calls: Decimal, characters: Decimal) -> Step:
        if seen:
            prefix, rest = seen.prefix[task], seen.rest[task]
        else:
            lengths = [(len(one.codebook) + len(one.question), len(one.schema_text)) for one in asked]
            prefix, schema = (
                round(Decimal(sum(kind)) / len(asked) / per_token) for kind in zip(*lengths, strict=True)
            )
            rest = schema + prices.request_overhead_tokens
        text = characters / calls if calls else Decimal()
        answer: Decimal = getattr(getattr(assumptions.answer_characters, task), level)
        return Step(
            task,
            calls,
            prefix,
            rest + round(text / per_token),
            round(answer / per_token + thinking),
        )

    def times(task: str) -> Decimal:
        return getattr(getattr(assumptions.calls, task), level)  # type: ignore[no-any-return]

    return (
        step("decide", [tasks.decide], Decimal(work.decide.count), Decimal(work.decide.characters)),
        step(
            "describe",
            [tasks.describe],
            follow * times("describe") + work.describe.count,
            follow * page + work.describe.characters,
        ),
        step("actors", [tasks.actors], actors * times("actors"), follow * page + work.actors.characters),
        step("master", [tasks.master], actors * times("master"), actors * list_length),
        step(
            "subcategory",
            list(tasks.subcategories.values()),
            actors * times("subcategory"),
            actors * list_length,
        ),
    )


def _share_yes(work: Work, assumptions: Assumptions) -> Spread:
    assumed, seen = assumptions.share_yes, work.share_yes
    if seen is None:
        return assumed
    return Spread(low=min(seen, assumed.low), likely=seen, high=max(seen, assumed.high))


def _cost(
    way: Way, level: Level, model: str, steps: Iterable[Step], prices: Prices, assumptions: Assumptions
) -> Decimal:
    batch = way.startswith("batch")
    hits = getattr(assumptions.cache_hits.batch if batch else assumptions.cache_hits.live, level)
    known = prices.of(model)
    unsure = known.minimum_cacheable_tokens is None and level == "high"
    total = Decimal()
    for step in steps:
        plain = Usage(step.prefix + step.body, step.answer)
        if not way.endswith("cached") or unsure or step.prefix < _least_cached(known, assumptions):
            total += step.calls * prices.cost(model, plain, batch=batch)
            continue
        uncached = replace(plain, input_tokens=step.body)
        read = replace(uncached, cache_read_tokens=step.prefix)
        # A batch takes longer than five minutes, so its prefix is written for an hour.
        written = replace(uncached, **{f"cache_write_{'1h' if batch else '5m'}_tokens": step.prefix})
        total += step.calls * (
            hits * prices.cost(model, read, batch=batch)
            + (1 - hits) * prices.cost(model, written, batch=batch)
        )
    return total


def _least_cached(known: ModelPrice, assumptions: Assumptions) -> int:
    return known.minimum_cacheable_tokens or assumptions.assumed_minimum_cacheable_tokens


@dataclass(frozen=True, slots=True)
class Counted:
    """Tokens as the server counts them: of each task's prefix and of the rest that is the same in every call, and of pages."""

    prefix: Mapping[str, int]
    rest: Mapping[str, int]
    characters_per_token: Decimal


def count(client: Any, questions: Sequence[Question], tasks: Tasks) -> Counted:
    """Have the server count the tokens of every task and of the pages in ``questions``, which are of the task "decide".

    ``client`` is an ``anthropic.Anthropic``. Counting is free of charge.

    Raises:
        anthropic.APIError: the server does not count (Ollama) or cannot be reached.
    """

    def tokens(question: Question, *left_out: str) -> int:
        body = question.body("5m")
        asked = {name: body[name] for name in body if name not in ("max_tokens", *left_out)}
        return int(client.messages.count_tokens(**asked).input_tokens)

    model = questions[0].model
    shortest = [ask(task, ".", "", model) for task in tasks.all()]
    prefix: dict[str, list[int]] = {}
    rest: dict[str, list[int]] = {}
    for question in shortest:
        whole, frame = tokens(question), tokens(question, "system", "output_config")
        prefix.setdefault(question.task.name, []).append(tokens(question, "output_config") - frame)
        rest.setdefault(question.task.name, []).append(whole - prefix[question.task.name][-1])
    fixed = prefix["decide"][0] + rest["decide"][0]
    sent = sum(tokens(question) - fixed for question in questions)
    return Counted(
        {task: round(sum(found) / len(found)) for task, found in prefix.items()},
        {task: round(sum(found) / len(found)) for task, found in rest.items()},
        Decimal(sum(len(question.content) for question in questions)) / max(1, sent),
    )
