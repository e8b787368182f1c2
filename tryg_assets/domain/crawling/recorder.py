"""Between the crawl and the web: every answer is archived as it comes, and asked for once even if the crawl is killed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Protocol

import httpx

from tryg_assets.clock import Clock
from tryg_assets.domain.crawling import warc
from tryg_assets.domain.crawling.archive import Archive, Origin
from tryg_assets.domain.crawling.fetch import Reply

# Bodies are stored decoded, so headers that describe the coding on the wire would lie.
_WIRE_HEADERS = frozenset({b"content-encoding", b"transfer-encoding", b"content-length", b"connection"})
_PROFILE = "http://netpreserve.org/warc/1.1/revisit"
# What a reply says beyond HTTP: a field of ours, which other tools pass over as the standard demands (5.1).
_FATE = "Tryg-Reply"


class Asker(Protocol):
    """Whoever can be asked for an address; :class:`~tryg_assets.domain.crawling.fetch.Fetcher` asks the web."""

    def get(self, url: str, *, etag: str | None = None, last_modified: str | None = None) -> Reply:
        """Ask once for ``url``."""


class Recorder:
    """Asks as ``asker`` does. Each reply carries its ``record`` (where its body lies) and ``fetched_at``.

    There are no ``request`` records: all requests of a crawl are alike (the user agent is in ``warcinfo``), and which were
    conditional shows in the ``revisit`` records.
    """

    def __init__(self, asker: Asker, archive: Archive, clock: Clock) -> None:
        self._asker, self._archive, self._clock = asker, archive, clock

    def get(self, url: str, *, etag: str | None = None, last_modified: str | None = None) -> Reply:
        """Return what a killed crawl was answered for ``url``; else ask and archive the answer.

        Raises:
            ArchiveError: the answer cannot be stored.
        """
        while record := self._archive.left(url):
            kept = self._replayed(url, record)
            # "Not modified" only answers who says what he has.
            if kept is not None and (kept.status != 304 or etag or last_modified):
                return kept
        return self._recorded(self._asker.get(url, etag=etag, last_modified=last_modified))

    def _recorded(self, reply: Reply) -> Reply:
        moment = self._clock()
        fate = {"problem": reply.problem, "too_large": reply.too_large}
        fields = {_FATE: json.dumps(fate)} if any(fate.values()) else {}
        if reply.status is None:
            self._archive.add(
                "metadata",
                reply.url,
                moment,
                f"problem: {reply.problem}\r\n".encode(),
                content_type=warc.FIELDS,
                fields=fields,
            )
            return replace(reply, fetched_at=moment)
        payload = warc.digest(reply.body)
        origin = self._archive.origin(reply.url)
        unchanged = reply.status == 304
        if unchanged or (origin and reply.body and origin.digest == payload):
            profile = "server-not-modified" if unchanged else "identical-payload-digest"
            block = _block(reply, None if unchanged else len(reply.body))
            self._archive.add(
                "revisit", reply.url, moment, block, fields={**_refers(profile, origin), **fields}
            )
            return replace(reply, fetched_at=moment, record=origin.record if origin else None)
        if reply.problem:
            fields["WARC-Truncated"] = "length" if reply.too_large else "unspecified"
        block = _block(reply, None if reply.problem else len(reply.body)) + reply.body
        fields["WARC-Payload-Digest"] = payload
        return replace(
            reply,
            fetched_at=moment,
            record=self._archive.add("response", reply.url, moment, block, fields=fields),
        )

    def _replayed(self, url: str, record: warc.Record) -> Reply | None:
        fate: dict[str, Any] = json.loads(record.fields.get(_FATE, "{}"))
        if record.kind == "metadata":
            return Reply(url, None, httpx.Headers(), b"", **fate, fetched_at=record.moment)
        status, headers, body = record.http()
        place: str | None = self._archive.place(record)
        if record.kind == "revisit":
            origin = self._archive.origin(url)
            place = origin.record if origin else None
            if status != 304:
                stored = self._archive.body(origin) if origin else None
                if stored is None:
                    return None
                body = stored
        return Reply(
            url, status, httpx.Headers(headers), body, **fate, record=place, fetched_at=record.moment
        )


def _block(reply: Reply, length: int | None) -> bytes:
    """Return the HTTP head as stored: as it came, but with the length of the decoded body (``length``)."""
    assert reply.status is not None
    kept = [(name, value) for name, value in reply.headers.raw if name.lower() not in _WIRE_HEADERS]
    if length is not None:
        kept.append((b"Content-Length", str(length).encode()))
    return warc.http_block(reply.status, httpx.codes.get_reason_phrase(reply.status), kept, b"")


def _refers(profile: str, origin: Origin | None) -> dict[str, str]:
    fields = {"WARC-Profile": f"{_PROFILE}/{profile}"}
    if origin is not None:
        name, _, identity = origin.record.rpartition("/")[2].partition("#")
        fields |= {
            "WARC-Refers-To": warc.urn(identity),
            "WARC-Refers-To-Target-URI": origin.url,
            "WARC-Refers-To-Date": warc.date(origin.moment),
            "WARC-Refers-To-Filename": name,
        }
        if origin.digest:
            fields["WARC-Payload-Digest"] = origin.digest
    return fields
