"""Batches in Dagster: a job sends, a sensor fetches and starts what can go on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from typer.testing import CliRunner

from tryg_assets import automation
from tryg_assets.checks.classified_initiatives import answers_usable, prompt_cache_used
from tryg_assets.cli import app
from tryg_assets.commands import console
from tryg_assets.contracts import contract
from tryg_assets.domain.coding.claude.batches import Batches
from tryg_assets.domain.coding.claude.engine import Claude
from tryg_assets.domain.coding.pages import code_pages, kept_pages
from tryg_assets.domain.filtering.rules import cleaning_rules
from tryg_assets.domain.filtering.verdicts import filter_pages
from tryg_assets.errors import BudgetReached
from tryg_assets.resources import Corpus, LakeResource, default_resources
from tryg_assets.storage import Lake
from tryg_assets_tests.assets.conftest import SLUG, TEXTS, raw_row
from tryg_assets_tests.standin import StandIn, stand_in


@pytest.fixture
def standin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """A stand-in that the settings point to, with one cleaned municipality in the lake."""
    with stand_in() as running:
        monkeypatch.setenv("TRYG_HOME", str(tmp_path))
        monkeypatch.setenv("TRYG_ENGINE", "claude")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", running.url)
        lake = Lake(tmp_path / "lake", "claude")
        raw = contract("raw_crawl").frame([raw_row(path, text) for path, text in TEXTS.items()])
        lake.write("raw_crawl", raw, SLUG)
        rows = filter_pages(raw.to_dicts(), cleaning_rules())
        lake.write("filtered_pages", contract("filtered_pages").frame(rows), SLUG)
        yield running


class Sensor:
    """The sensor as the daemon runs it, with its cursor kept from look to look."""

    cursor: str | None = None

    def look(self) -> list[dg.RunRequest | dg.SkipReason]:
        """Return what one look gives."""
        resources = {"corpus": Corpus(), "lake": LakeResource()}
        with dg.build_sensor_context(resources=resources, cursor=self.cursor) as context:
            found = list(automation.batch_answers(context))  # type: ignore[call-overload]
        self.cursor = context.cursor
        return found


def test_the_sensor_is_off_until_someone_switches_it_on() -> None:
    assert automation.batch_answers.default_status == dg.DefaultSensorStatus.STOPPED


def test_a_job_sends_and_the_sensor_starts_what_has_its_answers(standin: StandIn) -> None:
    sensor = Sensor()
    assert isinstance(sensor.look()[0], dg.SkipReason), "nothing is open"
    resources = default_resources()
    done = automation.submit_batches.execute_in_process(resources=resources)
    assert done.success
    assert len(standin.batches) == 1
    assert isinstance(sensor.look()[0], dg.SkipReason), "it has not ended"
    request = sensor.look()[0]
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == SLUG
    assert request.run_key
    assert isinstance(sensor.look()[0], dg.SkipReason)
    assert all(charge.batch for charge in standin.charges)


def test_the_sensor_hears_of_batches_that_others_have_stored(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    automation.submit_batches.execute_in_process(resources=default_resources())
    sensor, asker = Sensor(), Corpus().asker()
    asker.batches.collect()
    assert asker.batches.collect() == [SLUG], "by `tryg batches`, or by the run of another municipality"
    with monkeypatch.context() as patch:
        patch.setattr(Claude, "has_much_to_ask", failing)
        with pytest.raises(BudgetReached):
            sensor.look()
    assert [getattr(found, "partition_key", None) for found in sensor.look()] == [SLUG]


def failing(*_: object) -> bool:
    raise BudgetReached("the cap")


def test_an_engine_that_asks_nobody_has_no_batches(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRYG_ENGINE", "offline-rules")
    assert isinstance(Sensor().look()[0], dg.SkipReason)
    done = automation.submit_batches.execute_in_process(resources=default_resources(), raise_on_error=False)
    assert not done.success


def test_the_checks_of_answers_warn_of_what_could_not_be_used(standin: StandIn) -> None:
    lake, engine = LakeResource().lake, Corpus().coder()
    standin.fail("refusal", times=2)
    pages = kept_pages(lake.read("raw_crawl", SLUG), lake.read("filtered_pages", SLUG))
    codings = contract("page_codings").frame(code_pages(pages, engine))
    lake.write("page_codings", codings, SLUG)
    verdict = answers_usable(lake, SLUG)
    assert (verdict.passed, verdict.warn_only) == (False, True)
    assert "refused 2" in verdict.summary
    assert prompt_cache_used(lake, SLUG).passed, "two pages say nothing about a cache"
    many = pl.concat(
        [codings.with_columns(output_tokens=pl.lit(9, pl.Int64), cache_read_tokens=pl.lit(0, pl.Int64))] * 20
    )
    lake.write(
        "page_codings",
        many.with_row_index().with_columns(page_id=pl.col("index").cast(pl.String)).drop("index"),
        SLUG,
    )
    assert not prompt_cache_used(lake, SLUG).passed


def test_the_command_says_what_is_wrong_with_a_batch_and_gives_it_up(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console.out, "width", 300)

    def say(*words: str) -> str:
        result = CliRunner().invoke(app, ["batches", *words])
        assert result.exception is None, result.exception
        return result.output

    assert "2 questions sent" in say("--submit")
    gone = standin.batches.popitem()[0]
    said = say()
    assert f"Batch {gone} could not be fetched: the server no longer has it" in said
    assert f"tryg batches --drop {gone}" in said
    said = say("--drop", gone)
    assert "2 questions" in said
    assert "tryg spend" in said
    assert "0 batches wait" in said
    standin.fail("errored", times=2)
    say("--submit")
    say()
    assert "2 questions were not answered: api_error: stand-in: errored" in say()


def test_the_command_says_what_the_cap_left_unsent(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console.out, "width", 300)
    monkeypatch.setattr(
        Batches, "submit", lambda self, _: setattr(self, "left", "25 questions were left") or 5
    )
    assert (
        "5 questions sent. 25 questions were left" in CliRunner().invoke(app, ["batches", "--submit"]).output
    )
