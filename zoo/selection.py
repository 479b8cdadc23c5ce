"""Choosing a row: budgets, the Pareto frontier, ranking, and the answer in words.

Every function takes a table with the catalog's columns, indexed by row id, and the name of the column that
holds the cost of a row in billions of multiply-accumulates: `gmacs`, as published, or `counted_gmacs`, which
`with_counted` adds. A row without a cost or without an accuracy takes part in nothing; `excluded` says why.
mIoU is compared within one data set only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from numbers import Real

import numpy as np
import pandas as pd

from zoo.catalog import check_dataset, load_audit
from zoo.errors import BudgetError
from zoo.limits import Size

PUBLISHED = "gmacs"
COUNTED = "counted_gmacs"
MARK = "*"
"""Behind the name of a row whose published number belongs to another input size than the row's own."""


def check_budget(gmacs: object) -> float:
    """Return a budget in GigaMACs, or raise BudgetError unless it is a finite number above zero."""
    return _checked(gmacs, "a budget in GigaMACs", "above 0, such as 4", lambda number: number > 0)


def check_miou(percent: object) -> float:
    """Return an accuracy in percent, or raise BudgetError unless it is a number from 0 to 100."""
    return _checked(
        percent, "an mIoU in percent", "from 0 to 100, such as 72", lambda number: 0 <= number <= 100
    )


def budget_from_chip(tops: object, utilisation: object, frames_per_second: object) -> float:
    """Return the GigaMACs that a chip can spend on one frame.

    `tops`: the chip's peak in 10^12 operations a second; a multiply-accumulate is two operations.
    `utilisation`: the share of the peak that a network reaches, above 0 and up to 1.
    Raises BudgetError for numbers that are none, or that are out of range.
    """
    peak = _checked(tops, "a peak in TOPS", "above 0, such as 8", lambda number: number > 0)
    share = _checked(utilisation, "a utilisation", "above 0, up to 1", lambda number: 0 < number <= 1)
    rate = _checked(frames_per_second, "frames a second", "above 0, such as 30", lambda number: number > 0)
    return check_budget(peak * 1000 / 2 * share / rate)


def with_counted(table: pd.DataFrame, size: Size | None = None) -> pd.DataFrame:
    """Return the table with `counted_gmacs` added: what our count gives at `size`, or at each row's own size.

    It is missing for a row that cannot take the size, or that is no network of ours. Raises SizeError.
    """
    from zoo.costs import macs_at

    def gmacs(rows: pd.Index, width: int, height: int) -> np.ndarray:
        return macs_at(width, height).reindex(rows).to_numpy(float, na_value=np.nan) / 1e9

    if size is not None:
        return table.assign(**{COUNTED: gmacs(table.index, *size)})
    counted = pd.Series(np.nan, index=table.index)
    widths, heights = table["input_width"], table["input_height"]
    for width, height in set(zip(widths.tolist(), heights.tolist(), strict=True)):
        rows = table.index[(widths == width) & (heights == height)]
        counted[rows] = gmacs(rows, width, height)
    return table.assign(**{COUNTED: counted})


def excluded(table: pd.DataFrame, cost: str = PUBLISHED, accuracy: str = "miou") -> pd.Series:
    """Return why a row takes part in nothing, for each such row, indexed by id in the table's order."""
    no_cost = {
        PUBLISHED: "no GigaMACs published",
        COUNTED: "not counted: no network for this row, or one that cannot take this size",
    }.get(cost, f"no {cost}")
    no_accuracy = "no mIoU published" if accuracy == "miou" else f"no {accuracy}"
    has_cost, has_accuracy = np.isfinite(table[cost]), np.isfinite(table[accuracy])
    reasons = np.select(
        [~has_cost & ~has_accuracy, ~has_cost, ~has_accuracy],
        [f"{no_cost}; {no_accuracy}", no_cost, no_accuracy],
        default="",
    )
    return pd.Series(reasons, index=table.index, name="reason")[reasons != ""]


def frontier(table: pd.DataFrame, cost: str = PUBLISHED, accuracy: str = "miou") -> pd.Series:
    """Return for each row whether it is on the frontier of its data set, in n log n.

    A row is on it if no other row of its data set has at most its cost and at least its accuracy with one
    of the two strictly better. Rows that are equal in both stay together. Excluded rows are not on it.
    """
    cost_of, accuracy_of = table[cost].to_numpy(float), table[accuracy].to_numpy(float)
    usable = np.flatnonzero(np.isfinite(cost_of) & np.isfinite(accuracy_of))
    on_frontier = np.zeros(len(table), bool)
    if len(usable):
        dataset_of = pd.factorize(table["dataset"].iloc[usable])[0]
        on_frontier[usable] = _undominated(dataset_of, cost_of[usable], accuracy_of[usable])
    return pd.Series(on_frontier, index=table.index, name="on_frontier")


