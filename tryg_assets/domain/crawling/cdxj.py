"""The index beside each WARC file: CDXJ, as pywb and cdxj-indexer write and read it.

One line per answer: sort key (SURT form of the address), moment, and a JSON object with the fields of :class:`Capture`.
"""

from __future__ import annotations

import functools
import json
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from surt import surt

from tryg_assets.storage import write_text

REVISIT = "warc/revisit"


@dataclass(frozen=True, slots=True)
class Capture:
    """One line of an index: where in which file the answer of one address at one moment lies.

    ``timestamp`` is 14 digits, UTC. ``mime`` is ``warc/revisit`` where the body lies in an earlier record; ``mime`` and
    ``digest`` are ``None`` where the answer had none. ``length`` and ``offset`` are bytes of the compressed file.
    """

    url: str
    timestamp: str
    mime: str | None
    status: str
    digest: str | None
    length: int
    offset: int
    filename: str

    @property
    def moment(self) -> datetime:
        """When it was read."""
        return datetime.strptime(self.timestamp, "%Y%m%d%H%M%S").replace(tzinfo=UTC)

    def line(self) -> str:
        """Return the line, without its end."""
        fields = {
            "url": self.url,
            "mime": self.mime,
            "status": self.status,
            "digest": self.digest,
            "length": str(self.length),
            "offset": str(self.offset),
            "filename": self.filename,
        }
        stated = {name: value for name, value in fields.items() if value is not None}
        return f"{sort_key(self.url)} {self.timestamp} {json.dumps(stated)}"


def sort_key(url: str) -> str:
    """Return the SURT form of ``url``; twins (``www``, case, slash, session id) share it. Source: the surt library."""
    try:
        return str(surt(url))
    except Exception:  # noqa: BLE001 - the library fails in many ways on what is no address; others then use it as it is, too
        return url


def index_path(warc: Path) -> Path:
    """Return where the index of a WARC file lies."""
    return warc.with_name(warc.name.removesuffix(".warc.gz") + ".cdxj")


def write_index(warc: Path, captures: Iterable[Capture]) -> None:
    """Write the sorted index of a WARC file atomically."""
    write_text(index_path(warc), "".join(f"{line}\n" for line in sorted(c.line() for c in captures)))


def read_index(warc: Path) -> list[Capture]:
    """Return what the index of a WARC file lists, in the order of the file; nothing without an index.

    A line that is no CDXJ is passed over: an index can always be made again from the file itself.
    """
    try:
        lines = index_path(warc).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    captures = []
    for line in lines:
        try:
            _, timestamp, fields = line.split(" ", 2)
            stated = json.loads(fields)
            captures.append(
                Capture(
                    stated["url"],
                    timestamp,
                    stated.get("mime"),
                    stated["status"],
                    stated.get("digest"),
                    int(stated["length"]),
                    int(stated["offset"]),
                    stated["filename"],
                )
            )
        except (ValueError, KeyError):
            continue
    return sorted(captures, key=lambda capture: capture.offset)


def record_id(archive: str, url: str, number: int) -> str:
    """Return the id of the ``number``-th answer (from 0) that ``url`` got in the file named ``archive``."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{archive}\x1f{url}\x1f{number}"))


@functools.lru_cache(maxsize=2)
def captures_by_id(warc: Path, archive: str) -> dict[str, Capture]:
    """Return the captures of a finished (so never changing) WARC file by record id."""
    numbers: Counter[str] = Counter()
    found = {}
    for capture in read_index(warc):
        found[record_id(archive, capture.url, numbers[capture.url])] = capture
        numbers[capture.url] += 1
    return found
