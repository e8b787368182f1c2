"""One canonical address per page, the scope of a site, and what looks like an endless space."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tryg_assets.domain.crawling.addresses import AddressBook
from tryg_assets.domain.crawling.policy import crawl_policy
from tryg_assets.domain.sites import Site

SITE = Site("proeveby", "Prøveby", "opland", "https://www.proeveby.dk", ("tryg.andenby.dk",))
HOME = "https://www.proeveby.dk"


@pytest.fixture
def book() -> AddressBook:
    return AddressBook(SITE, crawl_policy())


@pytest.mark.parametrize(
    "twin",
    [
        "https://www.proeveby.dk/tryg",
        "https://www.proeveby.dk/tryg/",
        "https://www.proeveby.dk/tryg#afsnit-2",
        "https://www.proeveby.dk:443/tryg",
        "http://www.proeveby.dk/tryg",
        "http://proeveby.dk:80/tryg",
        "https://PROEVEBY.dk/tryg",
        "https://www.proeveby.dk/tryg/index.html",
        "https://www.proeveby.dk/tryg/Default.aspx",
        "https://www.proeveby.dk/tryg?utm_source=brev&utm_medium=mail",
        "https://www.proeveby.dk/tryg?fbclid=abc",
        "https://www.proeveby.dk/tryg?PHPSESSID=abc",
        "https://www.proeveby.dk/tryg;jsessionid=0A1B",
        "https://www.proeveby.dk/(S(lit3py55t21z5v55vlm25s55))/tryg",
        "https://bruger:kode@www.proeveby.dk/tryg",
        "https://www.proeveby.dk./tryg",
        "https://www.proeveby.dk/om/../tryg",
        "  https://www.proeveby.dk/tryg\n",
        "/tryg",
        "../tryg",
        "//www.proeveby.dk/tryg",
    ],
)
def test_twins_have_one_address(book: AddressBook, twin: str) -> None:
    assert book.canonical(twin, f"{HOME}/om/os") == f"{HOME}/tryg"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/tryg", "/Tryg"),
        ("/tryg?side=1", "/tryg?side=2"),
        ("/tryg?side=1", "/tryg"),
        ("/tryg?a=1&a=2", "/tryg?a=2&a=1"),
        ("/tryg?print=1", "/tryg"),
        ("https://m.proeveby.dk/tryg", "/tryg"),
        ("https://www.proeveby.dk:8443/tryg", "/tryg"),
        ("/a%2Fb", "/a/b"),
        ("/a%3Fb=1", "/a?b=1"),
    ],
)
def test_different_pages_keep_different_addresses(book: AddressBook, one: str, other: str) -> None:
    assert book.canonical(one, HOME) != book.canonical(other, HOME)


def test_the_order_of_parameters_makes_no_other_page(book: AddressBook) -> None:
    assert book.canonical("/s?b=2&a=1", HOME) == book.canonical("/s?a=1&b=2", HOME) == f"{HOME}/s?a=1&b=2"


HREFS = st.sampled_from(
    [
        *(
            "/plan",
            "/plan/",
            "plan",
            "../plan",
            "?side=2",
            "#top",
            "",
            "//andenby.dk/x",
            "//www.proeveby.dk/y",
        ),
        *(
            "https://www.proeveby.dk/plan",
            "HTTP://proeveby.dk/z",
            "mailto:a@b.dk",
            "javascript:x",
            "http://[",
            "a:b",
        ),
    ]
)
PLACES = st.sampled_from([f"{HOME}/", f"{HOME}/a/b", "https://tryg.andenby.dk/a/b", f"{HOME}/a/c"])


@given(st.lists(st.tuples(PLACES, st.lists(HREFS, max_size=6)), max_size=6))
def test_the_fast_way_through_links_finds_what_the_slow_way_finds(
    pages: list[tuple[str, list[str]]],
) -> None:
    book = AddressBook(SITE, crawl_policy())
    fast, slow = ([f"{HOME}/", *(place for place, _ in pages)] for _ in range(2))
    for place, hrefs in pages:
        fast += book.new_links(hrefs, place)
        slow += [found for href in hrefs if (found := book.canonical(href, place))]
    assert list(dict.fromkeys(fast)) == list(dict.fromkeys(slow))


def test_letters_and_their_percent_codes_are_one_address(book: AddressBook) -> None:
    assert book.canonical("/tr%C3%A6f%20os") == book.canonical("/træf os") is None
    assert (
        book.canonical("/tr%C3%A6f%20os", HOME)
        == book.canonical("/træf os", HOME)
        == f"{HOME}/tr%C3%A6f%20os"
    )


def test_the_home_page_is_the_root(book: AddressBook) -> None:
    assert (
        book.canonical(HOME)
        == book.canonical(f"{HOME}/")
        == book.canonical("/index.html", HOME)
        == f"{HOME}/"
    )


@pytest.mark.parametrize(
    "href",
    [
        "mailto:post@proeveby.dk",
        "tel:+4512345678",
        "javascript:void(0)",
        "ftp://proeveby.dk/",
        "http://[::1",
        "https://a.dk:99999/",
    ],
)
def test_what_is_no_web_address_has_none(book: AddressBook, href: str) -> None:
    assert book.canonical(href, HOME) is None


SEPARATORS = ("/", "//", ".", "..", "?", "#", "&", "=", ";", ":", "@", "+", " ", "|", "[", "\\", "'", '"')
CODES = ("%", "%2F", "%25", "%252F", "%3F", "%C3%A6", "Æ", "ø", "\u00ad")
WORDS = ("a", "tryg", "index.html", "default.aspx", "utm_source=x", "sid=1", "side=2", "q=å")
PIECES = st.sampled_from((*SEPARATORS, *CODES, *WORDS))
HOSTS = st.sampled_from(
    [
        "https://www.proeveby.dk",
        "http://proeveby.dk:80",
        "http://Ærø.dk",
        "https://tryg.andenby.dk:8443",
        "http://127.0.0.1:80",
        "https://x.dk:443",
    ]
)


@settings(max_examples=400)
@example("https://www.proeveby.dk", ["index.html", "/", "index.html", "/"])
@example("https://www.proeveby.dk", ["%252F", "?", "q=%252B"])
@given(HOSTS, st.lists(PIECES | st.text(max_size=4), max_size=8))
def test_canonical_is_idempotent(host: str, pieces: list[str]) -> None:
    book = AddressBook(SITE, crawl_policy())
    once = book.canonical(f"{host}/{''.join(pieces)}")
    if once is not None:
        assert book.canonical(once) == once
        assert "#" not in once


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("https://www.proeveby.dk/a", True),
        ("https://proeveby.dk/a", True),
        ("https://tryghed.proeveby.dk/a", True),
        ("https://gis.proeveby.dk/a", False),
        ("https://webmail.borger.proeveby.dk/", False),
        ("https://tryg.andenby.dk/", True),
        ("https://andenby.dk/", False),
        ("https://notproeveby.dk/", False),
        ("https://www.proeveby.dk.evil.com/", False),
        ("https://facebook.com/proeveby.dk", False),
    ],
)
def test_the_scope_is_the_site_its_extra_hosts_and_the_hosts_below(
    book: AddressBook, address: str, inside: bool
) -> None:
    assert book.in_scope(address) is inside


@pytest.mark.parametrize(
    ("path", "skipped"),
    [
        ("/a.jpg", True),
        ("/a.XLSX", True),
        ("/a.DOCX", False),
        ("/a.pdf", False),
        ("/jpg", False),
        ("/v1.2/plan", False),
        ("/a", False),
    ],
)
def test_files_without_text_are_skipped(book: AddressBook, path: str, skipped: bool) -> None:
    assert book.skipped_type(HOME + path) is skipped


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/" + "/".join(str(number) for number in range(16)), "path of more than 15 segments"),
        ("/om/a/om/b/om", "path repeats itself"),
        ("/s?a=1&b=2&c=3&d=4&e=5", "more than 4 query parameters"),
    ],
)
def test_a_trap_is_named(book: AddressBook, path: str, reason: str) -> None:
    assert book.trap(HOME + path) == reason


@pytest.mark.parametrize(
    "path", ["/", "/" + "/".join(str(number) for number in range(15)), "/om/a/om/b", "/s?a=1&b=2&c=3&d=4"]
)
def test_what_is_just_within_the_limits_is_no_trap(book: AddressBook, path: str) -> None:
    assert book.trap(HOME + path) is None


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/kalender/2029/01", "calendar: later than 2028"),
        ("/kalender?dag=2029-01-31", "calendar: later than 2028"),
        ("/kalender/2029-01", "calendar: later than 2028"),
        ("/sag/20311201", None),
        ("/kalender/2028/12/31", None),
        ("/nyheder/2024/05/ny-bro-paa-vej-2050", None),
        ("/" + "x" * 1000, "address of more than 1000 characters"),
    ],
)
def test_a_calendar_far_ahead_is_a_trap(path: str, reason: str | None) -> None:
    assert AddressBook(SITE, crawl_policy(), date(2026, 11, 21)).trap(HOME + path) == reason


def test_a_calendar_of_years_of_days_is_a_trap(book: AddressBook) -> None:
    days = [date(2020, 1, 1) + timedelta(days=number) for number in range(1501)]
    reasons = [book.trap(f"{HOME}/kalender/{day}") for day in days]
    assert reasons == [None] * 1500 + ["calendar: more than 1500 dates on one path"]
    assert book.trap(f"{HOME}/kalender/{days[0]}") is None
    assert book.trap(f"{HOME}/referater/{days[-1]}") is None


def test_a_calendar_becomes_a_trap_at_its_51st_query(book: AddressBook) -> None:
    reasons = [book.trap(f"{HOME}/kalender?dag={day}") for day in range(51)]
    assert reasons == [None] * 50 + ["more than 50 queries on one path"]
    assert book.trap(f"{HOME}/andet?dag=51") is None


@pytest.mark.parametrize(
    ("path", "early"), [("/Tryghed", True), ("/politikker/handleplaner", True), ("/affald", False)]
)
def test_promising_addresses_are_read_early(book: AddressBook, path: str, early: bool) -> None:
    assert book.promising(HOME + path) is early


def test_the_port_a_site_is_served_on_is_the_sites_own() -> None:
    site = Site("by", "By", "opland", "http://www.by.test/", (), "127.0.0.1:8712")
    book = AddressBook(site, crawl_policy())
    assert book.canonical("http://www.by.test:8712/om/") == "http://www.by.test/om"
    assert book.canonical("http://www.by.test:9000/om/") == "http://www.by.test:9000/om"
    with_port = AddressBook(replace(site, website="http://www.by.test:8712/"), crawl_policy())
    assert with_port.canonical("http://www.by.test:8712/om/") == "http://www.by.test:8712/om"
