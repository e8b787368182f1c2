"""Single calls: many at once, every attempt paid for from the ledger, every answer stored before it is read."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tryg_assets.domain.coding.claude.decisions import Asking, Decisions, Received, message
from tryg_assets.domain.coding.claude.limits import Limits
from tryg_assets.domain.coding.claude.prices import Usage
from tryg_assets.domain.coding.claude.questions import Question
from tryg_assets.domain.coding.claude.server import Server, is_refusal, message_of
from tryg_assets.domain.coding.claude.together import Together
from tryg_assets.domain.coding.interface import Page
from tryg_assets.errors import TrygError

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from anthropic._middleware import AsyncCallNext
    from anthropic._request import APIRequest
    from anthropic._response import AsyncAPIResponse

TTL = "5m"  # the calls of a run follow each other closely
_REJECTED = (400, 413, 422)  # the request itself is wrong; another one may be right
# The API's own errors, which it does not charge; a gateway's answer of that kind says nothing about it.
_FAILED = (500, 529)
_WAIT = 0.2  # seconds between two looks at what another run is asking

Missing = Callable[[Page], Sequence[Asking]]
OnRejected = Callable[[Question, str], None]


@dataclass(slots=True)
class _Call:
    """What the worker is asking; the payment of the latest attempt is noted in it."""

    asking: Asking
    reservation: str = ""


_current: ContextVar[_Call] = ContextVar("current call")


@dataclass(slots=True)
class Tally:
    """What was asked over the wire since the engine was made; tokens and dollars of answers only."""

    calls: int = 0
    cache_hits: int = 0
    used: Usage = field(default_factory=Usage)
    cost_usd: Decimal = Decimal()

    def add(self, usage: Usage, cost: Decimal) -> None:
        """Add one answer."""
        self.calls += 1
        self.cache_hits += usage.cache_read_tokens > 0
        self.used = self.used + usage
        self.cost_usd += cost


class Live:
    """Asks single questions of one server until no page has any left."""

    def __init__(self, server: Server, decisions: Decisions, limits: Limits, tally: Tally) -> None:
        self.server, self.decisions, self.limits, self.tally = server, decisions, limits, tally
        self._claim = Together(decisions.claim_each)
        self._reserve = Together(decisions.ledger.reserve_all)
        self._store = Together(decisions.store)

    def ask(self, pages: Iterable[Page], missing: Missing, rejected: OnRejected) -> None:
        """Ask for each page what is ``missing``, and again when that is answered, until nothing is.

        Args:
            pages: the pages.
            missing: returns the next questions of a page; those that another run asks, it returns again until they are answered.
            rejected: is told of a question that the server says is wrong, and why; it may raise to stop.

        Raises:
            BudgetReached, ServerUnavailable, ConfigurationError, StateNotWritten: nothing new is asked; the calls under way have
                been waited for, as they are paid for.
        """
        asyncio.run(self._ask_all(iter(pages), missing, rejected))

    async def _ask_all(self, pages: Iterator[Page], missing: Missing, rejected: OnRejected) -> None:
        problems: list[Exception] = []

        async def work(client: AsyncAnthropic) -> None:
            try:
                for page in pages:
                    while questions := missing(page):
                        for asking in questions:
                            if problems:
                                return
                            await self._ask(client, asking, rejected)
            except Exception as problem:  # noqa: BLE001 - raised below, when the other workers have stored their answers
                problems.append(problem)

        opened = self.server.client(
            seconds=self.limits.seconds, retries=self.limits.retries, middleware=[self._pay]
        )
        async with self._signs_of_life(), opened as client:
            await asyncio.gather(*(work(client) for _ in range(self.limits.concurrency)))
        if problems:
            raise problems[0]

    async def _ask(self, client: AsyncAnthropic, asking: Asking, rejected: OnRejected) -> None:
        from anthropic import APIConnectionError, APIStatusError

        if not await self._claim(asking):
            await asyncio.sleep(_WAIT)
            return
        call = _Call(asking)
        _current.set(call)
        try:
            response = await client.messages.with_raw_response.create(
                **asking.question.body(TTL, asking.attempt)
            )
            raw = await response.text()
            if not message(raw):
                raise self.server.misunderstood()
        except APIStatusError as problem:
            self.decisions.give_up([asking.question.key])
            said = message_of(problem)
            unpaid = any(words in said.casefold() for words in self.limits.unpaid)
            if problem.status_code not in _REJECTED or unpaid:
                raise self.server.explained(problem) from problem
            rejected(asking.question, said)
        except APIConnectionError as problem:
            self.decisions.give_up([asking.question.key])
            raise self.server.unreachable(problem) from problem
        except TrygError:
            self.decisions.give_up([asking.question.key])
            raise
        else:
            received = Received(asking.question.key, asking.attempt, call.reservation, raw)
            self.tally.add(*await self._store(received))

    async def _pay(self, request: APIRequest, call_next: AsyncCallNext) -> AsyncAPIResponse[Any]:
        """Reserve the worst case of one attempt (the SDK comes here for each) before it is sent.

        What was certainly not charged is released. What may have been (a connection that broke after sending, a gateway that gave up
        waiting) stays open and counts, until a person or the server's bill decides.
        """
        import httpx2
        from anthropic import APIConnectionError

        call, ledger = _current.get(), self.decisions.ledger
        call.reservation = await self._reserve(call.asking.planned(TTL, batch=False))
        try:
            response = await call_next(request)
        except APIConnectionError as problem:
            if isinstance(problem.__cause__, httpx2.ConnectError | httpx2.ConnectTimeout):
                ledger.release(call.reservation)
            raise
        status = response.http_response.status_code
        if is_refusal(status) or (status in _FAILED and _is_api_error(await response.read())):
            ledger.release(call.reservation)
        return response

    @contextlib.asynccontextmanager
    async def _signs_of_life(self) -> AsyncIterator[None]:
        """Renew all claims now and then, so that no other run takes this one for dead."""

        async def renew() -> None:
            while True:
                await asyncio.sleep(self.limits.lease_seconds / 3)
                # Whatever a failure was, the next try comes before the claims run out.
                with contextlib.suppress(Exception):
                    await asyncio.to_thread(self.decisions.renew)

        renewing = asyncio.create_task(renew())
        try:
            yield
        finally:
            renewing.cancel()


def _is_api_error(body: bytes) -> bool:
    try:
        answer = json.loads(body)
    except ValueError:
        return False
    return isinstance(answer, dict) and answer.get("type") == "error"
