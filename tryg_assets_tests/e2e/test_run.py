"""``tryg run`` over a list of sites of one's own: the chain, a failing site, a refresh, a resume."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from tryg_assets_tests.e2e.conftest import Tryg
from tryg_assets_tests.loopback import Answer, Server, page

pytestmark = pytest.mark.slow


def lake(home: Path, table: str, slug: str) -> pl.DataFrame:
    files = sorted((home / "lake" / table).rglob(f"municipality={slug}/data.parquet"))
    assert len(files) == 1, f"{table} of {slug} should be stored once"
    return pl.read_parquet(files[0], hive_partitioning=False)


def test_one_dead_site_fails_alone_and_the_report_stays_a_draft_that_says_so(
    tryg: Tryg, two_sites: tuple[Server, Path], tmp_path: Path
) -> None:
    server, sites = two_sites
    done = tryg("run", "--sites", str(sites))
    home = tmp_path / ".tryg-sites"
    assert "1 of 2 failed" in done.stdout, done.stdout + done.stderr
    assert "To Kommune (http://to.test/) gave nothing to read: robots.txt answered HTTP 500" in done.stdout
    assert "tryg run --municipality to" in done.stdout, "the message says what to do"
    codings = lake(home, "page_codings", "en")
    assert dict(codings.select("url", "is_initiative").iter_rows()) == {
        "http://en.test/strategi": "yes",
        "http://en.test/aabningstider": "no",
    }
    assert lake(home, "classified_initiatives", "en")["name"].to_list() == ["Tryghedsstrategi 2024-2027"]
    assert {"politi", "natteravne"} <= set(lake(home, "actor_entities", "en")["subcategory"])
    assert not (home / "lake" / "raw_crawl" / "municipality=to").exists()
    assert done.returncode == 1, "half of the sites is too few to publish"
    assert "Kun 1 af 2 hjemmesider er læst" in done.stderr
    draft = (home / "report" / "kladde.html").read_text(encoding="utf-8")
    assert "To Kommune" in draft
    assert not (home / "report" / "index.html").exists()

    server.answers["to.test/"] = page("<p>Her er der intet om emnet, kun oplysninger om affald og veje.</p>")
    server.answers["to.test/robots.txt"] = Answer(status=404)
    asked = len(server.asked)
    again = tryg("run", "--sites", str(sites))
    assert again.returncode == 0, again.stdout + again.stderr
    assert "2 of 2 websites read (1 unchanged)" in again.stdout
    assert "not measured" in again.stdout, "nobody has coded these pages, so the report is a draft"
    assert {row["reused"] for row in lake(home, "crawl_log", "en").to_dicts() if row["outcome"] == "hit"} == {
        True
    }
    assert lake(home, "raw_crawl", "to").height == 0, "no safety pages is a result: zero rows, not a failure"
    assert len(server.asked) > asked


def test_refreshing_one_municipality_touches_nothing_else(
    tryg: Tryg, two_sites: tuple[Server, Path], tmp_path: Path
) -> None:
    server, sites = two_sites
    server.answers["to.test/"] = page("<p>Intet her, kun oplysninger om affald.</p>")
    server.answers["to.test/robots.txt"] = Answer(status=404)
    assert tryg("run", "--sites", str(sites)).returncode == 0
    home = tmp_path / ".tryg-sites"
    before = {
        path: path.stat().st_mtime_ns
        for path in home.rglob("*")
        if "municipality=to" in str(path) or path.suffix in (".duckdb", ".html")
    }
    server.answers["en.test/strategi"] = Answer(
        page(
            "<h1>Tryghedsstrategi 2028-2031</h1><p>Byrådet har vedtaget en ny tryghedsstrategi for hele kommunen.</p><p>Den nye tryghedsplan har et budget på 3 mio. kr. til tryghed i nattelivet.</p>"
        ).body,
        etag='"s2"',
    )
    done = tryg("run", "--sites", str(sites), "--municipality", "en")
    assert done.returncode == 0, done.stdout + done.stderr
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert lake(home, "classified_initiatives", "en")["name"].to_list() == ["Tryghedsstrategi 2028-2031"]


def test_a_killed_run_leaves_only_part_files_that_nobody_reads(
    tryg: Tryg, two_sites: tuple[Server, Path], tmp_path: Path
) -> None:
    _, sites = two_sites
    tryg("run", "--sites", str(sites), "-m", "en")
    home = tmp_path / ".tryg-sites"
    part = home / "lake" / "raw_crawl" / "municipality=en" / ".data.parquet.abc.part"
    part.write_bytes(b"PAR1 half a file")
    (home / "lake" / "raw_crawl" / "municipality=to").mkdir()
    (home / ".warehouse.duckdb.xyz.part").write_bytes(b"half")
    done = tryg("run", "--sites", str(sites), "-m", "en")
    assert done.returncode == 0, done.stdout + done.stderr
    assert lake(home, "raw_crawl", "en").height == 2


def readings(home: Path) -> dict[str, list[dict[str, object]]]:
    """Return every table of the municipality without what depends on the time of reading."""
    timely = {"crawled_at", "fetched_at", "archive_record", "reused"}
    tables = (
        "crawl_log",
        "raw_crawl",
        "filtered_pages",
        "page_codings",
        "classified_initiatives",
        "actor_mentions",
    )
    return {
        table: [
            {name: value for name, value in row.items() if name not in timely}
            for row in lake(home, table, "en").to_dicts()
        ]
        for table in (*tables, "actor_entities")
    }


def test_a_run_killed_at_any_moment_ends_as_an_undisturbed_one(
    two_sites: tuple[Server, Path], tmp_path: Path, tryg: Tryg
) -> None:
    _, sites = two_sites
    assert tryg("run", "--sites", str(sites), "-m", "en", "--home", "calm").returncode == 0
    command = [
        sys.executable,
        "-m",
        "tryg_assets.cli",
        "run",
        "--sites",
        str(sites),
        "-m",
        "en",
        "--home",
        "stormy",
    ]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    watched = tmp_path / "stormy" / "lake"
    for table in ("raw_crawl", "filtered_pages", "classified_initiatives"):
        process = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        until = time.monotonic() + 60
        while not list((watched / table).rglob("data.parquet")) and process.poll() is None:
            assert time.monotonic() < until
            time.sleep(0.005)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert tryg("run", "--sites", str(sites), "-m", "en", "--home", "stormy").returncode == 0
    assert readings(tmp_path / "stormy") == readings(tmp_path / "calm")


def test_a_damaged_file_is_one_municipalitys_misfortune_and_is_named(
    tryg: Tryg, two_sites: tuple[Server, Path], tmp_path: Path
) -> None:
    _, sites = two_sites
    tryg("run", "--sites", str(sites), "-m", "en")
    damaged = tmp_path / ".tryg-sites" / "lake" / "raw_crawl" / "municipality=en" / "data.parquet"
    damaged.write_bytes(b"not parquet")
    done = tryg("run", "--sites", str(sites), "-m", "en")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "data.parquet" in done.stdout
    assert "Delete it" in done.stdout
    damaged.unlink()
    assert tryg("run", "--sites", str(sites), "-m", "en").returncode == 0
    assert damaged.exists()


def test_two_corpora_never_share_a_home(tryg: Tryg, two_sites: tuple[Server, Path], tmp_path: Path) -> None:
    _, sites = two_sites
    tryg("run", "--sites", str(sites), "-m", "en", "--home", "shared")
    other = tmp_path / "others.csv"
    shutil.copy(sites, other)
    done = tryg("run", "--sites", str(other), "--home", "shared")
    assert done.returncode == 1
    assert "two corpora never share a number" in done.stderr
    assert "--home DIR" in done.stderr
