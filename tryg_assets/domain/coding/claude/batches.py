"""Batches: half the price, within a day. Sent once, found again after any crash, and stored whatever the order of the results."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import sqlalchemy as sa

from tryg_assets.domain.coding.claude.decisions import (
    Asking,
    Claimed,
    Decisions,
    Received,
    message,
    portions,
    storable,
)
from tryg_assets.domain.coding.claude.limits import Limits
from tryg_assets.domain.coding.claude.live import Tally
from tryg_assets.domain.coding.claude.server import Server, is_refusal, shown
from tryg_assets.errors import BudgetReached, ConfigurationError, ServerUnavailable
from tryg_assets.state import batch, batch_error, decision, reading

if TYPE_CHECKING:
    from anthropic import Anthropic

TTL = "1h"  # the requests of a batch are answered in any order over a long time
_STORED_AT_ONCE = 500
_CLOCKS = timedelta(minutes=5)  # how far our clock and the server's may be apart
_NOT_OFFERED = (404, 405, 501)
_OUR_FAULT = "invalid_request_error"  # the same request would fail again


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """A batch that is not stored yet; without ``server_id`` it is not known whether the server has it."""

    batch_id: str
    server_id: str | None
    requests: int
    municipalities: tuple[str, ...]
    intended_at: datetime

    @property
    def name(self) -> str:
        """What the batch is called: as on the server, if it is known there."""
        return self.server_id or self.batch_id


@dataclass(frozen=True, slots=True)
class _Result:
    """One line of results: an answer, or of what kind the error was and what the server said (nothing if it expired)."""

    key: str
    answer: str | None
    error: str = ""
    said: str = ""


class Batches:
    """The batches of one state database on one server.

    The intent, the claims and the reserved money are one transaction, before anything is sent. A create is never sent twice:
    when its reply is lost, the batch is looked for among those of the server, and only when it is not there after
    ``unsure_minutes`` are its questions free to be asked again.

    Beside what they return, ``submit`` notes in ``offered`` whether the server has batches and in ``left`` what was not sent and why;
    ``collect`` notes in ``troubles`` what is wrong with which batch, and in ``failed`` what requests of a batch failed of, and how many.
    """

    def __init__(self, server: Server, decisions: Decisions, limits: Limits, tally: Tally) -> None:
        self.server, self.decisions, self.limits, self.tally = server, decisions, limits, tally
        self.offered, self.left = True, ""
        self.troubles: dict[str, str] = {}
        self.failed: Counter[str] = Counter()

    def open(self) -> list[OpenBatch]:
        """Return the batches that are not stored, oldest first."""
        waiting = batch.c.status.in_(("intended", "sent"))
        with reading(self.decisions.engine) as connection:
            rows = connection.execute(
                sa.select(batch).where(waiting).order_by(batch.c.intended_at, batch.c.batch_id)
            ).all()
        return [
            OpenBatch(
                row.batch_id,
                row.server_id,
                row.requests,
                tuple(json.loads(row.municipalities)),
                datetime.fromisoformat(row.intended_at),
            )
            for row in rows
        ]

    def submit(self, asking: Iterable[Asking]) -> int:
        """Send questions in batches of limited size; returns how many were sent.

        What another run has claimed meanwhile is left to it, and what has failed in batches to single calls.

        Raises:
            BudgetReached: not even the first batch fits under the cap. Later ones that do not fit are left for the next time.
            ServerUnavailable: the reply was lost or the server does not answer; ``collect`` finds out which.
        """
        sent, self.left = 0, ""
        parts = self._portions(asking)
        for portion in parts:
            try:
                batch_id, claimed = self._intend(portion)
            except BudgetReached as problem:
                if not sent:
                    raise
                self.left = (
                    f"{len(portion) + sum(map(len, parts))} questions were left for the next time. {problem}"
                )
                break
            if claimed:
                if not self._send(batch_id, claimed):
                    break
                sent += len(claimed)
        return sent

    def collect(self) -> list[str]:
        """Look at every open batch and store what has ended; returns the municipalities whose pages waited for those.

        A batch that cannot be fetched stays open and keeps no other from being stored.

        Raises:
            ServerUnavailable, ConfigurationError: the server cannot be reached, or wants another key.
        """
        from anthropic import APIConnectionError, APIStatusError

        ready: set[str] = set()
        self.troubles, self.failed = {}, Counter()
        waiting = self.open()
        if not waiting:
            return []
        with self._client() as client:
            for one in waiting:
                try:
                    if self._collect(client, one):
                        ready.update(one.municipalities)
                except APIConnectionError as problem:
                    raise self.server.unreachable(problem) from problem
                except APIStatusError as problem:
                    explained = self.server.explained(problem)
                    if problem.status_code in (401, 403):
                        raise explained from problem
                    gone = "the server no longer has it (results are kept for 29 days)."
                    self.troubles[one.name] = gone if problem.status_code == 404 else str(explained)
                except ServerUnavailable as problem:
                    self.troubles[one.name] = str(problem)
        return sorted(ready)

    def ended_since(self, moment: str) -> dict[str, str]:
        """Return the municipalities whose pages waited for a batch that has ended after ``moment`` (ISO 8601), and when it did."""
        ended = sa.select(batch.c.municipalities, batch.c.stored_at).where(batch.c.stored_at > moment)
        with reading(self.decisions.engine) as connection:
            rows = connection.execute(ended.order_by(batch.c.stored_at)).all()
        return {slug: row.stored_at for row in rows for slug in json.loads(row.municipalities)}

    def drop(self, name: str) -> int:
        """Give up an open batch, by its id here or on the server; returns how many questions may then be asked again.

        Whether it was charged is not known, so what was reserved for it stays open until a person decides.

        Raises:
            ConfigurationError: no open batch is called that.
        """
        dropped = next((one for one in self.open() if name in (one.batch_id, one.server_id)), None)
        if dropped is None:
            raise ConfigurationError(f"No open batch is called {name}. `tryg batches` lists them.")
        with self.decisions.writing() as held:
            unanswered = self.decisions.of_batch(dropped.batch_id, held)
            self.decisions.free(unanswered, held, uncharged=False)
            self._mark(dropped.batch_id, held, status="lost", stored_at=self.decisions.clock().isoformat())
        return len(unanswered)

    def note_waiting(
        self, waiting: Iterable[tuple[str, str]], connection: sa.Connection | None = None
    ) -> None:
        """Note municipalities whose pages wait for a question that is in a batch, given as (key, municipality).

        The same text on two websites is asked once; both must hear of the answer.
        """
        wanted: dict[str, set[str]] = {}
        for key, municipality in waiting:
            wanted.setdefault(key, set()).add(municipality)
        if not wanted:
            return
        with self.decisions.writing(connection) as held:
            of_batch: dict[str, set[str]] = {}
            for some in portions(list(wanted)):
                batched = sa.and_(decision.c.key.in_(some), decision.c.status == "batched")
                for key, batch_id in held.execute(
                    sa.select(decision.c.key, decision.c.batch_id).where(batched)
                ):
                    of_batch.setdefault(batch_id, set()).update(wanted[key])
            for batch_id, municipalities in of_batch.items():
                mine = batch.c.batch_id == batch_id
                known = set(
                    json.loads(held.execute(sa.select(batch.c.municipalities).where(mine)).scalar_one())
                )
                if not municipalities <= known:
                    self._mark(batch_id, held, municipalities=json.dumps(sorted(known | municipalities)))

    def _portions(self, asking: Iterable[Asking]) -> Iterator[list[Asking]]:
        most = self.limits.batch.megabytes * 1_000_000
        portion: list[Asking] = []
        size = 0
        for one in asking:
            length = one.question.worst_case(TTL).prompt_tokens  # at most one token a byte
            if portion and (len(portion) >= self.limits.batch.most or size + length > most):
                yield portion
                portion, size = [], 0
            portion.append(one)
            size += length
        if portion:
            yield portion

    def _intend(self, portion: Sequence[Asking]) -> tuple[str, list[Asking]]:
        """Write down what is about to be sent: claims, reserved money and the batch itself, or nothing of it."""
        ledger, batch_id = self.decisions.ledger, uuid.uuid4().hex
        with self.decisions.writing() as held:
            tired = self._tired([one.question.key for one in portion], held)
            fresh = [one for one in portion if one.question.key not in tired]
            claimed = self.decisions.claim(fresh, batch_id=batch_id, connection=held)
            planned = [one.planned(TTL, batch=True) for one in claimed]
            self.decisions.reserved(claimed, ledger.reserve_all(planned, held), held)
            if claimed:
                held.execute(
                    batch.insert().values(
                        batch_id=batch_id,
                        status="intended",
                        requests=len(claimed),
                        municipalities="[]",
                        run_id=ledger.run_id,
                        intended_at=self.decisions.clock().isoformat(),
                    )
                )
            self.note_waiting(((one.question.key, one.question.municipality) for one in portion), held)
        return batch_id, claimed

    def _tired(self, keys: Sequence[str], connection: sa.Connection) -> set[str]:
        """Return the questions that batches have failed with too often, or whose request the server called wrong."""
        tired: set[str] = set()
        ours = sa.func.max(sa.case((batch_error.c.error_type == _OUR_FAULT, 1), else_=0))
        for some in portions(keys):
            failed = (
                sa.select(batch_error.c.key).where(batch_error.c.key.in_(some)).group_by(batch_error.c.key)
            )
            often = sa.func.count() >= self.limits.batch.tries
            tired.update(connection.execute(failed.having(sa.or_(often, ours == 1))).scalars())
        return tired

    def _send(self, batch_id: str, claimed: Sequence[Asking]) -> bool:
        from anthropic import APIConnectionError, APIStatusError
        from anthropic.types.messages import MessageBatch

        try:
            # Never retried: a lost reply does not say whether the batch was made, and a second one would be paid for as well.
            with self._client(retries=0) as client:
                made = client.messages.batches.create(requests=[_request(one) for one in claimed])
        except APIStatusError as problem:
            if is_refusal(problem.status_code):
                self._close(batch_id, "lost")
            if problem.status_code not in _NOT_OFFERED:
                raise self.server.explained(problem) from problem
            self.offered = False
            return False
        except APIConnectionError as problem:
            raise self.server.unreachable(problem) from problem
        if not isinstance(made, MessageBatch):
            raise self.server.misunderstood()
        with self.decisions.writing() as held:
            self._mark(batch_id, held, status="sent", server_id=made.id)
        return True

    def _collect(self, client: Anthropic, one: OpenBatch) -> bool:
        """Store a batch if it has ended; returns whether it is closed: each of its requests has a result."""
        from anthropic.types.messages import MessageBatch

        server_id, may_come = (one.server_id, True) if one.server_id else self._found_again(client, one)
        if server_id is None:
            if may_come or self._is_young(one):
                return False
            self._close(one.batch_id, "lost")
            return True
        there = client.messages.batches.retrieve(server_id)
        if not isinstance(there, MessageBatch):
            raise self.server.misunderstood()
        if there.processing_status != "ended":
            return False
        waiting = {row.key: row for row in self.decisions.of_batch(one.batch_id)}
        with closing(self._results(client, server_id)) as results:
            while some := list(islice(results, _STORED_AT_ONCE)):
                self._store(one.batch_id, some, waiting)
        if waiting:
            raise ServerUnavailable(
                f"its results lack {len(waiting)} of {one.requests} requests; they are looked for again."
            )
        self._close(one.batch_id, "stored")
        return True

    def _is_young(self, one: OpenBatch) -> bool:
        age = self.decisions.clock() - one.intended_at
        return age < timedelta(minutes=self.limits.batch.unsure_minutes)

    def _found_again(self, client: Anthropic, one: OpenBatch) -> tuple[str | None, bool]:
        """Look for a batch whose reply was lost: the server's id of the one with answers to its questions, if it has ended.

        Also returns whether one that has not ended yet may be it: same number of requests, made since.
        """
        known = self._known_ids()
        keys = {row.key for row in self.decisions.of_batch(one.batch_id)}
        may_come = False
        for there in client.messages.batches.list(limit=100):
            if there.created_at < one.intended_at - _CLOCKS:
                break  # the newest come first
            counts = there.request_counts
            total = counts.processing + counts.succeeded + counts.errored + counts.canceled + counts.expired
            if there.id in known or total != one.requests:
                continue
            if there.processing_status != "ended":
                may_come = True
                continue
            with closing(self._results(client, there.id)) as results:
                first = next(results, None)
            if first is not None and first.key in keys:
                with self.decisions.writing() as held:
                    self._mark(one.batch_id, held, status="sent", server_id=there.id)
                return there.id, True
        return None, may_come

    def _results(self, client: Anthropic, server_id: str) -> Generator[_Result, None, None]:
        """Yield the results of a batch as they come, in any order.

        Asked from our own address: the one that the server names for them may be another host's, to which the key must not go.

        Raises:
            ServerUnavailable: the connection broke off.
        """
        import httpx2

        path = f"/v1/messages/batches/{quote(server_id, safe='')}/results"
        with closing(client.get(path, cast_to=httpx2.Response, stream=True, stream_cls=None)) as response:
            try:
                yield from filter(None, map(_result, _lines(response.iter_bytes())))
            except httpx2.HTTPError as problem:
                raise self.server.unreachable(problem) from problem

    def _store(self, batch_id: str, results: Iterable[_Result], waiting: dict[str, Claimed]) -> None:
        """Store what came, take it out of ``waiting``, and free what was not answered: it cost nothing and may be asked again."""
        received: list[Received] = []
        unanswered: list[Claimed] = []
        errors: list[dict[str, str]] = []
        moment = self.decisions.clock().isoformat()
        for one in results:
            if (row := waiting.pop(one.key, None)) is None:
                continue
            if one.answer is not None:
                received.append(Received(row.key, row.attempt, row.reservation, one.answer))
                continue
            unanswered.append(row)
            if one.error:
                self.failed[f"{one.error}: {one.said}"] += 1
                about = {"error_type": one.error, "message": one.said, "moment": moment}
                errors.append({"batch_id": batch_id, "key": one.key, **about})
        for usage, cost in self.decisions.store(received):
            self.tally.add(usage, cost)
        if not unanswered:
            return
        with self.decisions.writing() as held:
            # Another process may have stored the same results, and the questions may be in a new batch already.
            still = {row.key for row in self.decisions.of_batch(batch_id, held)}
            self.decisions.free([row for row in unanswered if row.key in still], held)
            if fresh := [error for error in errors if error["key"] in still]:
                held.execute(batch_error.insert(), fresh)

    def _close(self, batch_id: str, status: str) -> None:
        """End a batch; what it was not asked after all (it never came to be) is free again."""
        with self.decisions.writing() as held:
            self.decisions.free(self.decisions.of_batch(batch_id, held), held)
            self._mark(batch_id, held, status=status, stored_at=self.decisions.clock().isoformat())

    @staticmethod
    def _mark(batch_id: str, connection: sa.Connection, **values: str) -> None:
        connection.execute(batch.update().where(batch.c.batch_id == batch_id).values(**values))

    def _known_ids(self) -> set[str | None]:
        with reading(self.decisions.engine) as connection:
            return set(connection.execute(sa.select(batch.c.server_id)).scalars())

    def _client(self, retries: int | None = None) -> Anthropic:
        return self.server.batch_client(
            seconds=self.limits.seconds, retries=self.limits.retries if retries is None else retries
        )


def _request(one: Asking) -> Any:
    return {"custom_id": one.question.key, "params": one.question.body(TTL, one.attempt)}


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield lines that end in a line feed and nothing else: text in JSON may hold every other separator."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from filter(bytes.strip, whole)
    if rest.strip():
        yield rest


def _result(line: bytes) -> _Result | None:
    """Read a line of results; ``None`` if it is none. An answer that is none of the Messages API is an error."""
    try:
        one = json.loads(line)
        key, result = str(one["custom_id"]), one["result"]
        if result["type"] == "succeeded":
            raw = json.dumps(result["message"])
            return _Result(key, raw) if message(raw) else _Result(key, None, "no_message", shown(raw))
        if result["type"] != "errored":
            return _Result(key, None)
        error = result["error"]["error"]
        said = shown(storable(error["message"], len(str(error["message"]))))
        return _Result(key, None, storable(error["type"], 64) or "unknown", said)
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
