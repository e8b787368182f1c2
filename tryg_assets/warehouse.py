"""The warehouse: the one place that opens DuckDB.

``warehouse.duckdb`` is built whole from the lake's tables and from ``dbt_like_sql/``, beside the old file, and then takes its
place: a reader never sees half a build. Staging models become views, marts become tables.
"""

from __future__ import annotations

import graphlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import sqlglot
from sqlglot import exp

from tryg_assets import paths
from tryg_assets.contracts import contract, contracts
from tryg_assets.domain.reference import actor_taxonomy, focus_areas, municipalities, read_csv
from tryg_assets.domain.sites import Site
from tryg_assets.errors import ConfigurationError, DataFileError
from tryg_assets.storage import atomic_path

_PUBLISHED: dict[str, dict[str, type[pl.DataType]]] = {
    "funnel": {
        "stage": pl.String,
        "label": pl.String,
        "value": pl.Int64,
        "unit": pl.String,
        "page": pl.String,
    },
    "focus_area_coverage": {"focus_area": pl.String, "municipalities": pl.Int64, "of": pl.Int64},
    "focus_area_by_type": {"focus_area": pl.String, "type": pl.String, "share_pct": pl.Float64},
    "top_actors": {"rank": pl.Int64, "subcategory": pl.String, "name": pl.String, "share_pct": pl.Float64},
}


@dataclass(frozen=True, slots=True)
class Model:
    """One ``.sql`` file: a SELECT and the tables and models it reads. ``is_mart`` says table, otherwise view."""

    name: str
    path: Path
    sql: str
    reads: frozenset[str]
    is_mart: bool


def read_models(folder: Path) -> list[Model]:
    """Read the models in ``folder/staging`` and ``folder/marts``, sorted by name.

    Raises:
        DataFileError: a file is not one SELECT, or two files have the same name.
    """
    found: dict[str, Model] = {}
    for path in sorted((*folder.glob("staging/*.sql"), *folder.glob("marts/*.sql"))):
        if path.stem in found:
            raise DataFileError(
                path, "name", f"{found[path.stem].path} has the same name", "Rename one of the two."
            )
        sql = path.read_text(encoding="utf-8")
        found[path.stem] = Model(path.stem, path, sql, _tables_read(path, sql), path.parent.name == "marts")
    return [found[name] for name in sorted(found)]


def _tables_read(path: Path, sql: str) -> frozenset[str]:
    try:
        statements = [
            statement for statement in sqlglot.parse(sql, dialect="duckdb") if statement is not None
        ]
    except sqlglot.ParseError as problem:
        line = problem.errors[0].get("line") if problem.errors else None
        raise DataFileError(
            path, f"row {line}", "it is not valid SQL", "Try it in the DuckDB shell."
        ) from problem
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise DataFileError(
            path, "file", "it is not exactly one SELECT", "Give each SELECT a file of its own."
        )
    own = {cte.alias for cte in statements[0].find_all(exp.CTE)}
    return frozenset(table.name for table in statements[0].find_all(exp.Table) if table.name not in own)


def in_dependency_order(models: Iterable[Model], tables: Iterable[str]) -> list[Model]:
    """Return ``models`` so that each comes after the models it reads; ``tables`` are there from the start.

    Raises:
        DataFileError: a model reads what is neither a table nor a model, or models read each other in a circle.
    """
    by_name = {model.name: model for model in models}
    known = {*tables, *by_name}
    for model in by_name.values():
        if unknown := sorted(model.reads - known):
            raise DataFileError(
                model.path,
                "FROM",
                f"there is no table or model {', '.join(unknown)}",
                "Add it or correct the name.",
            )
    graph = {name: sorted(model.reads & by_name.keys()) for name, model in by_name.items()}
    try:
        return [by_name[name] for name in graphlib.TopologicalSorter(graph).static_order()]
    except graphlib.CycleError as problem:
        circle: list[str] = problem.args[1]
        raise DataFileError(
            by_name[circle[0]].path,
            "FROM",
            f"the models read each other: {' <- '.join(circle)}",
            "Break the circle.",
        ) from None


