"""MACs of every row at any size, by an exact formula whose numbers are in data/costs.csv.

A convolution that runs at a stride s has ceil(H / s) x ceil(W / s) positions, its grid g(s).
SegFormer's attention reads a reduced grid, n(s) = floor(ceil(H / s) / r) x floor(ceil(W / s) / r) with
r = 32 / s. So

    macs(W, H) = sum over s of cost[s] * g(s) + reduced[s] * n(s) + attention[s] * g(s) * n(s)
               + constant + pooled * cells(W, H)

where cost[s] is the MACs at one position, the constant runs on pooled 1x1 features, and cells are those of
SwiftNet's pooled grids; most networks need but a few of these numbers. No torch here: `zoo.complexity` counts
live, confirms the formula and writes the file.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from zoo import schemas
from zoo.catalog import PUBLISHED, Catalog, catalog_named, catalog_names, check_row_size, find_row
from zoo.checks import check_budget, is_whole
from zoo.errors import BudgetError, CountError, SizeError, TableError
from zoo.families import families
from zoo.limits import COUNT_SECONDS, SIZE_MAX_SIDE, SIZE_MIN_SIDE
from zoo.rows import Network, OwnNetwork, Row
from zoo.sizes import Size, check_size
from zoo.tables import DATA, load_table

STRIDES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
REDUCED = (4, 8, 16)
"""Strides whose grid SegFormer reduces; at 32 nothing is left to reduce."""
ATTENTION = (*REDUCED, 32)
REDUCED_TO = 32
TERMS = [*(f"cost_{stride}" for stride in STRIDES), *(f"reduced_{stride}" for stride in REDUCED)]
TERMS += [*(f"attention_{stride}" for stride in ATTENTION), "constant", "pooled"]
"""The formula's numbers, as they are called in costs.csv."""
GRID_ROWS = (8, 4, 2)
"""Rows of SwiftNet's pooled grids; their columns follow the picture's shape."""
PARTS = {f"stride {stride}": [f"cost_{stride}"] for stride in STRIDES}
PARTS |= {
    "reduced grids": [f"reduced_{stride}" for stride in REDUCED],
    "attention": [f"attention_{stride}" for stride in ATTENTION],
    "pooled to 1x1": ["constant"],
    "pooled grids": ["pooled"],
}
"""Where MACs are spent, in words, with the terms of each part."""

PEAKS = ("peak_activation_values", "run_peak_values")

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Costs:
    """A line of costs.csv: what a network with a number of classes costs."""

    formula: Numbers
    """In the order of TERMS."""
    params: int
    peak_activation_values: dict[Size, int]
    """At the sizes at which it was counted."""
    run_peak_values: dict[Size, int]
    """The same as a runtime holds it, up to the last operation, of networks of ours."""


def load_costs() -> pd.DataFrame:
    """Return data/costs.csv, indexed by row id: the network and its number of classes, the formula's numbers,
    parameters, and peak activation (values, at the row's size).

    Behind the rows of the catalogs stand the bundled networks with their own classes.
    """
    return _table().copy()


@cache
def _table() -> pd.DataFrame:
    columns = {"id": schemas.text(unique=True)}
    columns |= {name: schemas.text() for name in ("family", "encoder", "decoder")}
    columns |= {"options": schemas.json_object(), "num_classes": schemas.whole_number(1, 255)}
    columns |= {"input_width": schemas.whole_number(1), "input_height": schemas.whole_number(1)}
    columns |= {name: schemas.whole_number(0) for name in [*TERMS, "params", *PEAKS]}
    columns["ptflops_version"] = schemas.text()
    return load_table(DATA / "costs.csv", schemas.schema(**columns)).set_index("id")


@cache
def _known() -> dict[tuple[Network, int], Costs]:
    known: dict[tuple[Network, int], Costs] = {}
    formulas = _table()[TERMS].to_numpy(np.int64)
    for line, formula in zip(_table().itertuples(), formulas, strict=True):
        options = line.options if isinstance(line.options, str) else ""
        key = Network(line.family, line.encoder, line.decoder, options), int(line.num_classes)
        costs = known.setdefault(key, Costs(formula, int(line.params), {}, {}))
        size = Size(line.input_width, line.input_height)
        costs.peak_activation_values[size] = line.peak_activation_values
        costs.run_peak_values[size] = line.run_peak_values
    return known


def costs_of(row: str | Row, num_classes: int | None = None) -> Costs:
    """Return what a row's network costs with that many classes (its own if None).

    A network that is not in costs.csv is counted once, in a process of its own. Raises UnknownIdError,
    NotOursError for a row that no family of ours builds, and CountError.
    """
    found = find_row(row)
    if found.own is not None:
        return _own_costs(found.own)
    classes = num_classes or found.num_classes
    if classes is None:
        raise CountError(f"{found.id} does not say how many classes its network has.")
    known = _known().get((found.built, classes))
    if known is not None:
        return known
    if found.catalog in catalog_names():
        raise TableError(
            f"costs.csv has no line for {found.id}: write it anew with python -m zoo.complexity."
        )
    return _counted_elsewhere(found.built, classes, found.size)


