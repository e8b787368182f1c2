"""The agreement table: an engine against reference codings, per task, item and set of texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from tryg_assets.domain.reference import actor_taxonomy, focus_areas
from tryg_assets.domain.reliability.alpha import alpha_interval, krippendorff_alpha
from tryg_assets.domain.reliability.coefficients import YesNo
from tryg_assets.domain.reliability.design import weighted_share
from tryg_assets.domain.reliability.intervals import Floats, bootstrap, wilson
from tryg_assets.domain.reliability.reference import Answers, by_page, coders_apart, gold_versions
from tryg_assets.domain.review.sampling import ESTIMATE

ALL = "alle"
PAGE = "page"


def labels() -> dict[tuple[str, str], str]:
    """Return the name of each task and item for readers (Danish), in the order they are shown."""
    return {
        ("relevance", PAGE): "Indsats eller ej",
        ("focus_area", ALL): "Fokusområder",
        **{("focus_area", area.id): area.name for area in focus_areas().values()},
        ("actor", ALL): "Aktører",
        **{("actor", master): name for master, name in actor_taxonomy().masters.items()},
    }


@dataclass(frozen=True, slots=True)
class Actors:
    """Categories of actors by page: as the engine found them and, by gold version, as they were coded."""

    categories: Sequence[str]
    engine: Mapping[str, Set[str]]
    coded: Mapping[str, Mapping[str, Set[str]]]

    @classmethod
    def of(
        cls, categories: Sequence[str], mentions: pl.DataFrame, entities: pl.DataFrame, codings: pl.DataFrame
    ) -> Actors:
        """Collect the master categories from ``actor_mentions``, ``actor_entities`` and ``actor_codings``."""
        column = "master_category"
        found = mentions.join(
            entities.select("entity_id", "municipality", column), on=["entity_id", "municipality"]
        )
        return cls(
            categories,
            by_page(found.iter_rows(named=True), column),
            {
                str(version): by_page(part.iter_rows(named=True), column)
                for (version,), part in codings.group_by("gold_version")
            },
        )


@dataclass(frozen=True, slots=True)
class _Pages:
    """The sampled pages of a gold version: stratum, weight and municipality of each."""

    ids: tuple[str, ...]
    strata: tuple[str, ...]
    weights: Floats
    municipalities: tuple[str, ...]


def agreement_rows(
    codings: pl.DataFrame,
    reference: pl.DataFrame,
    sample: pl.DataFrame,
    engine: str,
    areas: Sequence[str],
    actors: Actors | None = None,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Compare ``page_codings`` with ``human_codings`` on the pages of ``review_sample`` drawn for estimates.

    A doubt counts as no on either side (the report's conservative rule). Focus areas, and categories of actors where they
    were coded, are compared on the pages the reference calls an initiative, as the report's second test did, so a page the
    engine missed counts as none. Every page has the weight of the pages it was drawn from, so the figures speak of all kept
    pages; the raw share of the labels themselves stands beside.

    Returns rows of the table ``agreement``: relevance, each focus area, each category of actors and both pooled, for all texts
    and for the held-out texts, per gold version. No row for a gold version that shares no page with the sample.
    """
    coded = {row["page_id"]: row for row in codings.iter_rows(named=True)}
    drawn = {
        row["page_id"]: row
        for row in sample.filter(pl.col("purpose") == ESTIMATE).sort("page_id").iter_rows(named=True)
        if row["page_id"] in coded
    }
    people: dict[tuple[str, str], dict[str, Any]] = {}
    nobody = dict.fromkeys(("human_alpha", "human_low", "human_high"), None) | {"human_n": 0}
    rows: list[dict[str, Any]] = []
    versions = [
        v for v in gold_versions(reference) if drawn.keys() & v.yes.get(("relevance", PAGE), {}).keys()
    ]
    for answers in versions:
        for texts in ("all", "held_out"):
            pages = _pages(drawn, answers, held_out_only=texts == "held_out")
            for task, item, decisions in _decisions(answers, coded, areas, actors):
                if (task, item) not in people:
                    people[task, item] = _people(reference, task, item, seed)
                rows.append(
                    {
                        "task": task,
                        "item": item,
                        "engine": engine,
                        "gold_version": answers.version,
                        "texts": texts,
                        "coder_kind": answers.coder_kind,
                        "judged": answers is versions[-1],
                        "coded_on": answers.coded_on,
                        **_measure(pages, decisions, seed),
                        **(people[task, item] if answers.coder_kind == "person" else nobody),
                    }
                )
    return rows


