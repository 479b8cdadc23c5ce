"""Every Plotly figure. Colours are safe for colour-blind eyes, and a symbol or a dash says the same again."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go

from zoo.costs import macs_over
from zoo.limits import SIZE_MAX_SIDE, SIZE_MIN_SIDE, Size
from zoo.overlay import LegendEntry, blend
from zoo.selection import COUNTED, PUBLISHED, format_gmacs, row_name

# Okabe and Ito's palette, less black and yellow, which vanish on a dark or a light page.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star")
GREY = "#8a94a0"
PREVIEW_SIDE, HOVER_SIDE = 1000, 250
"""Most pixels a side of a mask's preview, and most cells a side that hovering tells apart."""
MARGIN = {"l": 8, "r": 8, "t": 34, "b": 8}


def pareto(
    rows: pd.DataFrame,
    *,
    cost: str = PUBLISHED,
    budget: float,
    chosen: Sequence[str] = (),
    size: Size | None = None,
) -> go.Figure:
    """Return GigaMACs (log) against mIoU with a frontier line per data set and the budget's line.

    `rows`: the catalog's columns with `family_label`, `on_frontier` and the cost column; rows that lack a
    number are left out. One data set is coloured by family, several by data set.
    """
    rows = rows[np.isfinite(rows[cost]) & np.isfinite(rows["miou"])]
    figure = go.Figure()
    datasets = list(rows["dataset"].unique())
    for index, dataset in enumerate(datasets):
        _add_frontier(figure, rows[(rows["dataset"] == dataset) & rows["on_frontier"]], cost, dataset, index)
    by = "family_label" if len(datasets) < 2 else "dataset"
    for index, (name, group) in enumerate(rows.groupby(by, sort=False)):
        _add_points(figure, group, cost, str(name), index, budget, chosen)
    basis = "published" if cost == PUBLISHED else f"counted at {size or 'the published size'}"
    low, high = _range([*rows[cost], budget])
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
        title=f"GigaMACs, {basis}",
        range=[math.log10(low), math.log10(high)],
        tickvals=_ticks(low, high),
        ticktext=[f"{tick:g}" for tick in _ticks(low, high)],
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
            "dash": ("solid", "dot", "dash", "dashdot")[index % 4],
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
        f"<b>{row_name(row)}</b>",
        f"{row['dataset']}, {row['input_width']}x{row['input_height']}",
        f"mIoU {_or_none(row['miou'])} %, published",
        f"{_or_none(row['gmacs'])} GigaMACs, published",
        f"{_or_none(row[COUNTED])} GigaMACs, counted",
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


def _range(values: Sequence[float]) -> tuple[float, float]:
    return min(values) / 1.25, max(values) * 1.25


def _ticks(low: float, high: float) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [
        tick for decade in decades for tick in (10.0**decade * np.array([1, 2, 5])) if low <= tick <= high
    ]


def mask_preview(
    rgb: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.uint8],
    classes: Sequence[str],
    palette: Sequence[tuple[int, int, int]],
    strength: float,
    *,
    outlines: bool = False,
    only: Sequence[int] | None = None,
) -> go.Figure:
    """Return the picture with its mask, at most 1000 pixels a side, where hovering names the class.

    `rgb`: uint8 (H, W, 3); `labels`: uint8 (H, W).
    """
    step = max(1, math.ceil(max(labels.shape) / PREVIEW_SIDE))
    small = np.ascontiguousarray(labels[::step, ::step])
    height, width = small.shape
    image = blend(
        np.ascontiguousarray(rgb[::step, ::step]), small, palette, strength, outlines=outlines, only=only
    )
    cell = max(1, math.ceil(max(small.shape) / HOVER_SIDE))
    ids = small[cell // 2 :: cell, cell // 2 :: cell]
    names = np.array([*classes, *(f"class {index}" for index in range(len(classes), 256))], dtype=object)
    figure = go.Figure(
        go.Heatmap(
            z=ids,
            x0=cell / 2,
            dx=cell,
            y0=cell / 2,
            dy=cell,
            text=names[ids],
            hovertemplate="%{text}<extra></extra>",
            colorscale=[[0, "rgba(0,0,0,0)"], [1, "rgba(0,0,0,0)"]],
            showscale=False,
        )
    )
    figure.add_layout_image(
        source=image, x=0, y=0, sizex=width, sizey=height, xref="x", yref="y", layer="below"
    )
    figure.update_xaxes(visible=False, range=[0, width], constrain="domain")
    figure.update_yaxes(
        visible=False, range=[height, 0], scaleanchor="x", constrain="domain", constraintoward="top"
    )
    figure.update_layout(
        margin={"l": 0, "r": 0, "t": 0, "b": 0}, height=int(np.clip(290 * height / width, 160, 520))
    )
    return figure


def shares_bars(entries: Sequence[LegendEntry]) -> go.Figure:
    """Return the legend of a mask as bars: one a class, in its colour, as long as its share."""
    figure = go.Figure(
        go.Bar(
            x=[entry.share for entry in entries],
            y=[entry.name for entry in entries],
            orientation="h",
            text=[f"{entry.share:.1f} %" for entry in entries],
            textposition="outside",
            cliponaxis=False,
            marker={
                "color": ["rgb({},{},{})".format(*entry.colour) for entry in entries],
                "line": {"color": GREY, "width": 1},
            },
            hovertemplate="%{y}: %{x:.2f} % of the picture<extra></extra>",
        )
    )
    figure.update_xaxes(visible=False, range=[0, 115])
    figure.update_yaxes(autorange="reversed", title=None)
    figure.update_layout(margin={"l": 0, "r": 0, "t": 0, "b": 0}, height=40 + 26 * len(entries))
    return figure


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
    dashes = ("solid", "dot", "dash", "dashdot")
    for index, row_id in enumerate(row_ids):
        width, height = sizes[row_id]
        heights = np.maximum(1, np.rint(widths * height / width).astype(int))
        colour = COLOURS[index % len(COLOURS)]
        figure.add_scatter(
            x=widths,
            y=macs_over(row_id, widths, heights) / 1e9,
            name=_wrapped(row_id),
            mode="lines",
            line={"color": colour, "dash": dashes[index % 4]},
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
