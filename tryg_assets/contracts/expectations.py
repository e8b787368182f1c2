"""Great Expectations suites made from the contracts. Imported only where a check runs: the library takes seconds to load."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import polars as pl

from tryg_assets.contracts import Contract


@dataclass(frozen=True, slots=True)
class Finding:
    """An expectation that was not met."""

    column: str
    expectation: str
    count: int
    examples: tuple[str, ...]


@functools.cache
def _library() -> Any:
    import warnings

    with warnings.catch_warnings():
        # It imports modules of the standard library that Python calls deprecated.
        warnings.simplefilter("ignore", DeprecationWarning)
        import great_expectations as gx
    return gx


@functools.cache
def _context() -> Any:
    import logging

    gx = _library()
    from great_expectations.data_context.types.base import ProgressBarsConfig

    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


@functools.cache
def _batch_definition(table: str) -> Any:
    return (
        _context()
        .data_sources.add_pandas(table)
        .add_dataframe_asset(table)
        .add_batch_definition_whole_dataframe("all")
    )


def suite(contract: Contract) -> Any:
    """Return the Great Expectations suite of a contract."""
    gx = _library()
    made: list[Any] = [
        gx.expectations.ExpectTableColumnsToMatchOrderedList(
            column_list=[column.name for column in checkable(contract)]
        )
    ]
    for column in checkable(contract):
        for test, argument in column.tests:
            match test:
                case "not_null":
                    made.append(gx.expectations.ExpectColumnValuesToNotBeNull(column=column.name))
                case "unique":
                    made.append(gx.expectations.ExpectColumnValuesToBeUnique(column=column.name))
                case "accepted_values":
                    made.append(
                        gx.expectations.ExpectColumnValuesToBeInSet(column=column.name, value_set=argument)
                    )
                case "between":
                    made.append(
                        gx.expectations.ExpectColumnValuesToBeBetween(
                            column=column.name, min_value=argument[0], max_value=argument[1]
                        )
                    )
                case "matches":
                    made.append(
                        gx.expectations.ExpectColumnValuesToMatchRegex(column=column.name, regex=argument)
                    )
                case _:
                    raise ValueError(
                        f"{contract.table}.{column.name}: no expectation is made from test '{test}'"
                    )
    if len(contract.key) > 1:
        made.append(gx.expectations.ExpectCompoundColumnsToBeUnique(column_list=list(contract.key)))
    return gx.ExpectationSuite(name=contract.table, expectations=made)


def checkable(contract: Contract) -> tuple[Any, ...]:
    """Return the columns Great Expectations looks at: those with a test that are no lists (lists are typed by the writer)."""
    return tuple(
        c
        for c in contract.columns
        if not c.data_type.startswith("list[") and (c.tests or c.name in contract.key)
    )


def validate(contract: Contract, table: pl.DataFrame) -> list[Finding]:
    """Check ``table`` against the suite of its contract; returns what was not met, with up to 20 examples each."""
    narrow = table.select([column.name for column in checkable(contract)]).to_pandas()
    batch = _batch_definition(contract.table).get_batch(batch_parameters={"dataframe": narrow})
    result = batch.validate(suite(contract))
    findings = []
    for entry in result.results:
        if entry.success:
            continue
        config, detail = entry.expectation_config, entry.result
        findings.append(
            Finding(
                column=str(config.kwargs.get("column", ", ".join(config.kwargs.get("column_list", [])))),
                expectation=config.type,
                count=int(detail.get("unexpected_count") or 0),
                examples=tuple(str(value) for value in detail.get("partial_unexpected_list", [])[:20]),
            )
        )
    return findings
