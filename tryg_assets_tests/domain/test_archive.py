"""What was read is kept as WARC that other tools can read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from warcio.archiveiterator import ArchiveIterator

from tryg_assets.domain.crawling.archive import Archive, read_record

MOMENT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HEADERS = httpx.Headers(
    {"content-type": "text/html", "content-encoding": "gzip", "content-length": "7", "etag": '"v1"'}
)
FILE = "aeroe/20261121T120000Z.warc.gz"


def write(folder: Path, *bodies: bytes) -> list[str]:
    with Archive(folder, "aeroe", MOMENT) as archive:
        return [
            archive.add(f"https://www.aeroe.dk/{number}", 200, HEADERS, body, MOMENT)
            for number, body in enumerate(bodies)
        ]


def test_a_body_is_found_again_by_its_record(tmp_path: Path) -> None:
    bodies = [b"", "tryghed på Ærø".encode(), b"%PDF-\x00\xff" * 1000]
    records = write(tmp_path, *bodies)
    assert all(record.startswith(f"{FILE}#") for record in records)
    assert [read_record(tmp_path, record) for record in records] == bodies


def test_warcio_reads_the_file_back(tmp_path: Path) -> None:
    write(tmp_path, b"hej")
    with (tmp_path / FILE).open("rb") as stream:
        (record,) = [
            (r.rec_type, r.rec_headers, r.http_headers, r.content_stream().read())
            for r in ArchiveIterator(stream, check_digests="raise")
        ]
    kind, warc, http, body = record
    assert (kind, body) == ("response", b"hej")
    assert warc.protocol == "WARC/1.1"
    assert warc.get_header("WARC-Target-URI") == "https://www.aeroe.dk/0"
    assert warc.get_header("WARC-Date") == "2026-11-21T12:00:00Z"
    assert http.get_statuscode() == "200"
    assert http.get_header("ETag") == '"v1"'
    # The body is stored decoded, so these would lie.
    assert http.get_header("Content-Encoding") is None
    assert http.get_header("Content-Length") is None


def test_same_answers_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        write(tmp_path / folder, b"hej", b"farvel")
    assert (tmp_path / "one" / FILE).read_bytes() == (tmp_path / "two" / FILE).read_bytes()


def test_a_failed_crawl_leaves_no_file(tmp_path: Path) -> None:
    def crawl() -> None:
        with Archive(tmp_path, "aeroe", MOMENT) as archive:
            archive.add("https://www.aeroe.dk/", 200, HEADERS, b"hej", MOMENT)
            raise RuntimeError("the power went")

    with pytest.raises(RuntimeError, match="the power went"):
        crawl()
    assert list((tmp_path / "aeroe").iterdir()) == []


def test_a_crawl_that_read_nothing_leaves_no_file(tmp_path: Path) -> None:
    assert write(tmp_path) == []
    assert list((tmp_path / "aeroe").iterdir()) == []


@pytest.mark.parametrize(
    "change", [lambda record: record[:-1], lambda record: record.replace("aeroe", "fanoe")]
)
def test_what_is_not_there_is_a_key_error(tmp_path: Path, change: Callable[[str], str]) -> None:
    (record,) = write(tmp_path, b"hej")
    with pytest.raises(KeyError):
        read_record(tmp_path, change(record))
