"""Stage 5: does the engine see what people see? Sample, answers, agreement, corrected numbers, replies of municipalities."""

import dagster as dg
import polars as pl

from tryg_assets import paths
from tryg_assets.assets._spec import CODEBOOK, GROUPS, OWNER, table_asset
from tryg_assets.contracts import contract
from tryg_assets.domain.coding.canaries import Canaries
from tryg_assets.domain.reference import actor_taxonomy, focus_areas
from tryg_assets.domain.reliability.agreement import Actors, agreement_rows
from tryg_assets.domain.reliability.corrected import corrected_rows, named_groups, read_municipalities
from tryg_assets.domain.reliability.reference import read_actor_gold
from tryg_assets.domain.review import store
from tryg_assets.domain.review.adjudication import human_rows
from tryg_assets.domain.review.gold import read_gold
from tryg_assets.domain.review.inbox import import_inbox
from tryg_assets.domain.review.sampling import Design, draw_sample
from tryg_assets.resources import Corpus, LakeResource

DESIGN = CODEBOOK / "review.yml"


@table_asset("review_sample", kinds={"python", "parquet"}, rules=[DESIGN])
def review_sample(corpus: Corpus, page_codings: pl.DataFrame) -> pl.DataFrame:
    """Draw the stratified sample of coded pages that is compared with reference codings."""
    settings, types = corpus.settings, corpus.types
    wanted = page_codings.filter(pl.col("municipality").is_in(list(types)))
    rows = draw_sample(wanted, settings.review_sample_size, settings.seed, types, Design.load())
    return contract("review_sample").frame(rows)


@dg.asset(
    description="What reviewers and municipalities sent: files in TRYG_HOME/review/inbox, read into the state database. Grain: one file.",
    group_name=GROUPS["agreement"],
    kinds={"excel", "sql"},
    owners=[OWNER],
    code_version="1",
)
def review_inbox(corpus: Corpus) -> dg.MaterializeResult[None]:
    """Import every file of the inbox; each gets a receipt, and none stops the others."""
    receipts = import_inbox(corpus.desk)
    return dg.MaterializeResult(
        metadata={
            "files": len(receipts),
            "answers_taken": sum(receipt.taken for receipt in receipts),
            "files_with_rows_refused": sum(not receipt.whole for receipt in receipts),
            "receipts": dg.MetadataValue.text("\n".join(receipt.text() for receipt in receipts) or "-"),
        }
    )


@table_asset("human_codings", kinds={"python", "csv", "sql"}, deps=["review_inbox", "raw_crawl"])
def human_codings(
    context: dg.AssetExecutionContext, corpus: Corpus, review_sample: pl.DataFrame
) -> pl.DataFrame:
    """Read the codings of the sampled pages: data/gold, and people's answers in the state database."""
    desk, gold = corpus.desk, read_gold(paths.GOLD)
    held_out = {row["page_id"]: row["held_out"] for row in gold}
    people = human_rows(desk.codings(), store.gold_versions(desk.state), desk.current(), held_out)
    rows = contract("human_codings").frame([*gold, *people])
    found = rows.filter(pl.col("page_id").is_in(review_sample["page_id"].implode()))
    context.add_output_metadata(
        {"pages": found["page_id"].n_unique(), "coder_kinds": ", ".join(found["coder_kind"].unique().sort())}
    )
    return found


@table_asset("municipality_replies", kinds={"python", "sql"}, deps=["review_inbox"])
def municipality_replies(corpus: Corpus) -> pl.DataFrame:
    """Read each municipality's latest answer to what was found about it."""
    return contract("municipality_replies").frame(store.latest_replies(corpus.desk.state))


@table_asset("actor_codings", kinds={"python", "csv"})
def actor_codings(review_sample: pl.DataFrame) -> pl.DataFrame:
    """Read the actors that reference codings name on the sampled pages from data/gold/actors."""
    gold = contract("actor_codings").frame(read_actor_gold(paths.GOLD / "actors"))
    return gold.filter(pl.col("page_id").is_in(review_sample["page_id"].implode()))


@table_asset("agreement", kinds={"python", "parquet"}, rules=[CODEBOOK / "gate.yml"])
def agreement(
    corpus: Corpus,
    page_codings: pl.DataFrame,
    actor_mentions: pl.DataFrame,
    actor_entities: pl.DataFrame,
    review_sample: pl.DataFrame,
    human_codings: pl.DataFrame,
    actor_codings: pl.DataFrame,
) -> pl.DataFrame:
    """Compare the engine's codings with the reference codings, task by task."""
    masters = list(actor_taxonomy().masters)
    actors = Actors.of(masters, actor_mentions, actor_entities, actor_codings)
    rows = agreement_rows(
        page_codings,
        human_codings,
        review_sample,
        corpus.coder().engine,
        list(focus_areas()),
        actors,
        corpus.settings.seed,
    )
    return contract("agreement").frame(rows)


@table_asset("corrected_estimates", kinds={"python", "parquet"}, rules=[DESIGN], deps=["crawl_log"])
def corrected_estimates(
    corpus: Corpus,
    lake: LakeResource,
    page_codings: pl.DataFrame,
    classified_initiatives: pl.DataFrame,
    actor_mentions: pl.DataFrame,
    actor_entities: pl.DataFrame,
    review_sample: pl.DataFrame,
    human_codings: pl.DataFrame,
    actor_codings: pl.DataFrame,
) -> pl.DataFrame:
    """Correct every published count by what people coded, with an interval, or say why not."""
    types = corpus.types
    listed = pl.col("municipality").is_in(list(types))
    initiatives = classified_initiatives.filter(listed)
    rows = corrected_rows(
        page_codings.filter(listed),
        initiatives,
        named_groups(actor_mentions, actor_entities, initiatives),
        review_sample,
        human_codings,
        actor_codings,
        types=types,
        read=read_municipalities(lake.lake.scan("crawl_log").filter(listed)),
        areas=list(focus_areas()),
        engine=corpus.coder().engine,
        design=Design.load(),
        seed=corpus.settings.seed,
    )
    return contract("corrected_estimates").frame(rows)


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
