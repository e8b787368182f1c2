"""A crawl of a small site over real HTTP on loopback."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tryg_assets.clock import fixed_clock
from tryg_assets.contracts import contract
from tryg_assets.domain.crawling.archive import Archive, read_record
from tryg_assets.domain.crawling.crawl import CrawlResult, Previous, crawl
from tryg_assets.domain.crawling.fetch import Fetcher
from tryg_assets.domain.crawling.policy import CrawlPolicy, crawl_policy
from tryg_assets.domain.sites import Site
from tryg_assets.errors import SiteUnreachable
from tryg_assets_tests.loopback import Answer, Server, page, redirect, serve

HOME = "http://www.proeveby.test"
SITE = Site("proeveby", "Prøveby", "opland", f"{HOME}/")
MOMENT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
POLICY = replace(crawl_policy(), limits=replace(crawl_policy().limits, body_bytes=5000, seconds=5, depth=3))
TRYG = "<p>Byrådet vil have en tryg midtby for alle borgere.</p>"
Run = Callable[..., CrawlResult]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def made(
        server: Server,
        previous: Previous | None = None,
        *,
        site: Site = SITE,
        moment: datetime = MOMENT,
        policy: CrawlPolicy = POLICY,
        **options: Any,
    ) -> CrawlResult:
        clock = fixed_clock(moment)
        with (
            Fetcher(
                policy, user_agent="TrygAssets/test", address=server.address, sleep=lambda _: None
            ) as fetcher,
            Archive(tmp_path, site.slug, moment) as archive,
        ):
            return crawl(site, policy, fetcher, archive, clock, previous, **options)

    return made


def link(*paths: str) -> str:
    return "".join(f'<a href="{path}">videre</a>' for path in paths)


def outcomes(result: CrawlResult) -> dict[str, str]:
    return {row["url"].removeprefix(HOME): row["outcome"] for row in result.log}


def entry(result: CrawlResult, path: str) -> dict[str, Any]:
    (row,) = [row for row in result.log if row["url"] == HOME + path]
    return row


def test_pages_are_found_by_links_and_those_with_the_stem_are_kept(run: Run, tmp_path: Path) -> None:
    site = {
        "/": page(link("/tryg", "/affald#top", "mailto:post@proeveby.dk")),
        "/tryg": page(TRYG, link("/"), title="Midtby"),
        "/affald": page("<p>Affald hentes mandag.</p>"),
    }
    with serve(site) as server:
        result = run(server)
    assert outcomes(result) == {"/": "no_stem", "/tryg": "hit", "/affald": "no_stem"}
    (raw,) = result.raw
    assert (raw["url"], raw["title"], raw["text"]) == (
        f"{HOME}/tryg",
        "Midtby",
        "Byrådet vil have en tryg midtby for alle borgere.",
    )
    assert (raw["word_forms"], raw["hits"], raw["language"], raw["kind"]) == (
        [{"form": "tryg", "count": 1}],
        1,
        "da",
        "html",
    )
    assert read_record(tmp_path, raw["archive_record"]) == site["/tryg"].body
    assert (entry(result, "/tryg")["depth"], entry(result, "/tryg")["found_on"]) == (1, f"{HOME}/")
    assert (entry(result, "/")["depth"], entry(result, "/")["found_on"]) == (0, None)


def test_the_rows_honour_their_contracts(run: Run) -> None:
    site = {
        "/": page(TRYG, link("/væk", "/flyttet", "/tryg/tryg/tryg")),
        "/flyttet": redirect("/ny"),
        "/ny": page(TRYG),
    }
    with serve(site) as server:
        result = run(server)
    assert contract("crawl_log").frame(result.log).height == 5
    assert contract("raw_crawl").frame(result.raw).height == 2


def test_each_address_is_asked_for_once(run: Run) -> None:
    site = {
        "/": page(link("/a", "/a/", "/a#b", "/a?utm_source=x", "/a/index.html", "http://proeveby.test/a")),
        "/a": page(link("/", "/a")),
    }
    with serve(site) as server:
        run(server)
    assert server.paths() == ["/robots.txt", "/sitemap.xml", "/", "/a"]


def test_the_stem_in_the_title_alone_is_a_hit(run: Run) -> None:
    with serve({"/": page("<p>Læs om planen her på siden.</p>", title="Tryg by")}) as server:
        (raw,) = run(server).raw
    assert (raw["title"], raw["hits"]) == ("Tryg by", 1)


def test_a_redirect_is_noted_and_its_end_read_in_its_own_turn(run: Run) -> None:
    with serve({"/": page(link("/gammel")), "/gammel": redirect("/ny", 302), "/ny": page(TRYG)}) as server:
        result = run(server)
    assert outcomes(result) == {"/": "no_stem", "/gammel": "redirect", "/ny": "hit"}
    assert (entry(result, "/gammel")["status"], entry(result, "/gammel")["final_url"]) == (302, f"{HOME}/ny")
    assert entry(result, "/ny")["found_on"] == f"{HOME}/gammel"


def test_a_redirect_between_twins_is_followed_in_place(run: Run) -> None:
    with serve({"/": page(link("/a")), "/a": redirect("/a/"), "/a/": page(TRYG)}) as server:
        result = run(server)
    assert outcomes(result)["/a"] == "hit"
    assert (result.raw[0]["url"], result.raw[0]["final_url"]) == (f"{HOME}/a", f"{HOME}/a/")


def test_a_redirect_out_of_the_site_is_not_followed(run: Run) -> None:
    with serve(
        {"/": page(link("/ud", "http://andenby.test/tryg")), "/ud": redirect("http://andenby.test/tryg")}
    ) as server:
        result = run(server)
    assert outcomes(result) == {"/": "no_stem", "/ud": "out_of_scope"}
    assert entry(result, "/ud")["detail"] == "redirects to http://andenby.test/tryg"
    assert not [request for request in server.asked if request.headers["host"] == "andenby.test"]


@pytest.mark.parametrize(
    "steps",
    [
        {"/a": redirect("/b"), "/b": redirect("/a")},
        {"/a": redirect("/a")},
        {"/a": redirect("/a/"), "/a/": redirect("/a")},
    ],
)
def test_a_redirect_in_a_circle_ends(run: Run, steps: Mapping[str, Answer]) -> None:
    with serve({"/": page(TRYG, link("/a")), **steps}) as server:
        result = run(server)
    assert set(outcomes(result).values()) <= {"hit", "redirect", "error"}
    assert server.paths().count("/a") <= 6


@pytest.mark.parametrize(
    ("answer", "outcome", "detail"),
    [
        (Answer(status=404), "error", "HTTP 404"),
        (Answer(status=500), "error", "HTTP 500"),
        (redirect("mailto:post@proeveby.dk"), "error", "redirects to no web address"),
        (Answer(b"x" * 5001), "too_large", "more than 5000 bytes"),
        (Answer(b"\x89PNG", content_type="image/png"), "unsupported_type", "image/png"),
        (Answer(b"%PDF-1.7 broken", content_type="application/pdf"), "damaged", "the PDF cannot be opened"),
        (Answer(b""), "empty", None),
        (Answer(b"<h1>Siden findes ikke</h1>"), "soft_404", None),
        (Answer("<h1>Log ind</h1><p>Du skal logge ind for at læse siden.</p>".encode()), "login_wall", None),
        (Answer(b'<div id="root"></div><script src="/a.js"></script>'), "needs_javascript", None),
    ],
)
def test_what_cannot_be_read_is_noted_and_the_crawl_goes_on(
    run: Run, answer: Answer, outcome: str, detail: str | None
) -> None:
    with serve({"/": page(link("/a", "/b")), "/a": answer, "/b": page(TRYG)}) as server:
        result = run(server)
    row = entry(result, "/a")
    assert (row["outcome"], (row["detail"] or "")[: len(detail or "")]) == (outcome, detail or "")
    assert entry(result, "/b")["outcome"] == "hit"


def robots(text: str, status: int = 200) -> Answer:
    return Answer(text.encode(), status, "text/plain")


def test_robots_txt_is_obeyed(run: Run) -> None:
    site = {
        "/robots.txt": robots("User-agent: *\nDisallow: /lukket\n"),
        "/": page(TRYG, link("/lukket/a", "/åben")),
        "/lukket/a": page(TRYG),
    }
    with serve(site) as server:
        result = run(server)
    assert outcomes(result)["/lukket/a"] == "robots"
    assert entry(result, "/lukket/a")["status"] is None
    assert "/lukket/a" not in server.paths()


def test_robots_txt_is_obeyed_where_it_has_moved_to(run: Run) -> None:
    site = {
        "/robots.txt": redirect("/om/robots.txt"),
        "/om/robots.txt": robots("User-agent: TrygAssets\nDisallow: /lukket\n"),
        "/": page(TRYG, link("/lukket")),
    }
    with serve(site) as server:
        assert outcomes(run(server))["/lukket"] == "robots"


@pytest.mark.parametrize(
    "answer", [Answer(status=404), Answer(b"<html>Disallow: /", 200), redirect("/robots.txt")]
)
def test_without_a_robots_txt_all_may_be_read(run: Run, answer: Answer) -> None:
    with serve({"/robots.txt": answer, "/": page(TRYG)}) as server:
        assert outcomes(run(server)) == {"/": "hit"}


@pytest.mark.parametrize(
    ("site", "reason"),
    [
        (
            {"/robots.txt": robots("", 500), "/": page(TRYG)},
            "robots.txt answered HTTP 500, so nothing may be read",
        ),
        (
            {"/robots.txt": robots("User-agent: *\nDisallow: /"), "/": page(TRYG)},
            "robots.txt asks us not to read it",
        ),
        ({"/": Answer(status=403)}, "HTTP 403"),
        ({}, "HTTP 404"),
    ],
)
def test_a_site_that_gives_nothing_is_an_error_that_says_what_to_do(
    run: Run, tmp_path: Path, site: Mapping[str, Answer], reason: str
) -> None:
    with serve(site) as server, pytest.raises(SiteUnreachable) as caught:
        run(server)
    assert f"Prøveby ({HOME}/) gave nothing to read: {reason}." in str(caught.value)
    assert "tryg run --municipality proeveby" in str(caught.value)
    assert list((tmp_path / "proeveby").iterdir()) == []


def test_a_site_where_nobody_answers_is_an_error(run: Run) -> None:
    with serve({}) as server:
        pass
    with pytest.raises(SiteUnreachable, match="ConnectError"):
        run(server)


def sitemap(*paths: str) -> bytes:
    return f"<?xml version='1.0'?><urlset>{''.join(f'<url><loc> {HOME}{path} </loc></url>' for path in paths)}</urlset>".encode()


def sitemap_index(*paths: str) -> bytes:
    return f"<sitemapindex>{''.join(f'<sitemap><loc>{HOME}{path}</loc></sitemap>' for path in paths)}</sitemapindex>".encode()


def xml(body: bytes) -> Answer:
    return Answer(body, content_type="application/xml")


@pytest.mark.parametrize(
    "site",
    [
        {"/sitemap.xml": xml(sitemap("/skjult", "/skjult/"))},
        {"/robots.txt": robots(f"Sitemap: {HOME}/kort.xml"), "/kort.xml": xml(sitemap("/skjult"))},
        {
            "/sitemap.xml": xml(sitemap_index("/a.xml", "/b.xml", "/sitemap.xml")),
            "/a.xml": xml(sitemap()),
            "/b.xml": xml(sitemap("/skjult")),
        },
        {
            "/sitemap.xml": xml(sitemap_index("/a.xml.gz")),
            "/a.xml.gz": Answer(gzip.compress(sitemap("/skjult")), content_type="application/gzip"),
        },
        {"/sitemap.xml": Answer(gzip.compress(sitemap("/skjult")), headers={"Content-Encoding": "gzip"})},
    ],
    ids=["plain", "named in robots.txt", "index", "gz", "compressed on the wire"],
)
def test_pages_that_only_the_sitemap_names_are_read(run: Run, site: Mapping[str, Answer]) -> None:
    with serve({"/": page("<p>Forside</p>"), "/skjult": page(TRYG), **site}) as server:
        result = run(server)
    assert outcomes(result) == {"/": "no_stem", "/skjult": "hit"}
    assert entry(result, "/skjult")["found_on"] is None


@pytest.mark.parametrize(
    "body",
    [
        b"\x1f\x8b broken",
        b"<urlset><url><loc>",
        b"\xff\xfe\x00",
        sitemap_index("/sitemap.xml"),
        b"<loc>http://andenby.test/x</loc>",
    ],
)
def test_a_broken_sitemap_does_no_harm(run: Run, body: bytes) -> None:
    with serve({"/sitemap.xml": xml(body), "/": page(TRYG)}) as server:
        assert outcomes(run(server)) == {"/": "hit"}


def test_traps_are_noted_and_not_asked_for(run: Run) -> None:
    deep = {f"/{n}": page(link(f"/{n + 1}")) for n in range(1, 6)}
    with serve({"/": page(TRYG, link("/om/om/om", "/1")), **deep}) as server:
        result = run(server)
    assert entry(result, "/om/om/om")["detail"] == "path repeats itself"
    assert entry(result, "/4")["detail"] == "deeper than 3 links"
    assert {path for path, outcome in outcomes(result).items() if outcome == "trap"} == {"/om/om/om", "/4"}
    assert not {"/om/om/om", "/4", "/5"} & set(server.paths())


def test_an_endless_calendar_ends(run: Run) -> None:
    days = [f"/kalender?dag={day}" for day in range(60)]
    with serve({"/": page(TRYG, link(*days)), **{day: page() for day in days}}) as server:
        found = list(outcomes(run(server)).values())
    assert (found.count("empty"), found.count("trap")) == (50, 10)


def test_a_crawl_stops_at_its_limit_and_says_so(run: Run) -> None:
    with serve({"/": page(TRYG, link(*[f"/{n}" for n in range(9)]))}) as server:
        result = run(server, max_pages=4)
    assert [row["outcome"] for row in result.log] == ["hit", *["error"] * 3, *["limit"] * 6]


def test_promising_pages_are_read_first_and_progress_is_told(run: Run) -> None:
    seen: list[tuple[int, int, int]] = []
    with serve(
        {"/": page(link("/affald", "/handleplan")), "/affald": page(), "/handleplan": page(TRYG)}
    ) as server:
        run(server, on_page=lambda *standing: seen.append(standing))
    assert server.paths()[2:] == ["/", "/handleplan", "/affald"]
    assert seen == [(1, 0, 2), (2, 1, 1), (3, 1, 0)]


def test_extra_hosts_and_hosts_below_are_read(run: Run) -> None:
    site = replace(SITE, extra_hosts=("tryg.andenby.test",))
    answers = {
        "www.proeveby.test/": page(link("http://borger.proeveby.test/tryg")),
        "borger.proeveby.test/tryg": page(TRYG),
        "tryg.andenby.test/": page(TRYG),
        "borger.proeveby.test/robots.txt": robots(""),
        "tryg.andenby.test/robots.txt": robots(""),
    }
    with serve(answers) as server:
        assert sorted(row["url"] for row in run(server, site=site).raw) == [
            "http://borger.proeveby.test/tryg",
            "http://tryg.andenby.test/",
        ]


def test_text_that_repeats_across_the_site_is_no_hit(run: Run) -> None:
    banner = "<div><p>Ring til os, så er du tryg.</p></div>"
    paths = [f"/{n}" for n in range(5)]
    site = {path: page(banner, f"<p>Side {path} om affald og veje.</p>", title=path) for path in paths}
    with serve({"/": page(banner, TRYG, link(*paths)), **site}) as server:
        result = run(server)
    assert result.furniture == {"Ring til os, så er du tryg."}
    assert [row["text"] for row in result.raw] == ["Byrådet vil have en tryg midtby for alle borgere."]


def after(result: CrawlResult) -> Previous:
    return Previous(
        {row["url"]: row for row in result.log}, {row["url"]: row for row in result.raw}, result.furniture
    )


def versioned(answer: Answer) -> Answer:
    return replace(answer, etag='"v1"')


def test_a_second_crawl_reads_only_what_has_changed(run: Run) -> None:
    site = {
        "/": versioned(page(link("/tryg", "/ny"))),
        "/tryg": versioned(page(TRYG, link("/dyb"))),
        "/dyb": versioned(page(TRYG)),
        "/ny": page("<p>Affald</p>"),
    }
    later = MOMENT + timedelta(days=7)
    with serve(site) as server:
        first = run(server)
        server.answers["/ny"] = page(TRYG)
        second = run(server, after(first), moment=later)
    assert outcomes(second) == {"/": "no_stem", "/tryg": "hit", "/dyb": "hit", "/ny": "hit"}
    assert {row["url"].removeprefix(HOME) for row in second.log if row["reused"]} == {"/", "/tryg", "/dyb"}
    assert {row["fetched_at"] for row in second.log} == {later}
    kept, earlier = ({row["url"]: row for row in result.raw} for result in (second, first))
    assert kept.keys() == {f"{HOME}/tryg", f"{HOME}/dyb", f"{HOME}/ny"}
    for url, row in earlier.items():
        assert kept[url] == {**row, "crawled_at": later}, "an unchanged page keeps its row, confirmed today"
    contract("crawl_log").frame(second.log)


def test_a_page_that_is_gone_is_gone_from_the_rows(run: Run) -> None:
    with serve({"/": page(link("/tryg")), "/tryg": versioned(page(TRYG))}) as server:
        first = run(server)
        server.answers["/tryg"] = Answer(status=404)
        second = run(server, after(first))
    assert outcomes(second)["/tryg"] == "error"
    assert second.raw == []


def test_furniture_once_learnt_is_remembered(run: Run) -> None:
    with serve({"/": page("<p>Ring til os, så er du tryg.</p>")}) as server:
        assert run(server, Previous(furniture=frozenset({"Ring til os, så er du tryg."}))).raw == []


def test_same_site_same_rows(run: Run) -> None:
    site = {"/": page(TRYG, link("/b", "/a")), "/a": page(TRYG), "/b": page(TRYG)}
    with serve(site) as server:
        assert run(server) == run(server)


def before(result: CrawlResult) -> Previous:
    """Return what the next crawl knows of ``result``."""
    log, raw = ({row["url"]: row for row in rows} for rows in (result.log, result.raw))
    return Previous(log, raw, result.furniture)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_fault_takes_no_page_away(run: Run, status: int) -> None:
    with serve({"/": page(TRYG, link("/plan")), "/plan": page(TRYG, title="Plan")}) as server:
        first = run(server)
        server.answers["/plan"] = Answer(status=status)
        second = run(server, before(first))
        assert {row["url"] for row in second.raw} == {row["url"] for row in first.raw}
        assert outcomes(second)["/plan"] == "error"
        server.answers["/plan"] = Answer(status=404)
        gone = run(server, before(second))
    assert [row["url"] for row in gone.raw] == [f"{HOME}/"], "a page that is gone is gone"


def test_a_crawl_goes_on_where_its_limit_stopped_the_one_before(run: Run) -> None:
    paths = [f"/{n}" for n in range(9)]
    site = {
        "/": replace(page(TRYG, link(*paths)), etag='"1"'),
        **{path: page(f"<p>Plan nr. {path[1:]} gør byen tryg.</p>", title=path) for path in paths},
    }
    with serve(site) as server:
        short = run(server, max_pages=4)
        assert len(short.raw) == 4
        assert len(run(server, before(short)).raw) == 10, "although the home page says it is unchanged"


def test_a_few_changed_pages_make_no_site_furniture(run: Run) -> None:
    shared = "<p>Natteravnene gør det trygt at gå hjem fra byen om natten.</p>"
    site = {
        "/": page(link(*[f"/{n}" for n in range(20)])),
        **{
            f"/{n}": replace(page(f"<p>Side {n} om affald.</p>", shared if n < 4 else ""), etag=f'"{n}"')
            for n in range(20)
        },
    }
    with serve(site) as server:
        first = run(server)
        assert len(first.raw) == 4
        for n in range(4):
            server.answers[f"/{n}"] = page(f"<p>Side {n} om affald og veje.</p>", shared)
        assert len(run(server, before(first)).raw) == 4


@pytest.mark.parametrize(
    ("address", "head", "href", "found"),
    [("/omraade/", "", "plan", "/omraade/plan"), ("/side", '<base href="/dk/">', "plan", "/dk/plan")],
)
def test_links_count_from_where_a_browser_counts_them(
    run: Run, address: str, head: str, href: str, found: str
) -> None:
    body = (
        f"<html><head>{head}</head><body><main><p>Oversigt over planer.</p>{link(href)}</main></body></html>"
    )
    site = {"/": page(link(address)), address: Answer(body.encode()), found: page(TRYG)}
    if address.endswith("/"):
        site[address.rstrip("/")] = redirect(address)
    with serve(site) as server:
        assert [row["url"] for row in run(server).raw] == [HOME + found]


def test_a_robots_txt_that_cannot_be_had_forbids_everything(run: Run) -> None:
    with (
        serve({"/": page(TRYG), "/robots.txt": Answer(status=503)}) as server,
        pytest.raises(SiteUnreachable, match="robots"),
    ):
        run(server)


def tryg(path: str) -> Answer:
    """Return a page whose text no other page has, so that it is no site furniture."""
    return page(f"<p>Plan nr. {path[1:]} gør byen tryg.</p>", title=path)


def with_limits(**limits: Any) -> CrawlPolicy:
    return replace(POLICY, limits=replace(POLICY.limits, **limits))


BROKEN = Answer(status=503)


def test_a_host_that_fails_again_and_again_is_left_alone_and_asked_first_the_next_time(run: Run) -> None:
    paths = [f"/{n}" for n in range(10)]
    site = {"/": page(TRYG, link(*paths)), **{path: tryg(path) for path in paths}}
    policy = with_limits(failures_in_a_row=3)
    with serve(site) as server:
        first = run(server, policy=policy)
        assert len(first.raw) == 11
        server.answers.update(dict.fromkeys(paths, BROKEN))
        server.asked.clear()
        second = run(server, before(first), policy=policy)
        assert len([path for path in server.paths() if path in paths]) == 9, (
            "three addresses, three times each"
        )
        assert {row["url"] for row in second.raw} == {row["url"] for row in first.raw}, "nothing is lost"
        left = [row for row in second.log if row["outcome"] == "left_alone"]
        assert len(left) == 7
        assert left[0]["detail"] == f"{HOME} failed 3 times in a row or asked for rest"
        contract("crawl_log").frame(second.log)
        server.answers.update({path: tryg(path) for path in paths})
        server.asked.clear()
        third = run(server, before(second), policy=policy)
    assert set(outcomes(third).values()) == {"hit"}
    assert set(server.paths()[3:10]) == {row["url"].removeprefix(HOME) for row in left}


def test_a_success_starts_the_count_of_failures_anew(run: Run) -> None:
    site = {f"/{n}": BROKEN if n % 3 else page() for n in range(1, 9)}
    with serve({"/": page(TRYG, link(*site)), **site}) as server:
        assert "left_alone" not in outcomes(run(server, policy=with_limits(failures_in_a_row=3))).values()


def test_a_server_that_asks_for_a_long_rest_is_left_alone_at_once(run: Run) -> None:
    storm = Answer(status=429, headers={"Retry-After": "86400"})
    with serve({"/": page(TRYG, link("/a", "/b", "/c")), "/a": storm, "/b": page(TRYG)}) as server:
        result = run(server)
    assert server.paths()[2:] == ["/", "/a"]
    assert outcomes(result) == {"/": "hit", "/a": "error", "/b": "left_alone", "/c": "left_alone"}


def test_one_host_that_fails_does_not_take_the_others_with_it(run: Run) -> None:
    below = "http://borger.proeveby.test"
    site = {
        "www.proeveby.test/": page(link(*[f"{below}/{n}" for n in range(5)], "/plan")),
        "www.proeveby.test/plan": page(TRYG),
        "borger.proeveby.test/robots.txt": robots(""),
        **{f"borger.proeveby.test/{n}": BROKEN for n in range(5)},
    }
    with serve(site) as server:
        found = [row["outcome"] for row in run(server, policy=with_limits(failures_in_a_row=2)).log]
    assert (found.count("error"), found.count("left_alone"), found.count("hit")) == (2, 3, 1)


def test_a_robots_txt_that_fails_on_one_host_takes_no_page_of_it_away(run: Run) -> None:
    site = {
        "www.proeveby.test/": page(TRYG, link("http://borger.proeveby.test/plan")),
        "borger.proeveby.test/plan": versioned(page(TRYG, title="Plan")),
        "borger.proeveby.test/robots.txt": robots(""),
    }
    with serve(site) as server:
        first = run(server)
        server.answers["borger.proeveby.test/robots.txt"] = BROKEN
        second = run(server, before(first))
        server.answers["borger.proeveby.test/robots.txt"] = robots("")
        third = run(server, before(second))
    (row,) = [row for row in second.log if row["outcome"] == "robots"]
    assert row["detail"] == "robots.txt answered HTTP 503, so nothing may be read"
    assert {row["url"] for row in second.raw} == {row["url"] for row in first.raw}
    assert [(row["outcome"], row["reused"]) for row in third.log if row["url"] == row["final_url"]][-1] == (
        "hit",
        True,
    )


def test_an_error_page_does_not_make_the_page_look_unchanged(run: Run) -> None:
    with serve({"/": page(TRYG, link("/a")), "/a": versioned(page(TRYG))}) as server:
        server.answers["/a"] = Answer(status=500, headers={"ETag": '"fejl"', "Last-Modified": "i dag"})
        row = entry(run(server), "/a")
    assert (row["etag"], row["last_modified"]) == (None, None)


def test_pages_that_a_limit_leaves_out_keep_their_reading_and_come_first_the_next_time(run: Run) -> None:
    paths = [f"/{n}" for n in range(6)]
    site = {"/": page(TRYG, link(*paths)), **{path: versioned(tryg(path)) for path in paths}}
    with serve(site) as server:
        first = run(server)
        second = run(server, before(first), max_pages=3)
        assert list(outcomes(second).values()).count("limit") == 4
        assert {row["url"] for row in second.raw} == {row["url"] for row in first.raw}
        server.asked.clear()
        third = run(server, before(second), max_pages=4)
    assert {f"{HOME}{path}" for path in server.paths()[3:]} <= {
        row["url"] for row in second.log if row["outcome"] == "limit"
    }
    assert {row["outcome"] for row in third.log if row["reused"]} == {"hit"}, (
        "a 304 still rests on the reading"
    )


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"site_bytes": 300}, "more than 300 bytes in one crawl"),
        ({"site_hours": -1}, "more than -1 hours for one crawl"),
    ],
)
def test_bytes_and_hours_of_a_crawl_are_bounded(run: Run, limits: dict[str, int], reason: str) -> None:
    paths = [f"/{n}" for n in range(9)]
    with serve({"/": page(TRYG * 5, link(*paths)), **{path: page() for path in paths}}) as server:
        if "site_hours" in limits:
            with pytest.raises(SiteUnreachable, match=reason):
                run(server, policy=with_limits(**limits))
            return
        assert {row["detail"] for row in run(server, policy=with_limits(**limits)).log} == {None, reason}


def test_a_crawl_stops_when_it_is_told_to_close(run: Run) -> None:
    left = iter([None, None, "the night is over"])
    with serve({"/": page(TRYG, link("/a", "/b", "/c")), "/a": page("<p>Affald</p>")}) as server:
        result = run(server, closing=lambda: next(left))
    assert [row["outcome"] for row in result.log] == ["hit", "no_stem", "limit", "limit"]
    assert {row["detail"] for row in result.log[2:]} == {"the night is over"}


def test_links_without_end_are_counted_and_a_hundred_of_them_noted(run: Run) -> None:
    loops = [f"/om/{n}/om/{n}/om" for n in range(500)]
    with serve({"/": page(TRYG, link(*loops))}) as server:
        policy = replace(with_limits(noted=100), limits=replace(POLICY.limits, body_bytes=100_000))
        result = run(server, policy=policy)
    noted = [row for row in result.log if row["outcome"] == "trap"]
    assert len(noted) == 100
    assert {row["detail"] for row in noted[:-1]} == {"path repeats itself"}
    assert noted[-1]["detail"] == "path repeats itself (and 400 more links)"


def test_a_sitemap_of_very_many_lines_fills_the_frontier_and_no_more(run: Run) -> None:
    lines = xml(sitemap(*[f"/{n}" for n in range(5000)]))
    policy = replace(POLICY, limits=replace(POLICY.limits, body_bytes=10**6, waiting=50))
    with serve({"/": page(TRYG), "/sitemap.xml": lines}) as server:
        result = run(server, policy=policy, max_pages=10)
    found = list(outcomes(result).values())
    assert len(found) <= 50
    assert "hit" in found


def test_the_main_address_that_a_page_names_is_read_too_and_replaces_nothing(run: Run) -> None:
    head = '<html><head><link rel="canonical" href="/plan"></head><body><main>'
    copy = Answer(f"{head}{TRYG}</main></body></html>".encode())
    lie = Answer(copy.body.replace(b'href="/plan"', b'href="https://andenby.test/"'))
    site = {
        "/": page(link("/plan?print=1", "/falsk")),
        "/plan?print=1": copy,
        "/plan": page(TRYG),
        "/falsk": lie,
    }
    with serve(site) as server:
        result = run(server)
    found = {row["url"].removeprefix(HOME): row["canonical"] for row in result.raw}
    assert found == {"/plan?print=1": f"{HOME}/plan", "/plan": None, "/falsk": "https://andenby.test/"}
    assert {request.headers["host"] for request in server.asked} == {"www.proeveby.test"}


def test_a_second_crawl_reads_the_same_queries_of_a_calendar(run: Run) -> None:
    days = [f"/kalender?dag={day}" for day in range(60)]
    with serve({"/": page(TRYG, link(*days)), **{day: page() for day in days}}) as server:
        first = run(server)
        known = before(first)
        second = run(server, Previous(dict(sorted(known.log.items())), known.raw, known.furniture))
    assert outcomes(first) == outcomes(second)


def test_hosts_without_end_are_a_trap(run: Run) -> None:
    below = [f"http://h{n}.proeveby.test/" for n in range(9)]
    with serve({"/": page(TRYG, link(*below))}) as server:
        result = run(server, policy=with_limits(hosts=4))
    found = [row["detail"] for row in result.log if row["outcome"] == "trap"]
    assert found == ["more than 4 hosts"] * 6
    assert len({request.headers["host"] for request in server.asked}) == 4


def test_a_site_whose_pages_all_need_a_script_is_not_read_and_says_so(run: Run) -> None:
    built = page('<div id="app"></div><script src="/app.js"></script>', '<a href="/b"></a>')
    with (
        serve({"/": built, "/b": built}) as server,
        pytest.raises(
            SiteUnreachable, match=r"only pages whose text is not there to be read \(2 needs_javascript\)"
        ),
    ):
        run(server)
