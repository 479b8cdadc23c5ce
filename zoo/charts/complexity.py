"""The figures of the Complexity page: where MACs go, and how they grow."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from zoo.charts.style import COLOURS, DASHES, GREY, MARGIN, SYMBOLS, log_range, log_ticks, plain
from zoo.costs import PARTS, follows_formula, gmacs_at, macs_over, size_multiple
from zoo.footprint import shape_words
from zoo.limits import SIZE_MAX_SIDE, SIZE_MIN_SIDE
from zoo.rows import Row
from zoo.sizes import Size
from zoo.words import format_gmacs

PART_COLOURS = (
    *("#CC79A7", "#56B4E9", "#0072B2", "#009E73", "#E69F00", "#D55E00"),
    *("#9E7BC4", "#7A52A3", "#5B3484", "#C3A6E0", "#A6761D", "#E7298A", "#7F7F7F", "#B0B0B0"),
)
"""One for each of PARTS: the strides that most networks have in Okabe and Ito's colours."""
PATTERNS = ("", "/", "", "\\", "", "x", "", "/", "", "\\", "+", ".", "-", "|")
"""The second cue, beside the part's name in its bar."""
BAR, LEGEND = 62, 120
"""Pixels of a bar with the name above it, and of what stands around all of them."""
TREEMAP = 420
"""The treemap's height in pixels."""
WHOLE = "whole network"
"""What holds all modules of a treemap: no module can be called that."""
GROWTH_STEP = 32
"""Pixels of width from one point of a curve to the next."""


def stride_bars(strides: Mapping[str, pd.Series], names: Mapping[str, str]) -> go.Figure:
    """Return where each row spends its MACs at one size, stacked: `macs_by_part` by row id."""
    table = pd.DataFrame(strides) / 1e9
    figure = go.Figure(
        [
            go.Bar(
                x=table.loc[part],
                y=list(table.columns),
                orientation="h",
                name=part,
                width=0.5,
                marker={
                    "color": colour,
                    "pattern": {"shape": pattern, "size": 8, "solidity": 0.1, "fillmode": "overlay"},
                    "line": {"width": 1, "color": GREY},
                },
                text=part.removeprefix("stride "),
                textposition="inside",
                insidetextanchor="middle",
                textangle=0,
                constraintext="inside",
                hovertemplate=f"{part}: %{{x:.4f}} GigaMACs<extra></extra>",
            )
            for part, colour, pattern in zip(PARTS, PART_COLOURS, PATTERNS, strict=True)
            if part in table.index and table.loc[part].sum() > 0
        ]
    )
    for row_id in table.columns:
        figure.add_annotation(
            x=0,
            xref="paper",
            xanchor="left",
            y=row_id,
            yshift=25,
            text=f"{plain(names[row_id])}: {format_gmacs(table[row_id].sum())}",
            showarrow=False,
        )
    figure.update_layout(
        barmode="stack",
        height=LEGEND + BAR * len(table.columns),
        margin={**MARGIN, "t": 16},
        uniformtext={"minsize": 10, "mode": "hide"},
        legend={"orientation": "h", "yanchor": "top", "y": -55 / (BAR * len(strides)), "x": 0},
    )
    figure.update_legends(traceorder="normal")
    figure.update_yaxes(visible=False, autorange="reversed", type="category")
    figure.update_xaxes(title="GigaMACs, counted")
    return figure


def growth_curves(
    rows: Mapping[str, Row], sizes: Mapping[str, Size], budget: float, names: Mapping[str, str]
) -> go.Figure:
    """Return each row's GigaMACs against input width, at the proportions of its size, which is marked.

    A row whose MACs follow no formula is a point; one at a size at which even that is not known is left out.
    """
    figure = go.Figure()
    heights = [budget]
    for index, (row_id, size) in enumerate(sizes.items()):
        row, colour = rows[row_id], COLOURS[index % len(COLOURS)]
        if follows_formula(row):
            widths, gmacs = _growth(row, size)
            heights += [gmacs[0], gmacs[-1]]
            figure.add_scatter(
                x=widths,
                y=gmacs,
                name=plain(names[row_id]),
                mode="lines",
                line={"color": colour, "dash": DASHES[index % len(DASHES)]},
                hovertemplate="width %{x}: %{y:.3f} GigaMACs<extra></extra>",
            )
        if follows_formula(row, size):
            here = gmacs_at(row, size)
            heights.append(here)
            figure.add_scatter(
                x=[size.width],
                y=[here],
                name=f"{plain(names[row_id])} at {size}",
                mode="markers",
                marker={"color": colour, "size": 12, "symbol": SYMBOLS[index % len(SYMBOLS)]},
                hovertemplate=f"{size}: %{{y:.4f}} GigaMACs<extra></extra>",
                showlegend=not follows_formula(row),
            )
    low, high = log_range(heights)
    _add_budget(figure, budget)
    ticks = log_ticks(low, high)
    figure.update_xaxes(title="Input width (pixels)")
    figure.update_yaxes(
        title="GigaMACs, counted",
        type="log",
        range=[math.log10(low), math.log10(high)],
        tickvals=ticks,
        ticktext=[f"{tick:g}" for tick in ticks],
    )
    figure.update_layout(
        height=330 + 20 * len(sizes),
        margin=MARGIN,
        legend={"orientation": "h", "yanchor": "top", "y": -0.2, "x": 0},
    )
    return figure


