"""The warehouse: hand-computed marts on a country of three websites, and what happens when a model or a build goes wrong."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from dagster_duckdb import DuckDBResource

from tryg_assets import paths
from tryg_assets.contracts import contract, contracts
from tryg_assets.domain.reliability.intervals import wilson
from tryg_assets.domain.sites import Site
from tryg_assets.errors import ConfigurationError, DataFileError
from tryg_assets.warehouse import (
    build_warehouse,
    in_dependency_order,
    read_mart,
    read_models,
    reference_tables,
)

NOON = datetime(2026, 4, 21, 12, tzinfo=UTC)
ENGINE = "offline-rules"
SITES = {
    "aarhus": Site("aarhus", "Aarhus Kommune", "storby", "https://www.aarhus.dk"),
    "fanoe": Site("fanoe", "Fanø Kommune", "landdistrikt", "https://www.fanoe.dk"),
    "laesoe": Site("laesoe", "Læsø Kommune", "landdistrikt", "https://www.laesoe.dk"),
}
LAKE_TABLES = [name for name, table in contracts().items() if table.stage != "aggregates"]


def row(table: str, **values: Any) -> dict[str, Any]:
    """A row of a lake table: what is not given is null where that is allowed, else a plain value of its type."""
    plain = {"str": "x", "int": 1, "float": 0.0, "bool": False, "date": date(2026, 4, 21), "datetime": NOON}
    filled = {c.name: None if c.nullable else plain.get(c.data_type, []) for c in contract(table).columns}
    return filled | values


def crawled(municipality: str, url: str, outcome: str) -> dict[str, Any]:
    return row("crawl_log", municipality=municipality, url=url, outcome=outcome)


def initiative(id_: str, municipality: str, areas: list[str]) -> dict[str, Any]:
    return row(
        "classified_initiatives",
        initiative_id=id_,
        municipality=municipality,
        engine=ENGINE,
        focus_areas=areas,
    )


def mention(id_: str, municipality: str, initiative_id: str, entity_id: str) -> dict[str, Any]:
    return row(
        "actor_mentions",
        mention_id=id_,
        municipality=municipality,
        engine=ENGINE,
        initiative_id=initiative_id,
        entity_id=entity_id,
    )


def entity(id_: str, municipality: str, subcategory: str) -> dict[str, Any]:
    return row(
        "actor_entities", entity_id=id_, municipality=municipality, engine=ENGINE, subcategory=subcategory
    )


@pytest.fixture(scope="module")
def tables() -> dict[str, pl.DataFrame]:
    """Aarhus has four initiatives, Fanø was read and has nothing, Læsø did not answer; 'nord' is not in the list of sites."""
    pages = {"p1": None, "p2": None, "p3": "noise_word", "p4": "noise_word", "p5": "job_ad"}
    rows: dict[str, list[dict[str, Any]]] = {
        "crawl_log": [
            *(crawled("aarhus", f"u{n}", "hit") for n in range(5)),
            crawled("aarhus", "u5", "no_stem"),
            crawled("fanoe", "u6", "no_stem"),
            crawled("laesoe", "u7", "error"),
            crawled("nord", "u8", "hit"),
        ],
        "raw_crawl": [row("raw_crawl", page_id=page, municipality="aarhus") for page in pages]
        + [row("raw_crawl", page_id="p9", municipality="nord")],
        "filtered_pages": [
            row(
                "filtered_pages",
                page_id=page,
                municipality="aarhus",
                verdict="dropped" if reason else "kept",
                reason=reason,
            )
            for page, reason in pages.items()
        ],
        "classified_initiatives": [
            initiative("i1", "aarhus", ["trafiksikkerhed", "klima_miljoe"]),
            initiative("i2", "aarhus", ["trafiksikkerhed"]),
            initiative("i3", "aarhus", []),
            initiative("i4", "aarhus", []),
            initiative("i9", "nord", ["trafiksikkerhed"]),
        ],
        # politi: 4 of 4 initiatives; folkeskoler: 3; fonde: 1; one actor unresolved; one twice in the same initiative
        "actor_mentions": [
            *(mention(f"m{n}", "aarhus", f"i{n}", "e-politi") for n in range(1, 5)),
            *(mention(f"s{n}", "aarhus", f"i{n}", "e-skole") for n in range(1, 4)),
            mention("s1b", "aarhus", "i1", "e-skole"),
            mention("f1", "aarhus", "i1", "e-fond"),
            mention("x1", "aarhus", "i1", "e-ukendt"),
            mention("n1", "nord", "i9", "e-politi"),
        ],
        "actor_entities": [
            entity("e-politi", "aarhus", "politi"),
            entity("e-skole", "aarhus", "folkeskoler"),
            entity("e-fond", "aarhus", "fonde"),
            entity("e-ukendt", "aarhus", "uafklaret"),
        ],
    }
    return {name: contract(name).frame(rows.get(name, [])) for name in LAKE_TABLES} | reference_tables(SITES)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory, tables: dict[str, pl.DataFrame]) -> Path:
    target = tmp_path_factory.mktemp("home") / "warehouse.duckdb"
    build_warehouse(target, tables)
    return target


def test_the_funnel_counts_only_listed_municipalities_and_shows_the_published_number(path: Path) -> None:
    funnel = read_mart(path, "funnel").select("stage", "n", "published_n").rows()
    assert funnel == [
        ("crawl_log", 8, None),
        ("raw_crawl", 5, 41721),
        ("filtered_pages", 2, 13598),
        ("classified_initiatives", 4, 2294),
        ("actor_mentions", 10, 19253),
    ]


def test_every_reason_to_drop_is_listed_and_the_funnel_adds_up(path: Path) -> None:
    drops = dict(read_mart(path, "funnel_drops").select("reason", "n").iter_rows())
    assert len(drops) == 8
    assert {reason: n for reason, n in drops.items() if n} == {"noise_word": 2, "job_ad": 1}
    assert sum(drops.values()) + 2 == 5


def test_coverage_is_of_the_municipalities_read(path: Path) -> None:
    mart = read_mart(path, "focus_area_coverage")
    assert mart.height == 11
    traffic = mart.row(by_predicate=pl.col("focus_area") == "trafiksikkerhed", named=True)
    assert (traffic["municipalities"], traffic["of_sites"], traffic["initiatives"]) == (1, 2, 2)
    assert traffic["share"] == 0.5
    assert (traffic["ci_low"], traffic["ci_high"]) == pytest.approx((0.09453, 0.90547), abs=1e-5)
    assert (traffic["published_municipalities"], traffic["published_share"]) == (76, pytest.approx(76 / 98))
    unseen = mart.row(by_predicate=pl.col("focus_area") == "aeldre_pleje", named=True)
    assert (unseen["municipalities"], unseen["share"], unseen["ci_low"]) == (0, 0.0, 0.0)


def test_coverage_by_type_has_a_cell_for_each_area_and_type(path: Path) -> None:
    mart = read_mart(path, "focus_area_by_type")
    assert mart.height == 55
    cells = {
        row["type"]: row
        for row in mart.filter(pl.col("focus_area") == "trafiksikkerhed").iter_rows(named=True)
    }
    assert [
        (cells[t]["municipalities"], cells[t]["of_sites"], cells[t]["share"])
        for t in ("storby", "landdistrikt")
    ] == [
        (1, 1, 1.0),
        (0, 1, 0.0),
    ]
    assert (cells["forstad"]["of_sites"], cells["forstad"]["share"], cells["forstad"]["ci_low"]) == (
        0,
        None,
        None,
    )
    assert cells["storby"]["published_share"] == 1.0


def test_actors_are_ranked_by_initiatives_and_the_unresolved_never(path: Path) -> None:
    mart = read_mart(path, "top_actors")
    assert mart.select("rank", "subcategory", "initiatives", "share", "published_rank").rows() == [
        (1, "politi", 4, 1.0, 3),
        (2, "folkeskoler", 3, 0.75, 2),
        (3, "fonde", 1, 0.25, 8),
    ]


def test_a_pair_counts_when_three_initiatives_name_both(path: Path) -> None:
    mart = read_mart(path, "actor_cooccurrence")
    assert mart.select(
        "subcategory_a", "subcategory_b", "initiatives", "initiatives_a", "initiatives_b"
    ).rows() == [("folkeskoler", "politi", 3, 3, 4)]


def test_the_overview_tells_nothing_found_from_not_read(path: Path) -> None:
    mart = read_mart(path, "municipality_overview")
    columns = ("municipality", "region", "tried", "hits", "kept", "initiatives", "actors", "status")
    assert mart.select(columns).rows() == [
        ("aarhus", "Midtjylland", 6, 5, 2, 4, 4, "læst"),
        ("fanoe", "Syddanmark", 1, 0, 0, 0, 0, "ingen sider"),
        ("laesoe", "Nordjylland", 1, 0, 0, 0, 0, "ikke læst"),
    ]
    assert mart["last_crawl"].unique().to_list() == [NOON]


def test_nothing_read_gives_marts_without_shares(tmp_path: Path) -> None:
    tables = {name: contract(name).empty() for name in LAKE_TABLES} | reference_tables(SITES)
    marts = build_warehouse(tmp_path / "warehouse.duckdb", tables)
    assert marts["funnel"]["n"].to_list() == [0, 0, 0, 0, 0]
    assert marts["focus_area_coverage"]["share"].null_count() == 11
    assert marts["top_actors"].is_empty()
    assert marts["municipality_overview"]["status"].unique().to_list() == ["ikke læst"]


def test_a_site_that_is_no_municipality_has_no_region() -> None:
    own = {"havnen": Site("havnen", "Havnen", "forstad", "https://havnen.test")}
    assert reference_tables(own)["sites"].rows() == [("havnen", "Havnen", "forstad", None)]


def test_every_model_runs_as_it_stands_on_the_finished_warehouse(path: Path) -> None:
    with DuckDBResource(
        database=str(path), connection_config={"access_mode": "READ_ONLY"}
    ).get_connection() as con:
        for model in read_models(paths.SQL / "models"):
            assert con.sql(model.sql).columns, model.name


def test_the_interval_in_sql_is_the_interval_in_python(path: Path) -> None:
    with DuckDBResource(
        database=str(path), connection_config={"access_mode": "READ_ONLY"}
    ).get_connection() as con:
        rows = con.sql(
            "SELECT n, k, wilson_low(k, n), wilson_high(k, n) FROM range(0, 99) a(n), range(0, 99) b(k) WHERE k <= n"
        ).fetchall()
    for n, k, low, high in rows:
        expected = wilson(k, n)
        assert (low, high) == (
            (None, None) if expected is None else pytest.approx((expected.low, expected.high))
        )


def test_marts_and_contracts_are_the_same_list() -> None:
    marts = {model.name for model in read_models(paths.SQL / "models") if model.is_mart}
    assert marts == {name for name, table in contracts().items() if table.stage == "aggregates"}


def models_in(folder: Path, **files: str) -> Path:
    for name, sql in files.items():
        target = folder / "models" / ("marts" if name.startswith("mart_") else "staging") / f"{name}.sql"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(sql, encoding="utf-8")
    return folder


def test_a_model_comes_after_what_it_reads(tmp_path: Path) -> None:
    project = models_in(
        tmp_path,
        a="SELECT * FROM b",
        b="WITH x AS (SELECT 1 AS n) SELECT * FROM x JOIN c USING (n)",
        c="SELECT * FROM lake",
    )
    assert [model.name for model in in_dependency_order(read_models(project / "models"), ["lake"])] == [
        "c",
        "b",
        "a",
    ]


def test_a_circle_is_named_with_its_file(tmp_path: Path) -> None:
    project = models_in(tmp_path, a="SELECT * FROM b", b="SELECT * FROM a")
    with pytest.raises(DataFileError, match=r"[ab]\.sql.*read each other: (a <- b <- a|b <- a <- b)"):
        in_dependency_order(read_models(project / "models"), [])


def test_an_unknown_table_is_named_with_its_file(tmp_path: Path) -> None:
    project = models_in(tmp_path, a="SELECT * FROM lak")
    with pytest.raises(DataFileError, match=r"a\.sql.*no table or model lak\b"):
        in_dependency_order(read_models(project / "models"), ["lake"])


@pytest.mark.parametrize("sql", ["SELECT 1; SELECT 2", "DROP TABLE lake", "", "SELECT FROM WHERE ("])
def test_a_file_that_is_not_one_select_is_refused(tmp_path: Path, sql: str) -> None:
    project = models_in(tmp_path, a=sql)
    with pytest.raises(DataFileError, match=r"a\.sql"):
        read_models(project / "models")


@pytest.mark.parametrize(
    ("name", "sql", "message"),
    [
        ("a", "SELECT no_such_column FROM sites", r"a\.sql.*no_such_column"),
        ("mart_a", "SELECT 1 AS n", "no contract"),
    ],
)
def test_a_failed_build_leaves_the_old_warehouse_and_no_other_file(
    tmp_path: Path, tables: dict[str, pl.DataFrame], name: str, sql: str, message: str
) -> None:
    target = tmp_path / "home" / "warehouse.duckdb"
    build_warehouse(target, tables)
    with pytest.raises(DataFileError, match=message):
        build_warehouse(target, tables, models_in(tmp_path / "project", **{name: sql}))
    assert [file.name for file in target.parent.iterdir()] == ["warehouse.duckdb"]
    assert read_mart(target, "funnel")["n"].to_list() == [8, 5, 2, 4, 10]


def test_the_half_written_file_of_a_killed_build_is_ignored(
    tmp_path: Path, tables: dict[str, pl.DataFrame]
) -> None:
    target = tmp_path / "warehouse.duckdb"
    half = tmp_path / ".warehouse.duckdb.abc.part"
    half.write_bytes(b"half a build")
    with pytest.raises(ConfigurationError, match="no warehouse"):
        read_mart(target, "funnel")
    build_warehouse(target, tables)
    assert read_mart(target, "funnel").height == 5
    assert half.read_bytes() == b"half a build"


def test_a_mart_the_warehouse_does_not_have_is_named(path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no mart 'no_such_mart'"):
        read_mart(path, "no_such_mart")
