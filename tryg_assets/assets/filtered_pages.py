"""Stage 2: every hit page gets one verdict and one reason."""

import dagster as dg
import polars as pl

from tryg_assets.assets._spec import CODEBOOK, table_asset
from tryg_assets.contracts import contract
from tryg_assets.domain.filtering.rules import cleaning_rules
from tryg_assets.domain.filtering.verdicts import filter_pages


@table_asset(
    "filtered_pages", kinds={"python", "parquet"}, rules=[CODEBOOK / "cleaning.yml", CODEBOOK / "walls.yml"]
)
def filtered_pages(context: dg.AssetExecutionContext, raw_crawl: pl.DataFrame) -> pl.DataFrame:
    """Judge the raw pages of one municipality."""
    pages = contract("filtered_pages").frame(filter_pages(raw_crawl.to_dicts(), cleaning_rules()))
    reasons = pages.with_columns(pl.col("reason").fill_null("kept")).group_by("reason").len().sort("reason")
    context.add_output_metadata(dict(reasons.iter_rows()))
    return pages
