"""The figure of the Compare page: a few rows against all others of their data set."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from zoo.charts.labels import notes_of_names, place_names
from zoo.charts.style import COLOURS, DASHES, GREY, MARGIN, SYMBOLS, log_range, log_ticks, plain
from zoo.words import Cost

PLOTS = ((285.0, 205.0), (440.0, 205.0))
"""Width and height of the plot on a phone and on a laptop."""


def compared_scatter(rows: pd.DataFrame, ids: Sequence[str], cost: Cost) -> go.Figure:
    """Return a data set's rows as grey points with their frontier; those of `ids` large and with their names.

    `rows`: every row of the data set with `title`, `on_frontier` and the cost column; a row without a number
    has no point. Colour and symbol are those of the row's place in `ids`.
    """
    rows = rows[np.isfinite(rows[cost.column]) & np.isfinite(rows["miou"])]
    named = [row_id for row_id in ids if row_id in rows.index]
    others = rows.drop(named)
    best = rows[rows["on_frontier"]].sort_values([cost.column, "miou"])
    figure = go.Figure()
    figure.add_scatter(
        x=best[cost.column],
        y=best["miou"],
        mode="lines",
        name="Frontier",
        line={"shape": "hv", "width": 1.5, "color": GREY, "dash": DASHES[0]},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=others[cost.column],
        y=others["miou"],
        mode="markers",
        name="Other rows",
        text=[plain(str(title)) for title in others["title"]],
        marker={"color": GREY, "size": 8, "opacity": 0.7},
        hovertemplate=f"%{{text}}<br>%{{y:g}} % mIoU, published<br>%{{x:.6g}} {cost.noun}, {cost.basis}"
        "<extra></extra>",
    )
    for row_id in named:
        place = ids.index(row_id)
        row = rows.loc[row_id]
        figure.add_scatter(
            x=[row[cost.column]],
            y=[row["miou"]],
            mode="markers",
            name=plain(str(row["title"])),
            customdata=[row_id],
            marker={
                "color": COLOURS[place % len(COLOURS)],
                "symbol": SYMBOLS[place % len(SYMBOLS)],
                "size": 14,
            },
            hovertemplate=f"<b>{plain(str(row['title']))}</b><br>%{{y:g}} % mIoU, published"
            f"<br>%{{x:.6g}} {cost.noun}, {cost.basis}<extra></extra>",
        )
    low, high = log_range(list(rows[cost.column]) or [1.0])
    air = 0.12 * (rows["miou"].max() - rows["miou"].min()) + 0.5 if len(rows) else 1.0
    bottom, top = (rows["miou"].min() - air, rows["miou"].max() + air) if len(rows) else (0.0, 100.0)
    _add_names(figure, rows, named, cost, (low, high), (bottom, top))
    ticks = log_ticks(low, high)
    figure.update_xaxes(
        type="log",
        title=f"{cost.noun}, {cost.basis}",
        range=[math.log10(low), math.log10(high)],
        tickvals=ticks,
        ticktext=[f"{tick:g}" for tick in ticks],
    )
    figure.update_yaxes(title="mIoU (%), published", range=[bottom, top])
    figure.update_layout(height=330, margin=MARGIN, hovermode="closest", showlegend=False)
    return figure


def _add_names(
    figure: go.Figure,
    rows: pd.DataFrame,
    named: Sequence[str],
    cost: Cost,
    across: tuple[float, float],
    along: tuple[float, float],
) -> None:
    """Write the names of the compared rows beside their points, in two lines each."""
    if not named:
        return
    low, high = np.log10(across)
    right = (np.log10(rows[cost.column].to_numpy(float)) - low) / (high - low)
    up = (rows["miou"].to_numpy(float) - along[0]) / (along[1] - along[0])
    at = rows.index.get_indexer(pd.Index(named))
    lines = [str(rows.at[row_id, "title"]).split(" · ") for row_id in named]
    others = np.delete(np.column_stack([right, up]), at, axis=0)
    places = place_names(right[at], up[at], others, lines, PLOTS)
    points = [(math.log10(rows.at[row_id, cost.column]), rows.at[row_id, "miou"]) for row_id in named]
    for note in notes_of_names(points, lines, places, "compared"):
        figure.add_annotation(note)
