"""The sample Denmark: what it is made of, how it is served, and that the real crawl and cleaning find its truth."""

from __future__ import annotations

import csv
import io
import re
import socket
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tryg_assets.clock import fixed_clock
from tryg_assets.domain.crawling.addresses import AddressBook
from tryg_assets.domain.crawling.archive import Archive
from tryg_assets.domain.crawling.crawl import CrawlResult, crawl
from tryg_assets.domain.crawling.extract import extract
from tryg_assets.domain.crawling.fetch import Fetcher
from tryg_assets.domain.crawling.policy import crawl_policy
from tryg_assets.domain.filtering.duplicates import jaccard, near_duplicate_pairs, shingles
from tryg_assets.domain.filtering.rules import cleaning_rules
from tryg_assets.domain.filtering.senses import count_senses
from tryg_assets.domain.filtering.verdicts import filter_pages
from tryg_assets.domain.reference import actor_taxonomy, focus_areas, theme_to_area
from tryg_assets.domain.sample_web import plan as planning
from tryg_assets.domain.sample_web.pages import Block, SamplePage, parse_body, slugify
from tryg_assets.domain.sample_web.plan import plan
from tryg_assets.domain.sample_web.render import Base, charset_of, render
from tryg_assets.domain.sample_web.server import SampleServer, serve
from tryg_assets.domain.sample_web.spread import fits, quadruples
from tryg_assets.domain.sample_web.texts import held_out, material, read_places, read_texts, read_topics
from tryg_assets.domain.sample_web.truth import truth_files
from tryg_assets.domain.sites import sample_sites
from tryg_assets.errors import ConfigurationError, DataFileError, SiteUnreachable

STEM = re.compile("tryg|tryk", re.IGNORECASE)
PAGES = [page for site in plan().values() for page in site.pages.values()]
BY_URL = {page.url: page for page in PAGES}
HITS = [page for page in PAGES if page.hit]


@pytest.fixture(scope="module")
def server() -> Iterator[SampleServer]:
    with SampleServer() as running:
        yield running


def get(server: SampleServer, host: str, path: str, **headers: str) -> httpx.Response:
    return httpx.get(f"http://{server.address}{path}", headers={"host": host, **headers}, trust_env=False)


# --- the plan


def test_there_are_98_sites_with_at_least_2500_pages_at_different_addresses() -> None:
    assert len(plan()) == 98
    assert len(BY_URL) == len(PAGES) >= 2500


def test_the_plan_is_the_same_each_time() -> None:
    assert planning._Planner(material()).sites() == plan()


def test_a_page_is_a_hit_exactly_when_its_own_text_has_the_stem_and_robots_may_read_it() -> None:
    for page in PAGES:
        assert bool(STEM.search(page.text)) == (page.hit or page.kind == "forbidden"), page.url


def test_some_sites_are_down_or_have_no_hits() -> None:
    assert [slug for slug, site in plan().items() if site.down] == ["laesoe"]
    without = {slug for slug, site in plan().items() if not any(page.hit for page in site.pages.values())}
    assert without == {"laesoe", "fanoe", "samsoe"}


def test_every_text_stands_in_exactly_one_municipality_that_it_fits() -> None:
    places: defaultdict[str, set[str]] = defaultdict(set)
    for page in PAGES:
        if page.text_id in material().texts:
            places[page.text_id].add(page.municipality)
    assert places.keys() == material().texts.keys()
    for text_id, slugs in places.items():
        assert len(slugs) == 1
        assert fits(material().texts[text_id], material().places[min(slugs)])


def test_cities_cover_more_areas_than_the_country() -> None:
    areas: defaultdict[str, set[str]] = defaultdict(set)
    for page in PAGES:
        if page.kind == "initiative":
            areas[page.municipality] |= set(material().texts[page.text_id or ""].areas)
    by_type: defaultdict[str, list[int]] = defaultdict(list)
    for slug, found in areas.items():
        by_type[material().places[slug].municipality.type].append(len(found))
    means = {kind: sum(counts) / len(counts) for kind, counts in by_type.items()}
    assert min(by_type["storby"]) >= 8
    assert max(by_type["landdistrikt"]) <= 3
    assert means["storby"] > means["forstad"] > means["koebstad"] > means["opland"] > means["landdistrikt"]


