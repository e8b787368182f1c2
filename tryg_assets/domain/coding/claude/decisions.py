"""The table of decisions: cache, resume point and audit trail of everything a model was asked."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from tryg_assets.clock import Clock
from tryg_assets.domain.coding.claude.ledger import Ledger, Planned
from tryg_assets.domain.coding.claude.prices import Usage
from tryg_assets.domain.coding.claude.questions import Question
from tryg_assets.state import decision, locked, reading

_AT_ONCE = 500  # keys in one statement: databases limit its parameters
_ONE = (decision.c.key == sa.bindparam("of_key"), decision.c.attempt == sa.bindparam("of_attempt"))
_OF_ASKING = decision.update().where(*_ONE)


@dataclass(frozen=True, slots=True)
class Decision:
    """The latest attempt at a question. ``raw`` is the answer as it came, empty if it is none of the Messages API.

    ``answers`` are the attempts that got one of those; usage and cost are of all attempts together.
    """

    key: str
    attempt: int
    status: str
    owner: str
    raw: Mapping[str, Any]
    answers: int
    usage: Usage
    cost_usd: Decimal

    @property
    def answered(self) -> bool:
        """Whether there is an answer of the Messages API."""
        return self.status == "answered" and bool(self.raw)


@dataclass(frozen=True, slots=True)
class Asking:
    """A question about to be asked, for the first time or again."""

    question: Question
    attempt: int

    def planned(self, ttl: str, *, batch: bool) -> Planned:
        """Return the request as the ledger wants to know it."""
        question = self.question
        worst_case = question.worst_case(ttl, self.attempt)
        return Planned(question.model.name, worst_case, batch, question.task.name, question.municipality)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A question of a batch that is not answered yet, and the reservation for it."""

    key: str
    attempt: int
    reservation: str


@dataclass(frozen=True, slots=True)
class Received:
    """An answer as it came from the server, and the reservation that pays for it."""

    key: str
    attempt: int
    reservation: str
    raw: str


