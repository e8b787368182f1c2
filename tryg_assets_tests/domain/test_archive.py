"""What was read is kept as WARC with a CDXJ index, readable by other people's tools."""

from __future__ import annotations

import gzip
import io
import random
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cdxj_indexer.main import CDXJIndexer
from hypothesis import given
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from tryg_assets.clock import fixed_clock
from tryg_assets.domain.crawling import archive as archive_module
from tryg_assets.domain.crawling.archive import Archive, read_record
from tryg_assets.domain.crawling.cdxj import index_path, read_index
from tryg_assets.domain.crawling.fetch import Reply
from tryg_assets.domain.crawling.recorder import Recorder
from tryg_assets.errors import ArchiveError, SiteUnreachable

MOMENT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
WEEK = timedelta(days=7)
FILE = "aeroe/aeroe-20261121T120000Z.warc.gz"
HOME = "https://www.aeroe.dk/"
HEADERS = [
    (b"Content-Type", b"text/html; charset=utf-8"),
    (b"Content-Encoding", b"gzip"),
    (b"Content-Length", b"7"),
]


def answer(
    body: bytes, status: int = 200, headers: list[tuple[bytes, bytes]] = HEADERS, url: str = HOME
) -> Reply:
    return Reply(url, status, httpx.Headers(headers), body)


PAGE = answer("tryghed på Ærø".encode())
UNCHANGED = answer(b"", 304, [(b"ETag", b'"v1"')])
NOBODY = Reply(HOME, None, httpx.Headers(), b"", "ConnectError: refused\r\nWARC-Type: response")
TOO_LARGE = Reply(HOME, 200, httpx.Headers(HEADERS), b"", "more than 5 bytes", too_large=True)


@dataclass
class Web:
    """Answers in the place of a web server, one after another per address, and remembers what it was asked."""

    answers: Mapping[str, list[Reply]]
    asked: list[str] = field(default_factory=list)

    def get(self, url: str, *, etag: str | None = None, last_modified: str | None = None) -> Reply:
        self.asked.append(url)
        return self.answers[url].pop(0)


def record(
    folder: Path, *replies: Reply, moment: datetime = MOMENT, error: BaseException | None = None
) -> list[Reply]:
    """Let a crawl get ``replies`` in turn, and end with ``error``."""
    answers: dict[str, list[Reply]] = {}
    for reply in replies:
        answers.setdefault(reply.url, []).append(reply)
    with Archive(folder, "aeroe", moment, "TrygAssets/test") as archive:
        recorder = Recorder(Web(answers), archive, fixed_clock(moment))
        got = [recorder.get(reply.url, etag='"v1"') for reply in replies]
        if error:
            raise error
    return got


def killed(folder: Path, *replies: Reply, moment: datetime = MOMENT) -> Path:
    """Leave what a killed crawl leaves, and return its journal."""
    with pytest.raises(KeyboardInterrupt):
        record(folder, *replies, moment=moment, error=KeyboardInterrupt())
    (journal,) = (folder / "aeroe").glob("*.open")
    return journal


def records(path: Path) -> list[tuple[str, str | None, Mapping[str, str], bytes]]:
    """Return kind, HTTP status, WARC fields and body of every record, as warcio reads them; wrong digests are errors."""
    with path.open("rb") as stream:
        return [
            (
                found.rec_type,
                found.http_headers.get_statuscode() if found.http_headers else None,
                dict(found.rec_headers.headers),
                found.content_stream().read(),
            )
            for found in ArchiveIterator(stream, check_digests="raise")
        ]


def what(reply: Reply) -> tuple[object, ...]:
    headers = [
        (name, value)
        for name, value in reply.headers.multi_items()
        if name not in ("content-encoding", "content-length")
    ]
    return (
        reply.url,
        reply.status,
        headers,
        reply.body,
        reply.problem,
        reply.too_large,
        reply.record,
        reply.fetched_at,
    )


# --- what is written


def test_every_answer_is_kept_and_each_failure_too(tmp_path: Path) -> None:
    redirect = answer(b"", 301, [(b"Location", b"/ny")], HOME + "gammel")
    record(tmp_path, PAGE, redirect, answer(b"", 429, [], HOME + "x"), NOBODY, TOO_LARGE)
    info, *found = records(tmp_path / FILE)
    assert info[0] == "warcinfo"
    for line in (
        b"software: TrygAssets/",
        b"http-header-user-agent: TrygAssets/test",
        b"robots: obey",
        b"reading-rules: ",
    ):
        assert line in info[3]
    assert [(kind, status) for kind, status, _, _ in found] == [
        ("response", "200"),
        ("response", "301"),
        ("response", "429"),
        ("metadata", None),
        ("response", "200"),
    ]
    assert found[0][3] == PAGE.body
    assert found[3][3].startswith(b"problem: ConnectError: refused")
    assert found[4][2]["WARC-Truncated"] == "length"
    assert len({fields["WARC-Record-ID"] for _, _, fields, _ in found}) == len(found)