def _own_costs(own: OwnNetwork) -> Costs:
    """Return what an own network costs; without a formula, its MACs at its one size, as a constant."""
    constant = tuple(own.macs if term == "constant" else 0 for term in TERMS)
    formula = np.array(constant if own.formula is None else own.formula, np.int64)
    return Costs(formula, own.params, {own.size: own.peak_activation_values}, {})


@lru_cache(maxsize=256)
def _counted_elsewhere(network: Network, num_classes: int, size: Size) -> Costs:
    """Count a network in a process of its own: this one stays free of torch."""
    order = json.dumps({"network": network, "num_classes": num_classes, "size": size})
    try:
        done = subprocess.run(
            [sys.executable, "-m", "zoo.complexity", "--line"],
            input=order,
            capture_output=True,
            text=True,
            timeout=COUNT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CountError(
            f"the network {network.family} {network.encoder} was not counted within {COUNT_SECONDS} s."
        ) from error
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["it stopped"])[-1]
        raise CountError(f"the network {network.family} {network.encoder} cannot be counted: {reason}")
    line = json.loads(done.stdout)
    formula = np.array([line[term] for term in TERMS], np.int64)
    return Costs(formula, line["params"], *({size: line[name]} for name in PEAKS))


@dataclass(frozen=True, eq=False)
class _Arrays:
    """What the rows of a catalog cost and which sizes they take."""

    index: pd.Index
    formulas: Numbers
    """(rows, terms)."""
    multiples: Numbers
    """Of what both sides must be multiples; 0 where there is no network, which takes no size."""
    only: Numbers
    """(rows, 2): the one width and height whose cost is known; 0 where any is."""

    def takes(self, widths: Numbers, heights: Numbers) -> npt.NDArray[np.bool_]:
        """Return which rows take a size: one for all rows, or one for each."""
        steps = np.maximum(self.multiples, 1)
        free = self.only[:, 0] == 0
        this = (self.only[:, 0] == widths) & (self.only[:, 1] == heights)
        return (self.multiples > 0) & (widths % steps == 0) & (heights % steps == 0) & (free | this)


@lru_cache(maxsize=64)
def _arrays(catalog: Catalog) -> _Arrays:
    none = np.zeros(len(TERMS), np.int64)
    formulas = [costs_of(row).formula if size_multiple(row) else none for row in catalog.rows]
    only = [row.size if row.own is not None and row.own.formula is None else (0, 0) for row in catalog.rows]
    return _Arrays(
        index=pd.Index([row.id for row in catalog.rows], dtype="str", name="id"),
        formulas=np.array(formulas, np.int64).reshape(-1, len(TERMS)),
        multiples=np.array([size_multiple(row) for row in catalog.rows], np.int64),
        only=np.array(only, np.int64).reshape(-1, 2),
    )


def is_counted(row: Row) -> bool:
    """Return whether a row's network is known here without counting it anew."""
    return row.own is not None or (row.built, row.num_classes) in _known()


def params_and_peaks(catalog: Catalog) -> pd.DataFrame:
    """Return params and peak_activation_values (at each row's own size) of a catalog, indexed by id.

    Int64, missing for a row without a network, a peak also where nobody counted it at that size.
    """
    found = [costs_of(row) if size_multiple(row) else None for row in catalog.rows]
    peaks = [
        costs and costs.peak_activation_values.get(row.own.size if row.own else row.size)
        for row, costs in zip(catalog.rows, found, strict=True)
    ]
    return pd.DataFrame(
        {"params": [costs and costs.params for costs in found], "peak_activation_values": peaks},
        index=pd.Index([row.id for row in catalog.rows], dtype="str", name="id"),
        dtype="Int64",
    )


def size_multiple(row: Row) -> int:
    """Return of what both sides of a row's input must be multiples; 0 for a row without a network."""
    if row.own is not None:
        return row.own.multiple
    return families()[row.network.family].size_multiple if row.network else 0


def macs_at(width: int, height: int, catalog: Catalog | None = None) -> pd.Series:
    """Return the MACs of all rows of a catalog (the published table if None) at that size.

    Int64, indexed by id, missing where a row cannot take the size or has no network; a missing value is
    pandas' NA, which has no truth value: ask with `.isna()`. Raises SizeError for a size out of range.
    """
    size = check_size(width, height)
    arrays = _arrays(catalog or catalog_named(PUBLISHED))
    widths, heights = np.array([size.width]), np.array([size.height])
    macs = arrays.formulas @ factors(widths, heights)[:, 0]
    refused = ~arrays.takes(widths, heights)
    return pd.Series(pd.arrays.IntegerArray(macs, refused), index=arrays.index, name="macs")


