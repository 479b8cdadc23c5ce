"""The figure of the Explore page: what a row costs against what it reaches."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from zoo.charts.style import COLOURS, DASHES, GREY, MARGIN, SYMBOLS, log_range, log_ticks
from zoo.selection import COUNTED, PUBLISHED
from zoo.words import Cost, format_gmacs


def pareto(
    rows: pd.DataFrame,
    *,
    cost: Cost = PUBLISHED,
    budget: float,
    chosen: Sequence[str] = (),
) -> go.Figure:
    """Return GigaMACs (log) against mIoU with a frontier line per data set and the budget's line.

    `rows`: the catalog's columns with `family_label`, `on_frontier` and the cost column; rows that lack a
    number are left out. One data set is coloured by family, several by data set.
    """
    rows = rows[np.isfinite(rows[cost.column]) & np.isfinite(rows["miou"])]
    figure = go.Figure()
    datasets = list(rows["dataset"].unique())
    for index, dataset in enumerate(datasets):
        _add_frontier(
            figure, rows[(rows["dataset"] == dataset) & rows["on_frontier"]], cost.column, dataset, index
        )
    by = "family_label" if len(datasets) < 2 else "dataset"
    for index, (name, group) in enumerate(rows.groupby(by, sort=False)):
        _add_points(figure, group, cost.column, str(name), index, budget, chosen)
    low, high = log_range([*rows[cost.column], budget])
    figure.add_vline(x=budget, line={"color": GREY, "dash": "dash", "width": 2})
    figure.add_annotation(
        x=math.log10(budget),
        y=1,
        yref="paper",
        yanchor="bottom",
        text=f"budget {format_gmacs(budget)}",
        showarrow=False,
    )
    figure.update_xaxes(
        type="log",
        title=f"GigaMACs, {cost.basis}",
        range=[math.log10(low), math.log10(high)],
        tickvals=log_ticks(low, high),
        ticktext=[f"{tick:g}" for tick in log_ticks(low, high)],
    )
    figure.update_yaxes(title="mIoU (%), published")
    figure.update_layout(
        height=400,
        margin=MARGIN,
        legend={"orientation": "h", "yanchor": "top", "y": -0.2, "x": 0},
        hovermode="closest",
        dragmode="pan",
        uirevision="explore",
    )
    return figure


def _add_frontier(figure: go.Figure, rows: pd.DataFrame, cost: str, dataset: str, index: int) -> None:
    rows = rows.sort_values(cost)
    figure.add_scatter(
        x=rows[cost],
        y=rows["miou"],
        mode="lines",
        name=f"Frontier, {dataset}",
        line={
            "shape": "hv",
            "width": 1.5,
            "color": GREY,
            "dash": DASHES[index % 4],
        },
        hoverinfo="skip",
    )


def _add_points(
    figure: go.Figure,
    rows: pd.DataFrame,
    cost: str,
    name: str,
    index: int,
    budget: float,
    chosen: Sequence[str],
) -> None:
    is_chosen = rows.index.isin(chosen)
    figure.add_scatter(
        x=rows[cost],
        y=rows["miou"],
        mode="markers",
        name=name,
        customdata=[[row_id] for row_id in rows.index],
        text=[_card(row) for _, row in rows.iterrows()],
        hovertemplate="%{text}<extra></extra>",
        marker={
            "color": COLOURS[index % len(COLOURS)],
            "symbol": SYMBOLS[index % len(SYMBOLS)],
            "size": np.where(is_chosen, 17, 11),
            "opacity": np.where(rows[cost] <= budget, 1.0, 0.5),
            "line": {"width": np.where(is_chosen, 3, 0), "color": GREY},
        },
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
    )


def _card(row: pd.Series) -> str:
    lines = [
        f"<b>{row['name']}</b>",
        f"{row['dataset']}, {row['input_width']}x{row['input_height']}",
        f"mIoU {_or_none(row['miou'])} %, published",
        f"{_or_none(row['gmacs'])} GigaMACs, published",
        f"{_or_none(row[COUNTED.column])} GigaMACs, counted",
        f"printed as {row['published_name']}",
        f"model published: {'yes' if row['available'] else 'no'}",
    ]
    if row["qat"]:
        lines.append("quantization-aware training")
    if isinstance(row["references"], str):
        lines.append(f"references {row['references']}")
    if isinstance(row["notes"], str):
        lines += textwrap.wrap(row["notes"], 60)
    return "<br>".join(lines)


def _or_none(number: float) -> str:
    return format_gmacs(number) if math.isfinite(number) else "no"
