"""What was read, kept as WARC (ISO 28500:2017), one file per municipality and crawl."""

from __future__ import annotations

import io
import uuid
from datetime import datetime
from pathlib import Path
from types import TracebackType

import httpx
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from tryg_assets.storage import atomic_path

# Bodies are stored decoded, so headers that describe the coding on the wire would lie.
_WIRE_HEADERS = frozenset({"content-encoding", "transfer-encoding", "content-length", "connection"})


class Archive:
    """Writes one WARC file; it appears under its name only when the crawl has ended well."""

    def __init__(self, folder: Path, municipality: str, started: datetime) -> None:
        self.name = f"{municipality}/{started:%Y%m%dT%H%M%SZ}.warc.gz"
        self._municipality = municipality
        self._context = atomic_path(folder / self.name)
        self._target = folder / self.name
        self._records = 0

    def __enter__(self) -> Archive:
        self._part = self._context.__enter__()
        self._stream = self._part.open("wb")
        self._writer = WARCWriter(self._stream, gzip=True, warc_version="1.1")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()
        self._context.__exit__(kind, error, trace)
        if not self._records:
            self._target.unlink(missing_ok=True)

    def add(self, url: str, status: int, headers: httpx.Headers, body: bytes, moment: datetime) -> str:
        """Store one answer and return where: ``<file>#<record id>``."""
        record_id = uuid.uuid5(uuid.NAMESPACE_URL, f"{url}\x1f{moment.isoformat()}")
        kept = [(name, value) for name, value in headers.items() if name.lower() not in _WIRE_HEADERS]
        record = self._writer.create_warc_record(
            url,
            "response",
            payload=io.BytesIO(body),
            length=len(body),
            http_headers=StatusAndHeaders(
                f"{status} {httpx.codes.get_reason_phrase(status)}", kept, protocol="HTTP/1.1"
            ),
            warc_headers_dict={
                "WARC-Record-ID": f"<urn:uuid:{record_id}>",
                "WARC-Date": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
            },
        )
        self._writer.write_record(record)
        self._records += 1
        return f"{self.name}#{record_id}"


def read_record(folder: Path, archive_record: str) -> bytes:
    """Return the body stored under ``archive_record`` (as in ``raw_crawl``).

    Raises:
        KeyError: the file or the record is not there.
    """
    name, _, record_id = archive_record.partition("#")
    try:
        with (folder / name).open("rb") as stream:
            for record in ArchiveIterator(stream):
                if record.rec_headers.get_header("WARC-Record-ID") == f"<urn:uuid:{record_id}>":
                    return bytes(record.content_stream().read())
    except FileNotFoundError:
        raise KeyError(archive_record) from None
    raise KeyError(archive_record)