def _pages(drawn: Mapping[str, Mapping[str, Any]], answers: Answers, *, held_out_only: bool) -> _Pages:
    """Return the coded pages of the sample. Where some were not coded, the coded ones of a stratum stand for all of it."""
    relevance = answers.yes["relevance", PAGE]
    coded = [page for page in drawn if page in relevance]
    n: dict[str, int] = {}
    for page in coded:
        n[drawn[page]["stratum"]] = n.get(drawn[page]["stratum"], 0) + 1
    ids = tuple(page for page in coded if page in answers.held_out or not held_out_only)
    strata = tuple(drawn[page]["stratum"] for page in ids)
    weights = [drawn[page]["stratum_size"] / n[drawn[page]["stratum"]] for page in ids]
    return _Pages(ids, strata, np.array(weights), tuple(drawn[page]["municipality"] for page in ids))


# What engine and reference say: per page, a pair for each decision on it.
_Decisions = Mapping[str, Sequence[tuple[bool, bool]]]


def _decisions(
    answers: Answers, coded: Mapping[str, Mapping[str, Any]], areas: Sequence[str], actors: Actors | None
) -> Iterator[tuple[str, str, _Decisions]]:
    relevance = answers.yes["relevance", PAGE]
    yield (
        "relevance",
        PAGE,
        {
            page: [(coded[page]["is_initiative"] == "yes", yes)]
            for page, yes in relevance.items()
            if page in coded
        },
    )
    initiatives = answers.initiatives() & coded.keys()
    by_area = {
        area: {
            page: [(area in coded[page]["focus_areas"], yes)]
            for page, yes in answers.yes.get(("focus_area", area), {}).items()
            if page in initiatives
        }
        for area in areas
    }
    yield from _each_and_pooled("focus_area", by_area)
    if actors is not None and answers.version in actors.coded:
        named = actors.coded[answers.version]
        by_category = {
            category: {
                page: [(category in actors.engine.get(page, ()), category in named.get(page, ()))]
                for page in initiatives
            }
            for category in actors.categories
        }
        yield from _each_and_pooled("actor", by_category)


def _each_and_pooled(task: str, items: Mapping[str, _Decisions]) -> Iterator[tuple[str, str, _Decisions]]:
    pooled: dict[str, list[tuple[bool, bool]]] = {}
    for item, decisions in items.items():
        yield task, item, decisions
        for page, pairs in decisions.items():
            pooled.setdefault(page, []).extend(pairs)
    yield task, ALL, pooled