def _undominated(group: np.ndarray, cost: np.ndarray, accuracy: np.ndarray) -> np.ndarray:
    order = np.lexsort((-accuracy, cost, group))
    group, cost = group[order], cost[order]
    # Accuracies become ranks, raised above all ranks of the groups before: one running maximum serves all.
    rank = np.unique(accuracy, return_inverse=True)[1][order] + group * (len(order) + 1) + 1
    new_group = np.append(True, group[1:] != group[:-1])
    new_cost = new_group | np.append(True, cost[1:] != cost[:-1])
    # The best row at each cost comes first there. It stays if it beats everything cheaper in its group, and
    # with it the rows at the same cost that equal it.
    best_so_far = np.maximum.accumulate(rank)
    beaten_by = np.where(new_group, 0, np.append(0, best_so_far[:-1]))
    first = np.flatnonzero(new_cost)[np.cumsum(new_cost) - 1]
    kept = np.empty(len(order), bool)
    kept[order] = (rank == rank[first]) & (rank > beaten_by[first])
    return kept


def rank(
    table: pd.DataFrame,
    dataset: str,
    *,
    max_gmacs: object = None,
    min_miou: object = None,
    cost: str = PUBLISHED,
) -> pd.DataFrame:
    """Return the rows of a data set that fit, best first, with `on_frontier` and `rank` (from 1) added.

    Best is the highest mIoU, then the fewest MACs; where an mIoU is asked for, the fewest MACs, then the
    highest mIoU. Rows that are equal in both keep the table's order. The frontier is that of the whole data
    set. Raises UnknownIdError for a data set that has no rows, and BudgetError.
    """
    check_dataset(dataset, table["dataset"].unique())
    rows = table[(table["dataset"] == dataset) & np.isfinite(table[cost]) & np.isfinite(table["miou"])]
    rows = rows.assign(on_frontier=frontier(rows, cost))
    if max_gmacs is not None:
        rows = rows[rows[cost] <= check_budget(max_gmacs)]
    keys, ascending = ["miou", cost], [False, True]
    if min_miou is not None:
        rows = rows[rows["miou"] >= check_miou(min_miou)]
        keys, ascending = [cost, "miou"], [True, False]
    rows = rows.sort_values(keys, ascending=ascending, kind="stable")
    return rows.assign(rank=np.arange(1, len(rows) + 1))


@dataclass(frozen=True)
class Answer:
    """Which row to take, and what is beside it. Rows are ids, None where there is no such row."""

    dataset: str
    chosen: str | None
    """The most accurate row within the budget; where an mIoU is asked for, the cheapest that reaches it."""
    next_cheaper: str | None
    """The most accurate of the rows that cost less than the chosen one."""
    next_better: str | None
    """The cheapest of the rows that are more accurate than the chosen one."""
    cheapest: str | None
    """The cheapest row of the data set, whether it fits or not."""
    text: str
    """The answer in words."""
    warnings: tuple[str, ...]
    """A sentence for each row named in the text whose published number belongs to another input size."""


def answer(
    table: pd.DataFrame,
    dataset: str,
    *,
    max_gmacs: object = None,
    min_miou: object = None,
    cost: str = PUBLISHED,
    size: Size | None = None,
) -> Answer:
    """Return the row to take on a data set under a budget, or for an accuracy, and say it in words.

    `size` is the size at which `counted_gmacs` was counted, None for each row's own. With neither a budget
    nor an mIoU it is the most accurate row. Raises UnknownIdError for a data set that has no rows, and
    BudgetError.
    """
    words = _Words(cost, size)
    asked = words.asked(dataset, max_gmacs, min_miou)
    fitting = rank(table, dataset, max_gmacs=max_gmacs, min_miou=min_miou, cost=cost)
    by_accuracy = rank(table, dataset, cost=cost)
    by_cost = by_accuracy.sort_values([cost, "miou"], ascending=[True, False], kind="stable")
    cheapest = _first(by_cost)
    if cheapest is None:
        return Answer(dataset, None, None, None, None, f"{asked} no row has both GigaMACs and an mIoU.", ())
    chosen = _first(fitting)
    if chosen is None:
        named = [cheapest] if min_miou is None else [cheapest, by_accuracy.iloc[0]]
        text = f"{asked} nothing fits. {words.nothing_fits(*named)}"
        cheaper = better = None
    else:
        cheaper = _first(by_accuracy[by_accuracy[cost] < chosen[cost]])
        better = _first(by_cost[by_cost["miou"] > chosen["miou"]])
        named = [row for row in (chosen, cheaper, better) if row is not None]
        text = f"{asked}: {words.choice(chosen, cheaper, better)}"
    warnings = size_warnings(by_accuracy.loc[[row.name for row in named]])
    return Answer(dataset, _id(chosen), _id(cheaper), _id(better), _id(cheapest), text, warnings)


