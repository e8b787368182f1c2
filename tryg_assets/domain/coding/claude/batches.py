"""Batches: half the price, within a day. Sent once, found again after any crash, and stored whatever the order of the results."""

from __future__ import annotations

import json
import uuid
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from tryg_assets.domain.coding.claude.decisions import Asking, Claimed, Decisions, Received
from tryg_assets.domain.coding.claude.limits import Limits
from tryg_assets.domain.coding.claude.live import Tally
from tryg_assets.domain.coding.claude.server import Server
from tryg_assets.errors import BudgetReached, ServerUnavailable
from tryg_assets.state import batch, reading

if TYPE_CHECKING:
    from anthropic import Anthropic

TTL = "1h"  # the requests of a batch are answered in any order over a long time
_STORED_AT_ONCE = 500
_CLOCKS = timedelta(minutes=5)  # how far our clock and the server's may be apart
_NOT_OFFERED = (404, 405, 501)


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """A batch that is not stored yet; without ``server_id`` it is not known whether the server has it."""

    batch_id: str
    server_id: str | None
    requests: int
    municipalities: tuple[str, ...]
    intended_at: datetime


class Batches:
    """The batches of one state database on one server.

    The intent, the claims and the reserved money are one transaction, before anything is sent. A create is never sent twice:
    when its reply is lost, the batch is looked for among those of the server, and only when it is not there after
    ``unsure_minutes`` are its questions free to be asked again.
    """

    def __init__(self, server: Server, decisions: Decisions, limits: Limits, tally: Tally) -> None:
        self.server, self.decisions, self.limits, self.tally = server, decisions, limits, tally
        self.offered = True

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

        What another run has claimed meanwhile is left to it. A server without batches is noted in ``offered``.

        Raises:
            BudgetReached: not even the first batch fits under the cap. Later ones that do not fit are left for the next time.
            ServerUnavailable: the reply was lost or the server does not answer; ``collect`` finds out which.
        """
        sent = 0
        for portion in self._portions(asking):
            try:
                batch_id, claimed = self._intend(portion)
            except BudgetReached:
                if not sent:
                    raise
                break
            if claimed:
                if not self._send(batch_id, claimed):
                    break
                sent += len(claimed)
        return sent

    def collect(self) -> list[str]:
        """Look at every open batch and store what has ended; returns the municipalities whose pages were in those.

        Raises:
            ServerUnavailable: the server does not answer; the batches stay open.
        """
        from anthropic import APIConnectionError, APIStatusError

        ready: set[str] = set()
        try:
            with self._client() as client:
                for one in self.open():
                    if self._collect(client, one):
                        ready.update(one.municipalities)
        except APIStatusError as problem:
            raise self.server.explained(problem) from problem
        except APIConnectionError as problem:
            raise self.server.unreachable(problem) from problem
        return sorted(ready)

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
            claimed = self.decisions.claim(portion, batch_id=batch_id, connection=held)
            planned = [one.planned(TTL, batch=True) for one in claimed]
            self.decisions.reserved(claimed, ledger.reserve_all(planned, held), held)
            if claimed:
                held.execute(
                    batch.insert().values(
                        batch_id=batch_id,
                        status="intended",
                        requests=len(claimed),
                        municipalities=json.dumps(sorted({one.question.municipality for one in claimed})),
                        run_id=ledger.run_id,
                        intended_at=self.decisions.clock().isoformat(),
                    )
                )
        return batch_id, claimed

    def _send(self, batch_id: str, claimed: Sequence[Asking]) -> bool:
        from anthropic import APIConnectionError, APIStatusError

        try:
            # Never retried: a lost reply does not say whether the batch was made, and a second one would be paid for as well.
            with self._client(retries=0) as client:
                made = client.messages.batches.create(requests=[_request(one) for one in claimed])
        except APIStatusError as problem:
            self._close(batch_id, "lost")
            if problem.status_code not in _NOT_OFFERED:
                raise self.server.explained(problem) from problem
            self.offered = False
            return False
        except APIConnectionError as problem:
            raise self.server.unreachable(problem) from problem
        self._mark(batch_id, status="sent", server_id=made.id)
        return True

    def _collect(self, client: Anthropic, one: OpenBatch) -> bool:
        """Store a batch if it has ended; returns whether it is closed."""
        server_id, may_come = (one.server_id, True) if one.server_id else self._found_again(client, one)
        if server_id is None:
            if may_come or self._is_young(one):
                return False
            self._close(one.batch_id, "lost")
            return True
        there = client.messages.batches.retrieve(server_id)
        if there.processing_status != "ended" or there.results_url is None:
            return False
        waiting = {row.key: row for row in self.decisions.of_batch(one.batch_id)}
        results = self._results(client, server_id, there.results_url)
        while some := list(islice(results, _STORED_AT_ONCE)):
            self._store(some, waiting)
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
            if there.results_url is None:
                may_come = True
                continue
            with closing(self._results(client, there.id, there.results_url)) as results:
                first = next(results, None)
            if first is not None and first["custom_id"] in keys:
                self._mark(one.batch_id, status="sent", server_id=there.id)
                return there.id, True
        return None, may_come

    def _results(
        self, client: Anthropic, server_id: str, address: str
    ) -> Generator[dict[str, Any], None, None]:
        """Yield the results of a batch as they come, in any order.

        The SDK follows the address that the server names and sends the key along, so the address must be the server's own.
        """
        if urlsplit(address).netloc != self.server.host:
            raise ServerUnavailable(
                f"{self.server.address} says that the results of batch {server_id} are at {address}. The key is not sent to another "
                "host; nothing was fetched."
            )
        with client.messages.batches.with_streaming_response.results(server_id) as response:
            for line in response.iter_lines():
                if line.strip():
                    yield json.loads(line)

    def _store(self, results: Iterable[dict[str, Any]], waiting: Mapping[str, Claimed]) -> None:
        received = [
            Received(
                row.key,
                row.attempt,
                row.reservation,
                json.dumps(one["result"]["message"], ensure_ascii=False),
            )
            for one in results
            if one["result"]["type"] == "succeeded" and (row := waiting.get(one["custom_id"]))
        ]
        for usage, cost in self.decisions.store(received):
            self.tally.add(usage, cost)

    def _close(self, batch_id: str, status: str) -> None:
        """End a batch: what it did not answer (errors, canceled, expired, lost) cost nothing and may be asked again."""
        with self.decisions.writing() as held:
            self.decisions.drop_unanswered(batch_id, held)
            held.execute(
                batch.update()
                .where(batch.c.batch_id == batch_id)
                .values(status=status, stored_at=self.decisions.clock().isoformat())
            )

    def _mark(self, batch_id: str, **values: str) -> None:
        with self.decisions.writing() as held:
            held.execute(batch.update().where(batch.c.batch_id == batch_id).values(**values))

    def _known_ids(self) -> set[str | None]:
        with reading(self.decisions.engine) as connection:
            return set(connection.execute(sa.select(batch.c.server_id)).scalars())

    def _client(self, retries: int | None = None) -> Anthropic:
        return self.server.batch_client(
            seconds=self.limits.seconds, retries=self.limits.retries if retries is None else retries
        )


def _request(one: Asking) -> Any:
    return {"custom_id": one.question.key, "params": one.question.body(TTL, one.attempt)}
