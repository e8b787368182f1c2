"""Each check is green on a sound lake and red, with the offending rows, when exactly what it guards is broken."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import date, timedelta

import dagster as dg
import polars as pl
import pytest

from tryg_assets.checks import actor_entities, aggregates, classified_initiatives, filtered_pages, raw_crawl
from tryg_assets.checks._factory import CountryRule, MunicipalityRule, Verdict, to_result
from tryg_assets.checks.agreement import (
    agreement_floor,
    agreement_target,
    canary_drift,
    class_support,
    codings_up_to_date,
    kappa_floor,
    people_agree,
)
from tryg_assets.clock import fixed_clock
from tryg_assets.contracts import contract
from tryg_assets.domain.reference import focus_areas
from tryg_assets.domain.reliability.agreement import agreement_rows
from tryg_assets.domain.reliability.gate import definition_dated
from tryg_assets.partitions import municipalities
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


TODAY = NOW.date()
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


def write_agreement(lake: Lake, wrong: int, of: int, *, kind: str = "person", day: date = TODAY) -> None:
    """Write an agreement table where the engine and the reference differ on ``wrong`` of ``of`` pages; people say no to 20 more."""
    said = [("yes", number >= wrong) for number in range(of)] + [("no", False)] * 20
    areas = list(focus_areas())
    blank = dict.fromkeys(contract("page_codings").schema)
    codings, gold, sample = [], [], []
    for n, (engine, people) in enumerate(said):
        page = {"page_id": f"{n:016x}", "municipality": SLUG, "url": f"https://albertslund.dk/{n}|x"}
        coded = {
            "is_initiative": engine,
            "focus_areas": ["trafiksikkerhed"],
            "confidence": 0.9,
            "rationale": "Et | ord",
        }
        codings.append(blank | page | coded)
        stratum = {"engine": "offline-rules", "purpose": "estimate", "stratum": "no/unsure/alle", "seed": 1}
        stratum |= {"stratum_size": len(said), "stratum_sampled": len(said), "inclusion_probability": 1.0}
        sample.append(page | stratum)
        who = {"coder": "x", "coder_kind": kind, "gold_version": "v1", "held_out": False, "coded_on": day}
        gold.append(page | who | {"task": "relevance", "item": "page", "value": "yes" if people else "no"})
        gold += [
            page
            | who
            | {"task": "focus_area", "item": area, "value": "yes" if area == "trafiksikkerhed" else "no"}
            for area in areas
        ]
    reference = contract("human_codings").frame(gold)
    lake.write("human_codings", reference)
    table = pl.DataFrame(codings, schema=contract("page_codings").schema)
    rows = agreement_rows(table, reference, contract("review_sample").frame(sample), "offline-rules", areas)
    lake.write("agreement", contract("agreement").frame(rows))
    filled = {
        "municipality": SLUG,
        "engine": "offline-rules",
        "confident": True,
        "evidence_ids": [],
        "quote_verified": True,
    }
    filled |= {
        "themes": [],
        "initiatives": [],
        "codebook_hash": "0",
        "input_tokens": 0,
        "output_tokens": 0,
        "cache_read_tokens": 0,
        "cache_write_tokens": 0,
        "cut": False,
        "cost_usd": 0.0,
    }
    lake.write("page_codings", contract("page_codings").frame([row | filled for row in codings]), SLUG)


def test_the_floor_is_held_against_the_lower_end_of_the_interval(lake: Lake) -> None:
    write_agreement(lake, wrong=6, of=100)
    assert agreement_floor(lake).passed, "114 of 120: the interval starts above 0.85"
    write_agreement(lake, wrong=12, of=100)
    red = agreement_floor(lake)
    assert not red.passed, "108 of 120: the share is above 0.85, the lower end is not"
    assert not red.warn_only, "it closes publication"


def test_the_gate_shows_figures_a_picture_and_the_worst_disagreements_with_links(lake: Lake) -> None:
    write_agreement(lake, wrong=30, of=100)
    shown = {name: value.value for name, value in to_result(agreement_floor(lake), "Do.").metadata.items()}
    assert "n = 120, ens 0.750" in shown["confusion"]
    assert "| motor ja | 70 | 30 |" in shown["confusion"]
    (encoded,) = re.findall(r"^!\[.+\]\(data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)\)$", shown["picture"])
    drawn = base64.b64decode(encoded).decode()
    assert drawn.startswith("<svg")
    assert "(n = 120) Indsats eller ej" in drawn
    head, _, *rows = shown["disagreements"].splitlines()
    assert len(rows) == 20
    assert "](<https://albertslund.dk/0%7Cx>)" in rows[0]
    assert all(len(re.findall(r"(?<!\\)\|", row)) == len(re.findall(r"\|", head)) for row in rows), (
        "text breaks no table"
    )


@pytest.mark.parametrize("rule", [agreement_target, kappa_floor], ids=lambda rule: rule.__name__)
def test_a_target_that_is_missed_only_warns(lake: Lake, rule: CountryRule) -> None:
    write_agreement(lake, wrong=1, of=100)
    assert rule(lake).passed
    write_agreement(lake, wrong=30, of=100)
    verdict = rule(lake)
    assert not verdict.passed
    assert verdict.warn_only
    assert "relevance: 0." in verdict.summary
    assert "(n = 120)" in verdict.summary


def test_people_are_asked_to_agree_only_if_people_have_coded(lake: Lake) -> None:
    write_agreement(lake, wrong=5, of=100, kind="sample_reference")
    assert people_agree(lake).passed
    write_agreement(lake, wrong=5, of=100)
    verdict = people_agree(lake)
    assert not verdict.passed, "nobody coded a page after someone else"
    assert verdict.warn_only
    assert "0 pages by two people" in verdict.summary


def test_without_any_coding_people_are_not_asked_to_agree(lake: Lake) -> None:
    assert people_agree(lake).passed


def test_a_class_with_few_codings_is_named(lake: Lake) -> None:
    write_agreement(lake, wrong=5, of=100)
    verdict = class_support(lake)
    named = {(row["item"], row["class"]): row["support"] for row in verdict.offending}
    assert not verdict.passed
    assert verdict.warn_only
    assert named["aeldre_pleje", "yes"] == 0
    assert ("page", "yes") not in named


def test_codings_from_before_the_definition_changed_are_old(lake: Lake) -> None:
    write_agreement(lake, wrong=5, of=100, day=definition_dated())
    assert codings_up_to_date(lake).passed
    write_agreement(lake, wrong=5, of=100, day=definition_dated() - timedelta(days=1))
    assert not codings_up_to_date(lake).passed
    assert codings_up_to_date(lake).warn_only


@pytest.mark.parametrize(
    "rule",
    [agreement_floor, agreement_target, kappa_floor, class_support, codings_up_to_date],
    ids=lambda rule: rule.__name__,
)
def test_without_reference_codings_a_warning_says_so(lake: Lake, rule: CountryRule) -> None:
    verdict = rule(lake)
    assert not verdict.passed
    assert verdict.warn_only
    assert "not measured" in verdict.summary


def test_a_correction_of_another_number_than_the_published_is_red(lake: Lake) -> None:
    plain = {"str": "x", "int": 1, "float": 0.5}

    def write(table: str, **values: object) -> None:
        columns = contract(table).columns
        blank = {c.name: None if c.nullable else plain[c.data_type] for c in columns}
        lake.write(table, contract(table).frame([blank | values]))

    write("funnel", stage="classified_initiatives", n=363)
    write("focus_area_coverage", focus_area="klima_miljoe", municipalities=37)
    for table in ("focus_area_by_type", "top_actors"):
        lake.write(table, contract(table).empty())
    estimates = {"alle": ("alle", "indsatser", 363), "klima_miljoe": ("focus_area", "kommuner", 37)}
    rows = [
        dict.fromkeys(contract("corrected_estimates").schema)
        | {"about": about, "item": item, "type": "alle", "unit": unit, "engine": "offline-rules"}
        | {"machine": machine, "method": "none", "labels": 0}
        for item, (about, unit, machine) in estimates.items()
    ]
    lake.write("corrected_estimates", contract("corrected_estimates").frame(rows))
    assert aggregates.corrected_counts_are_the_published(lake).passed
    rows[1]["machine"] = 36
    lake.write("corrected_estimates", contract("corrected_estimates").frame(rows))
    verdict = aggregates.corrected_counts_are_the_published(lake)
    assert not verdict.passed
    assert [(row["item"], row["published"], row["machine"]) for row in verdict.offending] == [
        ("klima_miljoe", 37, 36)
    ]


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


def test_a_website_not_asked_for_more_than_a_week_is_named(lake: Lake) -> None:
    plain = {"str": "x", "int": 1, "float": 0.5}
    blank = {
        c.name: None if c.nullable else plain[c.data_type] for c in contract("municipality_overview").columns
    }
    asked = {"ny": NOW - timedelta(days=7), "gammel": NOW - timedelta(days=9), "aldrig": None}
    rows = [blank | {"municipality": slug, "last_crawl": moment} for slug, moment in asked.items()]
    lake.write("municipality_overview", contract("municipality_overview").frame(rows))
    verdict = aggregates.none_is_stale(lake, fixed_clock(NOW))
    assert (verdict.passed, verdict.warn_only) == (False, True)
    assert [row["municipality"] for row in verdict.offending] == ["gammel"]


@pytest.mark.parametrize(
    ("told", "passed"),
    [({"actor_answers_unusable": 2}, False), ({"actor_answers_unusable": 1}, True), ({}, True)],
)
def test_the_check_of_answers_about_actors_goes_by_what_the_step_told(
    told: dict[str, int], passed: bool
) -> None:
    @dg.asset(name="actor_entities", partitions_def=municipalities)
    def wrote() -> dg.MaterializeResult[None]:
        return dg.MaterializeResult(metadata=told)

    check = next(
        one for one in actor_entities.checks if next(iter(one.check_keys)).name == "actor_answers_usable"
    )
    with dg.DagsterInstance.ephemeral() as instance:
        done = dg.materialize([wrote, check], partition_key=SLUG, instance=instance)
    (found,) = done.get_asset_check_evaluations()
    assert found.passed == passed
    assert found.severity == dg.AssetCheckSeverity.WARN
    assert f"{told.get('actor_answers_unusable', 0)} answers about actors" in (found.description or "")
