"""The contract language, the writer's checks and the Great Expectations findings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tryg_assets.contracts import _SCALARS, _read, contract, contracts, parse_type
from tryg_assets.contracts.expectations import validate
from tryg_assets.errors import ContractError, DataFileError

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)


def written(data_type: Any, gap: str = " ") -> str:
    """Write a polars type in the contract language."""
    if isinstance(data_type, pl.List):
        return f"list[{written(data_type.inner, gap)}]"
    if isinstance(data_type, pl.Struct):
        return (
            "struct["
            + f",{gap}".join(f"{f.name}:{gap}{written(f.dtype, gap)}" for f in data_type.fields)
            + "]"
        )
    return next(name for name, scalar in _SCALARS.items() if scalar == data_type)


TYPES = st.recursive(
    st.sampled_from(list(_SCALARS.values())),
    lambda inner: (
        inner.map(pl.List)
        | st.lists(st.tuples(NAMES, inner), min_size=1, max_size=4, unique_by=lambda pair: pair[0]).map(
            lambda pairs: pl.Struct([pl.Field(name, data_type) for name, data_type in pairs])
        )
    ),
    max_leaves=8,
)


@given(TYPES, st.sampled_from(["", " ", "\n  "]))
def test_a_type_written_in_the_contract_language_is_read_back_the_same(
    data_type: pl.DataType, gap: str
) -> None:
    assert parse_type(written(data_type, gap)) == data_type


@pytest.mark.parametrize(
    "text",
    [
        "",
        "text",
        "list",
        "list[]",
        "list[int",
        "list[int]]",
        "struct[]",
        "struct[form]",
        "struct[: int]",
        "struct[a: int, a: str]",
        "List[int]",
        "int, str",
    ],
)
def test_what_is_no_type_is_refused(text: str) -> None:
    with pytest.raises(ContractError):
        parse_type(text)


DROP: dict[str, Any] = {"reason": "empty", "label": "Tom side", "n": 3}


def test_rows_become_a_table_in_contract_order_sorted_by_key() -> None:
    table = contract("funnel_drops").frame([{"n": 1, "reason": "job_ad", "label": "Job"}, DROP])
    assert table.columns == ["reason", "label", "n"]
    assert table["reason"].to_list() == ["empty", "job_ad"]


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ({"reason": "empty", "n": 1}, "row 2.*label"),
        ({**DROP, "colour": "red"}, "row 2.*colour"),
        ({**DROP, "n": "three"}, "wrong type"),
        ({**DROP, "n": 1.5}, "wrong type"),
    ],
)
def test_a_row_that_does_not_fit_is_refused(row: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ContractError, match=f"(?s)funnel_drops.*{complaint}"):
        contract("funnel_drops").frame([DROP, row])


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        (pl.DataFrame([DROP]).drop("n"), "missing \\['n'\\]"),
        (pl.DataFrame([DROP]).with_columns(colour=pl.lit("red")), "unknown \\['colour'\\]"),
        (pl.DataFrame([DROP]).with_columns(pl.col("n").cast(pl.Int32)), "n is Int32, must be Int64"),
        (
            pl.DataFrame([DROP, {**DROP, "reason": "job_ad", "label": None}]),
            "null where none is allowed: label",
        ),
        (pl.DataFrame([DROP, DROP]), "2 rows share a key \\(reason\\), the first is \\('empty',\\)"),
    ],
)
def test_a_table_that_breaks_its_contract_is_refused(table: pl.DataFrame, complaint: str) -> None:
    with pytest.raises(ContractError, match=f"table funnel_drops.*{complaint}"):
        contract("funnel_drops").conform(table)


def test_a_table_that_honours_its_contract_is_put_in_order() -> None:
    shuffled = pl.DataFrame(
        [{"n": 1, "reason": "job_ad", "label": "Job"}, {"n": 3, "reason": "empty", "label": "Tom"}]
    )
    table = contract("funnel_drops").conform(shuffled)
    assert table.rows() == [("empty", "Tom", 3), ("job_ad", "Job", 1)]


@pytest.mark.parametrize("table", sorted(contracts()))
def test_each_contract_is_whole(table: str) -> None:
    wanted = contract(table)
    names = [column.name for column in wanted.columns]
    assert len(names) == len(set(names))
    assert set(wanted.key) <= set(names)
    assert not [column.name for column in wanted.columns if column.name in wanted.key and column.nullable]
    assert wanted.empty().schema == wanted.schema
    assert not [c.name for c in wanted.columns if c.nullable != (c.null_meaning is not None)], (
        "null needs a meaning, and only where it may be"
    )


def test_a_malformed_contract_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "lake.yml"
    path.write_text("models: [{name: odd, description: x, meta: {stage: s}, columns: []}]", encoding="utf-8")
    with pytest.raises(DataFileError, match=r"lake\.yml, model odd: 'grain' is missing"):
        _read(path)


def test_a_good_table_has_no_findings() -> None:
    assert validate(contract("funnel_drops"), contract("funnel_drops").frame([DROP])) == []


@pytest.mark.parametrize("table", ["crawl_log", "raw_crawl", "page_codings", "agreement"])
def test_an_empty_table_has_no_findings(table: str) -> None:
    assert validate(contract(table), contract(table).empty()) == []


@pytest.mark.parametrize(
    ("row", "column", "expectation", "example"),
    [
        ({"reason": "boring"}, "reason", "expect_column_values_to_be_in_set", "boring"),
        ({"n": -1}, "n", "expect_column_values_to_be_between", "-1"),
        ({"label": None}, "label", "expect_column_values_to_not_be_null", None),
    ],
)
def test_a_broken_row_is_found_with_an_example(
    row: dict[str, Any], column: str, expectation: str, example: str | None
) -> None:
    wanted = contract("funnel_drops")
    (finding,) = validate(wanted, wanted.frame([DROP, {**DROP, "reason": "job_ad", **row}]))
    assert (finding.column, finding.expectation, finding.count) == (column, expectation, 1)
    if example:
        assert finding.examples == (example,)


def test_a_repeated_key_is_found() -> None:
    wanted = contract("actor_cooccurrence")
    row = {name: 5 if data_type == pl.Int64() else name for name, data_type in wanted.schema.items()}
    (finding,) = validate(wanted, wanted.frame([row, row]))
    assert (finding.column, finding.expectation) == (
        "subcategory_a, subcategory_b",
        "expect_compound_columns_to_be_unique",
    )


def test_a_page_id_that_is_none_is_found() -> None:
    wanted = contract("raw_crawl")
    row = dict.fromkeys(wanted.schema) | {"page_id": "not an id"}
    findings = {(f.column, f.expectation) for f in validate(wanted, wanted.frame([row]))}
    assert ("page_id", "expect_column_values_to_match_regex") in findings
    assert ("title", "expect_column_values_to_not_be_null") in findings
