"""The report as one HTML file that stands alone: no script, no request, figures as inline SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import jinja2
import polars as pl
from markupsafe import Markup
from yarl import URL

from tryg_assets.domain.reliability.agreement import ALL_AREAS, PAGE, Gate, GateResult
from tryg_assets.domain.reliability.measured import of_engine, read_measurements
from tryg_assets.domain.reporting import charts, danish

Row = dict[str, Any]

_TEMPLATES = Path(__file__).with_name("templates")
_EXAMPLES_PER_AREA = 2
_PAIRS_IN_TABLE = 15
_QUOTE_LENGTH = 320


@dataclass(frozen=True, slots=True)
class ReportData:
    """What the report is made from.

    ``marts`` are the marts by name, ``agreement`` and ``initiatives`` the tables ``agreement`` and
    ``classified_initiatives`` of one engine, ``missing`` the (name, reason) of municipalities not read.
    ``codebooks`` are the hashes found on the codings, which must all be ``codebook_hash``.
    ``draft`` marks a report that may not be published; the gate's reasons then stand on its front.
    """

    marts: Mapping[str, pl.DataFrame]
    agreement: pl.DataFrame
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


def render_report(data: ReportData) -> str:
    """Return the report as HTML. The same data give the same bytes; empty tables give a report that says so."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": danish.number,
        "decimal": danish.decimal,
        "percent": danish.percent,
        "day": danish.day,
        "shade": shade,
    }
    environment.globals["interval"] = danish.interval
    environment.globals["said"] = danish.said
    return environment.get_template("report.html.j2").render(
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
        agreement=_agreement(data.agreement, data.marts["focus_area_coverage"]),
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
    quote = row["quote"].strip()
    if len(quote) > _QUOTE_LENGTH:
        quote = f"{quote[:_QUOTE_LENGTH].rsplit(' ', 1)[0]} …"
    return {
        "name": row["name"],
        "municipality": municipality,
        "kind": row["kind"].replace("_", " "),
        "quote": quote,
        "url": web_address(row["evidence_url"]),
        "page_id": row["evidence_page"],
        "pages": len(row["pages"]),
    }


def web_address(text: str) -> str | None:
    """Return ``text`` if it is an http(s) address; a page must not bring another kind of link into the report."""
    try:
        url = URL(text)
    except ValueError:
        return None
    return text if url.scheme in ("http", "https") and url.host else None


def _agreement(table: pl.DataFrame, coverage: pl.DataFrame) -> list[Row]:
    """Return the agreement as one group of rows per gold version, kind of coder and set of texts."""
    labels = {PAGE: "Er siden en tryghedsindsats?", ALL_AREAS: "Alle fokusområder samlet"}
    labels |= dict(coverage.select("focus_area", "label").iter_rows())
    order = {
        item: place for place, item in enumerate((PAGE, ALL_AREAS, *coverage.sort("position")["focus_area"]))
    }
    groups = []
    for keys, rows in sorted(table.group_by("gold_version", "coder_kind", "texts")):
        version, coder_kind, texts = keys
        ordered = sorted(rows.iter_rows(named=True), key=lambda row: order.get(row["item"], len(order)))
        shown = [{**row, "label": labels.get(row["item"], row["item"])} for row in ordered]
        groups.append({"version": version, "coder_kind": coder_kind, "texts": texts, "rows": shown})
    return groups


def shade(share: float | None) -> str:
    """Return the style of a heat cell: pale to deep blue, with text that can be read on it."""
    if share is None:
        return "background:#f4f6f8"
    low, high = (244, 248, 250), (31, 90, 125)
    colour = ",".join(str(round(a + (b - a) * share)) for a, b in zip(low, high, strict=True))
    return f"background:rgb({colour});color:{'#fff' if share > 0.79 else '#000'}"
