"""The report's figures: altair charts drawn to inline SVG.

Names and values are written above the bars, not beside them, so that a figure is narrow enough for a phone.
A figure never stands alone: the template sets the same numbers beside it as a table.
"""

from __future__ import annotations

import base64
import textwrap
from typing import Any

import numpy as np
import polars as pl
from markupsafe import Markup, escape
from numpy.typing import NDArray

from tryg_assets.domain.reporting.danish import number, percent

INK, MUTED, BLUE, PALE, AMBER = "#1f2d3a", "#52616f", "#2f6f94", "#a9c9dc", "#b4540a"
MASTER_COLOURS = ("#2f6f94", "#b4540a", "#3f7d58", "#7a5a9e", "#a8325a", "#8a6d1b", "#52616f")
_WIDTH = 460
_FONT = "Helvetica Neue, Helvetica, Arial, sans-serif"
_NETWORK_PAIRS = 36
_SEED = 11


def counts(rows: pl.DataFrame, description: str) -> Markup:
    """Draw one bar per row of ``label`` and ``n``, in the order given."""
    import altair as alt

    table = rows.select("label", "n", text=pl.col("n").map_elements(number, return_dtype=pl.String))
    base = alt.Chart(table).encode(y=_rows(table))
    bars = base.mark_bar(color=BLUE, height=10, cornerRadiusEnd=2).encode(
        x=alt.X("n:Q", axis=None, stack=None, scale=alt.Scale(domainMin=0))
    )
    return _svg(alt.layer(bars, *_captions(base)), description, height=38 * table.height)


def shares(rows: pl.DataFrame, description: str) -> Markup:
    """Draw ``share`` with its interval as bars and ``published_share`` as a diamond, in the order given.

    ``rows`` has label, part, whole, share, ci_low, ci_high and published_share.
    """
    import altair as alt

    table = rows.with_columns(
        text=pl.struct("share", "part", "whole").map_elements(
            lambda row: f"{percent(row['share'])}  ({number(row['part'])} af {number(row['whole'])})",
            return_dtype=pl.String,
        )
    )
    top = max(
        [0.05, *(value for name in ("ci_high", "published_share") for value in table[name].drop_nulls())]
    )
    base = alt.Chart(table).encode(y=_rows(table))
    axis = alt.Axis(labelExpr="format(datum.value * 100, '.0f') + ' %'", tickCount=5, title=None, grid=True)
    bars = base.mark_bar(color=PALE, height=10, cornerRadiusEnd=2).encode(
        x=alt.X(
            "share:Q",
            axis=axis,
            stack=None,
            scale=alt.Scale(domain=[0, 1.0 if top > 0.8 else top * 1.04], nice=False),
        )
    )
    whiskers = base.mark_rule(color=INK, strokeWidth=1.6).encode(x="ci_low:Q", x2="ci_high:Q")
    published = base.mark_point(shape="diamond", size=75, filled=True, color=AMBER, opacity=1).encode(
        x="published_share:Q"
    )
    return _svg(alt.layer(bars, whiskers, published, *_captions(base)), description, height=40 * table.height)


def agreement(rows: pl.DataFrame, floor: float, target: float) -> Markup:
    """Draw the agreement of each row with its interval, with lines at floor and target, in the order given.

    ``rows`` has label, n, percent_agreement, ci_low and ci_high, all there.
    """
    import altair as alt

    table = rows.with_columns(
        label=pl.struct("label", "percent_agreement", "n").map_elements(
            lambda row: f"{percent(row['percent_agreement'])} (n = {number(row['n'])}) {row['label']}",
            return_dtype=pl.String,
        ),
        reached=pl.col("ci_low") >= floor,
    )
    axis = alt.Axis(labelExpr="format(datum.value * 100, '.0f') + ' %'", tickCount=5, title=None, grid=True)
    scale = alt.Scale(domain=[max(0.0, min(floor, *table["ci_low"]) - 0.05), 1.0], nice=False, zero=False)
    base = alt.Chart(table).encode(
        y=_rows(table),
        color=alt.Color("reached:N", scale=alt.Scale(domain=[True, False], range=[BLUE, AMBER]), legend=None),
    )
    low, share = (alt.X(f"{name}:Q", scale=scale, axis=axis) for name in ("ci_low", "percent_agreement"))
    whiskers = base.mark_rule(strokeWidth=1.6).encode(x=low, x2="ci_high:Q")
    points = base.mark_point(size=60, filled=True, opacity=1).encode(x=share)
    marks = pl.DataFrame({"at": [floor, target], "of": ["gulv", "mål"]})
    at = alt.Chart(marks).encode(x=alt.X("at:Q", scale=scale, axis=axis))
    lines = at.mark_rule(color=MUTED, strokeDash=[4, 3])
    names = at.mark_text(color=INK, fontSize=12, baseline="bottom", dy=-4).encode(y=alt.value(0), text="of:N")
    captions, _ = _captions(alt.Chart(table).encode(y=_rows(table)))
    description = "Overensstemmelse med 95 %-interval; stiplede linjer ved gulv og mål."
    return _svg(alt.layer(lines, whiskers, points, names, captions), description, height=40 * table.height)


def data_uri(drawn: Markup) -> str:
    """Return a figure as an address that holds it whole, for where a file cannot be shown (Markdown in the Dagster UI)."""
    return f"data:image/svg+xml;base64,{base64.b64encode(drawn.encode()).decode()}"


