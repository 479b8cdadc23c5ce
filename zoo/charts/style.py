"""What every figure shares: colours, symbols, margins, ticks."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

import numpy as np

# Okabe and Ito's palette, less black and yellow, which vanish on a dark or a light page.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star", "pentagon")
"""Of another number than the colours, so that both come together again only after 42."""
DASHES = ("solid", "dot", "dash", "dashdot")
GREY = "#8a94a0"
MARGIN = {"l": 8, "r": 8, "t": 34, "b": 8}


def plain(text: object) -> str:
    """Return text as a figure shows it unchanged: Plotly takes simple tags in names, labels and cards."""
    return html.escape(str(text), quote=False)


def shortened(text: str, most: int) -> str:
    """Return text of at most so many letters, the last of which says that there were more."""
    return text if len(text) <= most else text[: most - 1] + "…"


def log_range(values: Sequence[float]) -> tuple[float, float]:
    """Return the ends of a logarithmic axis that holds these values with some air."""
    return min(values) / 1.25, max(values) * 1.25


def log_ticks(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 of each decade within these ends; where they are fewer than three, even steps."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [
        tick for decade in decades for tick in (10.0**decade * np.array([1, 2, 5])) if low <= tick <= high
    ]
    return ticks if len(ticks) >= 3 else _even_ticks(low, high)


def _even_ticks(low: float, high: float) -> list[float]:
    """Return the multiples of the largest round step that has three or more within these ends."""
    size = math.floor(math.log10(high - low))
    for step in (10.0**size, 5 * 10.0 ** (size - 1)):
        if math.floor(high / step) - math.ceil(low / step) >= 2:
            break
    else:
        step = 2 * 10.0 ** (size - 1)  # at least five of them are in ten
    return [round(n * step, 12) for n in range(math.ceil(low / step), math.floor(high / step) + 1)]
