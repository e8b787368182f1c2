"""``tryg run --engine claude`` as a user runs it, against a stand-in server."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tryg_assets_tests.e2e.conftest import Tryg
from tryg_assets_tests.loopback import Server
from tryg_assets_tests.standin import stand_in

pytestmark = pytest.mark.slow


def test_what_the_server_rejected_is_asked_again_by_the_next_run(
    tryg: Tryg, two_sites: tuple[Server, Path], tmp_path: Path
) -> None:
    _, sites = two_sites
    wanted = ("run", "--engine", "claude", "--sites", str(sites), "-m", "en")
    home = tmp_path / ".tryg-sites"

    def problems() -> set[str | None]:
        codings = home / "lake" / "page_codings" / "engine=claude" / "municipality=en" / "data.parquet"
        return set(pl.read_parquet(codings, hive_partitioning=False)["problem"])

    with stand_in() as standin:
        standin.fail("bad_request", about="Borgerservice")
        assert tryg(*wanted, ANTHROPIC_BASE_URL=standin.url).returncode == 0
        assert problems() == {None, "rejected"}
        assert tryg(*wanted, ANTHROPIC_BASE_URL=standin.url).returncode == 0
        assert problems() == {None}
        asked = standin.calls()
        elsewhere = standin.url.replace("127.0.0.1", "localhost")
        assert tryg(*wanted, ANTHROPIC_BASE_URL=elsewhere).returncode == 0
        assert standin.calls() == 2 * asked, "another server's answers are its own"


def test_a_municipality_is_coded_end_to_end_and_a_second_run_asks_nothing(
    tryg: Tryg, two_sites: tuple[Server, Path], tmp_path: Path
) -> None:
    site, sites = two_sites
    wanted = ("run", "--engine", "claude", "--sites", str(sites), "-m", "en")
    refused = tryg(*wanted)
    assert refused.returncode == 1
    assert "set ANTHROPIC_API_KEY" in refused.stderr, refused.stdout + refused.stderr
    assert not site.asked, "no site is asked for pages that could not be coded"
    with stand_in() as standin:
        done = tryg(*wanted, ANTHROPIC_BASE_URL=standin.url)
        assert done.returncode == 0, done.stdout + done.stderr
        assert (
            "no page has been read yet, so what it will cost cannot be said. Caps: 5 USD a run" in done.stdout
        )
        assert standin.calls() > 3
        asked = standin.calls()
        stamps = tmp_path / ".tryg-sites" / "crawl_state"
        next(stamps.glob("en.derived.*")).unlink()
        assert tryg(*wanted, ANTHROPIC_BASE_URL=standin.url).returncode == 0
        assert standin.calls() == asked, "everything is derived again, and nothing asked again"
        sent = tryg("batches", "--submit", "--home", str(tmp_path / ".tryg-sites"), ANTHROPIC_BASE_URL=standin.url, TRYG_SOURCE="sites", TRYG_SITES_FILE=str(sites))  # fmt: skip
        assert sent.returncode == 0, sent.stdout + sent.stderr
        assert "0 questions sent" in sent.stdout
    path = (
        tmp_path
        / ".tryg-sites"
        / "lake"
        / "page_codings"
        / "engine=claude"
        / "municipality=en"
        / "data.parquet"
    )
    codings = pl.read_parquet(path, hive_partitioning=False)
    assert dict(codings.select("url", "is_initiative").iter_rows()) == {
        "http://en.test/strategi": "yes",
        "http://en.test/aabningstider": "no",
    }
    assert codings["cost_usd"].min() > 0  # type: ignore[operator]
    assert codings["quote_verified"].any()


def test_a_wrong_key_is_named_in_the_terminal_and_no_answer_of_the_server_reaches_the_report(
    tryg: Tryg, two_sites: tuple[Server, Path], tmp_path: Path
) -> None:
    _, sites = two_sites
    with stand_in() as standin:
        standin.complaint = " for Mette Hansen, 010190-1234"
        standin.fail("no_key", times=99)
        done = tryg("run", "--engine", "claude", "--sites", str(sites), ANTHROPIC_BASE_URL=standin.url)
    assert (
        f"{standin.url} answered 401: stand-in: no_key for [navn], [CPR]. Check ANTHROPIC_API_KEY."
        in done.stdout
    )
    pages = (tmp_path / ".tryg-sites" / "report").glob("*.html")
    report = "\n".join(path.read_text(encoding="utf-8") for path in pages)
    assert "Sprogmodellens server svarede ikke" in report
    assert "no_key" not in report
