"""Everything a web server can do to a crawler: nothing hangs, grows or leaves the site, and each address has its outcome."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tryg_assets.clock import fixed_clock
from tryg_assets.contracts import contract
from tryg_assets.domain.crawling.archive import Archive, read_record
from tryg_assets.domain.crawling.crawl import CrawlResult, crawl
from tryg_assets.domain.crawling.fetch import Fetcher
from tryg_assets.domain.crawling.policy import crawl_policy
from tryg_assets.domain.sites import Site
from tryg_assets.errors import SiteUnreachable
from tryg_assets_tests import hostile
from tryg_assets_tests.hostile import TRYG, Answer, Hostile, answer, links, page, redirect, serve

HOST = "www.proeveby.test"
HOME = f"http://{HOST}"
MOMENT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LIMITS = replace(
    crawl_policy().limits, body_bytes=300_000, seconds=1.0, depth=4, redirects=3, urls_per_path=5
)
POLICY = replace(crawl_policy(), limits=LIMITS)
GOOD = page("<p>En god side om en tryg by.</p>")
SECONDS = 20  # a crawl that takes longer hangs; the slowest here takes two on an idle machine

Crawled = Callable[..., tuple[CrawlResult, Hostile]]


@pytest.fixture
def crawled(tmp_path: Path) -> Crawled:
    """Return a function that crawls a site with ``answers``, whose home page links to ``paths`` and to a good page."""

    def made(
        answers: Mapping[str, Answer | bytes], *paths: str, max_pages: int = 60, **options: Any
    ) -> tuple[CrawlResult, Hostile]:
        site = Site("proeveby", "Prøveby", "opland", f"{HOME}/")
        home = {"/": page("<p>Forside</p>", links(*paths, "/god")), "/god": GOOD}
        with (
            serve({**home, **answers}) as server,
            Fetcher(
                POLICY, user_agent="TrygAssets/test", address=server.address, sleep=lambda _: None
            ) as fetcher,
            Archive(tmp_path, site.slug, MOMENT) as archive,
        ):
            began = time.monotonic()
            result = crawl(
                site, POLICY, fetcher, archive, fixed_clock(MOMENT), max_pages=max_pages, **options
            )
            assert time.monotonic() - began < SECONDS
        assert server.hosts() == {HOST}, "nothing but the site is asked"
        contract("crawl_log").frame(result.log)
        assert Counter(row["outcome"] for row in result.log if row["url"] == f"{HOME}/god") == {"hit": 1}
        for row in result.raw:
            read_record(tmp_path, row["archive_record"])
        return result, server

    return made


def rows(result: CrawlResult) -> dict[str, dict[str, Any]]:
    return {row["url"].removeprefix(HOME): row for row in result.log}


# --- pages without end


@pytest.mark.parametrize(
    ("path", "trap", "reason"),
    [
        ("/kalender", hostile.calendar, "queries on one path"),
        ("/soeg", hostile.facets, "queries on one path|query parameters"),
        ("/om/os/", hostile.path_loop, "path repeats itself"),
        ("/resultater", hostile.growing_query, "queries on one path|query parameters"),
        ("/rum/0", hostile.rooms, "deeper than 4 links"),
    ],
)
def test_pages_without_end_end_and_the_reason_is_noted(
    crawled: Crawled, path: str, trap: Answer, reason: str
) -> None:
    result, server = crawled({f"/{path.split('/')[1]}*": trap}, path)
    trapped = [row["detail"] for row in result.log if row["outcome"] == "trap"]
    assert trapped
    assert all(re.search(f"{reason}|deeper than", detail) for detail in trapped)
    assert len(server.asked) < 60, "long before the limit of the crawl"


def test_a_new_session_id_on_every_link_is_the_same_page(crawled: Crawled) -> None:
    result, server = crawled({"/session": hostile.Sessions()}, "/session")
    assert set(rows(result)) == {"/", "/god", "/session", "/session?side=2"}
    assert len(server.asked) == 6, "with robots.txt and sitemap.xml"


# --- what answers may do below the page


@pytest.mark.parametrize(
    ("trap", "outcome"),
    [
        pytest.param(hostile.slow_body, "error", id="a body that drips"),
        pytest.param(hostile.silence, "error", id="no answer"),
        pytest.param(hostile.endless_body, "too_large", id="a body without end"),
        pytest.param(hostile.endless_headers, "error", id="headers without end"),
        pytest.param(hostile.hang_up, "error", id="hangs up"),
        pytest.param(hostile.reset, "error", id="reset in the middle"),
        pytest.param(hostile.LONG_LENGTH, "error", id="length too long"),
        pytest.param(hostile.NO_HTTP, "error", id="no HTTP"),
        pytest.param(hostile.GIANT_HEADER, "error", id="a header of a megabyte"),
        pytest.param(hostile.NULL_HEADER, "error", id="a null byte in a header"),
        pytest.param(hostile.BROKEN_CHUNKS, "error", id="broken chunks"),
        pytest.param(answer(b"", status="500 Av"), "error", id="an error of its own"),
        pytest.param(answer(b"", status="418 Teapot"), "error", id="an odd status"),
        pytest.param(answer(b"", status="401 No", www_authenticate="Basic"), "error", id="login"),
        pytest.param(answer("x" * 300_001), "too_large", id="too large by a byte"),
    ],
)
def test_a_broken_answer_is_an_outcome_with_its_reason_and_the_crawl_goes_on(
    crawled: Crawled, trap: Answer | bytes, outcome: str
) -> None:
    result, _ = crawled({"/faelde": trap}, "/faelde")
    row = rows(result)["/faelde"]
    assert (row["outcome"], bool(row["detail"])) == (outcome, True)
    assert not [raw for raw in result.raw if raw["url"].endswith("/faelde")]


def test_a_length_too_short_ends_the_page_there_and_harms_no_other(crawled: Crawled) -> None:
    result, _ = crawled({"/faelde": hostile.SHORT_LENGTH}, "/faelde")
    assert rows(result)["/faelde"]["bytes"] == 20


# --- redirects


@pytest.mark.parametrize(
    ("location", "outcome"),
    [
        ("http://127.0.0.1:1/", "out_of_scope"),
        ("http://localhost/", "out_of_scope"),
        ("http://169.254.169.254/latest/meta-data/", "out_of_scope"),
        ("http://[::1]/", "out_of_scope"),
        ("http://2130706433/", "out_of_scope"),
        ("https://www.andenby.test/tryg", "out_of_scope"),
        (f"http://{HOST}.andenby.test/", "out_of_scope"),
        (f"http://andenby.test/?x=http://{HOST}/", "out_of_scope"),
        (f"http://{HOST}@andenby.test/", "out_of_scope"),
        ("//andenby.test/", "out_of_scope"),
        ("file:///etc/passwd", "error"),
        ("javascript:alert(1)", "error"),
        ("", "error"),
        ("http://", "error"),
        ("/%0d%0aSet-Cookie:%20a=1", "redirect"),
        ("/god", "redirect"),
    ],
)
def test_a_redirect_leads_nowhere_outside_the_site(crawled: Crawled, location: str, outcome: str) -> None:
    result, _ = crawled({"/faelde": redirect(location)}, "/faelde")
    assert rows(result)["/faelde"]["outcome"] == outcome


@pytest.mark.parametrize(
    "steps",
    [
        {"/a": redirect("/a")},
        {"/a": redirect("/b"), "/b": redirect("/a")},
        {"/a": redirect("/a/"), "/a/": redirect("/a")},
        {"/a*": lambda request, say: say(redirect(f"{request.target}x"))},
    ],
    ids=["itself", "a circle", "twins", "ever new addresses"],
)
def test_redirects_without_end_end(crawled: Crawled, steps: Mapping[str, Answer | bytes]) -> None:
    result, server = crawled(steps, "/a")
    assert {row["outcome"] for path, row in rows(result).items() if path.startswith("/a")} <= {
        "redirect",
        "error",
        "limit",
    }
    assert max(Counter(server.targets()).values()) <= 6


def test_a_header_line_smuggled_into_a_location_is_not_believed(crawled: Crawled) -> None:
    result, server = crawled({"/faelde": hostile.BARE_CR}, "/faelde")
    assert rows(result)["/faelde"]["outcome"] in ("error", "redirect")
    assert not [request for request in server.asked if "cookie" in request.headers]


# --- pages


@pytest.mark.parametrize(
    ("trap", "outcome"),
    [
        pytest.param(page("<div>" * 10_000 + TRYG), "hit", id="ten thousand levels deep"),
        pytest.param(page("<table><tr><td>" * 1_000 + TRYG), "hit", id="tables in tables"),
        pytest.param(page("tr\x00yg ", TRYG.replace("tryg", "tr\x00yg")), "hit", id="null bytes"),
        pytest.param(answer(TRYG, content_type=None), "hit", id="no type"),
        pytest.param(answer(TRYG, content_type="TEXT/HTML ; x"), "hit", id="a type in odd spelling"),
        pytest.param(
            answer(TRYG, content_type="image/png"), "unsupported_type", id="a page that says picture"
        ),
        pytest.param(
            answer(b"\x89PNG\r\n" + bytes(range(256)) * 50), "no_stem", id="a picture that says page"
        ),
        pytest.param(answer(b"%PDF-1.7\n" + b"\x00" * 1000), "damaged", id="a PDF that is none"),
        pytest.param(answer(TRYG.encode("cp1252")), "hit", id="Windows-1252 that says UTF-8"),
        pytest.param(answer(TRYG, content_type="text/html; charset=utf-7"), "hit", id="says UTF-7"),
        pytest.param(
            answer(TRYG, content_type="text/html; charset=../../x"), "hit", id="a charset that is a path"
        ),
        pytest.param(answer(b"\xff\xfe" + TRYG.encode("utf-16-le")), "hit", id="UTF-16 that says UTF-8"),
        pytest.param(answer(b""), "empty", id="empty"),
        pytest.param(
            page('<div id="app"></div><script>app()</script>'), "needs_javascript", id="needs a script"
        ),
        pytest.param(page("<h1>404</h1><p>Siden findes ikke</p>"), "soft_404", id="soft 404"),
        pytest.param(
            page('<h1>Log ind</h1><form action="/login"><input type="password"></form>'),
            "login_wall",
            id="a login wall",
        ),
        pytest.param(
            page(*(f'<a href="{"x" * 5000}{n}">x</a>' for n in range(20)), TRYG), "hit", id="long links"
        ),
        pytest.param(
            page(
                "".join(
                    f'<a href="{href}">x</a>'
                    for href in (
                        "http://[",
                        "//",
                        "?",
                        "#",
                        "\x00",
                        "a b",
                        "http://a:b/",
                        "mailto:x",
                        "data:,x",
                    )
                ),
                TRYG,
            ),
            "hit",
            id="links that are none",
        ),
        pytest.param(page("<p " + "a" * 100_000 + TRYG), "hit", id="a tag of a hundred thousand letters"),
        pytest.param(page("&" * 50_000 + "&#x110000;&#0;" + TRYG), "hit", id="entities that are none"),
    ],
)
def test_whatever_is_on_a_page_is_an_outcome(crawled: Crawled, trap: bytes, outcome: str) -> None:
    result, _ = crawled({"/faelde": trap}, "/faelde", max_pages=20)
    assert rows(result)["/faelde"]["outcome"] == outcome


def test_of_a_page_of_ten_megabytes_the_beginning_is_read_and_the_log_says_so(
    crawled: Crawled, monkeypatch: pytest.MonkeyPatch
) -> None:
    roomy = replace(POLICY, limits=replace(LIMITS, body_bytes=20_000_000, seconds=20))
    monkeypatch.setattr("tryg_assets_tests.domain.test_hostile.POLICY", roomy)
    line = f"<p>{'Affald hentes mandag og torsdag i hele kommunen. ' * 40}</p>"
    result, _ = crawled({"/faelde": page(TRYG, line * (10_000_000 // len(line)))}, "/faelde")
    row = rows(result)["/faelde"]
    assert (row["outcome"], row["detail"]) == ("hit", "only the first 3000000 characters were read")


# --- robots.txt and sitemaps


@pytest.mark.parametrize(
    "robots",
    [
        pytest.param(page("<p>Disallow: /</p>"), id="HTML"),
        pytest.param(answer("<html>Disallow: /", content_type="text/plain"), id="HTML that says text"),
        pytest.param(answer(bytes(range(256)) * 20, content_type="text/plain"), id="binary"),
        pytest.param(answer(b"\xef\xbb\xbfUser-agent: *\nDisallow: /x", content_type="text/plain"), id="BOM"),
        pytest.param(
            answer("User-agent: *\nDisallow: /" + "x" * 250_000, content_type="text/plain"), id="long"
        ),
        pytest.param(
            answer("User-agent: *\nDisallow: /" + "*a" * 30 + "$\n", content_type="text/plain"), id="stars"
        ),
        pytest.param(
            answer("Crawl-delay: 1e999\nSitemap: \nSitemap: http://[\n", content_type="text/plain"),
            id="nonsense",
        ),
        pytest.param(
            answer("Sitemap: http://andenby.test/s.xml\n", content_type="text/plain"), id="sitemap elsewhere"
        ),
        pytest.param(redirect("/robots.txt"), id="moved to itself"),
        pytest.param(answer(b"", "403 No"), id="forbidden"),
    ],
)
def test_a_robots_txt_that_makes_no_sense_forbids_nothing(crawled: Crawled, robots: bytes) -> None:
    crawled({"/robots.txt": robots})


@pytest.mark.parametrize(
    "trap", [hostile.hang_up, answer(b"", "503 Senere", retry_after=86_400)], ids=["hangs up", "503"]
)
def test_a_robots_txt_that_cannot_be_had_forbids_everything(crawled: Crawled, trap: Answer | bytes) -> None:
    with pytest.raises(SiteUnreachable, match="robots"):
        crawled({"/robots.txt": trap})


@pytest.mark.parametrize(
    "sitemap",
    [
        pytest.param(
            answer("<urlset><url><loc>http://[</loc></url><url><loc>//x</loc></url>"), id="no addresses"
        ),
        pytest.param(
            answer(f"<urlset><url><loc>{HOME}/god</loc></url><url><loc>http://andenby.test/</loc></url>"),
            id="other sites",
        ),
        pytest.param(
            answer(
                '<!DOCTYPE x [<!ENTITY a "tryg"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><urlset><url><loc>&b;&b;</loc></url></urlset>'
            ),
            id="entities in entities",
        ),
        pytest.param(
            lambda request, say: say(
                answer(
                    f"<sitemapindex><sitemap><loc>{HOME}{request.target}x.xml</loc></sitemap></sitemapindex>"
                )
            ),
            id="an index of indexes without end",
        ),
        pytest.param(answer(b"\x1f\x8b\x08\x00" + b"\xff" * 100), id="broken gzip"),
        pytest.param(hostile.endless_body, id="without end"),
        pytest.param(hostile.reset, id="reset"),
    ],
)
def test_a_sitemap_does_no_harm(crawled: Crawled, sitemap: Answer | bytes) -> None:
    _, server = crawled({"/sitemap.xml*": sitemap})
    assert len(server.asked) < 300


def test_a_server_that_says_429_again_and_again_is_not_pressed(crawled: Crawled) -> None:
    result, server = crawled({"/storm/*": answer(b"", "429 For mange")}, *(f"/storm/{n}" for n in range(3)))
    assert {row["outcome"] for path, row in rows(result).items() if path.startswith("/storm")} == {"error"}
    assert max(Counter(server.targets()).values()) <= 3


# --- TLS


def test_a_certificate_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    site = Site("proeveby", "Prøveby", "opland", f"https://{HOST}/")
    with (
        serve({"/": GOOD}, hostile.certificate(tmp_path, HOST, None)) as server,
        Fetcher(POLICY, user_agent="x", address=server.address, sleep=lambda _: None) as fetcher,
        pytest.raises(SiteUnreachable, match="CERTIFICATE_VERIFY_FAILED"),
        Archive(tmp_path, site.slug, MOMENT) as archive,
    ):
        crawl(site, POLICY, fetcher, archive, fixed_clock(MOMENT))
    assert server.asked == []
