"""The figure of the Explore page: what a row costs against what it reaches."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from zoo.charts.labels import notes_of_names, place_names
from zoo.charts.style import COLOURS, GREY, SYMBOLS, log_range, log_ticks, plain, shortened
from zoo.selection import PUBLISHED, published_pairs
from zoo.words import Cost, format_gmacs

NAMES_FIT = ((310.0, 165), (930.0, 110))
"""The plot's width on a phone and a laptop, and what is above and below it (legends of more lines)."""
MARGIN = {"l": 8, "r": 8, "t": 24, "b": 8}
BESIDE = 110
"""Pixels of a figure's height that are not its plot's: title of the axis, its numbers, legend."""
MOST_LETTERS = 55
"""Of the words along an upright line, which is as long as the plot is high."""
RING = "#D55E00"
LIMIT = {"color": GREY, "dash": "dash", "width": 2}
SHADE = "rgba(138, 148, 160, 0.14)"
COLUMNS = (
    "dataset",
    "model",
    "qat",
    "miou",
    "twins",
    "on_frontier",
    "family_label",
    "card",
    "name",
    "input_width",
    "input_height",
)
"""Of a table, what is drawn besides the cost."""
Part = dict[str, Any]
"""A trace, a shape or an annotation, as Plotly names its properties."""


def pareto(rows: pd.DataFrame, **asked: Any) -> go.Figure:
    """Return `pareto_parts` as a figure."""
    return go.Figure(pareto_parts(rows, **asked))


def pareto_parts(
    rows: pd.DataFrame,
    *,
    cost: Cost = PUBLISHED,
    budget: float,
    min_miou: float | None = None,
    chosen: Sequence[str] = (),
    answer: str | None = None,
    height: int = 500,
    shown: pd.Series | None = None,
    title: str | None = None,
    beside: Sequence[tuple[str, float]] = (),
) -> Part:
    """Return a data set's rows as points, cost (logarithmic) against mIoU, with its frontier, names on it.

    `rows`: every row of the data set, with `family_label`, `on_frontier`, `twins`, `card` and the cost
    column; rows that lack a number are left out, and of twins the most accurate stands for all. `budget` and
    `min_miou` are lines, the side over the budget is shaded; `chosen` rows are larger, the `answer` has a
    ring. `shown`: which rows pass the filters; the others count for the frontier and the axes, but have no
    point. `beside`: words and costs of what has no mIoU, each an upright line.
    """
    across = cost_range(rows, cost, budget, beside)
    parts = pareto_without_budget(
        rows,
        cost=cost,
        across=across,
        min_miou=min_miou,
        chosen=chosen,
        height=height,
        shown=shown,
        title=title,
        beside=beside,
    )
    return with_budget(parts, rows, cost=cost, budget=budget, across=across, answer=answer)


def cost_range(
    rows: pd.DataFrame, cost: Cost, budget: float, beside: Sequence[tuple[str, float]] = ()
) -> tuple[float, float]:
    """Return the ends of the axis of costs: wherever the budget is among the rows, they are the same."""
    costs = rows[cost.column].to_numpy(float)
    costs = costs[np.isfinite(costs) & np.isfinite(rows["miou"].to_numpy(float))]
    return log_range([*costs.tolist(), budget, *(at for _, at in beside)])


def with_budget(
    parts: Part,
    rows: pd.DataFrame,
    *,
    cost: Cost,
    budget: float,
    across: tuple[float, float],
    answer: str | None,
) -> Part:
    """Return the parts of `pareto_without_budget` with the budget's line, the shade and the answer's ring."""
    layout = parts["layout"]
    shapes, notes = _budget(budget, across[1])
    ring = [(rows.at[answer, cost.column], rows.at[answer, "miou"])] if answer in rows.index else []
    added = {"shapes": [*shapes, *layout["shapes"]], "annotations": [*notes, *layout["annotations"]]}
    return {"data": [*parts["data"], *map(_ring, ring)], "layout": {**layout, **added}}