def test_every_reason_and_every_way_to_show_a_date_is_there() -> None:
    reasons = Counter(page.reason for page in HITS if page.reason)
    assert reasons.keys() == {
        "soft_404",
        "not_danish",
        "noise_word",
        "name_only",
        "job_ad",
        "before_2020",
        "duplicate_of",
    }
    assert min(reasons.values()) >= 8
    ways = {(way["how"], way.get("line")) for way in material().site["ways_to_date"]}
    for old in (True, False):
        shown = {page.shown.how for page in HITS if page.shown and (page.kind == "old") == old}
        assert shown == {how for how, _ in ways}


def test_pages_that_are_not_meant_as_duplicates_share_less_than_half_of_their_five_word_runs() -> None:
    sets = {page.url: shingles(page.text, 5) for page in PAGES}
    for one, other in near_duplicate_pairs(sets, 0.5):
        originals = {BY_URL[url].duplicate_of or url for url in (one, other)}
        assert len(originals) == 1, (one, other)


def test_republished_pages_differ_in_a_few_words_only() -> None:
    republished = [page for page in PAGES if page.kind == "near_duplicate"]
    assert len(republished) >= 20
    for page in republished:
        original = BY_URL[page.duplicate_of or ""]
        assert 0.85 <= jaccard(shingles(page.text, 5), shingles(original.text, 5)) < 1


def test_addresses_are_canonical_and_not_traps() -> None:
    for slug, site in sample_sites().items():
        book = AddressBook(site, crawl_policy())
        for page in plan()[slug].pages.values():
            assert book.canonical(page.url) == page.url
            assert book.in_scope(page.url)
            assert book.trap(page.url) is None


def test_pages_are_linked_or_listed() -> None:
    for slug, site in plan().items():
        linked = {
            (
                link.host if link.host in ("www.", "m.") else page.prefix,
                link.path.partition("?utm")[0].rstrip("/"),
            )
            for page in site.pages.values()
            for link in page.links
        }
        for (prefix, path), page in site.pages.items():
            assert path in ("/", "/kontakt") or (prefix, path) in linked or not page.listed, (slug, path)


# --- building blocks


def test_quadruples_share_at_most_two_paragraphs() -> None:
    found = [set(four) for four in quadruples()]
    assert len(found) == 30
    assert max(len(one & other) for number, one in enumerate(found) for other in found[:number]) == 2


def test_blocks_follow_the_light_markup() -> None:
    body = "Første\nlinje.\n\n## Mål\n- et\n- **to**\n1. tre\nSlut."
    assert parse_body(body) == (
        *(
            Block("p", "Første linje."),
            Block("h2", "Mål"),
            Block("li", "et"),
            Block("li", "to"),
            Block("li", "tre"),
        ),
        Block("p", "Slut."),
    )


def test_addresses_are_ascii() -> None:
    assert slugify("Trygge skoleveje på Ærø – år 2024!") == "trygge-skoleveje-paa-aeroe-aar-2024"


def test_a_third_of_the_texts_is_held_out_by_hash() -> None:
    assert (held_out("trafik-001"), held_out("trafik-002")) == (
        held_out("trafik-001"),
        held_out("trafik-002"),
    )
    share = sum(map(held_out, material().texts)) / len(material().texts)
    assert 0.27 < share < 0.40


GOOD = "- {id: a-1, label: passing, title: T, body: Tekst}\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("- {id: a-1, label: passing, title: T}\n", "entry 1: field 'body' is missing"),
        ("- {id: a-1, label: maybe, title: T, body: B}\n", "entry 'a-1': label 'maybe' is unknown"),
        (
            "- {id: a-1, label: passing, title: T, body: B, colour: red}\n",
            "entry 'a-1': field 'colour' is unknown",
        ),
        ("- {id: a-1, label: initiative, title: T, body: B}\n", "entry 'a-1': an initiative needs areas"),
        (GOOD + GOOD, "entry 'a-1': the id is there twice"),
    ],
)
def test_a_wrong_text_is_named(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "x.yml").write_text(content, encoding="utf-8")
    with pytest.raises(DataFileError, match=re.escape(message)) as caught:
        read_texts(tmp_path)
    assert "x.yml" in str(caught.value)


