"""``tryg show``: what an address answered on a day, found in the archive and told in Danish."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tryg_assets.clock import fixed_clock
from tryg_assets.domain.crawling.archive import Archive
from tryg_assets.domain.crawling.crawl import Previous, crawl
from tryg_assets.domain.crawling.fetch import Fetcher
from tryg_assets.domain.crawling.policy import crawl_policy
from tryg_assets.domain.reporting.page_as_read import Shown, look_up, text_as_read, title_of
from tryg_assets.domain.sites import Site
from tryg_assets_tests.loopback import Answer, page, redirect, serve

HOME = "http://www.proeveby.test"
SITE = Site("proeveby", "Prøveby Kommune", "opland", f"{HOME}/")
OTHER = Site("andenby", "Andenby Kommune", "opland", "http://www.andenby.test/")
DAYS = [datetime(2026, 11, day, 12, tzinfo=UTC) for day in (1, 8, 15)]
POLICY = crawl_policy()
Look = Callable[..., Shown]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three weekly crawls: /plan changes in the third, /fast never does and says so, /vaek is gone in the second."""
    folder = tmp_path_factory.mktemp("archive")
    links = "".join(f'<a href="/{name}">x</a>' for name in ("plan", "fast", "vaek", "gammel", "mappe"))
    answers: dict[str, Answer | list[Answer]] = {
        "/": page(f"<p>Forside</p>{links}"),
        "/plan": [page("<p>Plan for en tryg by.</p>", title="Plan")] * 2
        + [page("<p>Ny plan.</p>", title="Ny")],
        "/fast": Answer(page("<p>Fast tryghed.</p>", title="Fast").body, etag='"v1"'),
        "/vaek": [page("<p>Snart væk.</p>"), Answer(status=404)],
        "/gammel": redirect("/plan"),
        "/mappe": redirect("/mappe/"),
        "/mappe/": page("<p>Mappen.</p>"),
    }
    previous = Previous()
    with serve(answers) as server:
        for day in DAYS:
            with (
                Fetcher(POLICY, user_agent="x", address=server.address, sleep=lambda _: None) as fetcher,
                Archive(folder, SITE.slug, day) as archive,
            ):
                result = crawl(SITE, POLICY, fetcher, archive, fixed_clock(day), previous)
            log, raw = ({row["url"]: row for row in rows} for rows in (result.log, result.raw))
            previous = Previous(log, raw, result.furniture)
    return folder


@pytest.fixture
def look(archive: Path) -> Look:
    return lambda address, until=None: look_up(address, until, archive, [OTHER, SITE], POLICY)


def text(shown: Shown) -> str:
    assert shown.found is not None
    return text_as_read(shown.found, shown.url, POLICY, frozenset())


@pytest.mark.parametrize(
    ("until", "said"),
    [
        (None, "Ny plan."),
        (date(2026, 11, 15), "Ny plan."),
        (date(2026, 11, 14), "Plan for en tryg by."),
        (date(2026, 11, 1), "Plan for en tryg by."),
    ],
)
def test_the_text_is_that_of_the_day_or_the_last_before_it(look: Look, until: date | None, said: str) -> None:
    assert text(look(f"{HOME}/plan", until)) == said


@pytest.mark.parametrize(
    "address",
    [
        "proeveby.test/plan",
        "www.proeveby.test/plan/",
        f"{HOME}/plan#top",
        f"{HOME}/plan?utm_source=x",
        " HTTPS://WWW.Proeveby.test/plan ",
    ],
)
def test_an_address_may_be_given_loosely(look: Look, address: str) -> None:
    assert look(address).url == f"{HOME}/plan"
    assert text(look(address)) == "Ny plan."


@pytest.mark.parametrize(
    ("path", "status"), [("/plan", "200"), ("/fast", "304 (serveren svarede, at siden er uændret)")]
)
def test_an_unchanged_page_is_read_from_the_record_that_holds_it(look: Look, path: str, status: str) -> None:
    shown = look(HOME + path, date(2026, 11, 8))
    assert shown.lines == (
        f"Adresse:   {HOME}{path}",
        "Læst:      08.11.2026 kl. 12.00 UTC",
        f"Status:    {status}",
        "Type:      text/html; charset=utf-8",
        "Uændret:   siden 01.11.2026",
        shown.lines[5],
    )
    assert shown.lines[5].startswith("Ligger i:  proeveby-20261101T120000Z.warc.gz, fra byte ")
    assert "tryg" in text(shown)


def test_the_title_is_told(look: Look) -> None:
    shown = look(f"{HOME}/fast")
    assert shown.found is not None
    assert title_of(shown.found, shown.url, POLICY) == "Fast"


def test_a_page_that_is_gone_is_told_with_its_status(look: Look) -> None:
    assert "Status:    404" in look(f"{HOME}/vaek").lines
    assert text(look(f"{HOME}/vaek", date(2026, 11, 1))) == "Snart væk."


def test_a_redirect_says_where_to_and_one_between_twins_is_followed(look: Look) -> None:
    assert "Viser videre til /plan" in look(f"{HOME}/gammel").lines
    assert text(look(f"{HOME}/mappe")) == "Mappen."


def test_an_address_that_was_not_read_gets_the_nearest_that_were(look: Look) -> None:
    shown = look(f"{HOME}/planen")
    assert shown.found is None
    assert shown.lines[0] == f"{HOME}/planen findes ikke i arkivet for Prøveby Kommune."
    assert f"  {HOME}/plan" in shown.lines


def test_a_day_before_the_first_reading_is_told(look: Look) -> None:
    (line,) = look(f"{HOME}/plan", date(2026, 10, 31)).lines
    assert line.endswith("er ikke læst den 31.10.2026 eller før. Den er første gang læst den 01.11.2026.")


def test_a_site_that_was_never_read_and_one_that_is_no_site(look: Look) -> None:
    assert look("andenby.test/x").lines[-1].endswith("tryg run --municipality andenby")
    assert look("dr.dk").lines[0] == "dr.dk hører ikke til nogen af de hjemmesider, der læses."


def test_a_body_whose_file_is_gone_is_said_to_be_gone(look: Look, archive: Path) -> None:
    file = archive / "proeveby" / "proeveby-20261101T120000Z.warc.gz"
    hidden = file.rename(file.with_suffix(".hidden"))
    try:
        shown = look(f"{HOME}/fast")
        assert shown.found is not None
        assert shown.found.kept is None
        assert "findes ikke længere i arkivet" in shown.lines[-1]
    finally:
        hidden.rename(file)
