"""The report: one self-contained page, published only when the gates are open."""

import dagster as dg
import polars as pl

from tryg_assets.assets._spec import GROUPS, OWNER
from tryg_assets.assets.aggregates import MARTS
from tryg_assets.domain.coding.claude.prices import Prices
from tryg_assets.domain.reliability.gate import Gate, judge_gate
from tryg_assets.domain.reporting.publication import publish
from tryg_assets.domain.reporting.report import Costs, ReportData
from tryg_assets.errors import NotPublishable
from tryg_assets.resources import Corpus


@dg.asset(
    description="The report in Danish: funnel, coverage, types, actors, co-occurrence, agreement and corrected numbers. Grain: one file.",
    group_name=GROUPS["aggregates"],
    kinds={"html"},
    owners=[OWNER],
    code_version="2",
    ins={name: dg.AssetIn() for name in MARTS},
)
def report(
    corpus: Corpus,
    agreement: pl.DataFrame,
    corrected_estimates: pl.DataFrame,
    page_codings: pl.DataFrame,
    classified_initiatives: pl.DataFrame,
    municipality_replies: pl.DataFrame,
    spend: pl.DataFrame,
    **marts: pl.DataFrame,
) -> dg.MaterializeResult[None]:
    """Write the report, or a draft that says why it is not published. Reads the latest agreement itself."""
    gate, engine = Gate.load(), corpus.coder()
    data = ReportData(
        marts=marts,
        agreement=agreement,
        corrected=corrected_estimates,
        initiatives=classified_initiatives.filter(pl.col("municipality").is_in(list(corpus.sites))),
        missing=corpus.missing(marts["municipality_overview"]),
        corpus=corpus.settings.source,
        engine=engine.engine,
        engine_label=engine.label,
        codebook_hash=engine.codebook_hash,
        generated_at=corpus.clock(),
        gate=judge_gate(agreement.iter_rows(named=True), gate),
        draft=False,
        replies=municipality_replies,
        codebooks=tuple(
            page_codings.filter(pl.col("municipality").is_in(list(corpus.sites)))["codebook_hash"]
            .unique()
            .sort()
        ),
        costs=Costs.of(spend, corpus.settings.model, Prices.load()) if engine.engine == "claude" else None,
    )
    try:
        path = publish(data, corpus.settings.report, gate)
    except NotPublishable as problem:
        raise dg.Failure(description=str(problem), allow_retries=False) from problem
    return dg.MaterializeResult(
        metadata={"path": dg.MetadataValue.path(str(path)), "published": path.name == "index.html"}
    )
