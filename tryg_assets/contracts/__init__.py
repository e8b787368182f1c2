"""Table contracts: one statement of grain, key, columns and tests, from which everything else is made."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from tryg_assets import paths
from tryg_assets.errors import ContractError, DataFileError

_LAKE_FILE = Path(__file__).with_name("lake.yml")
_MARTS_FILE = paths.SQL / "models" / "marts" / "schema.yml"

_SCALARS: dict[str, pl.DataType] = {
    "str": pl.String(),
    "int": pl.Int64(),
    "float": pl.Float64(),
    "bool": pl.Boolean(),
    "date": pl.Date(),
    "datetime": pl.Datetime("us", "UTC"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table. ``tests`` holds pairs of test name and argument (``None`` for none)."""

    name: str
    data_type: str
    description: str
    unit: str | None
    null_meaning: str | None
    tests: tuple[tuple[str, Any], ...]

    @property
    def nullable(self) -> bool:
        """Whether null is allowed."""
        return "not_null" not in {name for name, _ in self.tests}


@dataclass(frozen=True, slots=True)
class Contract:
    """The contract of one table."""

    table: str
    description: str
    stage: str
    grain: str
    key: tuple[str, ...]
    version: int
    partitioned: bool
    by_engine: bool
    columns: tuple[Column, ...]

    @property
    def schema(self) -> pl.Schema:
        """Column names and polars types, in the order they are written."""
        return pl.Schema({column.name: parse_type(column.data_type) for column in self.columns})

    def empty(self) -> pl.DataFrame:
        """Return the typed table without rows."""
        return pl.DataFrame(schema=self.schema)

    def frame(self, rows: list[dict[str, Any]]) -> pl.DataFrame:
        """Return ``rows`` as a typed table in contract order, sorted by key.

        Raises:
            ContractError: a column is missing, unknown or of another type.
        """
        expected = {column.name for column in self.columns}
        for number, row in enumerate(rows, 1):
            if row.keys() != expected:
                odd = sorted(expected ^ row.keys())
                raise ContractError(
                    f"table {self.table}, row {number}: columns missing or unknown: {', '.join(odd)}."
                )
        # By column: read by row, polars would silently turn 1.5 into 1 for an int and True into "true" for a str.
        columns = {name: [row[name] for row in rows] for name in self.schema}
        try:
            table = pl.DataFrame(columns, schema=self.schema, strict=True)
        except (TypeError, pl.exceptions.PolarsError) as problem:
            raise ContractError(f"table {self.table}: a value has the wrong type ({problem}).") from problem
        return table.sort(self.key)

    def conform(self, table: pl.DataFrame) -> pl.DataFrame:
        """Return ``table`` in contract order, sorted by key, after checking names, types, nulls and key.

        Raises:
            ContractError: the table breaks the contract; the message says which column or row and how.
        """
        missing = [name for name in self.schema if name not in table.columns]
        unknown = [name for name in table.columns if name not in self.schema]
        if missing or unknown:
            raise ContractError(f"table {self.table}: columns missing {missing}, unknown {unknown}.")
        table = table.select(list(self.schema))
        wrong = [
            f"{name} is {table.schema[name]}, must be {dtype}"
            for name, dtype in self.schema.items()
            if table.schema[name] != dtype
        ]
        if wrong:
            raise ContractError(f"table {self.table}: {'; '.join(wrong)}.")
        nulls = [c.name for c in self.columns if not c.nullable and table[c.name].null_count()]
        if nulls:
            raise ContractError(f"table {self.table}: null where none is allowed: {', '.join(nulls)}.")
        doubles = table.filter(table.select(self.key).is_duplicated()).select(self.key)
        if doubles.height:
            raise ContractError(
                f"table {self.table}: {doubles.height} rows share a key ({', '.join(self.key)}), "
                f"the first is {doubles.row(0)}."
            )
        return table.sort(self.key)


def parse_type(text: str) -> pl.DataType:
    """Turn a contract type such as ``list[struct[form: str, count: int]]`` into a polars type.

    Raises:
        ContractError: the text is not a type of the contract language.
    """
    text = text.strip()
    if text in _SCALARS:
        return _SCALARS[text]
    match = re.fullmatch(r"(list|struct)\[(.*)\]", text, re.DOTALL)
    if match is None:
        raise ContractError(
            f"'{text}' is not a contract type; use {', '.join(_SCALARS)}, list[...] or struct[...]."
        )
    kind, inner = match.groups()
    if kind == "list":
        return pl.List(parse_type(inner))
    fields: list[pl.Field] = []
    for part in _split_fields(inner):
        name, _, data_type = part.partition(":")
        if not name.strip() or name.strip() in {field.name for field in fields}:
            raise ContractError(f"'{text}' has a field without a name, or a name twice.")
        fields.append(pl.Field(name.strip(), parse_type(data_type)))
    return pl.Struct(fields)


def _split_fields(text: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for position, char in enumerate(text):
        depth += (char == "[") - (char == "]")
        if char == "," and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    return [*parts, text[start:]]


def _read(path: Path) -> dict[str, Contract]:
    found: dict[str, Contract] = {}
    for model in yaml.safe_load(path.read_text(encoding="utf-8"))["models"]:
        try:
            meta = model["meta"]
            columns = tuple(_column(entry) for entry in model["columns"])
            found[model["name"]] = Contract(
                table=model["name"],
                description=model["description"],
                stage=meta["stage"],
                grain=meta["grain"],
                key=tuple(meta["key"]),
                version=meta["contract_version"],
                partitioned=meta.get("partitioned", False),
                by_engine=meta.get("engine", meta["stage"] == "aggregates"),
                columns=columns,
            )
        except (KeyError, TypeError) as problem:
            raise DataFileError(
                path,
                f"model {model.get('name', '?')}",
                f"{problem} is missing or malformed",
                "See the other models.",
            ) from problem
    return found


def _column(entry: dict[str, Any]) -> Column:
    tests: list[tuple[str, Any]] = []
    for test in entry.get("data_tests", []):
        tests.extend([(test, None)] if isinstance(test, str) else test.items())
    meta = entry.get("meta", {})
    return Column(
        name=entry["name"],
        data_type=entry["data_type"],
        description=entry["description"],
        unit=meta.get("unit"),
        null_meaning=meta.get("null"),
        tests=tuple(tests),
    )


@functools.cache
def contracts() -> dict[str, Contract]:
    """Return every contract by table name: lake tables first, then marts.

    Raises:
        DataFileError: a contract file is malformed.
    """
    return _read(_LAKE_FILE) | _read(_MARTS_FILE)


def contract(table: str) -> Contract:
    """Return the contract of ``table``."""
    return contracts()[table]
