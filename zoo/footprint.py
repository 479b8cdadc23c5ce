"""What rows cost at a size, in MACs and in megabytes, as one line a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from zoo.costs import costs_of, follows_formula, gmacs_at, largest_size
from zoo.limits import MEGABYTE
from zoo.rows import Row
from zoo.sizes import Size
from zoo.words import format_gmacs

if TYPE_CHECKING:
    from zoo.complexity import Complexity

BYTES_A_VALUE = {"8bit": 1, "float": 4}
"""By precision, as a network is run in it."""


def megabytes(values: float, precision: str) -> float:
    """Return what so many values take in a precision of BYTES_A_VALUE, in 10^6 bytes."""
    return values * BYTES_A_VALUE[precision] / MEGABYTE


def totals(
    rows: Mapping[str, Row], sizes: Mapping[str, Size], counted: Mapping[str, Complexity]
) -> pd.DataFrame:
    """Return one line for each size, in order: what its row costs there.

    size ("WxH"), gmacs (by the formula, where the row's MACs follow it; else as counted), params_m, and in MB
    peak_8bit_mb, peak_float_mb, weights_8bit_mb, weights_float_mb; indexed by row id. `counted` holds the
    counts at these sizes that are known by now: what only they tell is missing without them.
    """
    lines = {row_id: _total(rows[row_id], size, counted.get(row_id)) for row_id, size in sizes.items()}
    return pd.DataFrame.from_dict(lines, orient="index").rename_axis("id")


def _total(row: Row, size: Size, counted: Complexity | None) -> dict[str, object]:
    costs = costs_of(row)
    peak: float = costs.peak_activation_values.get(size, np.nan)
    gmacs = gmacs_at(row, size) if follows_formula(row, size) else np.nan
    if counted is not None:
        peak, gmacs = counted.peak_activation_values, counted.macs / 1e9 if np.isnan(gmacs) else gmacs
    found: dict[str, object] = {"size": str(size), "gmacs": gmacs, "params_m": costs.params / 1e6}
    for precision in BYTES_A_VALUE:
        found[f"peak_{precision}_mb"] = megabytes(peak, precision)
        found[f"weights_{precision}_mb"] = megabytes(costs.params, precision)
    return found


def confirmation(row: Row, size: Size, counted: Complexity) -> tuple[bool, str]:
    """Return whether a count gives what the formula does, and how it was made, in words."""
    by = "the graph" if row.own is not None else f"ptflops {counted.ptflops_version}"
    said = f"{counted.macs:,} MACs at {size}, counted from {by} in {counted.seconds:.2f} s"
    said = said.replace("from ptflops", "live by ptflops")
    if not follows_formula(row, size):
        return True, f"{said}; its MACs follow no formula."
    by_formula = round(gmacs_at(row, size) * 1e9)
    equal = by_formula == counted.macs
    return equal, f"{said}: equal to the formula." if equal else f"{said}; the formula gives {by_formula:,}."


def fitting(row: Row, budget: float, aspect: tuple[int, int], multiple: int) -> tuple[Size, str]:
    """Return the largest size within a budget (GigaMACs), and what it costs there, in words.

    Raises as `zoo.costs.largest_size`.
    """
    size = largest_size(row, budget, aspect, multiple)
    gmacs = gmacs_at(row, size)
    return size, f"{format_gmacs(gmacs)} GigaMACs, {100 * gmacs / budget:.0f} % of the budget"


def layer_table(counted: Complexity) -> pd.DataFrame:
    """Return the layers of a count for people, the one with the most MACs first.

    name, kind, output and input ("WxHxC"), macs, share (%), params, kernel, stride, dilation, groups.
    """
    table = counted.layers.sort_values("macs", ascending=False, kind="stable", ignore_index=True)
    table["input"], table["output"] = (
        table[side].map(shape_words) for side in ("input_shape", "output_shape")
    )
    columns = ["name", "kind", "output", "macs", "share", "params"]
    columns += ["input", "kernel", "stride", "dilation", "groups"]
    return table[columns]


def shape_words(shape: tuple[int, ...]) -> str:
    """Return a tensor's shape without its batch: "WxHxC" of feature maps, else in its own order."""
    parts = (shape[3], shape[2], shape[1]) if len(shape) == 4 else shape[1:] or shape
    return "x".join(map(str, parts))
