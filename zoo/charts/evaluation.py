"""Figures of evaluations: measured mIoU against counted MACs, IoU by class, the confusion matrix."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from zoo.charts.style import COLOURS, DASHES, GREY, MARGIN, SYMBOLS, log_range, log_ticks, plain
from zoo.words import format_gmacs

if TYPE_CHECKING:
    from zoo.evaluation.summary import Summary


def measured_scatter(summaries: Sequence[Summary], names: Mapping[str, str]) -> go.Figure:
    """Return counted GigaMACs (log) against measured mIoU with its 95 % interval, and their own frontier.

    `names` are the rows' names for people, by id. Evaluations without either number are left out.
    """
    figure = go.Figure()
    points = [each for each in summaries if each.counted_gmacs is not None and each.miou is not None]
    best = _undominated(points)
    figure.add_scatter(
        x=[each.counted_gmacs for each in best],
        y=[each.miou for each in best],
        mode="lines",
        name="Frontier of these",
        line={"shape": "hv", "width": 1.5, "color": GREY, "dash": DASHES[1]},
        hoverinfo="skip",
    )
    for index, each in enumerate(points):
        bottom, top = each.interval or (each.miou, each.miou)
        name = plain(each.title(names))
        figure.add_scatter(
            x=[each.counted_gmacs],
            y=[each.miou],
            mode="markers",
            name=name,
            customdata=[[each.id]],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [(top or 0) - (each.miou or 0)],
                "arrayminus": [(each.miou or 0) - (bottom or 0)],
            },
            marker={
                "color": COLOURS[index % len(COLOURS)],
                "symbol": SYMBOLS[index % len(SYMBOLS)],
                "size": 12,
            },
            hovertemplate=f"<b>{name}</b><br>mIoU %{{y:.2f}} %, measured on "
            f"{each.images} images<br>{format_gmacs(each.counted_gmacs or 0)} GigaMACs, counted with "
            f"{each.num_classes} classes<br>{plain(each.weights)}<extra></extra>",
        )
    low, high = log_range([each.counted_gmacs or 1 for each in points] or [1])
    figure.update_xaxes(
        type="log",
        title="GigaMACs, counted",
        range=[math.log10(low), math.log10(high)],
        tickvals=log_ticks(low, high),
        ticktext=[f"{tick:g}" for tick in log_ticks(low, high)],
    )
    figure.update_yaxes(title="mIoU (%), measured")
    figure.update_layout(
        height=380,
        margin=MARGIN,
        hovermode="closest",
        legend={"orientation": "h", "yanchor": "top", "y": -0.2, "x": 0},
    )
    return figure


def _undominated(points: Sequence[Summary]) -> list[Summary]:
    """Return those that none beats in both, by cost."""
    best: list[Summary] = []
    for each in sorted(points, key=lambda point: (point.counted_gmacs or 0, -(point.miou or 0))):
        if not best or (each.miou or 0) > (best[-1].miou or 0):
            best.append(each)
    return best


def class_bars(summaries: Sequence[Summary], names: Mapping[str, str]) -> go.Figure:
    """Return the IoU of each class as bars, one colour a row; an absent class has none."""
    figure = go.Figure()
    for index, each in enumerate(summaries):
        figure.add_bar(
            y=[plain(line.name) for line in each.classes],
            x=[line.iou for line in each.classes],
            orientation="h",
            name=plain(each.title(names)),
            marker={
                "color": COLOURS[index % len(COLOURS)],
                "pattern": {"shape": ("", "/", "x", ".")[index % 4], "fillmode": "overlay"},
            },
            customdata=[line.pixels for line in each.classes],
            hovertemplate="%{y}: IoU %{x:.2f} %, %{customdata:,} pixels labelled"
            "<extra>%{fullData.name}</extra>",
        )
    lines = max((len(each.classes) for each in summaries), default=1)
    figure.update_xaxes(title="IoU (%), measured", range=[0, 100])
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_layout(
        barmode="group",
        height=110 + lines * (14 + 12 * len(summaries)),
        margin=MARGIN,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
    )
    return figure


def confusion_heatmap(matrix: Sequence[Sequence[int]], classes: Sequence[str]) -> go.Figure:
    """Return a confusion matrix, true classes in rows; each row as shares of the class's labelled pixels."""
    pixels = np.asarray(matrix, np.int64).reshape(len(classes), len(classes))
    totals = pixels.sum(1, keepdims=True)
    shares = np.divide(100.0 * pixels, totals, out=np.full(pixels.shape, np.nan), where=totals > 0)
    shown = [plain(name) for name in classes]
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=shown,
            y=shown,
            customdata=pixels,
            colorscale="Cividis",
            zmin=0,
            zmax=100,
            colorbar={"title": "%"},
            hovertemplate="%{y} taken for %{x}: %{z:.2f} % of its pixels (%{customdata:,})<extra></extra>",
        )
    )
    figure.update_xaxes(title="predicted", type="category", tickangle=-45)
    figure.update_yaxes(title="labelled", type="category", autorange="reversed")
    figure.update_layout(height=160 + 24 * len(classes), margin=MARGIN)
    return figure