def test_a_wrong_topic_is_named(tmp_path: Path) -> None:
    path = tmp_path / "service.yml"
    path.write_text("- {id: pas, section: borger}\n", encoding="utf-8")
    with pytest.raises(DataFileError, match="entry 1: field 'title' is missing"):
        read_topics(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("aeroe,", "atlantis,"), "municipality 'atlantis' is unknown"),
        (("aeroe,Marstal,", "aeroe,,"), "column 'by' is empty"),
        (("\naeroe,", "\naabenraa,"), "municipality 'aeroe' is missing"),
    ],
)
def test_a_wrong_place_is_named(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    from tryg_assets import paths

    path = tmp_path / "places.csv"
    path.write_text(
        (paths.SAMPLE_WEB / "places.csv").read_text("utf-8").replace(*change, 1), encoding="utf-8"
    )
    with pytest.raises(DataFileError, match=message):
        read_places(path)


def test_the_authors_codings_use_the_closed_sets() -> None:
    for text in material().labelled("initiative"):
        assert set(text.areas) <= focus_areas().keys()
        assert {theme_to_area()[theme] for theme in text.themes} <= set(text.areas)
        assert {actor.subcategory for actor in text.actors} <= actor_taxonomy().subcategories.keys()


# --- pages as served


@pytest.mark.parametrize("number", range(12))
def test_a_page_says_that_it_is_an_example_and_keeps_its_letters(number: int) -> None:
    site = list(plan().values())[number + 1]
    page = next(page for page in site.pages.values() if page.kind == "service_passing")
    body, content_type = render(site.slug, page.prefix, page.path, Base())
    read = extract(body, content_type, page.url, crawl_policy())
    assert read is not None
    assert read.title == page.title
    assert "Eksempel - ikke en rigtig kommune" in body.decode(
        "utf-8" if charset_of(site) == "utf-8" else "cp1252"
    )
    assert {block.text for block in page.blocks} <= {block.text for block in read.blocks}


def test_documents_are_the_same_bytes_each_time_and_can_be_read() -> None:
    page = next(page for page in PAGES if page.media == "pdf")
    body, content_type = render(page.municipality, page.prefix, page.path, Base())
    render.cache_clear()
    assert render(page.municipality, page.prefix, page.path, Base())[0] == body
    read = extract(body, content_type, page.url, crawl_policy())
    assert read is not None
    assert (read.kind, read.title) == ("pdf", page.title)
    assert read.blocks[0].prefix == "# "
    assert page.blocks[0].text in {block.text for block in read.blocks}


@pytest.mark.parametrize(
    "host", ["www.aarhus.kommune.test", "aarhus.kommune.test", "www.aarhus.kommune.localhost:8899"]
)
def test_the_host_decides_the_site(server: SampleServer, host: str) -> None:
    reply = get(server, host, "/")
    assert reply.status_code == 200
    assert "Aarhus Kommune" in reply.text


def test_the_bare_address_lists_the_sites_for_a_browser(server: SampleServer) -> None:
    text = get(server, server.address, "/").text
    port = server.address.rpartition(":")[2]
    assert text.count(".kommune.localhost:") == 98
    assert f'href="http://www.aarhus.kommune.localhost:{port}/"' in text
    assert "ikke er rigtige" in text


@pytest.mark.parametrize(
    ("host", "path", "status"),
    [
        ("www.aarhus.kommune.test", "/findes-ikke", 404),
        ("www.atlantis.kommune.test", "/", 404),
        ("www.laesoe.kommune.test", "/", 500),
        ("www.laesoe.kommune.test", "/robots.txt", 500),
        ("www.aarhus.kommune.test", "/pas", 301),
        ("www.aarhus.kommune.test", "/borger/", 200),
        ("www.aarhus.kommune.test", "/borger?utm_source=x", 200),
        ("www.aarhus.kommune.test", "/design/torv.css", 200),
    ],
)
def test_answers_have_the_right_status(server: SampleServer, host: str, path: str, status: int) -> None:
    assert get(server, host, path).status_code == status


def test_an_unchanged_page_is_not_sent_again(server: SampleServer) -> None:
    first = get(server, "www.aarhus.kommune.test", "/borger")
    again = get(server, "www.aarhus.kommune.test", "/borger", **{"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert first.headers["last-modified"]


def test_a_port_in_use_is_told_with_a_remedy() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=rf"Port {port} .* in use.*TRYG_SAMPLE_PORT"):
            serve(port)


# --- the truth


def read_sample(server: SampleServer, folder: Path, slug: str) -> CrawlResult:
    policy, clock = crawl_policy(), fixed_clock(datetime(2026, 11, 21, tzinfo=UTC))
    with (
        Fetcher(policy, user_agent="test", address=server.address, sleep=lambda seconds: None) as fetcher,
        Archive(folder, slug, clock()) as archive,
    ):
        return crawl(sample_sites(server.address)[slug], policy, fetcher, archive, clock)


def verdict(page: SamplePage) -> tuple[str | None, str | None]:
    return page.reason, page.duplicate_of


@pytest.mark.parametrize(
    "slug",
    [
        pytest.param("dragoer", id="index of sitemaps"),
        pytest.param("furesoe", id="compressed sitemap"),
        pytest.param("favrskov", id="ISO-8859-1, no robots.txt, no semantic markup"),
        pytest.param("hilleroed", id="furniture marked by class"),
        pytest.param("jammerbugt", id="no sitemap"),
        pytest.param("fanoe", id="no hits"),
    ],
)
def test_the_real_crawl_and_cleaning_find_the_truth(server: SampleServer, tmp_path: Path, slug: str) -> None:
    result = read_sample(server, tmp_path, slug)
    rows = filter_pages(result.raw, cleaning_rules())
    urls = {row["page_id"]: row["url"] for row in rows}
    found = {row["url"]: (row["reason"], urls.get(row["duplicate_of"])) for row in rows}
    planned = plan()[slug].pages.values()
    assert found == {page.url: verdict(page) for page in planned if page.hit}
    assert {page.url for page in planned} <= {row["url"] for row in result.log}
    days = {row["url"]: row["page_date"] for row in rows}
    for page in planned:
        if page.hit and page.shown and page.media == "html":
            assert (days[page.url].year, days[page.url].month) == (page.shown.day.year, page.shown.day.month)


def test_no_page_of_noise_or_names_has_a_word_that_means_safety() -> None:
    for page in HITS:
        if page.reason in ("noise_word", "name_only") and page.text_id is None:
            senses = count_senses(page.text, cleaning_rules())
            assert not senses["safe"], (page.url, senses)
            assert bool(senses["name"]) == (page.reason == "name_only"), page.url


def test_a_site_that_only_fails_is_unreachable(server: SampleServer, tmp_path: Path) -> None:
    with pytest.raises(SiteUnreachable, match=r"Læsø Kommune .* HTTP 500"):
        read_sample(server, tmp_path, "laesoe")


def test_the_committed_truth_is_what_the_generator_makes() -> None:
    for path, content in truth_files().items():
        assert path.read_text(encoding="utf-8") == content, f"run write_truth(): {path.name} is old"


def rows_of(name: str) -> list[dict[str, str]]:
    content = next(content for path, content in truth_files().items() if path.name == name)
    return list(csv.DictReader(io.StringIO(content)))


def test_the_reference_has_every_kept_page_once() -> None:
    rows = rows_of("sample_denmark_reference.csv")
    assert [row["url"] for row in rows] == sorted(
        {page.url for page in HITS if page.reason is None}, key=lambda url: (BY_URL[url].municipality, url)
    )
    assert {row["is_initiative"] for row in rows} == {"yes", "no"}
    assert all(
        bool(row["focus_areas"]) == (row["is_initiative"] == "yes") == bool(row["initiatives"])
        for row in rows
    )


def test_pages_of_one_text_are_held_out_together() -> None:
    flags: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows_of("truth.csv"):
        if row["text_id"]:
            flags[row["text_id"]].add(row["held_out"])
    assert all(len(found) == 1 for found in flags.values())


def test_actors_stand_on_their_page() -> None:
    rows = rows_of("sample_denmark_actors.csv")
    assert len(rows) > 1500
    for row in rows:
        assert row["surface"].lower() in BY_URL[row["url"]].text.lower()
