"""One WARC record (ISO 28500:2017, version 1.1) as bytes and back; each record is a gzip member of its own."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.statusandheaders import StatusAndHeaders

HTTP = "application/http; msgtype=response"
FIELDS = "application/warc-fields"
# Level 9, the only one warcio offers, takes two to thirteen times as long for about a tenth fewer bytes (pages of 27 to 35 KB).
_LEVEL = 1
_UNSAFE = re.compile(r"[\x00-\x20\x7f]")


@dataclass(frozen=True, slots=True)
class Record:
    """A record: what kind, of which address, when, its other named fields and its block."""

    kind: str
    record_id: str
    url: str
    moment: datetime
    content_type: str
    fields: Mapping[str, str]
    block: bytes

    def http(self) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """Return status, header lines and body of the HTTP answer in the block, byte for byte."""
        head, _, body = self.block.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        headers = [(name, value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
        return int(first.split()[1]), headers, body


def digest(body: bytes) -> str:
    """Return the digest of ``body`` in the notation every WARC tool writes (SHA-1, base 32)."""
    return f"sha1:{base64.b32encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode()}"


def http_block(status: int, reason: str, headers: list[tuple[bytes, bytes]], body: bytes) -> bytes:
    """Return an HTTP answer as bytes."""
    lines = [f"HTTP/1.1 {status} {reason}".encode(), *(name + b": " + value for name, value in headers)]
    return b"\r\n".join([*lines, b"", body])


def urn(record_id: str) -> str:
    """Return a record id as WARC fields write it."""
    return f"<urn:uuid:{record_id}>"


def bare_id(urn: str) -> str:
    """Return the id in a WARC field."""
    return urn.removeprefix("<urn:uuid:").removesuffix(">")


def date(moment: datetime) -> str:
    """Return a moment in UTC as WARC fields write it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def safe_url(url: str) -> str:
    """Return ``url`` as one word, so that no address can end a header line."""
    return _UNSAFE.sub(lambda found: f"%{ord(found.group()):02X}", url)


def member(record: Record) -> bytes:
    """Return ``record`` as one gzip member."""
    fields = {
        "WARC-Type": record.kind,
        "WARC-Record-ID": urn(record.record_id),
        **({"WARC-Target-URI": safe_url(record.url)} if record.url else {}),
        "WARC-Date": date(record.moment),
        **record.fields,
        "WARC-Block-Digest": digest(record.block),
        "Content-Type": record.content_type,
        "Content-Length": str(len(record.block)),
    }
    head = StatusAndHeaders("", list(fields.items()), protocol="WARC/1.1").to_bytes()
    return zlib.compress(head + record.block + b"\r\n\r\n", _LEVEL, wbits=31)


def parse(data: bytes) -> Record:
    """Read one record from uncompressed bytes.

    Raises:
        ValueError: it is no record of the kind :func:`member` writes.
    """
    try:
        found = next(iter(ArchiveIterator(io.BytesIO(data), no_record_parse=True)))
        fields = dict(found.rec_headers.headers)
        return Record(
            fields.pop("WARC-Type"),
            bare_id(fields.pop("WARC-Record-ID")),
            fields.pop("WARC-Target-URI", ""),
            datetime.fromisoformat(fields.pop("WARC-Date")),
            fields.pop("Content-Type"),
            fields,
            bytes(found.raw_stream.read()),
        )
    except (ArchiveLoadFailed, StopIteration, KeyError) as problem:
        raise ValueError(f"no WARC record: {problem}") from problem


def read_at(warc: Path, offset: int, length: int) -> Record:
    """Read the record at ``offset``.

    Raises:
        OSError: the file cannot be read.
        ValueError: there is no whole record.
    """
    with warc.open("rb") as stream:
        stream.seek(offset)
        try:
            return parse(zlib.decompress(stream.read(length), wbits=31))
        except zlib.error as problem:
            raise ValueError(f"{warc} is damaged at byte {offset}: {problem}") from problem


def scan(warc: Path) -> Iterator[tuple[int, int, Record]]:
    """Yield offset, length and content of each whole record, up to the first that is broken off or damaged."""
    offset, waiting = 0, b""
    with warc.open("rb") as stream:
        while True:
            gunzip, parts, taken = zlib.decompressobj(wbits=31), [], 0
            while not gunzip.eof:
                chunk = waiting or stream.read(65_536)
                if not chunk:
                    return
                waiting = b""
                taken += len(chunk)
                try:
                    parts.append(gunzip.decompress(chunk))
                except zlib.error:
                    return
            waiting = gunzip.unused_data
            try:
                record = parse(b"".join(parts))
            except ValueError:
                return
            yield offset, taken - len(waiting), record
            offset += taken - len(waiting)