def build_warehouse(
    target: Path, tables: Mapping[str, pl.DataFrame], project: Path = paths.SQL
) -> dict[str, pl.DataFrame]:
    """Build the warehouse at ``target`` from the lake's and the reference ``tables``; returns the marts by name.

    Raises:
        DataFileError: a model is wrong; the message names its file. The old warehouse stays.
        ContractError: a mart breaks its contract. The old warehouse stays.
    """
    models = in_dependency_order(read_models(project / "models"), tables)
    marts: dict[str, pl.DataFrame] = {}
    with atomic_path(target) as part:
        part.unlink()  # DuckDB wants to create its file itself
        with _connection(part) as con:
            for name, table in tables.items():
                con.register("incoming", table)
                con.execute(f'CREATE TABLE "{name}" AS SELECT * FROM incoming')
                con.unregister("incoming")
            for macros in sorted(project.glob("macros/*.sql")):
                con.execute(macros.read_text(encoding="utf-8"))
            for model in models:
                _create(con, model)
                if model.is_mart:
                    marts[model.name] = contract(model.name).conform(
                        con.sql(f'SELECT * FROM "{model.name}"').pl()
                    )
    return marts


def _create(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    if model.is_mart and model.name not in contracts():
        raise DataFileError(
            model.path, "name", "the mart has no contract", "Describe it in schema.yml beside it."
        )
    try:
        con.execute(f'CREATE {"TABLE" if model.is_mart else "VIEW"} "{model.name}" AS\n{model.sql}')
    except duckdb.Error as problem:
        raise DataFileError(
            model.path, "SELECT", str(problem).splitlines()[0], "Try it in the DuckDB shell."
        ) from problem


def read_mart(path: Path, name: str) -> pl.DataFrame:
    """Return one mart of the warehouse at ``path``, which is opened for reading only.

    Raises:
        ConfigurationError: there is no warehouse yet, or no such mart in it.
        ContractError: the mart was built under another contract.
    """
    if not path.exists():
        raise ConfigurationError(
            f"There is no warehouse at {path} yet. Run the chain to its end first: tryg run."
        )
    with _connection(path, access_mode="READ_ONLY") as con:
        try:
            table = con.sql(f'SELECT * FROM "{name}"').pl()
        except duckdb.CatalogException:
            raise ConfigurationError(
                f"The warehouse at {path} has no mart '{name}'. Build it again: tryg run."
            ) from None
    return contract(name).conform(table)


@contextmanager
def _connection(path: Path, **config: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open DuckDB. Times are read in UTC, and the connection is closed also when the block fails."""
    from dagster_duckdb import DuckDBResource

    with DuckDBResource(database=str(path), connection_config=config).get_connection() as con, closing(con):
        con.execute("SET TimeZone = 'UTC'")
        yield con


def reference_tables(sites: Mapping[str, Site]) -> dict[str, pl.DataFrame]:
    """Return the tables of facts the models read: sites, focus_areas, subcategories and the published numbers."""
    known = municipalities()
    site_rows = [
        (s.slug, s.name, s.type, known[s.slug].region if s.slug in known else None) for s in sites.values()
    ]
    areas = [(position, area.id, area.name) for position, area in enumerate(focus_areas().values(), 1)]
    taxonomy = actor_taxonomy()
    subs = [
        (sub.id, sub.name, sub.master, taxonomy.masters[sub.master])
        for sub in taxonomy.subcategories.values()
    ]
    text = pl.String
    return {
        "sites": _frame(site_rows, {"slug": text, "name": text, "type": text, "region": text}),
        "focus_areas": _frame(areas, {"position": pl.Int64, "id": text, "name": text}),
        "subcategories": _frame(subs, {"id": text, "name": text, "master": text, "master_name": text}),
        **{f"published_{name}": _published(name, schema) for name, schema in _PUBLISHED.items()},
    }


def _frame(rows: list[Any], schema: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema, orient="row")


def _published(name: str, schema: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    path = paths.REFERENCE / "published" / f"{name}.csv"
    rows = [{column: row[column] or None for column in schema} for _, row in read_csv(path, tuple(schema))]
    try:
        return pl.DataFrame(rows, schema=dict.fromkeys(schema, pl.String)).cast(pl.Schema(schema))
    except pl.exceptions.InvalidOperationError as problem:
        raise DataFileError(
            path, "file", str(problem).splitlines()[0], "Write numbers without unit or separator."
        ) from problem