def _measure(pages: _Pages, decisions: _Decisions, seed: int) -> dict[str, Any]:
    cells = np.array([_cells(decisions.get(page, ())) for page in pages.ids]).reshape(-1, 4)
    raw = YesNo(*(int(cell) for cell in cells.sum(axis=0)))
    agreed, n = cells[:, 0] + cells[:, 3], cells.sum(axis=1)
    strata = np.unique(np.array(pages.strata, dtype=str), return_inverse=True)[1].astype(np.int64)
    share = weighted_share(strata, pages.weights, agreed, n)
    weighted = cells * pages.weights[:, None]
    # Weights are scaled to the number of decisions, which is what coefficients correct for small samples by.
    scale = raw.n / weighted.sum() if weighted.sum() else 1.0
    table = YesNo(*(float(cell) for cell in weighted.sum(axis=0) * scale))
    inverted = YesNo(table.both_no, table.reference_only, table.engine_only, table.both_yes)
    places = np.unique(np.array(pages.municipalities, dtype=str), return_inverse=True)[1]
    clusters = np.zeros((int(places.max()) + 1 if len(places) else 0, 4))
    np.add.at(clusters, places, weighted)
    kappas = bootstrap(clusters, _kappas, seed=seed)
    raw_interval = wilson(raw.agreed, raw.n)
    return {
        "n": int(raw.n),
        "both_yes": int(raw.both_yes),
        "engine_only": int(raw.engine_only),
        "reference_only": int(raw.reference_only),
        "both_no": int(raw.both_no),
        "percent_agreement": share.value if share else None,
        "ci_low": share.interval.low if share else None,
        "ci_high": share.interval.high if share else None,
        "effective_n": share.effective_n if share else None,
        "raw_agreement": raw.agreed / raw.n if raw.n else None,
        "raw_low": raw_interval.low if raw_interval else None,
        "raw_high": raw_interval.high if raw_interval else None,
        "kappa": table.kappa,
        "kappa_low": kappas.low if kappas else None,
        "kappa_high": kappas.high if kappas else None,
        "ac1": table.ac1,
        "alpha": _alpha(table),
        "precision": table.precision,
        "recall": table.recall,
        "f1": table.f1,
        "support": int(raw.both_yes + raw.reference_only),
        "precision_no": inverted.precision,
        "recall_no": inverted.recall,
        "f1_no": inverted.f1,
        "support_no": int(raw.both_no + raw.engine_only),
    }


def _cells(pairs: Sequence[tuple[bool, bool]]) -> tuple[int, int, int, int]:
    return (
        pairs.count((True, True)),
        pairs.count((True, False)),
        pairs.count((False, True)),
        pairs.count((False, False)),
    )


def _kappas(sums: Floats) -> Floats:
    """Return Cohen's kappa of rows of (both yes, engine only, reference only, both no); NaN where undefined."""
    with np.errstate(divide="ignore", invalid="ignore"):
        a, b, c, d = (sums / sums.sum(axis=1, keepdims=True)).T
        expected = (a + b) * (a + c) + (c + d) * (b + d)
        return np.where(expected < 1 - 1e-12, (a + d - expected) / (1 - expected), np.nan)


def _alpha(table: YesNo) -> float | None:
    """Return Krippendorff's alpha, nominal, of a table of two coders, which may hold weights."""
    yes = 2 * table.both_yes + table.engine_only + table.reference_only
    values = 2 * table.n
    if not 0 < yes < values:
        return None
    return 1 - (values - 1) * (table.engine_only + table.reference_only) / (yes * (values - yes))


def _people(reference: pl.DataFrame, task: str, item: str, seed: int) -> dict[str, Any]:
    """Return how many pages at least two people coded for themselves, and their alpha with its interval."""
    coders, pages, places = coders_apart(reference, task, None if item == ALL else item)
    answers = zip(pages, zip(*coders, strict=True), strict=True)
    both = len({page for page, unit in answers if sum(value is not None for value in unit) > 1})
    interval = alpha_interval(coders, clusters=places, seed=seed) if both else None
    return {
        "human_n": both,
        "human_alpha": krippendorff_alpha(coders) if both else None,
        "human_low": interval.low if interval else None,
        "human_high": interval.high if interval else None,
    }


def disagreements(codings: pl.DataFrame, reference: pl.DataFrame, most: int = 20) -> list[dict[str, Any]]:
    """Return the pages where engine and reference differ on relevance, the engine's most confident mistakes first.

    The reference is the gold version to go by.
    """
    versions = gold_versions(reference)
    said = versions[-1].yes.get(("relevance", PAGE), {}) if versions else {}
    answers = pl.DataFrame(
        {"page_id": list(said), "reference_says": ["yes" if yes else "no" for yes in said.values()]},
        schema={"page_id": pl.String, "reference_says": pl.String},
    )
    return (
        answers.join(codings, on="page_id")
        .filter((pl.col("is_initiative") == "yes") != (pl.col("reference_says") == "yes"))
        .sort(["confidence", "page_id"], descending=[True, False])
        .select(
            "municipality",
            "url",
            pl.col("is_initiative").alias("engine_says"),
            "reference_says",
            "confidence",
            "rationale",
            "quote",
        )
        .head(most)
        .to_dicts()
    )