def pareto_without_budget(
    rows: pd.DataFrame,
    *,
    cost: Cost,
    across: tuple[float, float],
    min_miou: float | None = None,
    chosen: Sequence[str] = (),
    height: int = 500,
    shown: pd.Series | None = None,
    title: str | None = None,
    beside: Sequence[tuple[str, float]] = (),
) -> Part:
    """Return what of `pareto_parts` stays while the budget moves; `across`: of `cost_range`."""
    usable = np.isfinite(rows[cost.column]) & np.isfinite(rows["miou"])
    every = rows = rows.loc[usable, list(dict.fromkeys([cost.column, *COLUMNS]))]
    rows = rows.loc[np.array([twins[0] == row_id for row_id, twins in rows["twins"].items()], bool)]
    points = rows if shown is None else rows[shown[rows.index]]
    on_frontier = rows[rows["on_frontier"]].sort_values([cost.column, "miou"])
    low, high = across
    bottom, top = _miou_range(rows["miou"], min_miou)
    names = _names(
        on_frontier[on_frontier.index.isin(points.index)], rows, cost, (low, high), (bottom, top), height
    )
    shapes, notes = _least(min_miou)
    uprights, words = _without_miou(beside, (low, high))
    ticks = log_ticks(low, high)
    layout = {
        "xaxis": {
            "type": "log",
            "title": {"text": f"{cost.noun}, {cost.basis}"},
            "range": [math.log10(low), math.log10(high)],
            "tickvals": ticks,
            "ticktext": [f"{tick:g}" for tick in ticks],
        },
        "yaxis": {"title": {"text": "mIoU (%), published"}, "range": [bottom, top]},
        "height": height,
        "margin": MARGIN,
        "title": None if title is None else {"text": title, "x": 0, "font": {"size": 14}},
        "legend": {"orientation": "h", "yanchor": "top", "y": -55 / (height - BESIDE), "x": 0},
        "hovermode": "closest",
        "dragmode": "pan",
        "uirevision": "explore",
        "shapes": [*shapes, *uprights],
        "annotations": [*notes, *words, *names],
    }
    lines = [_frontier(on_frontier, cost), *_pairs(points, cost)]
    traces = [*lines, *_points(points, every, cost, chosen)]
    return {"data": traces, "layout": layout}


def _miou_range(miou: pd.Series, min_miou: float | None) -> tuple[float, float]:
    values = [*miou, *([] if min_miou is None else [min_miou])]
    values = values or [0.0, 100.0]  # nobody measured a row here
    air = max(0.5, 0.06 * (max(values) - min(values)))
    return min(values) - air, max(values) + 2 * air


def _frontier(rows: pd.DataFrame, cost: Cost) -> Part:
    return {
        "type": "scatter",
        "x": rows[cost.column].tolist(),
        "y": rows["miou"].tolist(),
        "mode": "lines",
        "name": "Frontier",
        "line": {"shape": "hv", "width": 1.5, "color": GREY},
        "hoverinfo": "skip",
    }


def _pairs(points: pd.DataFrame, cost: Cost) -> Iterator[Part]:
    """Join the points of each network that was published in float and in 8 bits."""
    ends = [row for pair in published_pairs(points) for row in (pair.in_float, pair.in_8_bits, None)]
    if ends:
        yield {
            "type": "scatter",
            "x": [None if row is None else points.at[row, cost.column] for row in ends],
            "y": [None if row is None else points.at[row, "miou"] for row in ends],
            "mode": "lines",
            "name": "Float and 8 bits",
            "line": {"width": 1.5, "color": GREY, "dash": "dot"},
            "hoverinfo": "skip",
        }


def _points(points: pd.DataFrame, every: pd.DataFrame, cost: Cost, chosen: Sequence[str]) -> Iterator[Part]:
    # A family keeps its colour whatever a filter hides.
    for index, name in enumerate(every["family_label"].unique()):
        group = points[points["family_label"] == name]
        if group.empty:
            continue
        is_chosen = [not set(twins).isdisjoint(chosen) for twins in group["twins"]]
        yield {
            "type": "scatter",
            "x": group[cost.column].tolist(),
            "y": group["miou"].tolist(),
            "mode": "markers",
            "name": str(name),
            "customdata": [list(twins) for twins in group["twins"]],
            "text": list(group["card"]),
            "hovertemplate": "%{text}<extra></extra>",
            "marker": {
                "color": COLOURS[index % len(COLOURS)],
                "symbol": SYMBOLS[index % len(SYMBOLS)],
                "size": [16 if larger else 10 for larger in is_chosen],
                "line": {"width": [3 if larger else 0 for larger in is_chosen], "color": GREY},
            },
            "selected": {"marker": {"opacity": 1}},
            "unselected": {"marker": {"opacity": 1}},
        }


