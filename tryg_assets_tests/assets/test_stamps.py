"""A second run does only what has changed; what has changed is always done."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tryg_assets import stamps
from tryg_assets.contracts import contract
from tryg_assets.stamps import Stamps, content_version
from tryg_assets_tests.assets.conftest import TEXTS, raw_row


@pytest.fixture
def raw() -> pl.DataFrame:
    return contract("raw_crawl").frame([raw_row(path, text) for path, text in TEXTS.items()])


def test_the_time_of_reading_is_no_change_and_a_changed_word_is(raw: pl.DataFrame) -> None:
    later = raw.with_columns(
        pl.col("crawled_at").dt.offset_by("7d"), pl.lit("another#2").alias("archive_record")
    )
    assert content_version(later) == content_version(raw)
    assert content_version(raw.reverse()) == content_version(raw)
    assert content_version(raw.with_columns(pl.col("text") + "!")) != content_version(raw)
    assert content_version(raw.head(2)) != content_version(raw)


def test_derived_tables_are_up_to_date_until_content_or_rules_change(
    tmp_path: Path, raw: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Stamps(tmp_path, "offline-rules")
    assert not kept.is_derived("albertslund", raw)
    kept.stamp_derived("albertslund", raw)
    assert kept.is_derived("albertslund", raw)
    assert not kept.is_derived("aarhus", raw)
    assert not Stamps(tmp_path, "another-engine").is_derived("albertslund", raw)
    assert not kept.is_derived("albertslund", raw.head(2))
    monkeypatch.setattr(stamps, "deriving_version", lambda: "other rules")
    assert not kept.is_derived("albertslund", raw)


def test_the_report_is_made_again_when_one_site_changes_or_fails(tmp_path: Path, raw: pl.DataFrame) -> None:
    kept = Stamps(tmp_path, "offline-rules")
    slugs = ["aarhus", "albertslund"]
    kept.stamp_derived("albertslund", raw)
    assert not kept.is_country_made(slugs)
    kept.stamp_country(slugs)
    assert kept.is_country_made(slugs)
    kept.failure_note("aarhus").write_text("down", encoding="utf-8")
    assert not kept.is_country_made(slugs)
    kept.stamp_country(slugs)
    kept.stamp_derived("albertslund", raw.head(1))
    assert not kept.is_country_made(slugs)


def test_versions_cover_what_they_name() -> None:
    assert len({stamps.reading_version(), stamps.deriving_version(), stamps.country_version()}) == 3