def network(pairs: pl.DataFrame, description: str) -> Markup:
    """Draw the strongest of ``pairs`` (the mart ``actor_cooccurrence``) as a network with a layout that is always the same."""
    import altair as alt
    import networkx as nx

    strongest = pairs.sort(
        ["initiatives", "subcategory_a", "subcategory_b"], descending=[True, False, False]
    ).head(_NETWORK_PAIRS)
    graph = nx.Graph()
    for row in strongest.iter_rows(named=True):
        for side in ("a", "b"):
            graph.add_node(
                row[f"subcategory_{side}"],
                label=in_two_lines(row[f"label_{side}"]),
                master=row[f"master_label_{side}"],
                initiatives=row[f"initiatives_{side}"],
            )
        graph.add_edge(row["subcategory_a"], row["subcategory_b"], weight=row["initiatives"])
    # Weights only thicken the lines: if they also pulled, the strong actors would lie on top of each other.
    place = nx.spring_layout(
        graph, seed=_SEED, weight=None, k=3.2 / max(1, graph.number_of_nodes()) ** 0.5, iterations=300
    )
    at = dict(zip(graph, _spread(np.array([place[node] for node in graph])), strict=True))
    nodes = pl.DataFrame([{"x": at[node][0], "y": at[node][1], **graph.nodes[node]} for node in graph])
    lines = pl.DataFrame(
        [
            {"x": at[a][0], "y": at[a][1], "x2": at[b][0], "y2": at[b][1], "n": weight}
            for a, b, weight in graph.edges(data="weight")
        ]
    )
    heaviest = max(weight for _, _, weight in graph.edges(data="weight"))
    masters = sorted(nodes["master"].unique())
    hidden: dict[str, Any] = {"axis": None, "scale": alt.Scale(zero=False, nice=False, padding=64)}
    edges = (
        alt.Chart(lines)
        .mark_rule(color="#8fa3b3", opacity=0.55, strokeCap="round")
        .encode(
            x=alt.X("x:Q", **hidden),
            y=alt.Y("y:Q", **hidden),
            x2="x2:Q",
            y2="y2:Q",
            strokeWidth=alt.StrokeWidth(
                "n:Q", scale=alt.Scale(domain=[0, heaviest], range=[0, 8]), legend=None
            ),
        )
    )
    points = alt.Chart(nodes).encode(x=alt.X("x:Q", **hidden), y=alt.Y("y:Q", **hidden))
    dots = points.mark_circle(opacity=1, stroke="white", strokeWidth=1.5).encode(
        size=alt.Size("initiatives:Q", scale=alt.Scale(domainMin=0, range=[40, 900]), legend=None),
        color=alt.Color(
            "master:N",
            scale=alt.Scale(domain=masters, range=list(MASTER_COLOURS[: len(masters)])),
            legend=alt.Legend(title=None, orient="bottom", columns=4, symbolSize=110, labelLimit=220),
        ),
    )
    above = alt.expr("indexof(datum.label, '\\n') < 0 ? -17 : -32")  # a second line grows downward
    style: dict[str, Any] = {
        "dy": above,
        "fontSize": 13,
        "baseline": "bottom",
        "lineBreak": "\n",
        "lineHeight": 15,
    }
    halo = points.mark_text(stroke="white", strokeWidth=4, strokeJoin="round", **style).encode(text="label:N")
    names = points.mark_text(color=INK, **style).encode(text="label:N")
    return _svg(alt.layer(edges, dots, halo, names), description, width=860, height=560)


def _spread(places: NDArray[np.float64]) -> list[list[float]]:
    """Return places halfway between where they are and evenly spread, so that the names in a dense middle can be read."""
    ranks = places.argsort(axis=0).argsort(axis=0) / (len(places) - 1)
    scaled = (places - places.min(axis=0)) / np.maximum(np.ptp(places, axis=0), 1e-9)
    spread: list[list[float]] = ((ranks + scaled) / 2).tolist()
    return spread


def in_two_lines(label: str) -> str:
    """Return a name broken into at most two lines of 24 characters; what does not fit is shown as an ellipsis."""
    return "\n".join(textwrap.wrap(label, width=24, max_lines=2, placeholder=" …"))


def _rows(table: pl.DataFrame) -> Any:
    import altair as alt

    # The band is wide and the bar thin; the caption is drawn in the band, above the bar.
    return alt.Y(
        "label:N", sort=table["label"].to_list(), axis=None, scale=alt.Scale(paddingInner=0, paddingOuter=0.1)
    )


def _captions(base: Any) -> tuple[Any, Any]:
    import altair as alt

    style: dict[str, Any] = {"dy": -15, "fontSize": 13, "baseline": "middle"}
    return (
        base.mark_text(align="left", color=INK, limit=310, **style).encode(x=alt.value(0), text="label:N"),
        base.mark_text(align="right", color=MUTED, **style).encode(x=alt.value(_WIDTH), text="text:N"),
    )


def _svg(chart: Any, description: str, *, height: int, width: int = _WIDTH) -> Markup:
    """Draw ``chart``; ``description`` is what a screen reader says in its place."""
    import vl_convert

    spec = (
        chart.properties(width=width, height=height, background="transparent", padding=4)
        .configure(font=_FONT, aria=False)
        .configure_view(stroke=None)
        .configure_axis(
            gridColor="#e3e9ee", domain=False, ticks=False, labelColor=MUTED, labelFontSize=12, labelPadding=6
        )
        .configure_legend(labelColor=INK, labelFontSize=13)
    )
    drawn: str = vl_convert.vegalite_to_svg(spec.to_dict())
    start = drawn.index("<svg")
    return Markup(f'<svg role="img" aria-label="{escape(description)}"') + Markup(
        drawn[start + len("<svg") :]
    )
