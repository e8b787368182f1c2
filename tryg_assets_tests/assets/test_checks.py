"""Each check is green on a sound lake and red, with the offending rows, when exactly what it guards is broken."""

from __future__ import annotations

import re
from collections.abc import Callable

import dagster as dg
import polars as pl
import pytest

from tryg_assets.checks import actor_entities, classified_initiatives, filtered_pages, raw_crawl
from tryg_assets.checks._factory import MunicipalityRule, Verdict, to_result
from tryg_assets.checks.agreement import agreement_floor, agreement_target, canary_drift
from tryg_assets.contracts import contract
from tryg_assets.domain.reference import focus_areas
from tryg_assets.domain.reliability.agreement import agreement_rows
from tryg_assets.storage import Lake
from tryg_assets_tests.assets.conftest import NOW, SLUG, change, log_row

RULES: list[MunicipalityRule] = [
    raw_crawl.crawl_health,
    raw_crawl.has_safety_pages,
    filtered_pages.funnel_adds_up,
    classified_initiatives.every_kept_page_coded,
    classified_initiatives.quotes_on_page,
    classified_initiatives.pages_exist,
    actor_entities.actors_on_page,
    actor_entities.taxonomy_closed,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_sound_lake_is_green(lake: Lake, rule: MunicipalityRule) -> None:
    verdict = rule(lake, SLUG)
    assert verdict.passed, verdict
    assert verdict.summary


def test_the_sound_lake_has_something_to_check(lake: Lake) -> None:
    assert lake.read("filtered_pages", SLUG)["verdict"].to_list().count("kept") == 2
    assert lake.read("page_codings", SLUG)["is_initiative"].to_list().count("yes") == 1
    assert lake.read("classified_initiatives", SLUG).height == 1
    assert {"politi", "natteravne"} <= set(lake.read("actor_entities", SLUG)["subcategory"])


Break = Callable[[Lake], None]


@pytest.mark.parametrize(
    ("rule", "spoil", "shown"),
    [
        (
            raw_crawl.crawl_health,
            lambda lake: lake.write(
                "crawl_log", contract("crawl_log").frame([log_row("/a", "error"), log_row("/b", "hit")]), SLUG
            ),
            "https://albertslund.dk/a",
        ),
        (
            filtered_pages.funnel_adds_up,
            lambda lake: change(lake, "filtered_pages", only=pl.col("verdict") == "kept"),
            "no verdict",
        ),
        (
            filtered_pages.funnel_adds_up,
            lambda lake: change(lake, "raw_crawl", only=pl.col("url").str.ends_with("/plan")),
            "not a raw page",
        ),
        (
            filtered_pages.funnel_adds_up,
            lambda lake: change(lake, "filtered_pages", pl.lit("0" * 16).alias("duplicate_of")),
            "duplicate of a page that is not kept",
        ),
        (
            classified_initiatives.every_kept_page_coded,
            lambda lake: change(lake, "page_codings", only=pl.col("is_initiative") == "yes"),
            "not coded",
        ),
        (
            classified_initiatives.every_kept_page_coded,
            lambda lake: change(lake, "filtered_pages", pl.lit("dropped").alias("verdict")),
            "coded but not kept",
        ),
        (
            classified_initiatives.quotes_on_page,
            lambda lake: change(lake, "page_codings", pl.lit("Kommunen har opfundet dette.").alias("quote")),
            "opfundet",
        ),
        (
            classified_initiatives.quotes_on_page,
            lambda lake: change(lake, "page_codings", pl.lit([999]).alias("evidence_ids")),
            "999",
        ),
        (
            classified_initiatives.pages_exist,
            lambda lake: change(lake, "classified_initiatives", pl.lit(["f" * 16]).alias("pages")),
            "ffff",
        ),
        (
            actor_entities.actors_on_page,
            lambda lake: change(lake, "actor_mentions", pl.lit("Opfundne Venner").alias("surface")),
            "Opfundne Venner",
        ),
        (
            actor_entities.actors_on_page,
            lambda lake: change(lake, "actor_entities", only=pl.lit(False)),
            "politi",
        ),
        (
            actor_entities.taxonomy_closed,
            lambda lake: change(lake, "actor_entities", pl.lit("nyt_slags_politi").alias("subcategory")),
            "nyt_slags_politi",
        ),
    ],
)
def test_what_is_broken_is_red_and_shown(
    lake: Lake, rule: MunicipalityRule, spoil: Break, shown: str
) -> None:
    spoil(lake)
    verdict = rule(lake, SLUG)
    assert not verdict.passed
    assert shown in str(verdict.offending).lower() or shown in str(verdict.offending)


def test_no_safety_pages_only_warns(lake: Lake) -> None:
    lake.write("raw_crawl", contract("raw_crawl").empty(), SLUG)
    verdict = raw_crawl.has_safety_pages(lake, SLUG)
    assert not verdict.passed
    assert verdict.warn_only


def test_a_red_check_shows_at_most_twenty_rows_and_what_to_do() -> None:
    rows = tuple({"url": f"https://a.dk/{number}"} for number in range(50))
    result = to_result(Verdict(False, "50 pages are wrong.", rows), "Mend them.")
    assert not result.passed
    assert result.severity == dg.AssetCheckSeverity.ERROR
    assert result.metadata["what_to_do"].value == "Mend them."
    table = result.metadata["offending_rows"]
    assert isinstance(table, dg.TableMetadataValue)
    assert len(table.records) == 20


def write_agreement(lake: Lake, wrong: int, of: int) -> None:
    """Write an agreement table where the engine and the reference differ on ``wrong`` of ``of`` pages."""
    said = [
        {"page_id": f"{n:016x}", "is_initiative": "yes", "focus_areas": ["trafiksikkerhed"]}
        for n in range(of)
    ]
    codings = pl.DataFrame(said)
    areas = list(focus_areas())
    gold = [
        {
            "page_id": row["page_id"],
            "municipality": SLUG,
            "url": "https://albertslund.dk/",
            "task": task,
            "item": item,
            "value": "yes" if (task == "relevance" and n >= wrong) or item == "trafiksikkerhed" else "no",
            "coder": "x",
            "coder_kind": "person",
            "gold_version": "v1",
            "held_out": False,
            "coded_on": NOW.date(),
        }
        for n, row in enumerate(said)
        for task, item in [("relevance", "page"), *(("focus_area", area) for area in areas)]
    ]
    reference = contract("human_codings").frame(gold)
    lake.write("human_codings", reference)
    rows = agreement_rows(codings, reference, "offline-rules", areas)
    lake.write("agreement", contract("agreement").frame(rows))


def test_the_floor_is_held_against_the_lower_end_of_the_interval(lake: Lake) -> None:
    write_agreement(lake, wrong=6, of=100)
    assert agreement_floor(lake).passed, "94 of 100: the interval starts above 0.85"
    write_agreement(lake, wrong=12, of=100)
    red = agreement_floor(lake)
    assert not red.passed, "88 of 100: the point is above 0.85, the lower end is not"
    assert not red.warn_only, "it blocks"
    assert "confusion" in red.metadata


def test_missing_the_target_only_warns(lake: Lake) -> None:
    write_agreement(lake, wrong=8, of=100)
    verdict = agreement_target(lake)
    assert not verdict.passed
    assert verdict.warn_only


def test_without_reference_codings_the_floor_is_a_warning_that_says_so(lake: Lake) -> None:
    verdict = agreement_floor(lake)
    assert not verdict.passed
    assert verdict.warn_only
    assert "not measured" in verdict.summary


def canary(page: str, before: str | None, now: str | None) -> dict[str, object]:
    return {
        "page_id": page,
        "municipality": SLUG,
        "url": f"https://albertslund.dk/{page}",
        "engine": "offline-rules",
        "version_before": "v1" if before else None,
        "version": "v2",
        "before": before,
        "now": now,
        "areas_before": [],
        "areas_now": [],
        "changed": None if before is None or now is None else before != now,
        "rationale": "Derfor.",
    }


@pytest.mark.parametrize(
    ("rows", "passed", "said"),
    [
        ([("a", None, "yes")], True, "1 canaries; no version before"),
        ([("a", "yes", "yes"), ("b", "no", "no")], True, "0 of 2 canaries"),
        (
            [("a", "yes", "yes"), ("b", "no", "yes")],
            False,
            "1 of 2 canaries .* version v1; decisions alike: 0.500",
        ),
        ([("a", "yes", "yes"), ("b", "no", None)], False, "1 of 2 canaries could not be asked: Derfor."),
    ],
)
def test_canary_drift_warns_of_changed_and_of_unasked_answers(
    lake: Lake, rows: list[tuple[str, str | None, str | None]], passed: bool, said: str
) -> None:
    lake.write("canaries", contract("canaries").frame([canary(*row) for row in rows]))
    verdict = canary_drift(lake)
    assert verdict.passed is passed
    assert verdict.warn_only or passed
    assert re.search(said, verdict.summary)
    assert [row["url"][-1] for row in verdict.offending] == (
        ["b"] if "version v1" in said and not passed else []
    )