def test_headers_are_kept_byte_for_byte_but_tell_the_length_of_the_decoded_body(tmp_path: Path) -> None:
    odd = [
        (b"Location", "/bø".encode()),
        (b"X-Latin", "bø".encode("latin-1")),
        (b"Set-Cookie", b"a=1"),
        (b"Set-Cookie", b"b=2"),
    ]
    record(tmp_path, answer(b"hej", headers=[*HEADERS, *odd]))
    data = gzip.decompress((tmp_path / FILE).read_bytes())
    head = data[data.index(b"HTTP/1.1 200 OK\r\n") :].partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
    assert head == [
        b"Content-Type: text/html; charset=utf-8",
        *(n + b": " + v for n, v in odd),
        b"Content-Length: 3",
    ]


def test_same_answers_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        record(tmp_path / folder, PAGE, NOBODY)
    one, two = (sorted((tmp_path / folder / "aeroe").iterdir()) for folder in ("one", "two"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


def test_no_address_and_no_problem_can_write_a_header_line(tmp_path: Path) -> None:
    url = "http://a b/\r\nWARC-Type: warcinfo\r\n\r\n"
    record(tmp_path, PAGE, Reply(url, None, httpx.Headers(), b"", "x\r\n\r\ny"))
    assert [kind for kind, *_ in records(tmp_path / FILE)] == ["warcinfo", "response", "metadata"]


def test_a_body_is_found_again_by_its_record(tmp_path: Path) -> None:
    bodies = [b"", "tryghed på Ærø".encode(), b"%PDF-\x00\xff" * 1000, b"HTTP/1.1 200 OK\r\n\r\n"]
    got = record(tmp_path, *(answer(body) for body in bodies))
    places = [reply.record or "" for reply in got]
    assert all(place.startswith(f"{FILE}#") for place in places)
    assert [read_record(tmp_path, place) for place in places] == bodies
    index_path(tmp_path / FILE).unlink()
    archive_module.captures_by_id.cache_clear()
    assert [read_record(tmp_path, place) for place in places] == bodies, (
        "without an index the file is searched"
    )


@pytest.mark.parametrize("change", [lambda place: place[:-1], lambda place: place.replace("aeroe", "fanoe")])
def test_what_is_not_there_is_a_key_error(tmp_path: Path, change: Callable[[str], str]) -> None:
    (got,) = record(tmp_path, PAGE)
    with pytest.raises(KeyError):
        read_record(tmp_path, change(got.record or ""))


# --- pages that are as they were


def test_an_unchanged_page_is_a_revisit_of_the_record_that_holds_its_body(tmp_path: Path) -> None:
    (first,) = record(tmp_path, PAGE)
    second, third, fourth = (
        record(tmp_path, reply, moment=MOMENT + WEEK * n)[0]
        for n, reply in enumerate((UNCHANGED, PAGE, UNCHANGED), 1)
    )
    assert {reply.record for reply in (first, second, third, fourth)} == {first.record}
    assert read_record(tmp_path, first.record or "") == PAGE.body
    for number, (status, profile) in enumerate(
        [("304", "server-not-modified"), ("200", "identical-payload-digest"), ("304", "server-not-modified")],
        1,
    ):
        file = f"aeroe-{MOMENT + WEEK * number:%Y%m%dT%H%M%SZ}.warc.gz"
        _, (kind, code, fields, body) = records(tmp_path / "aeroe" / file)
        assert (kind, code, body) == ("revisit", status, b"")
        assert fields["WARC-Profile"] == f"http://netpreserve.org/warc/1.1/revisit/{profile}"
        assert fields["WARC-Refers-To"] == f"<urn:uuid:{(first.record or '').partition('#')[2]}>"
        assert fields["WARC-Refers-To-Target-URI"] == HOME
        assert fields["WARC-Refers-To-Date"] == "2026-11-21T12:00:00Z"


def test_a_changed_page_is_stored_anew(tmp_path: Path) -> None:
    record(tmp_path, PAGE)
    (changed,) = record(tmp_path, answer(b"ny tekst"), moment=MOMENT + WEEK)
    assert read_record(tmp_path, changed.record or "") == b"ny tekst"
    assert (changed.record or "").startswith("aeroe/aeroe-20261128")


def test_not_modified_without_an_earlier_crawl_is_kept_as_it_came(tmp_path: Path) -> None:
    (got,) = record(tmp_path, UNCHANGED)
    (_, (kind, status, fields, _)) = records(tmp_path / FILE)
    assert (kind, status, got.record) == ("revisit", "304", None)
    assert "WARC-Refers-To" not in fields


# --- other people's tools


def everything(folder: Path) -> list[Path]:
    """Write three crawls with every kind of record, and return their files."""
    urls = [
        HOME,
        HOME + "b?b=2&a=1",
        "http://AEROE.dk/Tryg/index.html",
        "https://www.aeroe.dk:8443/%C3%A6?sid=1",
        HOME + "pdf",
    ]
    kinds: list[list[tuple[bytes, bytes]]] = [
        [],
        HEADERS,
        [(b"content-type", b"")],
        [(b"Content-type", b"application/pdf")],
        HEADERS,
    ]
    for week in range(3):
        pages = [
            answer(f"side {n}{week if n % 2 else ''}".encode(), 200, kinds[n], url)
            for n, url in enumerate(urls)
        ]
        record(
            folder,
            *pages,
            UNCHANGED,
            NOBODY,
            TOO_LARGE,
            answer(b"", 404, [], HOME + "vaek"),
            moment=MOMENT + WEEK * week,
        )
    return sorted((folder / "aeroe").glob("*.warc.gz"))


def test_warcio_finds_nothing_wrong(tmp_path: Path) -> None:
    for path in everything(tmp_path):
        checker = Checker(type("Options", (), {"inputs": [str(path)], "verbose": False}))
        checker.process_all()
        assert checker.exit_value == 0
        assert len(records(path)) == 10


def test_cdxj_indexer_writes_the_same_index_line_by_line(tmp_path: Path) -> None:
    for path in everything(tmp_path):
        theirs = io.StringIO()
        indexer = CDXJIndexer(theirs, [str(path)], sort=True)
        indexer.process_all()
        if indexer.writer:  # it leaves a temporary file open
            indexer.writer.out.close()
        assert index_path(path).read_text(encoding="utf-8") == theirs.getvalue()
        assert theirs.getvalue().count("\n") == 8


def test_a_lost_index_is_made_again_by_the_next_crawl(tmp_path: Path) -> None:
    first, *_ = everything(tmp_path)
    before = index_path(first).read_bytes()
    index_path(first).unlink()
    record(tmp_path, PAGE, moment=MOMENT + WEEK * 5)
    assert index_path(first).read_bytes() == before


def test_an_index_with_lines_that_are_none_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    record(tmp_path, PAGE)
    path = index_path(tmp_path / FILE)
    path.write_text(
        "!meta 0 {}\n\nvås\n" + path.read_text(encoding="utf-8") + "dk,aeroe)/ 2026 {", encoding="utf-8"
    )
    (capture,) = read_index(tmp_path / FILE)
    assert (capture.url, capture.moment, capture.status) == (HOME, MOMENT, "200")


# --- a crawl that is killed


def test_a_killed_crawl_leaves_a_journal_that_others_can_read(tmp_path: Path) -> None:
    journal = killed(tmp_path, PAGE, NOBODY)
    assert [kind for kind, *_ in records(journal)] == ["warcinfo", "response", "metadata"]
    assert not list((tmp_path / "aeroe").glob("*.cdxj"))


def test_the_next_crawl_answers_from_the_journal_what_was_asked_and_asks_the_rest(tmp_path: Path) -> None:
    other = answer(b"anden side", url=HOME + "b")
    asked = [PAGE, NOBODY, TOO_LARGE, UNCHANGED]
    undisturbed = record(tmp_path / "one", *asked, other)
    killed(tmp_path / "two", *asked)
    later = MOMENT + timedelta(hours=1)
    with Archive(tmp_path / "two", "aeroe", later, "TrygAssets/test") as archive:
        web = Web({HOME + "b": [other]})
        recorder = Recorder(web, archive, fixed_clock(MOMENT))
        got = [recorder.get(reply.url, etag='"v1"') for reply in (*asked, other)]
    assert web.asked == [HOME + "b"]
    assert list(map(what, got)) == list(map(what, undisturbed))
    one, two = (sorted((tmp_path / folder / "aeroe").iterdir()) for folder in ("one", "two"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


def test_a_body_that_lies_in_an_earlier_file_is_answered_from_there(tmp_path: Path) -> None:
    record(tmp_path, PAGE)
    killed(tmp_path, PAGE, moment=MOMENT + WEEK)
    with Archive(tmp_path, "aeroe", MOMENT + WEEK) as archive:
        (got,) = [Recorder(Web({}), archive, fixed_clock(MOMENT)).get(HOME)]
    assert (got.status, got.body) == (200, PAGE.body)


def test_not_modified_is_no_answer_to_who_does_not_say_what_he_has(tmp_path: Path) -> None:
    killed(tmp_path, UNCHANGED)
    with Archive(tmp_path, "aeroe", MOMENT) as archive:
        got = Recorder(Web({HOME: [PAGE]}), archive, fixed_clock(MOMENT)).get(HOME)
    assert got.status == 200


@given(st.integers(0, 3000), st.binary(max_size=20))
def test_a_journal_broken_off_anywhere_is_cut_back_to_whole_records(cut: int, garbage: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pages = [answer(random.Random(n).randbytes(300), url=f"{HOME}{n}") for n in range(5)]
        journal = killed(folder, *pages)
        whole = journal.read_bytes()
        journal.write_bytes(whole[: cut % len(whole)] + garbage)
        answers = {page.url: [page] for page in pages}
        with Archive(folder, "aeroe", MOMENT, "TrygAssets/test") as archive:
            web = Web(answers)
            recorder = Recorder(web, archive, fixed_clock(MOMENT))
            got = [recorder.get(page.url) for page in pages]
        assert [reply.body for reply in got] == [page.body for page in pages]
        assert web.asked == [page.url for page in pages][5 - len(web.asked) :], (
            "only what was lost is asked for again"
        )
        assert (folder / FILE).read_bytes() == whole
        assert [body for _, _, _, body in records(folder / FILE)][1:] == [page.body for page in pages]


def test_a_journal_that_is_too_old_is_finished_as_an_archive_of_its_own(tmp_path: Path) -> None:
    killed(tmp_path, PAGE)
    (fresh,) = record(tmp_path, answer(b"ny tekst"), moment=MOMENT + timedelta(days=4))
    assert fresh.body == b"ny tekst"
    assert [kind for kind, *_ in records(tmp_path / FILE)] == ["warcinfo", "response"]
    assert len(read_index(tmp_path / FILE)) == 1
    assert len(list((tmp_path / "aeroe").iterdir())) == 4


def test_a_journal_made_under_other_reading_rules_is_not_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed(tmp_path, PAGE)
    monkeypatch.setattr(archive_module, "reading_version", lambda: "another")
    (fresh,) = record(tmp_path, answer(b"ny tekst"), moment=MOMENT + timedelta(hours=1))
    assert fresh.body == b"ny tekst"
    assert len(read_index(tmp_path / FILE)) == 1


def test_a_site_that_gave_nothing_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(SiteUnreachable):
        record(tmp_path, answer(b"", 500), error=SiteUnreachable("nothing"))
    assert list((tmp_path / "aeroe").iterdir()) == []


def test_a_crawl_that_asked_nothing_leaves_no_file(tmp_path: Path) -> None:
    assert record(tmp_path) == []
    assert list((tmp_path / "aeroe").iterdir()) == []


def test_two_crawls_within_one_second_do_not_take_each_others_place(tmp_path: Path) -> None:
    (one,), (two,) = (record(tmp_path, answer(body)) for body in (b"en", b"to"))
    assert [read_record(tmp_path, place or "") for place in (one.record, two.record)] == [b"en", b"to"]


# --- what cannot be written


def test_one_site_is_never_crawled_twice_at_once(tmp_path: Path) -> None:
    with (
        Archive(tmp_path, "aeroe", MOMENT),
        pytest.raises(ArchiveError, match="Another crawl of aeroe is running"),
        Archive(tmp_path, "aeroe", MOMENT),
    ):
        pass
    with Archive(tmp_path, "aeroe", MOMENT):
        pass


class FullDisk(io.BytesIO):
    def write(self, data: object) -> int:
        raise OSError(28, "No space left on device")


def test_a_full_disk_fails_the_crawl_with_a_clear_error_and_keeps_what_was_read(tmp_path: Path) -> None:
    def crawl() -> None:
        with Archive(tmp_path, "aeroe", MOMENT) as archive:
            recorder = Recorder(Web({HOME: [PAGE, PAGE]}), archive, fixed_clock(MOMENT))
            recorder.get(HOME)
            archive._stream.close()
            archive._stream = FullDisk()  # type: ignore[assignment]
            recorder.get(HOME)

    with pytest.raises(ArchiveError, match=r"No space left on device.*run again: the crawl goes on"):
        crawl()
    (journal,) = (tmp_path / "aeroe").iterdir()
    assert [kind for kind, *_ in records(journal)] == ["warcinfo", "response"]


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "aeroe").write_text("in the way", encoding="utf-8")
    with pytest.raises(ArchiveError, match="cannot be kept"), Archive(tmp_path, "aeroe", MOMENT):
        pass
