"""MACs of every row at any size, by an exact formula whose numbers are in data/costs.csv.

Every convolution runs at a stride s of 1 to 32 and has ceil(H / s) x ceil(W / s) positions, so that

    macs(W, H) = sum over s of cost[s] * ceil(W / s) * ceil(H / s) + constant + pooled * cells(W, H)

where cost[s] is the MACs at one position, the constant runs on pooled 1x1 features, and cells are those of
SwiftNet's pooled grids (0 MACs each for every other network). No torch here: `zoo.complexity` counts live,
confirms the formula and writes the file.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from zoo.catalog import check_row_size, get_row, load_audit, load_catalog, load_families, unknown_name
from zoo.errors import BudgetError, SizeError, TableError
from zoo.limits import SIZE_MAX_SIDE, SIZE_MIN_SIDE, Size, check_size
from zoo.selection import check_budget
from zoo.tables import DATA, load_table

STRIDES = (1, 2, 4, 8, 16, 32)
COSTS = [f"cost_{stride}" for stride in STRIDES]
GRID_ROWS = (8, 4, 2)
"""Rows of SwiftNet's pooled grids; their columns follow the picture's shape."""
EQUAL_PCT = 0.5
"""A count this close to the published number is called equal."""


def load_costs() -> pd.DataFrame:
    """Return the formula's numbers, parameters and peak activation (values, at the published size).

    Indexed by row id; behind the catalog's rows stand the bundled networks with their own classes.
    """
    return _costs().copy()


@cache
def _costs() -> pd.DataFrame:
    import pandera.pandas as pa

    def count(name: str) -> pa.Column:
        return pa.Column("int64", pa.Check.ge(0, error="0 or more"), name=name)

    names = [*COSTS, "constant", "pooled", "params", "peak_activation_values"]
    columns = {"id": pa.Column(str, unique=True), **{name: count(name) for name in names}}
    columns["ptflops_version"] = pa.Column(str)
    table = load_table(DATA / "costs.csv", pa.DataFrameSchema(columns, strict=True)).set_index("id")
    for row_id in load_catalog().index.difference(table.index, sort=False):
        raise TableError(f"costs.csv has no line for {row_id}: write it anew with python -m zoo.complexity.")
    return table


@cache
def _arrays() -> tuple[pd.Index, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    rows = load_catalog()
    multiples = load_families()["size_multiple"].loc[rows["family"]].to_numpy(np.int64)
    matrix = _costs().loc[rows.index, [*COSTS, "constant", "pooled"]].to_numpy(np.int64)
    return rows.index, matrix, multiples


def macs_at(width: int, height: int) -> pd.Series:
    """Return the MACs of all rows at that size: Int64, indexed by id, missing where a row cannot take it.

    Raises SizeError for a size that is out of range.
    """
    size = check_size(width, height)
    index, matrix, multiples = _arrays()
    refused = (size.width % multiples != 0) | (size.height % multiples != 0)
    macs = matrix @ _factors(np.array([size.width]), np.array([size.height]))[:, 0]
    return pd.Series(pd.arrays.IntegerArray(macs, refused), index=index, name="macs")


def macs_over(row_id: str, widths: npt.ArrayLike, heights: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return the MACs of one row (or bundled network) at many sizes, for curves; sizes are not checked."""
    costs = _row_costs(row_id)
    return costs[[*COSTS, "constant", "pooled"]].to_numpy(np.int64) @ _factors(
        np.asarray(widths), np.asarray(heights)
    )


def macs_by_stride(row_id: str, width: int, height: int) -> pd.Series:
    """Return where a row spends its MACs at that size: by stride, and on pooled features."""
    size = (
        check_row_size(row_id, width, height) if row_id in load_catalog().index else check_size(width, height)
    )
    costs = _row_costs(row_id)[[*COSTS, "constant", "pooled"]].to_numpy(np.int64)
    parts = costs * _factors(np.array([size.width]), np.array([size.height]))[:, 0]
    labels = [*(f"stride {stride}" for stride in STRIDES), "pooled to 1x1", "pooled grids"]
    return pd.Series(parts, index=labels, name="macs")


