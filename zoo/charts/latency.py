"""The figures of the Latency page: milliseconds against MACs, 8 bits against float, devices, rooflines."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from zoo.charts.labels import notes_of_names, place_names
from zoo.charts.style import COLOURS, GREY, MARGIN, log_range, log_ticks, plain
from zoo.latency import COLUMN, NOTICEABLE
from zoo.roofline import Roofline
from zoo.words import format_gmacs

HEIGHT = 420
NAMES_FIT = ((310.0, 190), (930.0, 150))
"""The plot's width on a phone and a laptop, and what is above and below it (the legend)."""
MOST_NAMED = 12
"""Points; the names of more would cover one another, and a point says its own when it is touched."""
PACES = {
    "faster than its MACs promise": (COLOURS[2], "triangle-up"),
    "as its MACs promise": (COLOURS[0], "circle"),
    "slower than its MACs promise": (COLOURS[1], "square"),
}
"""How a row compares with the median GMAC/s of all: colour and symbol."""


def latency_scatter(table: pd.DataFrame, names: Mapping[str, str]) -> go.Figure:
    """Return milliseconds against GigaMACs, both logarithmic, with lines of equal GMAC/s.

    `table`: that of `zoo.latency.against_macs`; `names`: rows for people by id.
    """
    figure = go.Figure()
    low, high = log_range(table["gmacs"].tolist())
    bottom, top = log_range(table[COLUMN].tolist())
    for rate in _rates(table["gmacs_per_second"]):
        ends = np.array([low, high])
        figure.add_scatter(
            x=ends,
            y=ends / rate * 1000,
            mode="lines",
            line={"color": GREY, "width": 1, "dash": "dot"},
            name=f"{rate:g} GMAC/s",
            hoverinfo="name",
            showlegend=False,
        )
        _name_line(figure, rate, (low, high), (bottom, top))
    for pace, (colour, symbol) in PACES.items():
        rows = table[_pace(table["times"]) == pace]
        figure.add_scatter(
            x=rows["gmacs"],
            y=rows[COLUMN],
            mode="markers",
            name=pace,
            customdata=[[row_id] for row_id in rows.index],
            text=[_card(names.get(str(row.Index), str(row.Index)), row) for row in rows.itertuples()],
            hovertemplate="%{text}<extra></extra>",
            marker={"color": colour, "symbol": symbol, "size": 11},
        )
    for axis, title, reach in (
        ("xaxis", "GigaMACs, counted at the measured size", (low, high)),
        ("yaxis", "milliseconds", (bottom, top)),
    ):
        ticks = log_ticks(*reach)
        figure.update_layout(
            {
                axis: {
                    "type": "log",
                    "title": title,
                    "range": [math.log10(end) for end in reach],
                    "tickvals": ticks,
                    "ticktext": [f"{tick:g}" for tick in ticks],
                }
            }
        )
    if len(table) <= MOST_NAMED:
        _name_points(figure, table, names, (low, high), (bottom, top))
    figure.update_layout(
        height=HEIGHT, margin=MARGIN, legend={"orientation": "h", "yanchor": "top", "y": -0.2, "x": 0}
    )
    return figure


def _name_points(
    figure: go.Figure,
    table: pd.DataFrame,
    names: Mapping[str, str],
    across: tuple[float, float],
    up: tuple[float, float],
) -> None:
    x, y = np.log10(table["gmacs"].to_numpy(float)), np.log10(table[COLUMN].to_numpy(float))
    (left, right), (bottom, top) = np.log10(across), np.log10(up)
    lines = [names.get(str(row_id), str(row_id)).split(" · ")[:2] for row_id in table.index]
    places = place_names(
        (x - left) / (right - left),
        (y - bottom) / (top - bottom),
        np.empty((0, 2)),
        lines,
        [(width, HEIGHT - beside) for width, beside in NAMES_FIT],
    )
    points = zip(x.tolist(), y.tolist(), strict=True)
    for note in notes_of_names(points, lines, places, "row"):
        figure.add_annotation(note)


def _rates(rates: pd.Series) -> list[float]:
    return [
        10.0**power
        for power in range(math.floor(math.log10(rates.min())), 9)
        if 10**power <= 10 * rates.max()
    ]


def _name_line(figure: go.Figure, rate: float, across: tuple[float, float], up: tuple[float, float]) -> None:
    """Write a line's rate where it leaves the plot, if it crosses it at all."""
    right = min(across[1], up[1] * rate / 1000)
    height = right / rate * 1000
    if right > across[0] and height > up[0]:
        # Right of a line that leaves at the top, above one that leaves at the side: neither crosses it.
        along = math.log10(right / across[0]) / math.log10(across[1] / across[0])
        figure.add_annotation(
            x=math.log10(right),
            y=math.log10(height),
            text=f"{rate:g} GMAC/s",
            showarrow=False,
            xanchor="left" if along < 0.8 else "right",
            yanchor="bottom" if right == across[1] else "top",
            xshift=4 if along < 0.8 else 0,
            font={"size": 11, "color": GREY},
        )


def _pace(times: pd.Series) -> np.ndarray:
    faster, as_promised, slower = PACES
    return np.select([times < 1 / NOTICEABLE, times > NOTICEABLE], [faster, slower], default=as_promised)


