"""The figures of the Demo page: the mask over its picture, and its legend."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from zoo.charts.style import GREY
from zoo.classes import LabelMap
from zoo.overlay import LegendEntry, blend, jpeg

PREVIEW_SIDE, HOVER_SIDE = 1000, 250
"""Most pixels a side of a mask's preview, and most cells a side that hovering tells apart."""


def mask_preview(
    rgb: npt.NDArray[np.uint8],
    label_map: LabelMap,
    strength: float,
    *,
    outlines: bool = False,
    only: Sequence[int] | None = None,
) -> go.Figure:
    """Return the picture with its mask, at most 1000 pixels a side, where hovering names the class.

    `rgb`: uint8 (H, W, 3), of the label map's size.
    """
    step = max(1, math.ceil(max(label_map.labels.shape) / PREVIEW_SIDE))
    small = np.ascontiguousarray(label_map.labels[::step, ::step])
    height, width = small.shape
    reduced = label_map._replace(labels=small)
    image = blend(np.ascontiguousarray(rgb[::step, ::step]), reduced, strength, outlines=outlines, only=only)
    source = f"data:image/jpeg;base64,{base64.b64encode(jpeg(image)).decode()}"
    classes = label_map.classes.names
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
        source=source, x=0, y=0, sizex=width, sizey=height, xref="x", yref="y", layer="below"
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
