"""Asking a server: bounds, retries, conditional requests, the host map, and the decoding of bodies."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest
import stamina

from tryg_assets.domain.crawling.fetch import Fetcher
from tryg_assets.domain.crawling.policy import crawl_policy
from tryg_assets_tests.loopback import Answer, redirect, serve

POLICY = replace(crawl_policy(), limits=replace(crawl_policy().limits, body_bytes=1000, seconds=5))


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


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
    [("7", 7.0), ("3600", 60.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 0.0), ("²", 0.0), ("-5", 0.0)],
)
def test_retry_after_is_kept_up_to_a_minute(
    fetcher: Fetcher, slept: list[float], stated: str, waited: float
) -> None:
    with serve({"/a": [Answer(status=503, headers={"Retry-After": stated}), Answer(b"hej")]}) as server:
        assert fetcher.get(f"{server.url}/a").status == 200
    assert slept == [waited]


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


def test_there_is_a_pause_between_requests_but_not_before_the_first(slept: list[float]) -> None:
    with (
        serve({"/a": Answer(b"hej")}) as server,
        Fetcher(POLICY, user_agent="x", pause=2.0, sleep=slept.append) as fetcher,
    ):
        for _ in range(3):
            fetcher.get(f"{server.url}/a")
    assert slept == [2.0, 2.0]
