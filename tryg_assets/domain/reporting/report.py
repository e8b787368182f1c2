"""The report as one HTML file that stands alone: no script, no request, figures as inline SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import polars as pl
from markupsafe import Markup
from yarl import URL

from tryg_assets.contracts import contract
from tryg_assets.domain.coding.claude.masking import published
from tryg_assets.domain.coding.claude.prices import Prices
from tryg_assets.domain.reliability.agreement import ALL, PAGE, labels
from tryg_assets.domain.reliability.gate import Gate, GateResult
from tryg_assets.domain.reliability.measured import of_engine, read_measurements
from tryg_assets.domain.reporting import charts, danish
from tryg_assets.domain.reporting.html import environment

Row = dict[str, Any]

_EXAMPLES_PER_AREA = 2
_PAIRS_IN_TABLE = 15
_QUOTE_LENGTH = 320


@dataclass(frozen=True, slots=True)
class Costs:
    """What the coding has cost; ``tasks`` are (task, requests, US dollars), ``rate`` says at what rate kroner are reckoned."""

    requests: int
    usd: Decimal
    dkk: Decimal
    rate: str
    tasks: tuple[tuple[str, int, float], ...]

    @classmethod
    def of(cls, spend: pl.DataFrame, model: str, prices: Prices) -> Costs:
        """Add up the table ``spend`` for one model."""
        rows = spend.filter(pl.col("model") == model)
        usd = Decimal(str(round(rows["cost_usd"].sum(), 6)))
        exchange = prices.dkk_per_usd
        return cls(
            requests=int(rows["requests"].sum()),
            usd=usd,
            dkk=prices.dkk(usd),
            rate=f"{danish.decimal(float(exchange.rate))} kr. pr. dollar ({exchange.source}, {exchange.checked_on:%d.%m.%Y})",
            tasks=tuple(rows.group_by("task").agg(pl.sum("requests", "cost_usd")).sort("task").iter_rows()),
        )


@dataclass(frozen=True, slots=True)
class ReportData:
    """What the report is made from.

    ``marts`` are the marts by name, ``agreement``, ``corrected`` and ``initiatives`` the tables ``agreement``,
    ``corrected_estimates`` and ``classified_initiatives`` of one engine, ``missing`` the (name, reason) of municipalities not read.
    ``replies`` is the table ``municipality_replies``, shown beside the numbers.
    ``codebooks`` are the hashes found on the codings, which must all be ``codebook_hash``.
    ``costs`` is what the coding has cost, nothing for an engine that asks no language model.
    ``draft`` marks a report that may not be published; the gate's reasons then stand on its front.
    """

    marts: Mapping[str, pl.DataFrame]
    agreement: pl.DataFrame
    corrected: pl.DataFrame
    initiatives: pl.DataFrame
    missing: Sequence[tuple[str, str]]
    corpus: Literal["sample", "live", "sites"]
    engine: str
    engine_label: str
    codebook_hash: str
    generated_at: datetime
    gate: GateResult
    draft: bool
    codebooks: tuple[str, ...] = ()
    replies: pl.DataFrame = field(default_factory=lambda: contract("municipality_replies").empty())
    costs: Costs | None = None


def render_report(data: ReportData) -> str:
    """Return the report as HTML. The same data give the same bytes; empty tables give a report that says so."""
    pages = environment()
    pages.filters["shade"] = shade
    return pages.get_template("report.html.j2").render(
        data=data,
        measured=of_engine(data.engine, read_measurements()),
        thresholds=Gate.load(),
        key=_key_figures(data),
        funnel=_funnel(data.marts["funnel"]),
        drops=_drops(data.marts["funnel_drops"]),
        coverage=_coverage(data.marts["focus_area_coverage"]),
        by_type=_by_type(data.marts["focus_area_by_type"]),
        actors=_actors(data.marts["top_actors"]),
        pairs=_pairs(data.marts["actor_cooccurrence"], data.marts["top_actors"]),
        examples=examples(
            data.initiatives, data.marts["focus_area_coverage"], data.marts["municipality_overview"]
        ),
        replies=_replies(data),
        agreement=_agreement(data.agreement),
        corrected=_corrected(data.corrected, data.marts["focus_area_by_type"]),
        municipalities=sorted(
            data.marts["municipality_overview"].iter_rows(named=True),
            key=lambda row: danish.alphabet(row["name"]),
        ),
    )


def _key_figures(data: ReportData) -> Row:
    overview, coverage = data.marts["municipality_overview"], data.marts["focus_area_coverage"]
    relevance = data.agreement.filter(
        (pl.col("task") == "relevance")
        & (pl.col("item") == PAGE)
        & (pl.col("texts") == "all")
        & (pl.col("n") > 0)
        & pl.col("judged")
    ).to_dicts()
    counted = coverage.filter(pl.col("municipalities") > 0).sort(
        ["municipalities", "position"], descending=[True, False]
    )
    return {
        "sites": overview.height,
        "read": overview.filter(pl.col("status") != "ikke læst").height,
        "with_initiative": overview.filter(pl.col("initiatives") > 0).height,
        "n": dict(data.marts["funnel"].select("stage", "n").iter_rows()),
        "relevance": relevance[-1] if relevance else None,
        "widest": counted.row(0, named=True) if counted.height else None,
        "narrowest": counted.row(-1, named=True) if counted.height > 1 else None,
        "initiatives": next(
            iter(
                data.marts["funnel"]
                .filter((pl.col("stage") == "classified_initiatives") & pl.col("corrected").is_not_null())
                .iter_rows(named=True)
            ),
            None,
        ),
        "gap": _widest_gap(data.marts["focus_area_by_type"]),
        "actor": next(data.marts["top_actors"].iter_rows(named=True), None),
    }


def _widest_gap(by_type: pl.DataFrame) -> Row | None:
    """Return the focus area in which two types of municipality differ most, with the two cells."""
    best: Row | None = None
    for _, cells in (
        by_type.drop_nulls("share")
        .sort(["position", "type_position"])
        .group_by("focus_area", maintain_order=True)
    ):
        ordered = cells.sort("share", descending=True, maintain_order=True)
        most, least = ordered.row(0, named=True), ordered.row(-1, named=True)
        if most["share"] - least["share"] > (best["most"]["share"] - best["least"]["share"] if best else 0):
            best = {"label": most["label"], "most": most, "least": least}
    return best


def _funnel(mart: pl.DataFrame) -> Row:
    rows = mart.sort("position")
    return {
        "rows": rows.to_dicts(),
        "chart": _unless_zero(
            rows, "n", charts.counts, "Søjlediagram: hvor meget der er tilbage efter hvert trin."
        ),
    }


def _drops(mart: pl.DataFrame) -> Row:
    rows = mart.sort(["n", "reason"], descending=[True, False])
    return {
        "rows": rows.to_dicts(),
        "total": int(rows["n"].sum()),
        "chart": _unless_zero(rows, "n", charts.counts, "Søjlediagram: sider sorteret fra, efter grund."),
    }


def _coverage(mart: pl.DataFrame) -> Row:
    rows = mart.rename({"municipalities": "part", "of_sites": "whole"}).sort(
        ["part", "position"], descending=[True, False]
    )
    text = "Søjlediagram: andel af kommunerne med mindst én indsats i hvert fokusområde, med interval og rapportens andel."
    return {"rows": rows.to_dicts(), "chart": _unless_zero(rows, "whole", charts.shares, text)}


def _actors(mart: pl.DataFrame) -> Row:
    rows = mart.rename({"initiatives": "part", "of_initiatives": "whole"}).sort("rank")
    text = (
        "Søjlediagram: andel af indsatserne, der nævner hver aktørgruppe, med interval og rapportens andel."
    )
    return {"rows": rows.to_dicts(), "chart": _unless_zero(rows, "whole", charts.shares, text)}


def _unless_zero(rows: pl.DataFrame, column: str, draw: Any, description: str) -> Markup | None:
    """Draw a figure unless there is nothing to draw."""
    return draw(rows, description) if rows[column].sum() else None


def _by_type(mart: pl.DataFrame) -> Row:
    ordered = mart.sort(["position", "type_position"])
    heads = ordered.group_by("type", maintain_order=True).first().sort("type_position")
    return {
        "types": heads.select("type_label", "of_sites").to_dicts(),
        "rows": [
            {"label": cells["label"][0], "cells": cells.to_dicts()}
            for _, cells in ordered.group_by("focus_area", maintain_order=True)
        ],
    }


def _pairs(mart: pl.DataFrame, top_actors: pl.DataFrame) -> Row:
    total = int(top_actors["of_initiatives"][0]) if top_actors.height else 0
    rows = mart.with_columns(
        lift=pl.col("initiatives") * total / (pl.col("initiatives_a") * pl.col("initiatives_b"))
    ).sort(["initiatives", "subcategory_a", "subcategory_b"], descending=[True, False, False])
    text = "Netværk: aktørgrupper, der oftest nævnes i de samme indsatser. Tykkere streg: flere fælles indsatser."
    return {
        "rows": rows.head(_PAIRS_IN_TABLE).to_dicts(),
        "total": rows.height,
        "chart": charts.network(mart, text) if mart.height else None,
    }


def examples(initiatives: pl.DataFrame, coverage: pl.DataFrame, overview: pl.DataFrame) -> list[Row]:
    """Return up to two initiatives for each focus area, each with quote and page.

    Those described on most pages come first; no initiative is shown twice, and the two are from different municipalities.
    """
    names = dict(overview.select("municipality", "name").iter_rows())
    ordered = sorted(
        (row for row in initiatives.iter_rows(named=True) if row["municipality"] in names),
        key=lambda row: (-len(row["pages"]), len(row["focus_areas"]), row["initiative_id"]),
    )
    used: set[str] = set()
    found = []
    for area in coverage.sort("position").iter_rows(named=True):
        chosen: list[Row] = []
        for row in ordered:
            places = {other["municipality"] for other in chosen}
            if (
                area["focus_area"] in row["focus_areas"]
                and row["initiative_id"] not in used
                and row["municipality"] not in places
            ):
                chosen.append(row)
                used.add(row["initiative_id"])
            if len(chosen) == _EXAMPLES_PER_AREA:
                break
        found.append(
            {
                "label": area["label"],
                "initiatives": [_example(row, names[row["municipality"]]) for row in chosen],
            }
        )
    return found


def _example(row: Row, municipality: str) -> Row:
    quote = published(row["quote"].strip()).text
    if len(quote) > _QUOTE_LENGTH:
        quote = f"{quote[:_QUOTE_LENGTH].rsplit(' ', 1)[0]} …"
    return {
        "name": published(row["name"]).text,
        "municipality": municipality,
        "kind": row["kind"].replace("_", " "),
        "quote": quote,
        "url": web_address(row["evidence_url"]),
        "page_id": row["evidence_page"],
        "pages": len(row["pages"]),
    }


def _replies(data: ReportData) -> list[Row]:
    """Return what municipalities replied, by name; a link is shown only if it is a web address."""
    names = dict(data.marts["municipality_overview"].select("municipality", "name").iter_rows())
    rows = [
        {**row, "municipality": names[row["municipality"]], "link": web_address(row["link"] or "")}
        for row in data.replies.iter_rows(named=True)
        if row["municipality"] in names
    ]
    return sorted(rows, key=lambda row: (danish.alphabet(row["municipality"]), row["name"], row["reply_id"]))


def web_address(text: str) -> str | None:
    """Return ``text`` if it is an http(s) address; a page must not bring another kind of link into the report."""
    try:
        url = URL(text)
    except ValueError:
        return None
    return text if url.scheme in ("http", "https") and url.host else None


def _agreement(table: pl.DataFrame) -> list[Row]:
    """Return the agreement with the gold version to go by, as one group of rows per set of texts."""
    groups = []
    names = labels()
    order = {what: place for place, what in enumerate(names)}
    for (texts,), rows in sorted(table.filter(pl.col("judged") & (pl.col("n") > 0)).group_by("texts")):
        shown = sorted(rows.iter_rows(named=True), key=lambda row: order[row["task"], row["item"]])
        groups.append(
            {
                **{
                    name: shown[0][name]
                    for name in (
                        "gold_version",
                        "coder_kind",
                        "human_n",
                        "human_alpha",
                        "human_low",
                        "human_high",
                    )
                },
                "texts": texts,
                "rows": [{**row, "label": names[row["task"], row["item"]]} for row in shown],
            }
        )
    return groups


_UNITS = {
    "sider": "Sider, der beskriver en indsats",
    "indsatser": "Indsatser",
    "kommuner": "Kommuner med mindst én",
}


def _corrected(table: pl.DataFrame, by_type: pl.DataFrame) -> Row:
    """Return the corrected numbers that have no table of their own: in all, by type of municipality, pages by focus area.

    ``short`` says in a word or two why a number of another table is not corrected.
    """
    types = dict(
        by_type.sort("type_position").select("type", "type_label").unique(maintain_order=True).iter_rows()
    )
    areas = dict(
        by_type.sort("position").select("focus_area", "label").unique(maintain_order=True).iter_rows()
    )
    found = {(row["item"], row["type"], row["unit"]): row for row in table.iter_rows(named=True)}
    groups = []
    for kind, name in {"alle": "Hele landet", **types}.items():
        rows = [(label, found.get((ALL, kind, unit))) for unit, label in _UNITS.items()]
        if kind == "alle":
            rows += [(f"Sider om {label}", found.get((area, kind, "sider"))) for area, label in areas.items()]
        groups.append({"label": name, "rows": [{"label": label, **row} for label, row in rows if row]})
    short = {
        (row["about"], row["item"], row["type"], row["unit"]): "for få kodninger"
        if row["labels_needed"]
        else "ikke kodet"
        for row in table.filter(pl.col("corrected").is_null()).iter_rows(named=True)
    }
    return {
        "short": short,
        "groups": [group for group in groups if group["rows"]],
        "by_people": set(table["coder_kind"]) == {"person"},
    }


def shade(share: float | None) -> str:
    """Return the style of a heat cell: pale to deep blue, with text that can be read on it."""
    if share is None:
        return "background:#f4f6f8"
    low, high = (244, 248, 250), (31, 90, 125)
    colour = ",".join(str(round(a + (b - a) * share)) for a, b in zip(low, high, strict=True))
    return f"background:rgb({colour});color:{'#fff' if share > 0.79 else '#000'}"
