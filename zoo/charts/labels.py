"""Where names stand beside points, so that none covers another, on a wide screen and on a narrow one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from zoo.charts.style import GREY, plain, shortened

LETTER, LINE = 6.2, 13.0
"""Pixels of a letter and a line at the size in which names are written; a little more than measured."""
NEAR, FAR, STEP = 6.0, 150.0, 6.0
"""Pixels between a point and its name, at least and at most, and from one try to the next."""
MOST_LETTERS = 36
"""Of a line of a name; a visitor's own may be as long as they like."""
MARKER = 7.0
"""Half of a point's width."""

Numbers = npt.NDArray[np.float64]
"""Boxes in pixels are rows of left, bottom, right, top."""


class Place(NamedTuple):
    """Where a name stands: its anchor, and how far from its point, in pixels, up being positive."""

    xanchor: str
    right: float
    up: float


def place_names(
    x: Numbers,
    y: Numbers,
    others: Numbers,
    names: Sequence[Sequence[str]],
    plots: Sequence[tuple[float, float]],
) -> list[Place]:
    """Return where the names of points stand.

    `x`, `y`: the points as parts of the plot, 0 to 1, from the left and from below; `others`: those of points
    without a name, (n, 2). `names`: the lines of each. `plots`: width and height in pixels of the plots in
    which no name may cover another, a point or the edge; one that finds no free place covers the least.
    """
    points = np.vstack([np.column_stack([x, y]), others.reshape(-1, 2)])
    orders = [np.argsort(x), np.argsort(-x)]
    tried = [_placed(order, points, names, plots) for order in orders]
    return min(tried, key=lambda found: found[1])[0]


def notes_of_names(
    points: Iterable[tuple[float, float]], names: Iterable[Sequence[str]], places: Iterable[Place], kind: str
) -> list[dict[str, Any]]:
    """Return annotations that write names where `place_names` put them, each with a line to its point.

    `points` as the axes take them: on a logarithmic axis an annotation has the exponent. `kind` is what the
    annotations are called.
    """
    return [
        {
            "x": x,
            "y": y,
            "text": "<br>".join(plain(shortened(line, MOST_LETTERS)) for line in lines),
            "align": place.xanchor,
            "xanchor": place.xanchor,
            "yanchor": "bottom" if place.up > 0 else "top",
            "ax": place.right,
            "ay": -place.up if place.up > 0 else -place.up - LINE * len(lines),
            "arrowwidth": 1,
            "arrowhead": 0,
            "arrowcolor": GREY,
            "standoff": 6,
            "showarrow": True,
            "font": {"size": 11},
            "name": kind,
        }
        for (x, y), lines, place in zip(points, names, places, strict=True)
    ]


def _placed(
    order: npt.NDArray[np.intp],
    points: Numbers,
    names: Sequence[Sequence[str]],
    plots: Sequence[tuple[float, float]],
) -> tuple[list[Place], float]:
    """Return the places that names get one after another in this order, and what they cost together."""
    places, total = [Place("left", 0, 0)] * len(names), 0.0
    markers = np.array([-MARKER, -MARKER, MARKER, MARKER])
    taken = [np.tile(points * plot, 2) + markers for plot in plots]
    for index in order:
        letters = min(MOST_LETTERS, max(map(len, names[index])))
        width, height = letters * LETTER, len(names[index]) * LINE
        options, costs, boxes = _options(width, height)
        here = [boxes + np.tile(points[index] * plot, 2) for plot in plots]
        for box, others, plot in zip(here, taken, plots, strict=True):
            edge = np.array([[0.0, 0.0, *plot]])
            costs = costs + width * height - _overlaps(box, edge) + _overlaps(box, others)
        best = int(np.argmin(costs))
        places[index] = options[best]
        total += float(costs[best])
        taken = [np.vstack([others, box[best]]) for others, box in zip(taken, here, strict=True)]
    return places, total


def _options(width: float, height: float) -> tuple[list[Place], Numbers, Numbers]:
    """Return the places to try, what each costs by itself, and its box around the point.

    Near ones cost least, and those above: beside a frontier the upper left is empty.
    """
    options, costs = [], []
    for up in np.arange(NEAR, FAR, STEP):
        for xanchor, right, far in (("right", -NEAR, 0), ("left", NEAR, 0), ("center", 0.0, 4)):
            options += [Place(xanchor, right, up), Place(xanchor, right, -up - height)]
            costs += [(up + far) / 1000, (up + far + 60) / 1000]
    before = {"left": 0.0, "center": width / 2, "right": width}
    start = np.array([place.right - before[place.xanchor] for place in options])
    low = np.array([place.up for place in options])
    return options, np.array(costs), np.column_stack([start, low, start + width, low + height])


def _overlaps(boxes: Numbers, others: Numbers) -> Numbers:
    """Return how many pixels of each box lie on the others."""
    across = np.minimum(boxes[:, None, 2], others[:, 2]) - np.maximum(boxes[:, None, 0], others[:, 0])
    along = np.minimum(boxes[:, None, 3], others[:, 3]) - np.maximum(boxes[:, None, 1], others[:, 1])
    covered: Numbers = (np.maximum(0, across) * np.maximum(0, along)).sum(axis=1)
    return covered
