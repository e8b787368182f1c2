"""The quality page beside the report: disagreements between engine and reference, for people to read."""

import dagster as dg
import polars as pl

from tryg_assets.assets._spec import GROUPS, OWNER
from tryg_assets.domain.reporting.quality import QUALITY, find_cases, reference_version, render_quality
from tryg_assets.resources import Corpus
from tryg_assets.storage import write_text


@dg.asset(
    description="Pages on which engine and reference disagree, side by side with the text (Danish). Grain: one file.",
    group_name=GROUPS["agreement"],
    kinds={"html"},
    owners=[OWNER],
    code_version="2",
    deps=["raw_crawl"],
)
def quality_page(
    corpus: Corpus, human_codings: pl.DataFrame, page_codings: pl.DataFrame
) -> dg.MaterializeResult[None]:
    """Write the page, also when the report itself may not be published: it is what one reads to find out why."""
    cases, total = find_cases(human_codings, page_codings, corpus.desk.pages)
    version = reference_version(human_codings)
    kinds = human_codings.filter(pl.col("gold_version") == version)["coder_kind"].unique().sort().to_list()
    path = corpus.settings.report / QUALITY
    html = render_quality(
        cases,
        total,
        version,
        kinds,
        corpus.coder().label,
        corpus.clock(),
        is_sample=corpus.settings.source == "sample",
    )
    write_text(path, html)
    return dg.MaterializeResult(
        metadata={"path": dg.MetadataValue.path(str(path)), "disagreements": total, "shown": len(cases)}
    )