class Decisions:
    """The decisions of one state database, as ``owner`` claims and answers them.

    Of two runs that want the same answer one gets the claim and asks; the other waits. A claim without a sign of life for
    ``lease_seconds`` is that of a dead run and may be taken over. An answer and its payment are one transaction.
    """

    def __init__(
        self, engine: sa.Engine, clock: Clock, ledger: Ledger, *, owner: str, lease_seconds: int
    ) -> None:
        self.engine, self.clock, self.ledger = engine, clock, ledger
        self.owner, self.lease = owner, timedelta(seconds=lease_seconds)

    def find(self, keys: Sequence[str]) -> dict[str, Decision]:
        """Return the latest attempt at each of these questions that was ever asked."""
        found: dict[str, Decision] = {}
        for some in portions(keys):
            wanted = sa.select(decision).where(decision.c.key.in_(some))
            with reading(self.engine) as connection:
                rows = connection.execute(wanted.order_by(decision.c.key, decision.c.attempt)).all()
            for row in rows:
                found[row.key] = _decision(row, found.get(row.key))
        return found

    def any_answered(self) -> bool:
        """Whether a single answer is stored."""
        answered = sa.select(decision.c.key).where(decision.c.status == "answered").limit(1)
        with reading(self.engine) as connection:
            return connection.execute(answered).first() is not None

    def claim(
        self,
        wanted: Sequence[Asking],
        *,
        batch_id: str | None = None,
        connection: sa.Connection | None = None,
    ) -> list[Asking]:
        """Claim the right to ask, for as long as there are signs of life or, with ``batch_id``, as the batch is known.

        Returns what was got: not what is answered, or claimed by a run that lives.
        """
        now = self.clock().isoformat()
        mine = {
            "status": "asked" if batch_id is None else "batched",
            "owner": self.owner,
            "lease_until": self._lease_end(),
            "batch_id": batch_id,
            "run_id": self.ledger.run_id,
            "moment": now,
        }
        with self.writing(connection) as held:
            there = {}
            for some in portions([asking.question.key for asking in wanted]):
                rows = held.execute(sa.select(decision).where(decision.c.key.in_(some)))
                there.update({(row.key, row.attempt): row for row in rows})
            got: list[Asking] = []
            fresh: list[dict[str, Any]] = []
            taken: set[tuple[str, int]] = set()
            for asking in wanted:
                key, attempt = asking.question.key, asking.attempt
                row = there.get((key, attempt))
                if (key, attempt) in taken:
                    continue
                if row is None:
                    shared = {"key": key, "attempt": attempt, "municipality": asking.question.municipality}
                    fresh.append({**shared, **asking.question.hashes, **mine})
                elif row.status == "asked" and row.lease_until < now:
                    dead = decision.update().where(decision.c.key == key, decision.c.attempt == attempt)
                    held.execute(dead.values(**mine))
                else:
                    continue
                taken.add((key, attempt))
                got.append(asking)
            if fresh:
                held.execute(decision.insert(), fresh)
        return got

    def claim_each(self, wanted: Sequence[Asking]) -> list[bool]:
        """Claim as ``claim`` does; returns for each question whether it was got."""
        got = {id(asking) for asking in self.claim(wanted)}
        return [id(asking) in got for asking in wanted]

    def renew(self) -> None:
        """Give a sign of life for all that is claimed and not answered."""
        mine = decision.update().where(decision.c.owner == self.owner, decision.c.status == "asked")
        with self.writing() as held:
            held.execute(mine.values(lease_until=self._lease_end()))

    def give_up(self, keys: Collection[str], connection: sa.Connection | None = None) -> None:
        """Drop own claims whose question got no answer, so that anyone may ask it again."""
        with self.writing(connection) as held:
            for some in portions(list(keys)):
                unanswered = sa.and_(decision.c.status != "answered", decision.c.owner == self.owner)
                held.execute(decision.delete().where(decision.c.key.in_(some), unanswered))

    def store(self, received: Iterable[Received]) -> list[tuple[Usage, Decimal]]:
        """Store answers as they came and settle what they cost, in one transaction; returns their tokens and dollars.

        An answer to a question that was meanwhile answered by a run that took the claim over is paid for but not kept.

        Raises:
            StateNotWritten: the database cannot be written (a full disk); earlier answers are safe.
        """
        now = self.clock().isoformat()
        paid: list[tuple[Usage, Decimal]] = []
        rows: list[dict[str, Any]] = []
        with self.writing() as held:
            for one in received:
                answer = message(one.raw)
                usage = _usage(answer.get("usage"))
                cost = self.ledger.settle(one.reservation, usage, one.key, held)
                paid.append((usage or Usage(), cost))
                rows.append(
                    {
                        "of_key": one.key,
                        "of_attempt": one.attempt,
                        "reservation": one.reservation,
                        "raw": one.raw,
                        "stop_reason": storable(answer.get("stop_reason") or "", 64),
                        "usage": json.dumps(answer.get("usage"), sort_keys=True),
                        "cost_usd": f"{cost:f}",
                    }
                )
            if rows:
                unanswered = _OF_ASKING.where(decision.c.status != "answered")
                held.execute(unanswered.values(status="answered", moment=now), rows)
        return paid

    def reserved(
        self, claimed: Sequence[Asking], reservations: Sequence[str], connection: sa.Connection
    ) -> None:
        """Note what each claimed question of a batch will be paid with."""
        pairs = zip(claimed, reservations, strict=True)
        rows = [
            {"of_key": one.question.key, "of_attempt": one.attempt, "reservation": id} for one, id in pairs
        ]
        if rows:
            connection.execute(_OF_ASKING, rows)

    def of_batch(self, batch_id: str, connection: sa.Connection | None = None) -> list[Claimed]:
        """Return what a batch has not answered yet."""
        waiting = sa.select(decision.c.key, decision.c.attempt, decision.c.reservation).where(
            decision.c.batch_id == batch_id, decision.c.status == "batched"
        )
        with self.writing(connection) as held:
            return [Claimed(*row) for row in held.execute(waiting)]

    def free(self, claimed: Sequence[Claimed], connection: sa.Connection, *, uncharged: bool = True) -> None:
        """Let anyone ask again what a batch did not answer; if it was certainly not charged, release the money reserved for it."""
        for one in claimed if uncharged else ():
            self.ledger.release(one.reservation, connection)
        rows = [{"of_key": one.key, "of_attempt": one.attempt} for one in claimed]
        if rows:
            connection.execute(decision.delete().where(*_ONE, decision.c.status == "batched"), rows)

    def writing(self, connection: sa.Connection | None = None) -> AbstractContextManager[sa.Connection]:
        """Return the caller's transaction, or one of our own, in which nobody else writes decisions."""
        return locked(self.engine, decision, connection)

    def _lease_end(self) -> str:
        return (self.clock() + self.lease).isoformat()


def portions(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield keys in portions that fit into one statement."""
    for start in range(0, len(keys), _AT_ONCE):
        yield keys[start : start + _AT_ONCE]


def message(raw: str) -> Mapping[str, Any]:
    """Return an answer as JSON; what is none of the Messages API (a login page, a wrong port) is empty."""
    try:
        answer = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    is_message = (
        isinstance(answer, dict)
        and answer.get("type", "message") == "message"
        and isinstance(answer.get("content"), list)
    )
    return answer if is_message else {}


def storable(said: object, most: int) -> str:
    """Return what a server said as a text that every database takes: cut, without zeros and halves of characters."""
    return str(said)[:most].replace("\0", "").encode("utf-8", "replace").decode()


def _usage(raw: object) -> Usage | None:
    """Return the tokens an answer says it took; ``None`` if it does not say, or nothing that can be read."""
    try:
        return Usage.of(raw) if raw else None
    except ValueError:
        return None


def _decision(row: Any, before: Decision | None) -> Decision:
    usage = _usage(json.loads(row.usage or "null")) or Usage()
    cost = Decimal(row.cost_usd or 0)
    raw = message(row.raw or "")
    answers = int(bool(raw))
    if before is not None:
        usage, cost, answers = before.usage + usage, before.cost_usd + cost, before.answers + answers
    return Decision(
        key=row.key,
        attempt=row.attempt,
        status=row.status,
        owner=row.owner,
        raw=raw,
        answers=answers,
        usage=usage,
        cost_usd=cost,
    )
