"""Stage 3: pages are coded, and what they describe becomes initiatives."""

import dagster as dg
import polars as pl

from tryg_assets.assets._spec import CODEBOOK, table_asset
from tryg_assets.contracts import contract
from tryg_assets.domain.coding.initiatives import resolve
from tryg_assets.domain.coding.pages import code_pages, kept_pages
from tryg_assets.domain.reliability.measured import as_metadata, of_engine, read_measurements
from tryg_assets.resources import Corpus, LakeResource

_RULES = sorted(CODEBOOK.glob("*.*"))


@table_asset("page_codings", kinds={"python", "parquet"}, rules=_RULES)
def page_codings(
    context: dg.AssetExecutionContext, corpus: Corpus, raw_crawl: pl.DataFrame, filtered_pages: pl.DataFrame
) -> pl.DataFrame:
    """Code the kept pages of one municipality with the chosen engine."""
    engine = corpus.coder(context.run_id)
    codings = contract("page_codings").frame(code_pages(kept_pages(raw_crawl, filtered_pages), engine))
    decisions = dict(codings.group_by("is_initiative").len().sort("is_initiative").iter_rows())
    measured = as_metadata(of_engine(engine.engine, read_measurements()))
    told = {"engine": engine.engine, "codebook": engine.codebook_hash}
    context.add_output_metadata({**told, **decisions, **engine.account(), **measured})
    return codings


@table_asset("classified_initiatives", kinds={"python", "parquet"}, rules=_RULES)
def classified_initiatives(
    context: dg.AssetExecutionContext,
    corpus: Corpus,
    lake: LakeResource,
    page_codings: pl.DataFrame,
    raw_crawl: pl.DataFrame,
) -> pl.DataFrame:
    """Resolve what the pages of one municipality describe into initiatives."""
    earlier = lake.lake.read("classified_initiatives", context.partition_key).to_dicts()
    pages = {row["page_id"]: row for row in raw_crawl.iter_rows(named=True)}
    rows = resolve(page_codings.to_dicts(), pages, earlier, corpus.clock().date())
    return contract("classified_initiatives").frame(rows)
