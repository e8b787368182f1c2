"""Corrected numbers: by hand on a small country, in simulated studies, and against the truth of the sample Denmark."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from tryg_assets import paths
from tryg_assets.contracts import contract
from tryg_assets.domain.actors.entities import actor_rows
from tryg_assets.domain.coding import coder
from tryg_assets.domain.coding.initiatives import resolve
from tryg_assets.domain.coding.interface import Page
from tryg_assets.domain.coding.pages import code_pages
from tryg_assets.domain.reference import focus_areas, municipalities
from tryg_assets.domain.reliability.corrected import corrected_rows, named_groups, read_municipalities
from tryg_assets.domain.reliability.reference import read_actor_gold
from tryg_assets.domain.review.gold import read_gold
from tryg_assets.domain.review.sampling import Design, draw_sample
from tryg_assets.domain.sample_web.plan import plan
from tryg_assets.ids import stable_id

Row = dict[str, Any]
DESIGN = Design.load()
TYPES = {"by": "storby", "land": "landdistrikt"}


class Country:
    """Pages of a made-up country: (page, municipality, engine says, people say or None, areas of both)."""

    def __init__(self) -> None:
        self.codings: list[Row] = []
        self.gold: list[Row] = []
        self.initiatives: list[Row] = []
        self.mentions: list[Row] = []
        self.actors: list[Row] = []

    def page(self, page: str, where: str, engine: str, people: str | None, areas: str = "") -> None:
        common = {"page_id": page, "municipality": where, "url": page}
        said = engine == "yes"
        self.codings.append(
            dict.fromkeys(contract("page_codings").schema)
            | common
            | {"engine": "e", "is_initiative": engine, "confident": True, "confidence": 0.9}
            | {"focus_areas": areas.split() if said else []}
        )
        if said:
            self.initiative(f"i-{page}", where, [page], areas)
        if people is None:
            return
        coded = common | {"coder": "k", "coder_kind": "person", "gold_version": "v1", "held_out": False}
        coded["coded_on"] = date(2026, 11, 1)
        self.gold.append(coded | {"task": "relevance", "item": "page", "value": people})
        self.gold += [
            coded
            | {
                "task": "focus_area",
                "item": area,
                "value": "yes" if area in areas.split() and people == "yes" else "no",
            }
            for area in ("trafik", "natur")
        ]

    def initiative(self, name: str, where: str, pages: list[str], areas: str = "") -> None:
        self.initiatives.append(
            {"initiative_id": name, "municipality": where, "pages": pages, "focus_areas": areas.split()}
        )

    def rows(self, size: int = 10_000, design: Design = DESIGN) -> dict[tuple[str, ...], Row]:
        text = pl.String
        codings = pl.DataFrame(self.codings, schema=contract("page_codings").schema)
        asked = {row["page_id"] for row in self.gold}
        sample = contract("review_sample").frame(draw_sample(codings, size, 1, TYPES, design))
        rows = corrected_rows(
            codings,
            pl.DataFrame(
                self.initiatives,
                schema={
                    "initiative_id": text,
                    "municipality": text,
                    "pages": pl.List(text),
                    "focus_areas": pl.List(text),
                },
            ),
            pl.DataFrame(self.mentions, schema={"page_id": text, "initiative_id": text, "subcategory": text}),
            sample,
            contract("human_codings").frame([row for row in self.gold if row["page_id"] in asked]),
            contract("actor_codings").frame(self.actors),
            types=TYPES,
            read=set(TYPES),
            areas=["trafik", "natur"],
            engine="e",
            design=design,
            seed=1,
        )
        contract("corrected_estimates").conform(contract("corrected_estimates").frame(rows))
        return {(row["item"], row["type"], row["unit"]): row for row in rows}


def shown(row: Row) -> tuple[Any, ...]:
    return row["machine"], row["corrected"], row["low"], row["high"]


@pytest.fixture
def country() -> Country:
    """A city where the engine finds 40 of which 10 are none, and the countryside where it misses 10 of 60."""
    made = Country()
    for n in range(40):
        made.page(f"a{n:02}", "by", "yes", "no" if n % 4 == 0 else "yes", "trafik")
    for n in range(60):
        made.page(f"b{n:02}", "land", "no", "yes" if n % 6 == 0 else "no", "natur")
    return made


def test_all_pages_coded_leave_nothing_open(country: Country) -> None:
    rows = country.rows()
    assert shown(rows["alle", "alle", "sider"]) == (40, 40.0, 40, 40), "10 too many and 10 too few cancel out"
    assert shown(rows["alle", "storby", "sider"]) == (40, 30.0, 30, 30), "but not by type"
    assert shown(rows["alle", "landdistrikt", "sider"]) == (0, 10.0, 10, 10)
    assert shown(rows["natur", "alle", "sider"]) == (0, 10.0, 10, 10)
    assert shown(rows["trafik", "storby", "kommuner"]) == (1, 1.0, 1, 1)
    assert shown(rows["natur", "landdistrikt", "kommuner"]) == (0, 1.0, 1, 1)
    assert rows["alle", "alle", "sider"]["method"] == "difference_estimator"


def test_a_type_is_corrected_by_its_own_pages_only(country: Country) -> None:
    before = country.rows(60)["alle", "storby", "sider"]
    for row in country.gold:
        if row["municipality"] == "land":
            row["value"] = "no"
    after = country.rows(60)
    assert after["alle", "storby", "sider"] == before
    assert country.rows()["alle", "landdistrikt", "sider"]["corrected"] == 0, "the others' codings did change"


def test_initiatives_are_bounded_by_how_a_missed_page_may_count(country: Country) -> None:
    row = country.rows()["alle", "alle", "indsatser"]
    # 30 confirmed; 10 missed pages are none, or 10, new initiatives; as each of the engine's has one page, 10 in the estimate
    assert shown(row) == (40, 40.0, 30, 40)
    assert row["method"] == "bounds"


def test_an_initiative_on_several_pages_counts_once() -> None:
    made = Country()
    for n in range(20):
        made.page(f"a{n:02}", "by", "yes", "yes")
    made.initiatives.clear()
    for n in range(0, 20, 4):
        made.initiative(f"i{n}", "by", [f"a{n + k:02}" for k in range(4)])
    assert shown(made.rows()["alle", "storby", "indsatser"]) == (5, 5.0, 5, 5)


def test_initiatives_by_area_and_actor_are_not_corrected_from_pages(country: Country) -> None:
    country.mentions = [
        {"page_id": f"a{n:02}", "initiative_id": f"i{n % 5}", "subcategory": "politi"} for n in range(10)
    ]
    rows = country.rows()
    for key, count in ((("trafik", "alle", "indsatser"), 40), (("politi", "alle", "indsatser"), 5)):
        assert shown(rows[key]) == (count, None, None, None)
        assert rows[key]["why_not"].startswith("Kan ikke rettes ud fra kodede sider")
    assert rows["politi", "alle", "sider"]["why_not"] == "Ingen har kodet aktører."
    country.actors = [
        {
            "page_id": page,
            "municipality": "by",
            "url": page,
            "subcategory": "politi",
            "master_category": "x",
            "gold_version": "v1",
        }
        for page in ("a00", "a01", "a11")  # people do not call a00 an initiative
    ]
    assert shown(country.rows()["politi", "alle", "sider"]) == (10, 2.0, 2, 2)


def test_too_few_codings_give_no_number_but_how_many_are_missing(country: Country) -> None:
    country.gold = [row for row in country.gold if row["page_id"] in ("a01", "a02", "b01", "b02")]
    rows = country.rows()
    for key in (
        ("alle", "alle", "sider"),
        ("alle", "storby", "indsatser"),
        ("natur", "landdistrikt", "kommuner"),
    ):
        row = rows[key]
        assert row["corrected"] is row["low"] is row["high"] is None
        assert row["method"] == "none"
        assert row["labels_needed"] > 0
        assert f"der skal kodes omtrent {row['labels_needed']} mere" in row["why_not"]


def test_nobody_coded_anything(country: Country) -> None:
    country.gold = []
    row = country.rows()["alle", "alle", "sider"]
    assert (row["machine"], row["corrected"], row["gold_version"], row["labels"]) == (40, None, None, 0)
    assert row["why_not"] == "Ingen har kodet sider fra stikprøven."
    assert Country().rows()["alle", "alle", "kommuner"]["machine"] == 0


def test_an_area_left_open_by_the_coder_is_not_a_no(country: Country) -> None:
    country.gold = [row for row in country.gold if row["task"] == "relevance" or row["municipality"] == "by"]
    rows = country.rows()
    assert rows["alle", "landdistrikt", "sider"]["corrected"] == 10
    row = rows["natur", "landdistrikt", "sider"]
    assert (row["low"], row["high"], row["method"]) == (0, 10, "bounds"), "each of the 10 may be one"
    some = country.rows()["trafik", "storby", "sider"]
    assert (some["corrected"], some["method"]) == (30, "difference_estimator"), "here all is answered"


def test_pages_for_learning_do_not_count(country: Country) -> None:
    plain = country.rows(60)
    assert country.rows(60, replace(DESIGN, learning=20)) == plain


@pytest.fixture(scope="module")
def denmark() -> dict[str, Any]:
    """The sample Denmark coded from its texts, without the web between."""
    pages = sorted(
        (
            Page.of(
                stable_id(page.municipality, page.url), page.municipality, page.url, page.title, page.text
            )
            for site in plan().values()
            for page in site.pages.values()
            if page.hit and page.reason is None and not site.down
        ),
        key=lambda page: page.page_id,
    )
    engine = coder("offline-rules")
    codings = contract("page_codings").frame(code_pages(pages, engine))
    by_id = {page.page_id: page for page in pages}
    raw = {page.page_id: {"url": page.url, "title": page.title, "text": ""} for page in pages}
    initiatives, mentions, entities = [], [], []
    for (slug,), part in codings.group_by("municipality"):
        found = resolve(part.to_dicts(), raw, [], date(2026, 11, 21))
        named = actor_rows(found, by_id, engine, str(slug))
        initiatives += found
        mentions += named[0]
        entities += named[1]
    tables = {"classified_initiatives": initiatives, "actor_mentions": mentions, "actor_entities": entities}
    return {name: contract(name).frame(rows) for name, rows in tables.items()} | {"page_codings": codings}


def truth() -> dict[tuple[str, ...], int]:
    """What the authors of the texts know: pages and municipalities, in all and by focus area."""
    counted: dict[tuple[str, ...], set[str]] = {}
    with (paths.GOLD / "sample_denmark_reference.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["is_initiative"] == "yes":
                kind = municipalities()[row["municipality"]].type
                for item in ("alle", *filter(None, row["focus_areas"].split("|"))):
                    for of in ("alle", kind):
                        counted.setdefault((item, of, "sider"), set()).add(row["url"])
                        counted.setdefault((item, of, "kommuner"), set()).add(row["municipality"])
    return {key: len(found) for key, found in counted.items()}


def studies(denmark: dict[str, Any], size: int, seeds: range) -> Iterator[list[Row]]:
    types = {slug: place.type for slug, place in municipalities().items()}
    codings, initiatives = denmark["page_codings"], denmark["classified_initiatives"]
    gold = contract("human_codings").frame(read_gold(paths.GOLD))
    actors = contract("actor_codings").frame(read_actor_gold(paths.GOLD / "actors"))
    named = named_groups(denmark["actor_mentions"], denmark["actor_entities"], initiatives)
    for seed in seeds:
        sample = contract("review_sample").frame(draw_sample(codings, size, seed, types, DESIGN))
        yield corrected_rows(
            codings,
            initiatives,
            named,
            sample,
            gold.filter(pl.col("page_id").is_in(sample["page_id"].implode())),
            actors,
            types=types,
            read=set(codings["municipality"]),
            areas=list(focus_areas()),
            engine="offline-rules",
            design=DESIGN,
            seed=seed,
        )


def test_the_corrected_interval_covers_the_samples_true_count(denmark: dict[str, Any]) -> None:
    (rows,) = studies(denmark, 300, range(20260421, 20260422))
    true = truth()
    country = {
        (row["item"], row["unit"]): row for row in rows if row["type"] == "alle" and row["about"] == "alle"
    }
    for unit in ("sider", "kommuner"):
        row = country["alle", unit]
        assert row["low"] <= true["alle", "alle", unit] <= row["high"], row
    assert country["alle", "sider"]["coder_kind"] == "sample_reference"
    assert country["alle", "sider"]["machine"] != true["alle", "alle", "sider"]
    machine = country["alle", "indsatser"]["machine"]
    assert machine == denmark["classified_initiatives"].height


def test_nineteen_of_twenty_intervals_of_the_sample_are_right(denmark: dict[str, Any]) -> None:
    true = truth()
    right: dict[str, list[bool]] = {"sider": [], "kommuner": []}
    for rows in studies(denmark, 400, range(10)):
        for row in rows:
            if row["corrected"] is not None and row["unit"] in right and row["about"] != "actor":
                known = true.get((row["item"], row["type"], row["unit"]), 0)
                right[row["unit"]].append(row["low"] <= known <= row["high"])
    for unit, covered in right.items():
        assert len(covered) > 100, unit
        # Small groups have whole numbers for ends, so the intervals are rather too wide than too narrow.
        assert np.mean(covered) >= 0.94, unit


def test_what_was_read_is_what_answered_with_text() -> None:
    log = pl.LazyFrame({"municipality": ["a", "b", "c"], "outcome": ["hit", "error", "no_stem"]})
    assert read_municipalities(log) == {"a", "c"}
