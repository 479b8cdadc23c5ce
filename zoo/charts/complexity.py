"""The figures of the Complexity page: where MACs go, and how they grow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from zoo.charts.style import COLOURS, DASHES, GREY, MARGIN, SYMBOLS
from zoo.costs import macs_over
from zoo.limits import SIZE_MAX_SIDE, SIZE_MIN_SIDE
from zoo.sizes import Size
from zoo.words import format_gmacs


def stride_bars(strides: Mapping[str, pd.Series]) -> go.Figure:
    """Return where each row spends its MACs, stacked: `macs_by_stride` by row id."""
    table = pd.DataFrame(strides) / 1e9
    table = table[table.sum(axis=1) > 0]
    patterns = ("", "/", "x", "-", "+", ".")
    figure = go.Figure(
        [
            go.Bar(
                x=gmacs,
                y=[_wrapped(row_id) for row_id in table.columns],
                orientation="h",
                name=str(part),
                marker={
                    "color": COLOURS[index % len(COLOURS)],
                    "pattern": {"shape": patterns[index % len(patterns)], "size": 5},
                },
                hovertemplate=f"{part}: %{{x:.4f}} GigaMACs<extra></extra>",
            )
            for index, (part, gmacs) in enumerate(table.iterrows())
        ]
    )
    figure.update_layout(
        barmode="stack",
        height=180 + 50 * len(table.columns),
        margin=MARGIN,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0, "traceorder": "normal"},
    )
    figure.update_xaxes(title="GigaMACs, counted")
    return figure


def growth_curves(row_ids: Sequence[str], sizes: Mapping[str, Size], budget: float) -> go.Figure:
    """Return each row's GigaMACs against input width, at the proportions of its size, which is marked."""
    figure = go.Figure()
    widths = np.arange(SIZE_MIN_SIDE, SIZE_MAX_SIDE // 2 + 1, 32)
    for index, row_id in enumerate(row_ids):
        width, height = sizes[row_id]
        heights = np.maximum(1, np.rint(widths * height / width).astype(int))
        colour = COLOURS[index % len(COLOURS)]
        figure.add_scatter(
            x=widths,
            y=macs_over(row_id, widths, heights) / 1e9,
            name=_wrapped(row_id),
            mode="lines",
            line={"color": colour, "dash": DASHES[index % 4]},
            hovertemplate="width %{x}: %{y:.3f} GigaMACs<extra></extra>",
        )
        figure.add_scatter(
            x=[width],
            y=macs_over(row_id, [width], [height]) / 1e9,
            mode="markers",
            marker={"color": colour, "size": 12, "symbol": SYMBOLS[index % len(SYMBOLS)]},
            hovertemplate=f"{sizes[row_id]}: %{{y:.4f}} GigaMACs<extra></extra>",
            showlegend=False,
        )
    figure.add_hline(
        y=budget, line={"color": GREY, "dash": "dash"}, annotation_text=f"budget {format_gmacs(budget)}"
    )
    figure.update_xaxes(title="Input width (pixels)")
    figure.update_yaxes(title="GigaMACs, counted", type="log")
    figure.update_layout(
        height=330, margin=MARGIN, legend={"orientation": "h", "yanchor": "top", "y": -0.25, "x": 0}
    )
    return figure


def layer_treemap(layers: pd.DataFrame) -> go.Figure:
    """Return the layers with their MACs as areas, grouped by the modules in which they stand."""
    macs: dict[str, int] = {}
    for name, value in zip(layers["name"], layers["macs"], strict=True):
        parts = str(name).split(".")
        for depth in range(len(parts) + 1):
            path = ".".join(parts[:depth])
            macs[path] = macs.get(path, 0) + int(value)
    paths = list(macs)
    figure = go.Figure(
        go.Treemap(
            ids=paths,
            labels=[path.rpartition(".")[2] or "network" for path in paths],
            parents=[None if not path else path.rpartition(".")[0] for path in paths],
            values=[macs[path] for path in paths],
            branchvalues="total",
            hovertemplate="%{id}<br>%{value:,} MACs, %{percentRoot:.1%}<extra></extra>",
            maxdepth=3,
        )
    )
    figure.update_layout(margin={"l": 0, "r": 0, "t": 24, "b": 0}, height=360, treemapcolorway=COLOURS)
    return figure


def _wrapped(row_id: str) -> str:
    """Break an id in two lines, so that it leaves room for its chart."""
    head, _, size = row_id.rpartition("-")
    return f"{head}<br>{size}"
