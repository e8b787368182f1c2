"""Asking a server: bounds, retries, conditional requests, the host map, and the decoding of bodies."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from tryg_assets.domain.crawling.fetch import Fetcher, Reply
from tryg_assets.domain.crawling.policy import crawl_policy
from tryg_assets_tests.loopback import Answer, redirect, serve

POLICY = replace(crawl_policy(), limits=replace(crawl_policy().limits, body_bytes=1000, seconds=5))


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def fetcher(slept: list[float]) -> Iterator[Fetcher]:
    with Fetcher(POLICY, user_agent="TrygAssets/1", sleep=slept.append) as made:
        yield made


def test_a_page_is_fetched_with_our_name_and_language(fetcher: Fetcher) -> None:
    with serve({"/a": Answer(b"hej")}) as server:
        reply = fetcher.get(f"{server.url}/a")
    assert (reply.status, reply.body, reply.content_type, reply.problem) == (200, b"hej", "text/html", None)
    assert server.asked[0].headers["user-agent"] == "TrygAssets/1"
    assert server.asked[0].headers["accept-language"] == "da"
    assert "if-none-match" not in server.asked[0].headers


@pytest.mark.parametrize(("size", "too_large"), [(1000, False), (1001, True), (50_000, True)])
def test_no_more_is_read_than_the_limit(fetcher: Fetcher, size: int, too_large: bool) -> None:
    with serve({"/big": Answer(b"x" * size)}) as server:
        reply = fetcher.get(f"{server.url}/big")
    assert (reply.status, reply.too_large) == (200, too_large)
    assert len(reply.body) == (0 if too_large else size)
    assert reply.problem == ("more than 1000 bytes" if too_large else None)


def test_a_refused_connection_is_tried_three_times_and_told(fetcher: Fetcher) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        reply = fetcher.get(f"http://127.0.0.1:{taken.getsockname()[1]}/")
    assert reply.status is None
    assert reply.problem is not None
    assert reply.problem.startswith("ConnectError: ")


@pytest.mark.parametrize("url", ["http://", "http://a b/", "http://" + "a" * 70 + ".dk/"])
def test_an_address_that_cannot_be_asked_is_a_reply_too(fetcher: Fetcher, url: str) -> None:
    reply = fetcher.get(url)
    assert reply.status is None
    assert reply.problem


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_passing_fault_is_tried_again(fetcher: Fetcher, status: int) -> None:
    with serve({"/a": [Answer(status=status), Answer(b"hej")]}) as server:
        reply = fetcher.get(f"{server.url}/a")
    assert (reply.status, reply.body, len(server.asked)) == (200, b"hej", 2)


@pytest.mark.parametrize("status", [404, 410, 403, 500])
def test_a_lasting_fault_is_not(fetcher: Fetcher, status: int) -> None:
    with serve({"/a": Answer(status=status)}) as server:
        assert fetcher.get(f"{server.url}/a").status == status
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("stated", "waited"),
    [
        ("7", 7.0),
        ("120", 120.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 0.0),
        ("Wed, 32 Oct 2026", 0.0),
        ("²", 0.0),
        ("-5", 0.0),
        ("", 0.0),
    ],
)
def test_retry_after_is_kept(fetcher: Fetcher, slept: list[float], stated: str, waited: float) -> None:
    with serve({"/a": [Answer(status=503, headers={"Retry-After": stated}), Answer(b"hej")]}) as server:
        assert fetcher.get(f"{server.url}/a").status == 200
    assert slept == [waited]


def test_retry_after_as_a_date_counts_from_the_servers_own_clock() -> None:
    headers = {"date": "Wed, 21 Oct 2026 07:28:00 GMT", "retry-after": "Wed, 21 Oct 2026 07:28:30 GMT"}
    assert Reply("u", 503, httpx.Headers(headers), b"").retry_after == 30.0


@pytest.mark.parametrize("stated", ["121", "999999999999", "Wed, 21 Oct 2093 07:28:00 GMT"])
def test_a_server_that_wants_a_long_rest_is_not_asked_again(
    fetcher: Fetcher, slept: list[float], stated: str
) -> None:
    with serve({"/a": Answer(status=429, headers={"Retry-After": stated})}) as server:
        assert fetcher.get(f"{server.url}/a").status == 429
    assert (len(server.asked), slept) == (1, [])


def test_after_the_third_fault_there_is_no_waiting(fetcher: Fetcher, slept: list[float]) -> None:
    with serve({"/a": Answer(status=503, headers={"Retry-After": "7"})}) as server:
        assert fetcher.get(f"{server.url}/a").status == 503
    assert len(server.asked) == 3
    assert slept == [7.0, 7.0]


def test_an_unchanged_page_is_not_sent_again(fetcher: Fetcher) -> None:
    with serve({"/a": Answer(b"hej", etag='"v1"')}) as server:
        first = fetcher.get(f"{server.url}/a")
        again = fetcher.get(
            f"{server.url}/a", etag=first.headers["etag"], last_modified="Wed, 21 Oct 2026 07:28:00 GMT"
        )
    assert (again.status, again.body) == (304, b"")
    assert server.asked[1].headers["if-modified-since"] == "Wed, 21 Oct 2026 07:28:00 GMT"


def test_a_redirect_is_returned_and_not_followed(fetcher: Fetcher) -> None:
    with serve({"/a": redirect("/b"), "/b": Answer(b"hej")}) as server:
        reply = fetcher.get(f"{server.url}/a")
    assert (reply.status, reply.headers["location"], server.paths()) == (301, "/b", ["/a"])


def test_the_host_map_connects_elsewhere_and_keeps_the_name(slept: list[float]) -> None:
    with (
        serve({"www.aeroe.kommune.test/a": Answer(b"hej")}) as server,
        Fetcher(POLICY, user_agent="x", address=server.address, sleep=slept.append) as fetcher,
    ):
        reply = fetcher.get("http://www.aeroe.kommune.test/a")
    assert (reply.status, reply.url) == (200, "http://www.aeroe.kommune.test/a")
    assert server.asked[0].headers["host"] == "www.aeroe.kommune.test"


class Watch:
    """A stopwatch that only waiting and the test move."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def patient(watch: Watch) -> Iterator[Fetcher]:
    with Fetcher(POLICY, user_agent="x", pause=2.0, sleep=watch.sleep, monotonic=watch) as made:
        yield made