def _growth(row: Row, size: Size) -> tuple[np.ndarray, np.ndarray]:
    """Return widths at which a row can run, at about the proportions of a size, and its GigaMACs there."""
    multiple = size_multiple(row)
    step = math.lcm(GROWTH_STEP, multiple)
    widths = np.arange(step, SIZE_MAX_SIDE // 2 + 1, step)
    heights = np.rint(widths * size.height / size.width / multiple).astype(int) * multiple
    usable = (heights >= SIZE_MIN_SIDE) & (heights <= SIZE_MAX_SIDE)
    widths, heights = widths[usable], heights[usable]
    return widths, macs_over(row, widths, heights) / 1e9


def _add_budget(figure: go.Figure, budget: float) -> None:
    figure.add_shape(
        type="line",
        x0=0,
        x1=1,
        xref="paper",
        y0=budget,
        y1=budget,
        line={"color": GREY, "dash": "dash", "width": 2},
        name="budget",
    )
    # An annotation on a logarithmic axis takes the exponent; a shape takes the number.
    figure.add_annotation(
        x=1,
        xref="paper",
        xanchor="right",
        y=math.log10(budget),
        yanchor="bottom",
        text=f"budget {format_gmacs(budget)}",
        showarrow=False,
    )


def layer_treemap(layers: pd.DataFrame) -> go.Figure:
    """Return the layers with their MACs as areas, grouped by the modules in which they stand.

    Each is labelled with its block, the size of its output and its share of all MACs.
    """
    macs: dict[str, int] = {"": 0}
    outputs: dict[str, str] = {}
    children: dict[str, set[str]] = {}
    holders = {str(name)[: dot.start()] for name in layers["name"] for dot in re.finditer(r"\.", str(name))}
    for layer in layers[["name", "kind", "macs", "output_shape"]].itertuples():
        value, output = layer.macs, layer.output_shape
        # What a module multiplies by itself beside those that it holds is one of them.
        name = f"{layer.name}.{layer.kind}" if layer.name in holders else str(layer.name)
        parts = [part for part in name.split(".") if part]
        paths = [".".join(parts[:depth]) for depth in range(len(parts) + 1)]
        for path in paths:
            macs[path] = macs.get(path, 0) + int(value)
            outputs[path] = shape_words(output)
        for parent, child in itertools.pairwise(paths):
            children.setdefault(parent, set()).add(child)
    # A module that does nothing but hold one other is that one.
    alone = {path for path, held in children.items() if len(held) == 1 and macs[path] == macs[min(held)]}
    kept = [path for path in macs if not path or path not in alone]
    parents = [_holder(path, kept) if path else "" for path in kept]
    figure = go.Figure(
        go.Treemap(
            ids=[path or WHOLE for path in kept],
            labels=[plain(_block(path, parent)) for path, parent in zip(kept, parents, strict=True)],
            parents=parents,
            values=[macs[path] for path in kept],
            customdata=[outputs.get(path, "") for path in kept],
            branchvalues="total",
            texttemplate="<b>%{label}</b><br>%{customdata}<br>%{percentRoot:.1%}",
            hovertemplate="%{id}<br>output %{customdata}<br>%{value:,} MACs<extra></extra>",
            maxdepth=4,
        )
    )
    figure.update_layout(
        margin={"l": 0, "r": 0, "t": 24, "b": 0},
        height=TREEMAP,
        treemapcolorway=COLOURS,
        uniformtext={"minsize": 10, "mode": "hide"},
    )
    return figure


def _holder(path: str, kept: list[str]) -> str:
    """Return the innermost of the kept modules that holds a path."""
    parts = path.split(".")
    known = set(kept)
    outer = (".".join(parts[:depth]) for depth in range(len(parts) - 1, 0, -1))
    return next((module for module in outer if module in known), WHOLE)


def _block(path: str, holder: str) -> str:
    """Return a module's name within its holder, with the holder's own where it begins with a number."""
    if not path:
        return "network"
    name = path if holder == WHOLE else path.removeprefix(f"{holder}.")
    return f"{holder.rpartition('.')[2]}.{name}" if name[0].isdigit() and holder != WHOLE else name
