"""Stage 5: does the engine see what people see? Sample, reference codings, agreement."""

import dagster as dg
import polars as pl

from tryg_assets import paths
from tryg_assets.assets._spec import CODEBOOK, table_asset
from tryg_assets.contracts import contract
from tryg_assets.domain.coding.canaries import Canaries
from tryg_assets.domain.reference import focus_areas
from tryg_assets.domain.reliability.agreement import agreement_rows
from tryg_assets.domain.review.gold import read_gold
from tryg_assets.domain.review.sampling import draw_sample
from tryg_assets.resources import Corpus, LakeResource


@table_asset("review_sample", kinds={"python", "parquet"})
def review_sample(corpus: Corpus, page_codings: pl.DataFrame) -> pl.DataFrame:
    """Draw the stratified sample of coded pages that is compared with reference codings."""
    settings = corpus.settings
    wanted = page_codings.filter(pl.col("municipality").is_in(list(corpus.sites)))
    return contract("review_sample").frame(draw_sample(wanted, settings.review_sample_size, settings.seed))


@table_asset("human_codings", kinds={"python", "csv"})
def human_codings(context: dg.AssetExecutionContext, review_sample: pl.DataFrame) -> pl.DataFrame:
    """Read the reference codings of the sampled pages from data/gold."""
    gold = contract("human_codings").frame(read_gold(paths.GOLD))
    found = gold.filter(pl.col("page_id").is_in(review_sample["page_id"].implode()))
    context.add_output_metadata(
        {"pages": found["page_id"].n_unique(), "coder_kinds": ", ".join(found["coder_kind"].unique().sort())}
    )
    return found


@table_asset("agreement", kinds={"python", "parquet"}, rules=[CODEBOOK / "gate.yml"])
def agreement(corpus: Corpus, page_codings: pl.DataFrame, human_codings: pl.DataFrame) -> pl.DataFrame:
    """Compare the engine's codings with the reference codings, task by task."""
    rows = agreement_rows(page_codings, human_codings, corpus.coder().engine, list(focus_areas()))
    return contract("agreement").frame(rows)


@table_asset("canaries", kinds={"python", "parquet"}, rules=sorted(CODEBOOK.glob("*.*")))
def canaries(
    context: dg.AssetExecutionContext, corpus: Corpus, lake: LakeResource, page_codings: pl.DataFrame
) -> pl.DataFrame:
    """Ask this version of the engine about the fixed pages, and set its answers beside those of the version before."""
    kept = Canaries(corpus.ledger.engine, corpus.clock)
    kept.choose(page_codings["page_id"], lambda ids: lake.lake.rows("raw_crawl", "page_id", ids))
    rows = contract("canaries").frame(kept.ask(corpus.coder(context.run_id)))
    context.add_output_metadata({"changed": rows.filter("changed").height, "canaries": rows.height})
    return rows
