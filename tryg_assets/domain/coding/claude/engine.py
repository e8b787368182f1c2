"""The engine ``claude``: every answer from the table of decisions, and what is not there yet asked first."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import islice
from typing import TypeVar

from tryg_assets.domain.coding.claude import answers
from tryg_assets.domain.coding.claude.answers import NamedActor, Reply, read_reply
from tryg_assets.domain.coding.claude.batches import Batches
from tryg_assets.domain.coding.claude.decisions import Asking, Decision, Decisions
from tryg_assets.domain.coding.claude.limits import Limits
from tryg_assets.domain.coding.claude.live import Live
from tryg_assets.domain.coding.claude.masking import masked_page
from tryg_assets.domain.coding.claude.prices import Usage
from tryg_assets.domain.coding.claude.questions import Model, Question, actor_contents, ask, page_content
from tryg_assets.domain.coding.claude.tasks import Task, Tasks
from tryg_assets.domain.coding.interface import ActorMention, Page, PageCoding, fold
from tryg_assets.errors import AnswersPending, ConfigurationError
from tryg_assets.ids import content_hash

_T = TypeVar("_T")
_Line = tuple[int, str, str]
_PORTION = 200  # pages looked up at once; their texts as they are sent stay in memory
_PENDING = (
    "{count} answers are in batches that have not ended (at the most 24 hours). `tryg batches` shows and fetches them, as does "
    "the sensor batch_answers; the same run started again then goes on."
)


@dataclass(frozen=True, slots=True)
class _Known:
    """The answer to a question, read, and what it has cost over all times it was asked."""

    reply: Reply
    usage: Usage = field(default_factory=Usage)
    cost_usd: Decimal = Decimal()


@dataclass(frozen=True, slots=True)
class _Sent:
    """A page as it is sent: masked, as text, whether it was too long to be sent whole, and the first question about it."""

    page: Page
    text: str
    cut: bool
    decide: Question


class _Missing(Exception):
    """An answer is not there yet; carries what to ask next."""

    def __init__(self, *asking: Asking) -> None:
        self.asking = asking
        super().__init__()


class Claude:
    """A language model as a coder. What was asked once, of whatever run or municipality, is never asked again.

    A page is first decided; a yes whose quote is on the page is then described. Actors are found, then placed in two closed
    steps. Each step is a question whose content follows from the answers before it, so that the table of decisions alone says how
    far a page has come: that is what a killed run, a second run and a batch go on from.
    """

    engine = "claude"

    def __init__(
        self, tasks: Tasks, model: Model, decisions: Decisions, live: Live, batches: Batches, limits: Limits
    ) -> None:
        self.tasks, self.model, self.limits = tasks, model, limits
        self.decisions, self.live, self.batches = decisions, live, batches
        self.label = f"Sprogmodel ({model.name})"
        self.codebook_hash = content_hash(f"{tasks.hash} {model}")
        # One hash for a page's coding: the texts of both questions it may take.
        self._prompt_hash = content_hash(tasks.decide.prompt_sha + tasks.describe.prompt_sha)
        self._rejected: set[str] = set()
        self._alike: Counter[tuple[str, int]] = Counter()
        self._unusable: set[str] = set()
        self._waiting: set[tuple[str, str]] = set()  # (key, municipality) of questions that are in a batch
        self._old: set[str] = set()
        self._ahead: dict[str, Decision | None] = {}
        self._counts: Counter[str] = Counter()
        self._sent = functools.lru_cache(maxsize=256)(self._sent_of)

    def ready(self) -> None:
        """Require a key for a server that wants one. Answers from before need none, so with some of them a run may do without.

        Raises:
            ConfigurationError: there is neither a key nor an answer.
        """
        if not self.decisions.any_answered():
            self.live.server.credential()

    def prepare(self, pages: Sequence[Page]) -> None:
        """Ask what is not known yet of these pages; see :meth:`_fetch` for the errors raised."""
        self._fetch(pages, self._coding)

    def prepare_actors(self, pages: Sequence[Page]) -> None:
        """Ask what is not known yet of the actors of these pages; see :meth:`_fetch` for the errors raised."""
        self._fetch(pages, self._actors)

    def code(self, page: Page) -> PageCoding:
        """Decide whether the page describes an initiative, with evidence; name and classify what it describes."""
        coding = self._known(page, self._coding)
        self._counts["cut"] += coding.cut
        problem = coding.problem
        if coding.is_initiative == "yes" and not page.says(coding.quote, coding.evidence_ids):
            problem = "quote_not_found"
        if problem:
            self._counts[problem] += 1
        return coding

    def actors(self, page: Page, sentence_ids: tuple[int, ...] = ()) -> list[ActorMention]:
        """Find and place the actors named in these sentences (all sentences if none are given)."""
        found = self._known(page, self._actors)
        return [actor for actor in found if not sentence_ids or actor.sentence_id in sentence_ids]

    def account(self) -> dict[str, str | int | float]:
        """Return calls, tokens, dollars, and what went wrong with answers, for the metadata of a run."""
        tally = self.live.tally
        used = tally.used
        return {
            "model": self.model.name,
            "calls": tally.calls,
            "answers_from_before": len(self._old),
            "input_tokens": used.input_tokens,
            "output_tokens": used.output_tokens,
            "cache_read_tokens": used.cache_read_tokens,
            "cache_write_tokens": used.cache_write_5m_tokens + used.cache_write_1h_tokens,
            "cache_hit_rate": round(tally.cache_hits / tally.calls, 3) if tally.calls else 0.0,
            "cost_usd": float(tally.cost_usd),
            "batches": "offered by the server" if self.batches.offered else "not offered by the server",
            **{
                name: self._counts[name]
                for name in ("quote_not_found", "refused", "cut_off", "invalid", "cut")
            },
            "rejected": len(self._rejected),
            "actor_answers_unusable": len(self._unusable),
        }

    def submit(self, pages: Iterable[Page]) -> int:
        """Ask in batches what can be asked now of these pages, of coding and of actors; returns the number of questions.

        What depends on an answer that is not there yet is asked by a later call. 0 means that nothing is left to ask, or that
        all that is left has been asked and waits.
        """
        self._waiting.clear()
        sent = self.batches.submit(self._all_missing(pages, self._everything))
        self.batches.note_waiting(self._waiting)
        return sent

    def has_much_to_ask(self, pages: Iterable[Page]) -> bool:
        """Whether so much can be asked now of these pages that it is worth a batch."""
        least = self.limits.batch.least
        return sum(1 for _ in islice(self._all_missing(pages, self._everything), least)) == least

    def knows_all(self, pages: Iterable[Page]) -> bool:
        """Whether every answer about these pages is there."""
        self._waiting.clear()
        return not any(self._all_missing(pages, self._everything)) and not self._waiting

    def _fetch(self, pages: Sequence[Page], read: Callable[[Page], object]) -> None:
        """Ask until ``read`` finds every answer for every page: in batches if there is much to ask, else in single calls.

        Raises:
            AnswersPending: some answers are in batches; the others are there.
            BudgetReached, ServerUnavailable, ConfigurationError, StateNotWritten: see ``Live.ask``.
        """
        wanting = self._wanting(pages, read)
        if self._waiting:
            self.batches.collect()
            wanting = self._wanting(pages, read)
        many = len(wanting) >= self.limits.batch.least and self.batches.offered
        if many and (submitted := self.batches.submit(self._all_missing(wanting, read))):
            raise self._pending(submitted)
        if wanting:
            self.live.ask(wanting, lambda page: self._missing(page, read), self._on_rejected)
        if self._waiting:
            self.batches.note_waiting(self._waiting)
            raise self._pending(len({key for key, _ in self._waiting}))

    def _pending(self, count: int) -> AnswersPending:
        troubles = [f"Batch {name}: {trouble}" for name, trouble in self.batches.troubles.items()]
        return AnswersPending(" ".join([_PENDING.format(count=count), self.batches.left, *troubles]).strip())

    def _wanting(self, pages: Sequence[Page], read: Callable[[Page], object]) -> list[Page]:
        """Return the pages about which something can be asked now, and note what waits for a batch."""
        self._waiting.clear()
        wanting = []
        for start in range(0, len(pages), _PORTION):
            portion = pages[start : start + _PORTION]
            self._look_ahead(portion)
            wanting += [page for page in portion if self._missing(page, read)]
        return wanting

    def _all_missing(self, pages: Iterable[Page], read: Callable[[Page], object]) -> Iterator[Asking]:
        remaining = iter(pages)
        while portion := list(islice(remaining, _PORTION)):
            self._look_ahead(portion)
            for page in portion:
                yield from self._missing(page, read)

    def _missing(self, page: Page, read: Callable[[Page], object]) -> Sequence[Asking]:
        """Return what is to be asked before ``read`` can go on with a page; nothing if it is done, or waits for a batch."""
        try:
            read(page)
        except _Missing as missing:
            return missing.asking
        return ()

    def _known(self, page: Page, read: Callable[[Page], _T]) -> _T:
        try:
            return read(page)
        except _Missing:
            self._fetch([page], read)
            return read(page)

    def _on_rejected(self, question: Question, message: str) -> None:
        """Note a question that the server says is wrong; when it says the same of one after the other, the fault is not theirs."""
        self._rejected.add(question.key)
        alike = (message, self.live.tally.calls)
        self._alike[alike] += 1
        if self._alike[alike] >= self.limits.most_rejected:
            raise ConfigurationError(
                f"The server rejects every request: {message}. Check TRYG_MODEL, thinking_off of the model in data/prices.yml, and "
                "your account. All answers so far are kept."
            )

    def _everything(self, page: Page) -> None:
        coding = self._coding(page)
        if coding.is_initiative == "yes" and page.says(coding.quote, coding.evidence_ids):
            self._actors(page)

    def _coding(self, page: Page) -> PageCoding:
        sent = self._sent(page)
        decision = self._answer(sent.decide)
        coding = answers.decided(page, decision.reply, cut=sent.cut)
        usage, cost = decision.usage, decision.cost_usd
        if coding.is_initiative == "yes" and page.says(coding.quote, coding.evidence_ids):
            description = self._answer(self._question(self.tasks.describe, page, sent.text))
            coding = answers.described(page, coding, description.reply)
            usage, cost = usage + description.usage, cost + description.cost_usd
        return replace(
            coding,
            prompt_hash=self._prompt_hash,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            cache_write_tokens=usage.cache_write_5m_tokens + usage.cache_write_1h_tokens,
            cost_usd=float(cost),
        )

    def _actors(self, page: Page) -> list[ActorMention]:
        sent = self._sent(page)
        found = answers.named_actors(
            page, self._answer(self._question(self.tasks.actors, page, sent.text)).reply
        )
        if not found:
            return []
        lines = _lines(sent.page, found)
        masters = self._placed(page, [(self.tasks.master, list(lines.values()))])
        of_master = [
            (task, [line for line in lines.values() if masters.get(line[0]) == master])
            for master, task in self.tasks.subcategories.items()
        ]
        below = self._placed(page, of_master)
        return [
            answers.mention(actor, masters.get(number), below.get(number))
            for actor in found
            for number in [lines[fold(actor.name)][0]]
        ]

    def _placed(self, page: Page, asked: Iterable[tuple[Task, list[_Line]]]) -> dict[int, str]:
        """Return the category that each task gives its actors, by their numbers."""
        placed: dict[int, str] = {}
        missing: list[Asking] = []
        waiting = False
        for task, actors in asked:
            for content in actor_contents(actors, self.tasks.page_characters):
                try:
                    placed |= answers.placed(self._answer(self._question(task, page, content)).reply)
                except _Missing as one:
                    missing.extend(one.asking)
                    waiting = True
        if waiting:
            raise _Missing(*missing)
        return placed

    def _answer(self, question: Question) -> _Known:
        """Return the answer to a question, if it is there and need not be asked again.

        Raises:
            _Missing: it is not; carries the question unless it waits in a batch.
        """
        known = self._found(question)
        if known.reply.problem and question.task not in (self.tasks.decide, self.tasks.describe):
            self._unusable.add(question.key)  # no row of a table says so
        return known

    def _found(self, question: Question) -> _Known:
        if question.key in self._rejected:
            return _Known(Reply({}, "rejected"))
        if question.key in self._ahead:
            found = self._ahead.pop(question.key)
        else:
            found = self.decisions.find([question.key]).get(question.key)
        if found is None:
            raise _Missing(Asking(question, 1))
        if found.status == "batched":
            self._waiting.add((question.key, question.municipality))
            raise _Missing
        if not found.answered:
            # A claim may be that of a dead run; what came from no server of the Messages API is asked anew.
            raise _Missing(Asking(question, found.attempt + (found.status == "answered")))
        reply = read_reply(found.raw, question.task)
        if reply.worth_asking_again and found.answers < self.limits.asks:
            raise _Missing(Asking(question, found.attempt + 1))
        if found.owner != self.decisions.owner:
            self._old.add(question.key)
        return _Known(reply, found.usage, found.cost_usd)

    def _look_ahead(self, pages: Sequence[Page]) -> None:
        """Look up the first answer of many pages at once; each is used once, so that none is ever out of date for long."""
        keys = [self._sent(page).decide.key for page in pages]
        found = self.decisions.find(keys)
        self._ahead = {key: found.get(key) for key in keys}

    def _sent_of(self, page: Page) -> _Sent:
        masked, _ = masked_page(page)
        text, cut = page_content(masked, self.tasks.page_characters)
        return _Sent(masked, text, cut, self._question(self.tasks.decide, page, text))

    def _question(self, task: Task, page: Page, content: str) -> Question:
        return ask(task, content, page.municipality, self.model)


def _lines(page: Page, actors: Iterable[NamedActor]) -> dict[str, _Line]:
    """Return (number, name, first sentence) of each name: the same actor of a page is placed once."""
    lines: dict[str, _Line] = {}
    for actor in actors:
        text = page.sentence(actor.sentence_id)
        lines.setdefault(fold(actor.name), (len(lines) + 1, actor.name, text))
    return lines
