"""Where names stand beside points, so that none covers another, on a wide screen and on a narrow one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

LETTER, LINE = 6.2, 13.0
"""Pixels of a letter and a line at the size in which names are written; a little more than measured."""
NEAR, FAR = 6.0, 150.0
"""Pixels between a point and its name, at least and at most."""
MARKER = 7.0
"""Half of a point's width."""

Box = tuple[float, float, float, float]
"""left, bottom, right, top"""


class Place(NamedTuple):
    """Where a name stands: its anchor, and how far from its point, in pixels, up being positive."""

    xanchor: str
    right: float
    up: float


def place_names(
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    others: npt.NDArray[np.float64],
    names: Sequence[Sequence[str]],
    widths: Sequence[float],
    height: float,
) -> list[Place]:
    """Return where the names of points stand.

    `x`, `y`: the points as parts of the plot, 0 to 1, from the left and from below; `others`: those
    of points without a name, (n, 2). `names`: the lines of each. `widths`, `height`: the plots in pixels in
    which no name may cover another, a point or the edge. A name that finds no free place takes the one that
    covers the least.
    """
    orders = [np.argsort(x), np.argsort(-x)]
    tried = [_placed(order, x, y, others, names, widths, height) for order in orders]
    return min(tried, key=lambda found: found[1])[0]


def _placed(
    order: npt.NDArray[np.intp],
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    others: npt.NDArray[np.float64],
    names: Sequence[Sequence[str]],
    widths: Sequence[float],
    height: float,
) -> tuple[list[Place], float]:
    """Return the places that names get one after another in this order, and what they cost together."""
    places, total = [Place("left", 0, 0)] * len(names), 0.0
    taken: list[list[Box]] = [
        [_marker(left * width, up * height) for left, up in [*zip(x, y, strict=True), *others]]
        for width in widths
    ]
    for index in order:
        left, up, lines = x[index], y[index], names[index]
        options = _options(max(map(len, lines)) * LETTER, len(lines) * LINE)
        costs = [
            sum(
                _covered(_box(left * width, up * height, place, lines), boxes, width, height)
                for width, boxes in zip(widths, taken, strict=True)
            )
            + distance / 1000
            for place, distance in options
        ]
        best = options[int(np.argmin(costs))][0]
        places[index] = best
        total += min(costs)
        for width, boxes in zip(widths, taken, strict=True):
            boxes.append(_box(left * width, up * height, best, lines))
    return places, total


def _options(width: float, height: float) -> list[tuple[Place, float]]:
    """Return the places to try and how far each is from its point: to the upper left first, which is empty
    beside a frontier."""
    options = []
    for step in np.arange(NEAR, FAR, 6.0):
        for xanchor, right in (("right", -NEAR), ("left", NEAR), ("center", 0.0)):
            beside = 0.0 if xanchor != "center" else 4.0
            options.append((Place(xanchor, right, step), step + beside))
            options.append((Place(xanchor, right, -step - height), step + beside + 60))
    return options


def _box(left: float, up: float, place: Place, lines: Sequence[str]) -> Box:
    width, height = max(map(len, lines)) * LETTER, len(lines) * LINE
    start = left + place.right - {"left": 0.0, "center": width / 2, "right": width}[place.xanchor]
    return start, up + place.up, start + width, up + place.up + height


def _marker(left: float, up: float) -> Box:
    return left - MARKER, up - MARKER, left + MARKER, up + MARKER


def _covered(box: Box, boxes: Sequence[Box], width: float, height: float) -> float:
    """Return how many pixels of a name lie on others or outside the plot."""
    area = (box[2] - box[0]) * (box[3] - box[1])
    inside = _overlap(box, (0, 0, width, height))
    return area - inside + sum(_overlap(box, other) for other in boxes)


def _overlap(one: Box, other: Box) -> float:
    across = min(one[2], other[2]) - max(one[0], other[0])
    along = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, across) * max(0.0, along)