def counted_gmacs(catalog: Catalog, size: Size | None = None) -> pd.Series:
    """Return the GigaMACs of all rows at `size`, or at each row's own size: float64, indexed by id."""
    if size is not None:
        macs = macs_at(*size, catalog)
        return pd.Series(macs.to_numpy(float, na_value=np.nan) / 1e9, index=macs.index, name="counted_gmacs")
    arrays = _arrays(catalog)
    widths = np.array([row.size.width for row in catalog.rows], np.int64)
    heights = np.array([row.size.height for row in catalog.rows], np.int64)
    own = (arrays.formulas * factors(widths, heights).T).sum(axis=1)
    found = np.where(arrays.takes(widths, heights), own / 1e9, np.nan)
    return pd.Series(found, index=arrays.index, name="counted_gmacs")


def macs_over(
    row: str | Row, widths: npt.ArrayLike, heights: npt.ArrayLike, num_classes: int | None = None
) -> Numbers:
    """Return the MACs of one row at many sizes, for curves; sizes are not checked."""
    return costs_of(row, num_classes).formula @ factors(np.asarray(widths), np.asarray(heights))


def gmacs_at(row: str | Row, size: Size) -> float:
    """Return the GigaMACs of one row at a size, which is not checked."""
    return int(macs_over(row, [size.width], [size.height])[0]) / 1e9


def follows_formula(row: str | Row, size: Size | None = None) -> bool:
    """Return whether the formula gives a row's MACs at a size (None: at all); of an own file it may not."""
    own = find_row(row).own
    return own is None or own.formula is not None or size == own.size


def macs_by_part(row: str | Row, width: int, height: int) -> pd.Series:
    """Return where a row spends its MACs at that size: by stride, on pooled features, in attention."""
    size = check_row_size(row, width, height)
    spent = costs_of(row).formula * factors(np.array([size.width]), np.array([size.height]))[:, 0]
    by_term = dict(zip(TERMS, spent.tolist(), strict=True))
    return pd.Series(
        {part: sum(by_term[term] for term in terms) for part, terms in PARTS.items()}, name="macs"
    )


def largest_size(
    row: str | Row, max_gmacs: float, aspect: tuple[int, int] = (2, 1), multiple: int = 32
) -> Size:
    """Return the largest input of about that aspect ratio (width, height) whose MACs fit the budget.

    Both sides are multiples of `multiple`, and of what the network needs. Raises UnknownIdError,
    NotOursError, SizeError for an aspect or a multiple that is none, and BudgetError for no budget or if not
    even the smallest fits.
    """
    found, budget = find_row(row), check_budget(max_gmacs)
    for name, whole in (("aspect", aspect[0]), ("aspect", aspect[1]), ("multiple", multiple)):
        if not is_whole(whole) or not 1 <= int(whole) <= SIZE_MAX_SIDE:
            raise SizeError(f"{name} {whole!r} cannot be used: give a whole number, 1 to {SIZE_MAX_SIDE}.")
    if found.own is not None and found.own.formula is None:
        if found.own.macs > budget * 1e9:
            raise BudgetError(
                f"{budget:g} GigaMACs are fewer than {found.own.name} needs at {found.size}, the only size "
                f"that is known of it: allow {found.own.macs / 1e9:.3g}."
            )
        return found.size
    step = math.lcm(multiple, size_multiple(found) or families()[found.built.family].size_multiple)
    widths = np.arange(step, SIZE_MAX_SIDE + 1, step)
    heights = np.maximum(step, np.rint(widths * aspect[1] / aspect[0] / step).astype(int) * step)
    usable = (widths >= SIZE_MIN_SIDE) & (heights >= SIZE_MIN_SIDE) & (heights <= SIZE_MAX_SIDE)
    widths, heights = widths[usable], heights[usable]
    fits = macs_over(found, widths, heights) <= budget * 1e9
    if not fits.any():
        raise BudgetError(
            f"{budget:g} GigaMACs fit no size of {found.id} in steps of {step} pixels: allow more."
        )
    best = np.flatnonzero(fits)[np.argmax((widths * heights)[fits])]
    return Size(int(widths[best]), int(heights[best]))


def factors(widths: npt.NDArray[np.int_], heights: npt.NDArray[np.int_]) -> Numbers:
    """Return what each of the formula's TERMS is multiplied by at those sizes: (terms, sizes)."""
    strides = np.array(STRIDES)[:, None]
    rows, columns = -(-heights // strides), -(-widths // strides)
    grids = rows * columns
    at = [STRIDES.index(stride) for stride in ATTENTION]
    ratios = REDUCED_TO // np.array(ATTENTION)[:, None]
    reduced = (rows[at] // ratios) * (columns[at] // ratios)
    shape = columns[STRIDES.index(32)] / rows[STRIDES.index(32)]
    cells = sum(count * np.maximum(1, np.rint(count * shape)) for count in GRID_ROWS)
    parts = [grids, reduced[: len(REDUCED)], grids[at] * reduced, np.ones_like(widths), cells]
    return np.vstack(parts).astype(np.int64)