@dataclass(frozen=True)
class _Words:
    """How an answer is put, with every number that depends on an input size beside that size."""

    cost: str
    size: Size | None

    def asked(self, dataset: str, max_gmacs: object, min_miou: object) -> str:
        limits = []
        if max_gmacs is not None:
            limits.append(f"under {format_gmacs(check_budget(max_gmacs))} GMACs")
        if min_miou is not None:
            limits.append(f"at {check_miou(min_miou):g} % mIoU or more")
        asked = f"{' and '.join(limits) or 'without a budget'} on {dataset}"
        return asked[0].upper() + asked[1:]

    def choice(self, chosen: pd.Series, cheaper: pd.Series | None, better: pd.Series | None) -> str:
        text = f"{self._row(chosen)}, {self._basis()}."
        text += " No row is cheaper." if cheaper is None else f" Next cheaper: {self._row(cheaper)}."
        if better is None:
            text += " No row is more accurate."
        else:
            points = f"{better['miou'] - chosen['miou']:.2f}".rstrip("0").rstrip(".")
            text += f" {points} points more would cost {self._gmacs(better)}: {self._accuracy(better)}."
        return text + self._caveat([chosen, cheaper, better])

    def nothing_fits(self, cheapest: pd.Series, best: pd.Series | None = None) -> str:
        text = f"The cheapest is {self._row(cheapest)}, {self._basis()}"
        if best is not None:
            text += f"; the most accurate is {self._row(best)}"
        return f"{text}.{self._caveat([cheapest, best])}"

    def _row(self, row: pd.Series) -> str:
        return f"{self._accuracy(row)} for {self._gmacs(row)}"

    def _accuracy(self, row: pd.Series) -> str:
        if self.size is None:
            return f"{row_name(row)} ({_own_size(row)}), {row['miou']:g} % mIoU"
        return f"{row_name(row)}, {row['miou']:g} % mIoU (at {_own_size(row)})"

    def _gmacs(self, row: pd.Series) -> str:
        return f"{format_gmacs(row[self.cost])} GMACs"

    def _basis(self) -> str:
        return "as published" if self.cost == PUBLISHED else f"counted at {self.size or 'its published size'}"

    def _caveat(self, rows: Iterable[pd.Series | None]) -> str:
        if self.size is None or all(row is None or _own_size(row) == self.size for row in rows):
            return ""
        return f" Each mIoU is the published one, at the size beside it; for {self.size} none is claimed."


def published_elsewhere() -> pd.Series:
    """Return, for rows whose published number comes true at another input size, that size ("WxH")."""
    return load_audit()["published_at"].dropna()


def row_name(row: pd.Series) -> str:
    """Return a row's name for people: the model, -QAT where it is one, and MARK where it needs one."""
    mark = MARK if row.name in published_elsewhere().index else ""
    return f"{row['model']}{'-QAT' if row['qat'] else ''}{mark}"


def format_gmacs(gmacs: float) -> str:
    """Return GigaMACs for people, with at most four decimals: the page prints no more."""
    if not 0.001 <= gmacs < 1e9:
        return f"{gmacs:.3g}"
    return f"{gmacs:,.4f}".rstrip("0").rstrip(".")


def size_warnings(rows: pd.DataFrame) -> tuple[str, ...]:
    """Return a sentence for each of these rows whose published number belongs to another input size."""
    sizes = published_elsewhere()
    marked = rows[rows.index.isin(sizes.index)]
    return tuple(
        f"{row_name(row)}: its published number belongs to an input of {at}, not {_own_size(row)}."
        for (_, row), at in zip(marked.iterrows(), sizes[marked.index], strict=True)
    )


def _own_size(row: pd.Series) -> Size:
    return Size(int(row["input_width"]), int(row["input_height"]))


def _first(rows: pd.DataFrame) -> pd.Series | None:
    return None if rows.empty else rows.iloc[0]


def _id(row: pd.Series | None) -> str | None:
    return None if row is None else str(row.name)


def _checked(value: object, what: str, allowed: str, holds: Callable[[float], bool]) -> float:
    try:
        number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or not holds(number):
        raise BudgetError(f"{str(value)[:40]!r} is not {what}: give a number {allowed}.")
    return number
