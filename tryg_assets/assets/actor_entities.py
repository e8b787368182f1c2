"""Stage 4: who does something for safety, with whom, and in what role."""

import dagster as dg
import polars as pl

from tryg_assets import paths
from tryg_assets.assets._spec import CODEBOOK, out
from tryg_assets.contracts import contract
from tryg_assets.domain.actors.entities import actor_rows
from tryg_assets.domain.actors.persons import persons_named
from tryg_assets.domain.coding.pages import kept_pages
from tryg_assets.partitions import municipalities
from tryg_assets.resources import Corpus

_RULES = [CODEBOOK / "actors.yml", paths.DATA / "privacy.yml"]


@dg.multi_asset(
    name="actors",
    outs={
        "actor_mentions": out("actor_mentions", kinds={"python", "parquet"}, rules=_RULES),
        "actor_entities": out("actor_entities", kinds={"python", "parquet"}, rules=_RULES),
    },
    partitions_def=municipalities,
)
def find_actors(
    context: dg.AssetExecutionContext,
    corpus: Corpus,
    raw_crawl: pl.DataFrame,
    filtered_pages: pl.DataFrame,
    classified_initiatives: pl.DataFrame,
) -> tuple[dg.Output[pl.DataFrame], dg.Output[pl.DataFrame]]:
    """Find the actors of one municipality's initiatives and place them in the taxonomy."""
    pages = {page.page_id: page for page in kept_pages(raw_crawl, filtered_pages)}
    engine = corpus.coder(context.run_id)
    mentions, entities = actor_rows(classified_initiatives.to_dicts(), pages, engine, context.partition_key)
    unresolved = sum(row["how_decided"] == "unresolved" for row in entities)
    return (
        dg.Output(contract("actor_mentions").frame(mentions), output_name="actor_mentions"),
        dg.Output(
            contract("actor_entities").frame(entities),
            output_name="actor_entities",
            metadata={
                "unresolved": unresolved,
                "persons_named": persons_named(pages.values()),
                **engine.account(),
            },
        ),
    )
