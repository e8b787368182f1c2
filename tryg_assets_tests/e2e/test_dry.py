"""``tryg run --dry``: says what would be asked, asks nothing and leaves nothing; by day the live web is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

import tryg_assets.clock
from tryg_assets import cli, runs
from tryg_assets.domain.crawling.crawl import Previous
from tryg_assets.errors import ConfigurationError, OutsideTheNight
from tryg_assets.resources import Corpus, corpus
from tryg_assets_tests.e2e.conftest import Tryg
from tryg_assets_tests.loopback import Server

NOON = datetime(2026, 11, 21, 11, 0, tzinfo=UTC)


def test_a_dry_run_asks_nothing_and_writes_nothing(
    tryg: Tryg, two_sites: tuple[Server, Path], tmp_path: Path
) -> None:
    server, sites = two_sites
    done = tryg("run", "--sites", str(sites), "--dry", TRYG_SECONDS_BETWEEN_REQUESTS="2")
    assert done.returncode == 0, done.stderr
    for part in (
        "http://en.test/robots.txt",
        "never read",
        "Between two requests to a site: 2 s",
        "Nothing was asked.",
    ):
        assert part in done.stdout
    assert server.asked == []
    assert {path.name for path in tmp_path.iterdir()} <= {sites.name, ".cache"}


def test_a_dry_run_of_the_live_web_names_robots_host_hours_and_ourselves(tryg: Tryg) -> None:
    done = tryg("run", "--live", "--dry", "-m", "aarhus", TRYG_CONTACT="mig@example.dk")
    assert done.returncode == 0, done.stderr
    for part in (
        "https://www.aarhus.dk/robots.txt",
        "(+mig@example.dk)",
        "22:00-06:00 Danish time",
        "Nothing was asked.",
    ):
        assert part in done.stdout


def test_a_dry_run_counts_what_is_known_from_the_crawl_before(
    tryg: Tryg, two_sites: tuple[Server, Path]
) -> None:
    server, sites = two_sites
    tryg("run", "--sites", str(sites), "-m", "en")
    server.asked.clear()
    done = tryg("run", "--sites", str(sites), "-m", "en", "--dry")
    (line,) = [line for line in done.stdout.splitlines() if "robots.txt" in line and "en.test" in line]
    assert line.split("│")[4].strip() == "3"
    assert server.asked == []


@pytest.fixture
def by_day(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {
        "SOURCE": "live",
        "CONTACT": "mig@example.dk",
        "HOME": str(tmp_path / "home"),
    }.items():
        monkeypatch.setenv(f"TRYG_{name}", value)
    monkeypatch.setattr(tryg_assets.clock, "system_clock", lambda: NOON)
    monkeypatch.setattr(corpus, "system_clock", lambda: NOON)


def _never(*_: object, **__: object) -> None:
    raise AssertionError("by day nothing real may be asked")


def test_by_day_no_live_run_is_started(by_day: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "run_municipalities", _never)
    with pytest.raises(OutsideTheNight, match="The live web was not asked"):
        cli.run(live=True, municipality=["aarhus"])


def test_by_day_no_real_website_is_asked_by_a_run_of_the_ui_either(
    by_day: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus, "crawl", _never)
    with pytest.raises(OutsideTheNight, match="Aarhus"):
        Corpus().crawl("aarhus", Previous(), print).__enter__()


def test_somebodys_website_in_a_list_of_ones_own_is_asked_with_a_contact_address_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sites = tmp_path / "sites.csv"
    sites.write_text("slug,name,type,website\nen,En By,opland,http://en.test/\n", encoding="utf-8")
    for name, value in {"SOURCE": "sites", "SITES_FILE": str(sites), "HOME": str(tmp_path / "home")}.items():
        monkeypatch.setenv(f"TRYG_{name}", value)
    monkeypatch.setattr(corpus, "crawl", _never)
    with pytest.raises(ConfigurationError, match=r"Not asked.*En By.*TRYG_CONTACT"):
        Corpus().crawl("en", Previous(), print).__enter__()
    monkeypatch.setattr(runs, "run_municipalities", _never)
    with pytest.raises(ConfigurationError, match=r"Not asked.*En By.*TRYG_CONTACT"):
        cli.run(sites=sites)
    assert not (tmp_path / "home").exists()


def test_a_site_is_not_read_faster_by_more_workers_than_one(
    tryg: Tryg, two_sites: tuple[Server, Path]
) -> None:
    _, sites = two_sites
    both = tryg("run", "--sites", str(sites), "--dry", "--workers", "8").stdout
    longest = {
        line.split("│")[6].strip() for line in both.splitlines() if "robots.txt" in line and ".test" in line
    }
    assert len(longest) == 1
    assert f"All 2 sites together: at least 0 min 00 s, at most {longest.pop()}." in both