def _ring(at: tuple[float, float]) -> Part:
    return {
        "type": "scatter",
        "x": [at[0]],
        "y": [at[1]],
        "mode": "markers",
        "name": "Answer",
        "marker": {"symbol": "circle-open", "size": 22, "color": RING, "line": {"width": 3}},
        "hoverinfo": "skip",
    }


def _budget(budget: float, high: float) -> tuple[list[Part], list[Part]]:
    """Return the shapes of the budget, and what is written beside them."""
    upright = {"y0": 0, "y1": 1, "yref": "paper"}
    over = {"type": "rect", "x0": budget, "x1": high * 100, "fillcolor": SHADE, "line": {"width": 0}}
    shapes: list[Part] = [
        {**over, **upright, "layer": "below", "name": "over the budget"},
        {"type": "line", "x0": budget, "x1": budget, **upright, "line": LIMIT, "name": "budget"},
    ]
    # An annotation on a logarithmic axis takes the exponent.
    notes: list[Part] = [
        {
            "x": math.log10(budget),
            "y": 1,
            "yref": "paper",
            "yanchor": "bottom",
            "text": f"budget {format_gmacs(budget)}",
            "showarrow": False,
        }
    ]
    return shapes, notes


def _least(min_miou: float | None) -> tuple[list[Part], list[Part]]:
    """Return the line of the mIoU that is asked for, and what is written on it."""
    if min_miou is None:
        return [], []
    across = {"type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": min_miou, "y1": min_miou}
    right = {"x": 1, "xref": "paper", "xanchor": "right", "yanchor": "bottom", "showarrow": False}
    return (
        [{**across, "line": LIMIT, "name": "mIoU at least"}],
        [{**right, "y": min_miou, "text": f"at least {min_miou:g} %"}],
    )


def _without_miou(
    beside: Sequence[tuple[str, float]], across: tuple[float, float]
) -> tuple[list[Part], list[Part]]:
    """Return a line at each cost, and its words along it: where points are few, above left or below right."""
    line = {"color": GREY, "dash": "dot", "width": 2}
    middle = math.sqrt(across[0] * across[1])
    shapes: list[Part] = [
        {"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper", "line": line, "name": "own"}
        for _, at in beside
    ]
    notes: list[Part] = [
        {
            "x": math.log10(at),
            "xanchor": "right" if at > middle else "left",
            "y": 0 if at > middle else 1,
            "yref": "paper",
            "yanchor": "bottom" if at > middle else "top",
            "text": plain(shortened(text, MOST_LETTERS)),
            "hovertext": plain(text),
            "textangle": -90,
            "showarrow": False,
            "font": {"size": 11},
            "name": "own",
        }
        for text, at in beside
    ]
    return shapes, notes


def _names(
    rows: pd.DataFrame,
    every: pd.DataFrame,
    cost: Cost,
    across: tuple[float, float],
    along: tuple[float, float],
    height: int,
) -> list[Part]:
    sizes = rows["input_width"].astype(str) + "x" + rows["input_height"].astype(str)
    lines = [
        [name, size] if cost.size is None else [name] for name, size in zip(rows["name"], sizes, strict=True)
    ]
    low, high = np.log10(across)
    right = (np.log10(every[cost.column].to_numpy(float)) - low) / (high - low)
    up = (every["miou"].to_numpy(float) - along[0]) / (along[1] - along[0])
    named = every.index.get_indexer(rows.index)
    places = place_names(
        right[named],
        up[named],
        np.delete(np.column_stack([right, up]), named, axis=0),
        lines,
        [(width, height - beside) for width, beside in NAMES_FIT],
    )
    points = zip(np.log10(rows[cost.column].to_numpy(float)).tolist(), rows["miou"].tolist(), strict=True)
    return notes_of_names(points, lines, places, "frontier")