def largest_size(row_id: str, max_gmacs: float, aspect: tuple[int, int] = (2, 1), multiple: int = 32) -> Size:
    """Return the largest input of about that aspect ratio (width, height) whose MACs fit the budget.

    Both sides are multiples of `multiple`, and of what the network needs. Raises UnknownIdError, SizeError
    for an aspect or a multiple that is none, and BudgetError for no budget or if not even the smallest fits.
    """
    row, budget = get_row(row_id), check_budget(max_gmacs)
    for name, whole in (("aspect", aspect[0]), ("aspect", aspect[1]), ("multiple", multiple)):
        if not isinstance(whole, int) or not 1 <= whole <= SIZE_MAX_SIDE:
            raise SizeError(f"{name} {whole!r} cannot be used: give a whole number, 1 to {SIZE_MAX_SIDE}.")
    step = math.lcm(multiple, int(load_families()["size_multiple"][row["family"]]))
    widths = np.arange(step, SIZE_MAX_SIDE + 1, step)
    heights = np.maximum(step, np.rint(widths * aspect[1] / aspect[0] / step).astype(int) * step)
    usable = (widths >= SIZE_MIN_SIDE) & (heights >= SIZE_MIN_SIDE) & (heights <= SIZE_MAX_SIDE)
    widths, heights = widths[usable], heights[usable]
    fits = macs_over(row_id, widths, heights) <= budget * 1e9
    if not fits.any():
        raise BudgetError(
            f"{budget:g} GigaMACs fit no size of {row_id} in steps of {step} pixels: allow more."
        )
    best = np.flatnonzero(fits)[np.argmax((widths * heights)[fits])]
    return Size(int(widths[best]), int(heights[best]))


def audit() -> pd.DataFrame:
    """Return published against counted for every row, at the published size.

    Columns: published_gmacs, counted_gmacs, error_pct, verdict, explanation, published_at (a size, where the
    published number comes true at another) and gmacs_there.
    """
    rows, reasons = load_catalog(), load_audit()
    table = pd.DataFrame({"published_gmacs": rows["gmacs"]})
    sizes = zip(rows.index, rows["input_width"], rows["input_height"], strict=True)
    table["counted_gmacs"] = [_gmacs(row_id, width, height) for row_id, width, height in sizes]
    table["error_pct"] = 100 * (table["counted_gmacs"] / table["published_gmacs"] - 1)
    status = reasons["status"].reindex(rows.index)
    equal = table["error_pct"].abs() <= EQUAL_PCT
    table["verdict"] = status.where(~equal, "equal").where(table["published_gmacs"].notna(), "not published")
    table["explanation"] = reasons["explanation"].reindex(rows.index)
    table["published_at"] = reasons["published_at"].reindex(rows.index)
    table["gmacs_there"] = [
        _gmacs(row_id, *map(int, at.split("x"))) if isinstance(at, str) else np.nan
        for row_id, at in table["published_at"].items()
    ]
    return table


def _gmacs(row_id: str, width: int, height: int) -> float:
    return int(macs_over(row_id, [width], [height])[0]) / 1e9


def _row_costs(row_id: str) -> pd.Series:
    if row_id not in _costs().index:
        raise unknown_name("row", row_id, _costs().index, "See all with: python -m zoo list")
    return _costs().loc[row_id]


def _factors(widths: npt.NDArray[np.int_], heights: npt.NDArray[np.int_]) -> npt.NDArray[np.int64]:
    """Return what each number of the formula is multiplied by: (8, sizes)."""
    strides = np.array(STRIDES)[:, None]
    positions = -(-widths // strides) * -(-heights // strides)
    columns = -(-widths // 32) / -(-heights // 32)
    cells = sum(rows * np.maximum(1, np.rint(rows * columns)) for rows in GRID_ROWS)
    return np.vstack([positions, np.ones_like(widths), cells]).astype(np.int64)