def test_there_is_a_pause_between_requests_but_not_before_the_first(patient: Fetcher, watch: Watch) -> None:
    with serve({"/a": Answer(b"hej")}) as server:
        for _ in range(3):
            patient.get(f"{server.url}/a")
    assert watch.slept == [2.0, 2.0]


def test_time_spent_on_reading_counts_as_pause(patient: Fetcher, watch: Watch) -> None:
    with serve({"/a": Answer(b"hej")}) as server:
        for spent in (0.5, 7.0, 0.0):
            patient.get(f"{server.url}/a")
            watch.now += spent
        patient.get(f"{server.url}/a")
    assert watch.slept == [1.5, 2.0]


def test_the_pause_doubles_with_each_failure_in_a_row(patient: Fetcher, watch: Watch) -> None:
    with serve({"/a": Answer(status=500), "/b": Answer(b"hej")}) as server:
        for path in "aaabb":
            patient.get(f"{server.url}/{path}")
    assert watch.slept == [4.0, 8.0, 16.0, 2.0]


def test_a_body_that_cannot_be_unpacked_is_a_problem_not_a_page(fetcher: Fetcher) -> None:
    with serve({"/a": Answer(b"hej", headers={"Content-Encoding": "gzip"})}) as server:
        reply = fetcher.get(f"{server.url}/a")
    assert (reply.status, reply.body) == (200, b"")
    assert "cannot be unpacked (gzip" in (reply.problem or "")


def test_a_compressed_bomb_is_too_large(fetcher: Fetcher) -> None:
    bomb = gzip.compress(bytes(100_000))
    with serve({"/a": Answer(bomb, headers={"Content-Encoding": "gzip"})}) as server:
        reply = fetcher.get(f"{server.url}/a")
    assert len(bomb) < 1000
    assert (reply.too_large, reply.body, reply.problem) == (True, b"", "more than 1000 bytes")
