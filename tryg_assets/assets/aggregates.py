"""Stage 6: the warehouse and the numbers for the whole country."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from tryg_assets.assets._spec import out
from tryg_assets.contracts import contracts
from tryg_assets.resources import Corpus, LakeResource
from tryg_assets.warehouse import build_warehouse, reference_tables

LAKE_TABLES = [name for name, table in contracts().items() if table.stage != "aggregates"]
MARTS = [name for name, table in contracts().items() if table.stage == "aggregates"]


@dg.multi_asset(
    name="warehouse",
    outs={name: out(name, kinds={"sql", "duckdb"}) for name in MARTS},
    deps=LAKE_TABLES,
    pool="duckdb_writer",
)
def aggregates(corpus: Corpus, lake: LakeResource) -> Iterator[dg.Output[object]]:
    """Build the warehouse from the lake: a temporary file, renamed when it is whole. Marts are one SELECT each."""
    tables = {name: lake.lake.scan(name).collect() for name in LAKE_TABLES}
    marts = build_warehouse(corpus.settings.warehouse, tables | reference_tables(corpus.sites))
    for name in MARTS:
        yield dg.Output(marts[name], output_name=name)
