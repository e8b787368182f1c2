"""The commands about money and panels, as people type them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tryg_assets.cli import app
from tryg_assets.commands import console, money
from tryg_assets.contracts import contract
from tryg_assets.domain.coding.claude.ledger import open_ledger
from tryg_assets.domain.coding.claude.prices import Prices, Usage
from tryg_assets.errors import ConfigurationError, TrygError, UnknownPrice
from tryg_assets.settings import Settings
from tryg_assets.storage import Lake
from tryg_assets_tests.assets.conftest import SLUG, lake  # noqa: F401 - a fixture
from tryg_assets_tests.standin import stand_in

HAIKU = "claude-haiku-5-5"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRYG_HOME", str(tmp_path / "home"))
    for name in ("TRYG_MODEL", "TRYG_ENGINE"):
        monkeypatch.setenv(name, {"TRYG_MODEL": HAIKU, "TRYG_ENGINE": "offline-rules"}[name])
    monkeypatch.setattr(console.out, "width", 200)


def say(*words: str) -> str:
    result = CliRunner().invoke(app, list(words))
    if result.exception is not None:
        raise result.exception
    return result.output


@pytest.fixture
def home(tmp_path: Path, lake: Lake) -> Path:  # noqa: F811 - the fixture
    """A TRYG_HOME that holds the sound lake of one municipality."""
    home = tmp_path / "home"
    home.mkdir()
    for table in ("raw_crawl", "filtered_pages", "page_codings"):
        Lake(home / "lake", "offline-rules").write(table, lake.read(table, SLUG), SLUG)
    return home


def test_what_if_needs_no_lake_and_writes_nothing(tmp_path: Path) -> None:
    said = say("estimate", "--pages", "13598", "--words", "600")
    assert "13,598 pages to decide" in said
    assert "batch, cached" in said
    assert "A run stops at 5 USD (TRYG_BUDGET_RUN_USD)" in said
    assert not (tmp_path / "home").exists()


def test_an_estimate_without_a_lake_says_what_to_do() -> None:
    with pytest.raises(ConfigurationError, match="tryg estimate --pages"):
        say("estimate")


def test_an_estimate_of_a_model_without_a_price_stops() -> None:
    with pytest.raises(UnknownPrice, match="claude-next"):
        say("estimate", "--model", "claude-next", "--pages", "5")


def test_an_estimate_counts_the_kept_pages(home: Path) -> None:
    assert "2 pages to decide" in say("estimate", "-m", SLUG)


def test_counting_without_a_key_says_which_setting_is_missing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(TrygError, match="ANTHROPIC_API_KEY"):
        say("estimate", "--count")


def test_spend_shows_caps_and_open_requests_and_takes_the_decision_about_them() -> None:
    book = open_ledger(Settings(), "run-7")
    first, second = (
        book.reserve(HAIKU, Usage(output_tokens=20_000), batch=False, task="decide", municipality="aarhus")
        for _ in range(2)
    )
    said = say("spend")
    assert "latest run (run-7)" in said
    assert "0.0200" in said
    said = say("spend", "--charge", first)
    assert second in said, "the one that is left is shown by its own id"
    said = say("spend", "--release", second)
    assert "open requests" not in said
    assert (book.totals().settled, book.totals().open) == (Decimal("0.01"), Decimal(0))
    with pytest.raises(TrygError, match="no reservation nonsense"):
        say("spend", "--release", "nonsense")


def test_the_open_requests_of_a_run_are_one_line_and_one_decision() -> None:
    book = open_ledger(Settings(), "run-7")
    for number in range(40):
        book.reserve(
            HAIKU, Usage(output_tokens=2_000), batch=False, task="decide", municipality=f"m{number % 2}"
        )
    (line,) = (line for line in say("spend").splitlines() if "m0 m1" in line)
    assert all(cell in line for cell in ("run-7", "40", "decide", HAIKU, "0.040000"))
    assert "open requests" not in say("spend", "--release", "run-7")
    assert book.totals().counted == 0


def test_nothing_spent_is_shown_as_nothing() -> None:
    said = say("spend")
    assert "0.0000" in said
    assert "latest run" not in said


def test_a_codebook_that_is_unchanged_flips_nothing(home: Path) -> None:
    assert "0 of 2 stored decisions" in say("codebook", "diff")


def test_a_flip_is_shown_with_page_old_new_and_reason(home: Path) -> None:
    store = Lake(home / "lake", "offline-rules")
    rows = store.read("page_codings", SLUG).to_dicts()
    for row in rows:
        row["is_initiative"] = "no"
    store.write("page_codings", contract("page_codings").frame(rows), SLUG)
    said = say("codebook", "diff")
    assert "1 of 2 stored decisions" in said
    assert "50.0 %" in said
    assert "albertslund.dk" in said


def test_a_panel_of_an_engine_with_itself_agrees(home: Path) -> None:
    said = say("panel", "offline-rules", "offline-rules")
    assert "1.000" in said
    assert "answered differently" not in said


def test_a_panel_with_a_model_asks_before_it_spends(home: Path) -> None:
    result = CliRunner().invoke(app, ["panel", "offline-rules", "claude"], input="n\n")
    assert result.exit_code == 1
    assert "at the most about" in result.output
    assert not (home / "state.db").exists()


def test_a_diff_with_nothing_stored_says_so(home: Path) -> None:
    with pytest.raises(ConfigurationError, match="Nothing is stored of the engine claude"):
        say("codebook", "diff", "--engine", "claude", "--yes")


def test_a_diff_leaves_the_tables_as_they_were_and_says_only_that(home: Path) -> None:
    said = say("codebook", "diff")
    assert "The tables are as they were." in said
    assert "cost" not in said


@pytest.mark.parametrize(("days", "is_old"), [(0, False), (90, False), (91, True)])
def test_prices_that_were_checked_long_ago_are_called_old(
    monkeypatch: pytest.MonkeyPatch, days: int, is_old: bool
) -> None:
    prices = Prices.load()
    assert prices.stale_after_days == 90
    today = datetime.combine(prices.of(HAIKU).checked_on, time(12), UTC) + timedelta(days=days)
    monkeypatch.setattr(money, "system_clock", lambda: today)
    said = say("estimate", "--pages", "5")
    assert (f"The prices of {HAIKU} were checked {days} days ago" in said) == is_old


def test_batches_that_the_server_does_not_offer_are_said_to_be_that(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stand_in(offers_batches=False) as standin:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", standin.url)
        with pytest.raises(ConfigurationError, match=r"offers no batches.*tryg run --engine claude"):
            say("batches", "--submit")
    assert standin.calls() == 0


def test_before_a_batch_is_sent_its_most_is_said_beside_the_caps(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stand_in() as standin:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", standin.url)
        said = say("batches", "--submit")
    assert "2 pages read before are not answered: at the most about 0." in said
    assert "Caps: 5 USD a run" in said
    assert said.index("Caps:") < said.index("questions sent")


def test_trying_the_model_on_a_file_says_the_caps_beside_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "page.txt").write_text("Vi har en plan for trygheden.", encoding="utf-8")
    with stand_in() as standin:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", standin.url)
        result = CliRunner().invoke(app, ["code", "page.txt", "--engine", "claude", "--format", "json"])
    assert "Caps: 5 USD a run" in result.stderr
    assert json.loads(result.stdout)


def test_a_folder_without_a_codebook_is_refused(home: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="holds no codebook"):
        say("codebook", "diff", "--codebook", str(tmp_path))
