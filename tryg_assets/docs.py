"""The generated documents: data dictionary (from the contracts) and checks runbook (from the Dagster definitions).

Run ``python -m tryg_assets.docs`` in a checkout after changing a contract or a check; a test fails until it is done.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

import dagster as dg

from tryg_assets import paths
from tryg_assets.contracts import Column, Contract, contract, contracts
from tryg_assets.storage import write_text

DOCS = paths.PROJECT / "docs"

_STAGES = {
    "raw_crawl": "1. Raw crawl",
    "filtered_pages": "2. Filtered pages",
    "classified_initiatives": "3. Classified initiatives",
    "actor_entities": "4. Actor entities",
    "agreement": "5. Agreement",
    "aggregates": "6. Aggregates",
}

_DICTIONARY_HEAD = """\
# Data dictionary

Made from `tryg_assets/contracts/lake.yml` and `dbt_like_sql/models/marts/schema.yml` by `python -m tryg_assets.docs`.
Do not edit this page; change the contract.

- Types: `str`, `int` (64 bit), `float` (64 bit), `bool`, `date`, `datetime` (UTC), `list[...]` and `struct[name: type, ...]`.
- A column without `not_null` may be null; "null:" says what null means.
- Tests become Great Expectations and run as the check `contract` of the table. Lists are checked by type only.
- Every table is also in `warehouse.duckdb` under the same name, with the parts of all municipalities together.
"""

_RUNBOOK_HEAD = """\
# Checks runbook

Made from the checks in `tryg_assets/checks/` by `python -m tryg_assets.docs`. Do not edit this page; change the check.

- A check that judges *each municipality* looks at its part of the table, in the run that wrote it; *the country* is the whole table.
- *Blocking*: when the check is red with severity error, the steps after it in the same run do not start and the run fails. The table it
  judges is already written; other municipalities and the published report are not touched.
- A yellow check is a warning. A blocking check may warn too: `agreement_floor` does when there is nothing to compare with.
- The step `report` reads the latest agreement and coverage itself and refuses to publish if either is too low, whoever starts it.
  It then writes a draft, and the published report stays as it was.
- In the UI: Catalog, choose the table, Checks. A red check shows what was found, up to 20 offending rows and what to do.
"""


def data_dictionary(tables: Iterable[Contract]) -> str:
    """Return the data dictionary as Markdown: one section per table, in the order of the stages."""
    chosen = sorted(tables, key=lambda table: list(_STAGES).index(table.stage))
    parts = [_DICTIONARY_HEAD, "\n".join(_overview(chosen))]
    for stage, group in groupby(chosen, key=lambda table: table.stage):
        parts.append(f"## {_STAGES[stage]}\n")
        parts += [_table_section(table) for table in group]
    return "\n".join(parts)


def _overview(tables: Iterable[Contract]) -> Iterator[str]:
    yield from _header("table", "grain")
    for table in tables:
        yield _row(f"[`{table.table}`](#{table.table})", table.grain)
    yield ""


def _table_section(table: Contract) -> str:
    return "\n".join(
        [
            f"### {table.table}\n",
            f"{table.description}\n",
            f"- Grain: {table.grain}",
            f"- Key: {', '.join(f'`{name}`' for name in table.key)}",
            f"- Stored as: `{_stored_as(table)}`",
            f"- Contract version: {table.version}\n",
            *_header("column", "type", "meaning", "tests"),
            *(_column_row(column) for column in table.columns),
            "",
        ]
    )


def _stored_as(table: Contract) -> str:
    engine = "/engine=<id>" if table.by_engine else ""
    municipality = "/municipality=<slug>" if table.partitioned else ""
    return f"lake/{table.table}{engine}{municipality}/data.parquet"


def _column_row(column: Column) -> str:
    meaning = column.description
    if column.unit:
        meaning += f" Unit: {column.unit}."
    if column.null_meaning:
        meaning += f" Null: {column.null_meaning}."
    tests = ", ".join(_test(name, argument) for name, argument in column.tests)
    return _row(f"`{column.name}`", f"`{column.data_type}`", meaning, tests)


def _test(name: str, argument: object) -> str:
    match argument:
        case None:
            return name
        case [low, high] if name == "between":
            return f"between {low} and {high}"
        case list():
            return f"one of {', '.join(f'`{value}`' for value in argument)}"
        case _:
            return f"{name} `{argument}`"


def checks_runbook(definitions: dg.Definitions) -> str:
    """Return the runbook as Markdown: every check of ``definitions`` with its meaning and what to do when it is red."""
    specs = [
        spec
        for entry in definitions.asset_checks or []
        if isinstance(entry, dg.AssetChecksDefinition)
        for spec in entry.check_specs
    ]
    order = list(contracts())
    specs.sort(key=lambda spec: (list(_STAGES).index(_stage_of(spec)), order.index(_table_of(spec))))
    parts = [_RUNBOOK_HEAD, "\n".join(_check_overview(specs))]
    for stage, group in groupby(specs, key=_stage_of):
        parts.append(f"## {_STAGES[stage]}\n")
        parts += [_check_section(spec) for spec in group]
    return "\n".join(parts)


def _table_of(spec: dg.AssetCheckSpec) -> str:
    return spec.asset_key.path[-1]


def _stage_of(spec: dg.AssetCheckSpec) -> str:
    return contract(_table_of(spec)).stage


def _scope(spec: dg.AssetCheckSpec) -> str:
    return "each municipality" if contract(_table_of(spec)).partitioned else "the country"


def _check_overview(specs: Iterable[dg.AssetCheckSpec]) -> Iterator[str]:
    yield from _header("asset", "check", "judges", "blocking")
    for spec in specs:
        link = f"[`{spec.name}`](#{_table_of(spec)}-{spec.name})"
        yield _row(f"`{_table_of(spec)}`", link, _scope(spec), "yes" if spec.blocking else "no")
    yield ""


def _check_section(spec: dg.AssetCheckSpec) -> str:
    return "\n".join(
        [
            f"### {_table_of(spec)}: {spec.name}\n",
            f"- Judges: {_scope(spec)}. Blocking: {'yes' if spec.blocking else 'no'}.",
            f"- Meaning: {spec.description}",
            f"- What to do: {spec.metadata['what_to_do']}\n",
        ]
    )


def _header(*names: str) -> list[str]:
    return [_row(*names), "|---" * len(names) + "|"]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def documents() -> dict[Path, str]:
    """Return the text of each generated file."""
    from tryg_assets.definitions import defs

    return {
        DOCS / "data_dictionary.md": data_dictionary(contracts().values()),
        DOCS / "checks_runbook.md": checks_runbook(defs),
    }


def main() -> None:
    """Write the generated documents and say where they are."""
    for path, text in documents().items():
        write_text(path, text)
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
