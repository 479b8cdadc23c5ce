"""Rows side by side: their numbers and differences, and where their label maps of a picture disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from zoo.catalog import check_row_size
from zoo.classes import ClassList, LabelMap
from zoo.costs import costs_of, macs_over
from zoo.errors import InputError, NotOursError, SizeError
from zoo.metrics import VOID
from zoo.rows import Row
from zoo.selection import PUBLISHED, excluded, frontier
from zoo.sizes import Size
from zoo.words import Cost, shown_cost

LEAST, MOST = 2, 4
"""How many rows or masks are compared at a time."""
FIGURES = ["gmacs", "miou", "counted_gmacs", "params"]


def compare_figures(rows: Sequence[Row], size: Size | None = None) -> pd.DataFrame:
    """Return what rows cost and reach, indexed by id, each with its difference from the first row.

    Columns: `gmacs` and `miou` (percent) as published, `counted_gmacs` at `size` (each row's own if None) and
    `params` as counted; `gmacs_difference`, `counted_gmacs_difference` and `params_difference` are percent of
    the first row's, `miou_difference` points. Missing where a number is. Raises InputError unless there are
    two to four rows.
    """
    _check_number(len(rows), "rows")
    table = pd.DataFrame(
        [(row.gmacs, row.miou, *_counted(row, size)) for row in rows],
        columns=FIGURES,
        index=pd.Index([row.id for row in rows], name="id"),
        dtype="float64",
    )
    first = table.iloc[0]
    for column in FIGURES:
        difference = table[column] - first[column]
        table[f"{column}_difference"] = difference if column == "miou" else 100 * difference / first[column]
    return table


def _counted(row: Row, size: Size | None) -> tuple[float | None, int | None]:
    try:
        at = check_row_size(row, *(size or row.size))
        return float(macs_over(row, [at.width], [at.height])[0]) / 1e9, costs_of(row).params
    except NotOursError:
        return None, None
    except SizeError:
        return None, costs_of(row).params


def position(table: pd.DataFrame, row_id: str, cost: Cost = PUBLISHED) -> str:
    """Return where a row stands against the frontier of its data set, in one sentence.

    `table` is that of `zoo.selection`, with the cost's column. Of the rows that beat it the most accurate is
    named, of several the cheapest.
    """
    row = table.loc[row_id]
    missing = excluded(table.loc[[row_id]], cost)
    if not missing.empty:
        return f"Not on the chart: {missing.iloc[0]}."
    same = table[table["dataset"] == row["dataset"]]
    if frontier(same, cost)[row_id]:
        return f"On the frontier of {row['dataset']}."
    better = same[(same[cost.column] <= row[cost.column]) & (same["miou"] >= row["miou"])].drop(row_id)
    best = better.sort_values(["miou", cost.column], ascending=[False, True], kind="stable").iloc[0]
    return (
        f"Off the frontier: {best['title']} has {best['miou']:g} % for {shown_cost(best, cost)}, "
        f"this one {row['miou']:g} % for {shown_cost(row, cost)}."
    )


@dataclass(frozen=True)
class SharedClasses:
    """The classes that several class lists have in common, by name."""

    classes: ClassList
    """In the order, and with the colours, of the first list."""
    tables: tuple[npt.NDArray[np.uint8], ...]
    """For each list the shared class, or VOID, of each class id: 256 of them."""
    complete: bool
    """Whether the lists are the same, so that nothing was left out."""

    @property
    def words(self) -> str:
        """What is compared, in one sentence."""
        names = self.classes.names
        if self.complete:
            return f"All have {self.classes.words}."
        count = "class" if len(names) == 1 else f"{len(names)} classes"
        return f"Compared on the {count} that all have: {', '.join(names)}."

    def in_colours(self, label_map: LabelMap) -> LabelMap:
        """Return a map whose shared classes have the same colours in every list."""
        common = dict(zip(self.classes.names, self.classes.palette, strict=True))
        own = label_map.classes
        return label_map.in_colours(
            tuple(common.get(name, colour) for name, colour in zip(own.names, own.palette, strict=True))
        )


def shared_classes(lists: Sequence[ClassList]) -> SharedClasses:
    """Return the classes whose names stand in all lists, or raise InputError where there is none."""
    _check_number(len(lists), "class lists")
    first = lists[0]
    shared = [name for name in first.names if all(name in other.names for other in lists[1:])]
    if not shared:
        kinds = "; ".join(dict.fromkeys(each.words for each in lists))
        raise InputError(f"these masks share no class ({kinds}): choose weights with classes in common.")
    complete = all(other.names == first.names for other in lists)
    palette = tuple(first.palette[first.names.index(name)] for name in shared)
    words = first.words if complete else f"{len(shared)} shared classes"
    tables = []
    for each in lists:
        table = np.full(256, VOID, np.uint8)
        for place, name in enumerate(shared):
            table[each.names.index(name)] = place
        tables.append(table)
    return SharedClasses(ClassList(tuple(shared), palette, words), tuple(tables), complete)


@dataclass(frozen=True)
class Disagreement:
    """Where label maps of one picture differ, on the classes that all of them have."""

    shared: SharedClasses
    mask: npt.NDArray[np.bool_]
    """True where two of them differ, (H, W)."""
    compared: npt.NDArray[np.bool_]
    """True where every map has a shared class, (H, W)."""

    @property
    def pixels(self) -> int:
        """How many pixels differ."""
        return int(self.mask.sum())

    @property
    def percent(self) -> float:
        """Share of the compared pixels that differ; NaN where none can be compared."""
        compared = int(self.compared.sum())
        return 100 * self.pixels / compared if compared else float("nan")

    @property
    def words(self) -> str:
        """How much differs, and on which classes, in two sentences."""
        if not self.compared.any():
            return f"No pixel has a shared class in all of them. {self.shared.words}"
        left_out = "" if self.shared.complete else f" ({self.compared_percent:.1f} % of the picture)"
        return (
            f"{self.pixels:,} pixels, {self.percent:.2f} % of those compared{left_out}. {self.shared.words}"
        )

    @property
    def compared_percent(self) -> float:
        """Share of the picture that is compared."""
        return 100 * float(self.compared.mean())


def disagreement(maps: Sequence[LabelMap]) -> Disagreement:
    """Return where two to four label maps of one picture differ.

    Pixels where one of them has a class that is not shared are not compared. Raises InputError for maps of
    different sizes, or without a class in common.
    """
    _check_number(len(maps), "masks")
    shapes = {each.labels.shape for each in maps}
    if len(shapes) > 1:
        shown = ", ".join(f"{width}x{height}" for height, width in sorted(shapes))
        raise InputError(f"masks of {shown} cannot be compared: make them of the same picture.")
    shared = shared_classes([each.classes for each in maps])
    named = [table[each.labels] for table, each in zip(shared.tables, maps, strict=True)]
    compared = np.all([labels != VOID for labels in named], axis=0)
    differ = np.any([labels != named[0] for labels in named[1:]], axis=0)
    return Disagreement(shared, compared & differ, compared)


def compare_shares(maps: Sequence[LabelMap]) -> pd.DataFrame:
    """Return the share of the picture of each shared class, percent: a row a class, a column a map.

    Columns are the maps' places from 0; `spread` is the largest share less the smallest. Raises InputError
    like `disagreement`.
    """
    shared = shared_classes([each.classes for each in maps])
    columns = {}
    for place, (table, each) in enumerate(zip(shared.tables, maps, strict=True)):
        counts = np.bincount(table[each.labels].ravel(), minlength=256)[: len(shared.classes)]
        columns[place] = 100 * counts / each.labels.size
    shares = pd.DataFrame(columns, index=pd.Index(shared.classes.names, name="class"))
    return shares.assign(spread=shares.max(axis=1) - shares.min(axis=1))


def _check_number(count: int, what: str) -> None:
    if not LEAST <= count <= MOST:
        raise InputError(f"{count} {what} cannot be compared: give {LEAST} to {MOST}.")
