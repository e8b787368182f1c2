"""Batches in Dagster: a job sends, a sensor fetches and starts what can go on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from tryg_assets import automation
from tryg_assets.checks.classified_initiatives import answers_usable, prompt_cache_used
from tryg_assets.contracts import contract
from tryg_assets.domain.coding.pages import code_pages, kept_pages
from tryg_assets.domain.filtering.rules import cleaning_rules
from tryg_assets.domain.filtering.verdicts import filter_pages
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


def looked() -> list[dg.RunRequest | dg.SkipReason]:
    """Return what one look of the sensor gives."""
    with dg.build_sensor_context(resources={"corpus": Corpus(), "lake": LakeResource()}) as context:
        found = automation.batch_answers(context)
    return list(found)  # type: ignore[call-overload, no-any-return]


def test_the_sensor_is_off_until_someone_switches_it_on() -> None:
    assert automation.batch_answers.default_status == dg.DefaultSensorStatus.STOPPED


def test_a_job_sends_and_the_sensor_starts_what_has_its_answers(standin: StandIn) -> None:
    assert isinstance(looked()[0], dg.SkipReason), "nothing is open"
    resources = default_resources()
    done = automation.submit_batches.execute_in_process(resources=resources)
    assert done.success
    assert len(standin.batches) == 1
    assert isinstance(looked()[0], dg.SkipReason), "it has not ended"
    request = looked()[0]
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == SLUG
    assert request.run_key
    assert isinstance(looked()[0], dg.SkipReason)
    assert all(charge.batch for charge in standin.charges)


def test_an_engine_that_asks_nobody_has_no_batches(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRYG_ENGINE", "offline-rules")
    assert isinstance(looked()[0], dg.SkipReason)
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
