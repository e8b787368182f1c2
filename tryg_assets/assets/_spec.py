"""What every asset says about itself, taken from its contract."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import dagster as dg

from tryg_assets import paths
from tryg_assets.contracts import Contract, contract
from tryg_assets.ids import content_hash
from tryg_assets.partitions import municipalities

OWNER = "team:tryg-assets"
# The five stages, left to right in the UI.
GROUPS = {
    "raw_crawl": "a_raw_crawl",
    "filtered_pages": "b_filtered_pages",
    "classified_initiatives": "c_classified_initiatives",
    "actor_entities": "d_actor_entities",
    "agreement": "e_agreement",
    "aggregates": "f_aggregates",
}


def code_version(table: Contract, rules: Iterable[Path] = ()) -> str:
    """Return a version that changes with the contract and with the rule files an asset goes by."""
    return f"{table.version}-{content_hash(b''.join(path.read_bytes() for path in sorted(rules)))[:10]}"


def column_schema(table: Contract) -> dg.TableSchema:
    """Return the columns of a contract for the Dagster UI."""
    return dg.TableSchema(
        [
            dg.TableColumn(
                column.name,
                column.data_type,
                " ".join(
                    part
                    for part in (
                        column.description,
                        f"Unit: {column.unit}." if column.unit else "",
                        f"Null: {column.null_meaning}." if column.null_meaning else "",
                    )
                    if part
                ),
                dg.TableColumnConstraints(
                    nullable=column.nullable, unique="unique" in {name for name, _ in column.tests}
                ),
            )
            for column in table.columns
        ]
    )


def spec(table: str, *, kinds: set[str], rules: Iterable[Path] = ()) -> dict[str, Any]:
    """Return the keyword arguments that describe the asset of ``table``."""
    wanted = contract(table)
    return {
        "description": f"{wanted.description} Grain: {wanted.grain}.",
        "group_name": GROUPS[wanted.stage],
        "kinds": kinds,
        "owners": [OWNER],
        "code_version": code_version(wanted, rules),
        "metadata": {
            "dagster/column_schema": column_schema(wanted),
            "grain": wanted.grain,
            "key": ", ".join(wanted.key),
        },
    }


def table_asset(
    table: str, *, kinds: set[str], rules: Iterable[Path] = (), deps: Iterable[str] = ()
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Make an asset of a function that returns the rows of ``table``, partitioned if its contract says so.

    ``deps`` are tables it looks into without loading them whole.
    """
    partitions = municipalities if contract(table).partitioned else None
    decorate: Callable[[Callable[..., Any]], dg.AssetsDefinition] = dg.asset(
        name=table, partitions_def=partitions, deps=list(deps), **spec(table, kinds=kinds, rules=rules)
    )
    return decorate


def out(table: str, *, kinds: set[str], rules: Iterable[Path] = ()) -> dg.AssetOut:
    """Return one output of a step that makes several tables."""
    return dg.AssetOut(is_required=True, **spec(table, kinds=kinds, rules=rules))


CODEBOOK = paths.CODEBOOK
