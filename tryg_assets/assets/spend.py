"""What the coding has cost: the ledger as a table."""

import dagster as dg
import polars as pl

from tryg_assets import paths
from tryg_assets.assets._spec import table_asset
from tryg_assets.contracts import contract
from tryg_assets.domain.coding.claude.prices import Prices
from tryg_assets.resources import Corpus


@table_asset("spend", kinds={"python", "parquet"}, rules=[paths.DATA / "prices.yml"])
def spend(context: dg.AssetExecutionContext, corpus: Corpus, page_codings: pl.DataFrame) -> pl.DataFrame:
    """Read the ledger, after the coding."""
    ledger = corpus.ledger
    rows, totals = contract("spend").frame(ledger.rows()), ledger.totals()
    by_task = rows.group_by("model", "task").agg(pl.sum("requests", "cost_usd")).sort("model", "task")
    context.add_output_metadata(
        {
            "usd": float(totals.settled),
            "kroner": float(Prices.load().dkk(totals.settled)),
            "open_usd": float(totals.open),
            "by_task": dg.MetadataValue.table([dg.TableRecord(row) for row in by_task.to_dicts()])
            if by_task.height
            else "nothing was asked",
        }
    )
    return rows