def _card(name: str, row: object) -> str:
    def value(column: str) -> float:
        return float(getattr(row, column))

    return "<br>".join(
        [
            f"<b>{plain(name)}</b>",
            f"{value(COLUMN):.4g} ms at {value('width'):.0f}x{value('height'):.0f}",
            f"{format_gmacs(value('gmacs'))} GigaMACs, {value('gmacs_per_second'):.4g} GMAC/s",
            f"{value('times'):.2f} times what its MACs promise",
        ]
    )


def precision_gains(table: pd.DataFrame) -> go.Figure:
    """Return how many times as fast each network is in 8 bits: `zoo.chips.float_against_8_bits`.

    A factor on a logarithmic axis, so that half and twice the time stand equally far from the line of 1.
    """
    low, high = min(table["gain"].min(), 1.0), max(table["gain"].max(), 1.0)
    figure = go.Figure()
    for faster, name, side, (colour, symbol) in (
        (True, "faster in 8 bits", "middle right", (COLOURS[0], "circle")),
        (False, "slower in 8 bits", "middle left", (COLOURS[1], "square")),
    ):
        rows = table[(table["gain"] >= 1) == faster]
        if rows.empty:
            continue
        stems = [(1.0, gain, None) for gain in rows["gain"]]
        figure.add_scatter(
            x=[end for stem in stems for end in stem],
            y=[network for network in rows["network"] for _ in range(3)],
            mode="lines",
            line={"color": colour, "width": 2},
            hoverinfo="skip",
            showlegend=False,
        )
        figure.add_scatter(
            x=rows["gain"],
            y=rows["network"],
            mode="markers+text",
            name=name,
            text=[f"{gain:.1f}x" if faster else f"{1 / gain:.1f}x slower" for gain in rows["gain"]],
            textposition=side,
            cliponaxis=False,
            customdata=rows[["float_ms", "w8a8_ms"]].to_numpy().tolist(),
            hovertemplate="%{y}: %{customdata[0]:.4g} ms in float, %{customdata[1]:.4g} ms in 8 bits"
            "<extra></extra>",
            marker={"color": colour, "symbol": symbol, "size": 10},
        )
    figure.add_vline(x=1, line={"color": GREY, "width": 1})
    wide = (high / low) ** 0.2  # room for the words
    ticks = log_ticks(low / 1.05, high * 1.05)
    figure.update_xaxes(
        title="times as fast in 8 bits",
        type="log",
        range=[math.log10(low / wide**2 if low < 1 else low / 1.1), math.log10(high * wide)],
        tickvals=ticks,
        ticktext=[f"{tick:g}" for tick in ticks],
    )
    figure.update_yaxes(type="category", categoryorder="array", categoryarray=table["network"].tolist()[::-1])
    figure.update_layout(
        height=110 + 24 * len(table),
        margin=MARGIN,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
    )
    return figure


def device_bars(table: pd.DataFrame) -> go.Figure:
    """Return one network on every device, fastest first: the table of `zoo.chips.over_devices`.

    Points on a logarithmic axis: between devices lie factors, and a bar would need a zero.
    """
    low, high = log_range(table[COLUMN].tolist())
    ticks = log_ticks(low, high)
    figure = go.Figure(
        go.Scatter(
            x=table[COLUMN],
            y=table["device"],
            mode="markers+text",
            text=[f"{value:.3g}" for value in table[COLUMN]],
            textposition="middle right",
            cliponaxis=False,
            marker={"color": COLOURS[0], "size": 10},
            hovertemplate="%{y}: %{x:.4g} ms<extra></extra>",
        )
    )
    figure.update_xaxes(
        title="milliseconds",
        type="log",
        range=[math.log10(low), math.log10(high * 1.3)],
        tickvals=ticks,
        ticktext=[f"{tick:g}" for tick in ticks],
    )
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_layout(height=90 + 24 * len(table), margin={**MARGIN, "r": 30})
    return figure


def roofline_bars(bounds: Mapping[str, Roofline], names: Mapping[str, str]) -> go.Figure:
    """Return the least time of each row, stacked by what bounds it.

    `bounds`: by row id; `names`: rows for people by id. A label has two short lines, for narrow screens.
    """
    figure, ids = go.Figure(), list(bounds)
    for index, part in enumerate(("compute", "memory")):
        parts = [found.layers.loc[found.layers["bound_by"] == part, "least_ms"] for found in bounds.values()]
        last = index == 1
        figure.add_bar(
            y=ids,
            x=[times.sum() for times in parts],
            orientation="h",
            name=f"bound by {part}",
            marker={"color": COLOURS[index], "pattern": {"shape": ("", "/")[index], "size": 5}},
            text=[f"{found.least_ms:.3g} ms" for found in bounds.values()] if last else None,
            textposition="outside" if last else None,
            cliponaxis=False,
            customdata=[plain(names[row_id]) for row_id in ids],
            hovertemplate=f"%{{customdata}}, bound by {part}: %{{x:.4g}} ms<extra></extra>",
        )
    figure.update_yaxes(
        type="category",
        autorange="reversed",
        tickvals=ids,
        ticktext=[_label(names[row_id]) for row_id in ids],
    )
    figure.update_xaxes(title="milliseconds a frame, at least", rangemode="tozero")
    figure.update_layout(
        barmode="stack",
        height=120 + 42 * len(ids),
        margin={**MARGIN, "r": 60},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0, "traceorder": "normal"},
    )
    return figure


def _label(name: str) -> str:
    model, _, rest = name.partition(" · ")
    return "<br>".join(plain(part if len(part) <= 24 else f"{part[:23]}…") for part in (model, rest) if part)
