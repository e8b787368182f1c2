"""What was read, kept as WARC: one file per municipality and crawl, with a CDXJ index beside it.

While a crawl runs its file has the ending ``.open`` and is the crawl's journal: each answer is appended, whole, as soon as
it has come. A killed crawl leaves it; the next crawl of that municipality cuts off what is broken and goes on in it.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType

from tryg_assets import __version__
from tryg_assets.domain.crawling import warc
from tryg_assets.domain.crawling.cdxj import (
    REVISIT,
    Capture,
    captures_by_id,
    index_path,
    record_id,
    write_index,
)
from tryg_assets.domain.crawling.policy import crawl_policy
from tryg_assets.errors import ArchiveError, SiteUnreachable
from tryg_assets.stamps import reading_version

_OPEN = ".open"


@dataclass(frozen=True, slots=True)
class Origin:
    """The record that holds a body: its place (``<file>#<record id>``), address, moment and digest."""

    record: str
    url: str
    moment: datetime
    digest: str | None


class _Content:
    """What is in one WARC file so far."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.captures: list[Capture] = []
        self.end = 0
        self.info: warc.Record | None = None
        self._numbers: Counter[str] = Counter()

    def next_id(self, kind: str, url: str) -> str:
        """Return the id of the next record of this kind and address."""
        key = _key(kind, url)
        return record_id(self.name, key, self._numbers[key])

    def take(self, offset: int, length: int, record: warc.Record) -> None:
        """Note a record that was written or found."""
        self.end = offset + length
        self._numbers[_key(record.kind, record.url)] += 1
        if record.kind == "warcinfo":
            self.info = record
        elif record.kind != "metadata":
            self.captures.append(_capture(record, offset, length, Path(self.name).name))


def _key(kind: str, url: str) -> str:
    # Answers are numbered by address alone, so that their ids can be told from the index.
    return url if kind in ("response", "revisit") else f"{kind} {url}"


def _capture(record: warc.Record, offset: int, length: int, filename: str) -> Capture:
    status, headers, _ = record.http()
    mime = REVISIT if record.kind == "revisit" else None
    for name, value in headers:
        if name.lower() == b"content-type" and mime is None:
            mime = re.split(r"[;\s]", value.decode("latin-1"))[0]
    return Capture(
        record.url,
        f"{record.moment:%Y%m%d%H%M%S}",
        mime,
        str(status),
        record.fields.get("WARC-Payload-Digest"),
        length,
        offset,
        filename,
    )


class Archive:
    """Writes the WARC file of one crawl, going on in what a killed crawl left.

    The file gets its name and its index when the block ends well. It is deleted if the website gave nothing to read, and
    left for the next crawl to go on in after any other error.
    """

    def __init__(self, folder: Path, municipality: str, started: datetime, agent: str = "") -> None:
        self._folder, self._home = folder, folder / municipality
        self._municipality, self._started, self._agent = municipality, started, agent
        self._left: defaultdict[str, deque[tuple[int, int]]] = defaultdict(deque)

    def __enter__(self) -> Archive:
        """Open the file.

        Raises:
            ArchiveError: another crawl of the municipality is running, or the folder cannot be written.
        """
        try:
            self._home.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self._home, os.O_RDONLY)
        except OSError as problem:
            raise self._unwritable(problem) from problem
        try:
            # Held until the process ends, however it ends: one website is never asked by two crawls at once.
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._open()
        except BaseException as problem:
            os.close(self._lock)
            if isinstance(problem, BlockingIOError):
                raise ArchiveError(
                    f"Another crawl of {self._municipality} is running and writes in {self._home}. Wait until it has ended."
                ) from problem
            if isinstance(problem, OSError):
                raise self._unwritable(problem) from problem
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._stream.close()
            if isinstance(error, SiteUnreachable) or (error is None and not self._content.captures):
                self._journal.unlink()
            elif error is None:
                _finish(self._journal, self._content)
        except OSError as problem:
            raise self._unwritable(problem) from problem
        finally:
            os.close(self._lock)

    def add(
        self,
        kind: str,
        url: str,
        moment: datetime,
        block: bytes,
        *,
        content_type: str = warc.HTTP,
        fields: Mapping[str, str] | None = None,
    ) -> str:
        """Append one record and return where it is: ``<file>#<record id>``.

        Raises:
            ArchiveError: it could not be written (the disk is full, say). What was written before stays.
        """
        address = warc.safe_url(url)
        record = warc.Record(
            kind, self._content.next_id(kind, address), address, moment, content_type, fields or {}, block
        )
        data = warc.member(record)
        try:
            self._stream.write(data)
            self._stream.flush()
        except OSError as problem:
            raise self._unwritable(problem) from problem
        self._content.take(self._content.end, len(data), record)
        return self.place(record)

    def place(self, record: warc.Record) -> str:
        """Return where a record of this file is: ``<file>#<record id>``."""
        return f"{self._content.name}#{record.record_id}"

    def left(self, url: str) -> warc.Record | None:
        """Return the next answer for ``url`` that a killed crawl left; each is handed out once, in order."""
        address = warc.safe_url(url)
        places = self._left.get(address)
        if not places:
            return None
        offset, length = places.popleft()
        if not places:
            del self._left[address]
        return warc.read_at(self._journal, offset, length)

    def origin(self, url: str) -> Origin | None:
        """Return where the body lies that ``url`` had in the crawl before; ``None`` if it was not read then."""
        record, capture = self._earlier.get(warc.safe_url(url), ("", None))
        if capture is None:
            return None
        if capture.mime != REVISIT:
            return Origin(
                f"{self._municipality}/{capture.filename}#{record}",
                capture.url,
                capture.moment,
                capture.digest,
            )
        try:
            fields = warc.read_at(self._home / capture.filename, capture.offset, capture.length).fields
            return Origin(
                f"{self._municipality}/{fields['WARC-Refers-To-Filename']}#{warc.bare_id(fields['WARC-Refers-To'])}",
                fields["WARC-Refers-To-Target-URI"],
                datetime.fromisoformat(fields["WARC-Refers-To-Date"]),
                capture.digest,
            )
        except (OSError, ValueError, KeyError):
            return None

    def body(self, origin: Origin) -> bytes | None:
        """Return the body at ``origin``; ``None`` if it is no longer there."""
        try:
            return read_record(self._folder, origin.record)
        except KeyError:
            return None

    def _open(self) -> None:
        for path in self._home.glob("*.warc.gz"):
            if not index_path(path).exists():
                write_index(path, self._read(path).captures)
        journals = sorted(self._home.glob(f"*.warc.gz{_OPEN}"))
        going_on = False
        for journal in journals:
            content = self._read(journal)
            going_on = journal == journals[-1] and self._may_go_on(content)
            if going_on:
                os.truncate(journal, content.end)
                self._journal, self._content, self._stream = journal, content, journal.open("ab")
            else:
                _finish(journal, content)
        self._earlier = self._latest()
        if not going_on:
            self._left.clear()
            self._begin()

    def _read(self, path: Path) -> _Content:
        content = _Content(f"{self._municipality}/{_final(path).name}")
        self._left.clear()
        for offset, length, record in warc.scan(path):
            content.take(offset, length, record)
            if record.url:
                self._left[record.url].append((offset, length))
        return content

    def _may_go_on(self, content: _Content) -> bool:
        """Whether a journal is young enough and made under today's reading rules."""
        oldest = self._started - timedelta(days=crawl_policy().limits.resume_days)
        info = content.info
        return info is not None and info.moment >= oldest and _reading_line() in info.block.splitlines()

    def _latest(self) -> dict[str, tuple[str, Capture]]:
        """Return what the latest finished crawl read, by address: record id and capture."""
        finished = sorted(self._home.glob("*.warc.gz"))
        if not finished:
            return {}
        found = captures_by_id(finished[-1], f"{self._municipality}/{finished[-1].name}")
        return {capture.url: (identity, capture) for identity, capture in found.items()}

    def _begin(self) -> None:
        moment = self._started
        while (path := self._home / f"{self._municipality}-{moment:%Y%m%dT%H%M%SZ}.warc.gz").exists():
            moment += timedelta(seconds=1)
        self._journal = path.with_name(path.name + _OPEN)
        self._content = _Content(f"{self._municipality}/{path.name}")
        self._stream = self._journal.open("xb")
        lines = [
            f"software: TrygAssets/{__version__}".encode(),
            b"format: WARC File Format 1.1",
            b"conformsTo: http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
            b"robots: obey (RFC 9309)",
            f"http-header-user-agent: {self._agent}".encode(),
            f"isPartOf: {self._municipality}".encode(),
            _reading_line(),
        ]
        self.add(
            "warcinfo",
            "",
            self._started,
            b"\r\n".join([*lines, b""]),
            content_type=warc.FIELDS,
            fields={"WARC-Filename": path.name},
        )

    def _unwritable(self, problem: OSError) -> ArchiveError:
        return ArchiveError(
            f"What was read of {self._municipality} cannot be kept in {self._home} ({problem.strerror}). "
            "Free some space or mend the rights of that folder, then run again: the crawl goes on where it stopped."
        )


def _reading_line() -> bytes:
    return f"reading-rules: {reading_version()}".encode()


def _final(journal: Path) -> Path:
    return journal.with_name(journal.name.removesuffix(_OPEN))


def _finish(journal: Path, content: _Content) -> None:
    """Give a journal its final name and its index; without an answer in it, delete it."""
    if not content.captures:
        journal.unlink()
        return
    os.truncate(journal, content.end)
    # The index first: a finished file always has one.
    write_index(_final(journal), content.captures)
    journal.replace(_final(journal))


def read_record(folder: Path, archive_record: str) -> bytes:
    """Return the body stored under ``archive_record`` (as in ``raw_crawl``).

    Raises:
        KeyError: the file or the record is not there.
    """
    name, _, wanted = archive_record.partition("#")
    path = folder / name
    try:
        if path.exists():
            capture = captures_by_id(path, name).get(wanted)
            if capture is not None:
                return warc.read_at(path, capture.offset, capture.length).http()[2]
        else:
            path = path.with_name(path.name + _OPEN)
        found = next((record for _, _, record in warc.scan(path) if record.record_id == wanted), None)
    except (OSError, ValueError):
        found = None
    if found is None:
        raise KeyError(archive_record)
    return found.http()[2]
