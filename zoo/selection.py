"""Choosing a row: the Pareto frontier, ranking, and the answer.

Every function takes a table with the columns of `Catalog.table`, indexed by row id, and the cost that counts:
a column of the table with its unit and words. A row without a cost or without an accuracy takes part in
nothing; `excluded` says why. mIoU is compared within one data set only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from zoo import words
from zoo.checks import check_budget, check_miou
from zoo.datasets import check_dataset
from zoo.sizes import Size
from zoo.words import Cost

if TYPE_CHECKING:
    from zoo.catalog import Catalog

PUBLISHED = Cost("gmacs")
COUNTED = Cost(
    "counted_gmacs",
    basis="counted at its published size",
    missing="not counted: no network for this row, or one that cannot take this size",
)


def counted_at(size: Size | None) -> Cost:
    """Return the cost that our count gives at `size`, or at each row's own size if None."""
    return COUNTED if size is None else replace(COUNTED, basis=f"counted at {size}", size=size)


def with_counted(catalog: Catalog, size: Size | None = None) -> pd.DataFrame:
    """Return a catalog's table with `counted_gmacs` added: our count at `size`, or at each row's own size.

    It is missing for a row that cannot take the size, or that is no network of ours. Raises SizeError.
    """
    from zoo.costs import counted_gmacs

    return catalog.table.assign(**{COUNTED.column: counted_gmacs(catalog, size)})


def excluded(table: pd.DataFrame, cost: Cost = PUBLISHED) -> pd.Series:
    """Return why a row takes part in nothing, for each such row, indexed by id in the table's order."""
    has_cost, has_accuracy = np.isfinite(table[cost.column]), np.isfinite(table["miou"])
    no_accuracy = "no mIoU published"
    reasons = np.select(
        [~has_cost & ~has_accuracy, ~has_cost, ~has_accuracy],
        [f"{cost.missing}; {no_accuracy}", cost.missing, no_accuracy],
        default="",
    )
    return pd.Series(reasons, index=table.index, name="reason")[reasons != ""]


def frontier(table: pd.DataFrame, cost: Cost = PUBLISHED) -> pd.Series:
    """Return for each row whether it is on the frontier of its data set, in n log n.

    A row is on it if no other row of its data set has at most its cost and at least its accuracy with one
    of the two strictly better. Rows that are equal in both stay together. Excluded rows are not on it.
    """
    cost_of, accuracy_of = table[cost.column].to_numpy(float), table["miou"].to_numpy(float)
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
    max_cost: object = None,
    min_miou: object = None,
    cost: Cost = PUBLISHED,
) -> pd.DataFrame:
    """Return the rows of a data set that fit, best first, with `on_frontier` and `rank` (from 1) added.

    Best is the highest mIoU, then the lowest cost; where an mIoU is asked for, the lowest cost, then the
    highest mIoU. Rows that are equal in both keep the table's order. The frontier is that of the whole data
    set. Raises UnknownIdError for a data set that has no rows, and BudgetError.
    """
    places, costs, accuracies = _usable(table, dataset, cost)
    group = np.zeros(len(places), int)
    on_frontier = _undominated(group, costs, accuracies) if len(places) else group.astype(bool)
    order = _fitting(costs, accuracies, max_cost, min_miou, cost)
    return table.iloc[places[order]].assign(on_frontier=on_frontier[order], rank=np.arange(1, len(order) + 1))


def _usable(table: pd.DataFrame, dataset: str, cost: Cost) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return where a data set's rows with both numbers stand in the table, their costs and accuracies."""
    datasets = table["dataset"].to_numpy()
    check_dataset(dataset, pd.unique(datasets))
    costs, accuracies = table[cost.column].to_numpy(float), table["miou"].to_numpy(float)
    places = np.flatnonzero((datasets == dataset) & np.isfinite(costs) & np.isfinite(accuracies))
    return places, costs[places], accuracies[places]


def _fitting(
    costs: np.ndarray, accuracies: np.ndarray, max_cost: object, min_miou: object, cost: Cost
) -> np.ndarray:
    """Return which of the usable rows fit, best first."""
    fits = np.ones(len(costs), bool)
    keys = (costs, -accuracies)
    if max_cost is not None:
        fits &= costs <= check_budget(max_cost, cost.noun)
    if min_miou is not None:
        fits &= accuracies >= check_miou(min_miou)
        keys = (-accuracies, costs)
    order = np.lexsort(keys)
    return order[fits[order]]


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
    hidden: str | None
    """The row that would be chosen if no row were hidden, where that is another one."""
    text: str
    """The answer in words."""
    warnings: tuple[str, ...]
    """A sentence for each row named in the text whose published number belongs to another input size."""


def answer(
    table: pd.DataFrame,
    dataset: str,
    *,
    max_cost: object = None,
    min_miou: object = None,
    cost: Cost = PUBLISHED,
    passing: pd.Series | None = None,
) -> Answer:
    """Return the row to take on a data set, as `Candidates(...).answer(...)` does. Raises as both."""
    return Candidates(table, dataset, cost, passing).answer(max_cost=max_cost, min_miou=min_miou)


class Candidates:
    """The rows of a data set that have both numbers, ready for many questions: a slider asks at each stop."""

    def __init__(
        self, table: pd.DataFrame, dataset: str, cost: Cost = PUBLISHED, passing: pd.Series | None = None
    ) -> None:
        """Take a data set's rows; the table must stay as it is.

        `passing` says of each row whether it may be taken: what filters hide is never chosen, but what one
        better would cost stays that of the data set, and a hidden row that is better than the chosen one is
        named. Raises UnknownIdError for a data set that has no rows.
        """
        self.table, self.dataset, self.cost = table, dataset, cost
        places, self._costs, self._accuracies = _usable(table, dataset, cost)
        self._ids = [str(row_id) for row_id in table.index[places]]
        self._passes = np.ones(len(places), bool) if passing is None else passing[self._ids].to_numpy(bool)
        self._by_accuracy = np.lexsort((self._costs, -self._accuracies))
        self._by_cost = np.lexsort((-self._accuracies, self._costs))
        self._rows: dict[str, pd.Series] = {}

    def row(self, row_id: str) -> pd.Series:
        """Return a row of the table; do not change it."""
        # Taking one from the table is slower than all else that an answer needs.
        if row_id not in self._rows:
            self._rows[row_id] = self.table.loc[row_id]
        return self._rows[row_id]

    def answer(self, *, max_cost: object = None, min_miou: object = None) -> Answer:
        """Return the row to take under a budget (in the cost's unit), or for an accuracy.

        With neither it is the most accurate row. Raises BudgetError.
        """
        cost, costs, accuracies = self.cost, self._costs, self._accuracies
        asked = words.asked(self.dataset, cost, max_cost, min_miou)
        fitting = _fitting(costs, accuracies, max_cost, min_miou, cost)
        best, chosen = _first(fitting), _first(fitting, self._passes)
        cheapest = _first(self._by_cost, self._passes)
        if cheapest is None:
            why = "no row passes the filters" if self._ids else f"no row has both {cost.noun} and an mIoU"
            return Answer(self.dataset, None, None, None, None, self._id(best), f"{asked} {why}.", ())
        cheaper = better = None
        if chosen is None:
            named = [cheapest] if min_miou is None else [cheapest, int(self._by_accuracy[0])]
            text = f"{asked} nothing fits. {words.nothing_fits(cost, *(self._row(n) for n in named))}"
        else:
            cheaper = _first(self._by_accuracy, self._passes & (costs < costs[chosen]))
            better = _first(self._by_cost, accuracies > accuracies[chosen])
            named = [place for place in (chosen, cheaper, better) if place is not None]
            beside = (None if place is None else self._row(place) for place in (cheaper, better))
            text = f"{asked}: {words.choice(cost, self._row(chosen), *beside)}"
            text += self._of_8_bits.get(self._ids[chosen], "")
        hidden = None if best == chosen else best
        if hidden is not None:
            text += f" {words.hidden(cost, self._row(hidden))}"
        return Answer(
            self.dataset,
            self._id(chosen),
            self._id(cheaper),
            self._id(better),
            self._id(cheapest),
            self._id(hidden),
            text,
            tuple(warning for n in named for warning in words.size_warning(self._row(n))),
        )

    @cached_property
    def _of_8_bits(self) -> dict[str, str]:
        """By id of a row that was published in float and in 8 bits, what is said of 8 bits."""
        said: dict[str, str] = {}
        for pair in published_pairs(self.table):
            text = f" {words.cost_of_8_bits(self.row(pair.in_float), self.row(pair.in_8_bits))}"
            said.update({row_id: said.get(row_id, "") + text for row_id in pair[:2]})
        return said

    def _id(self, place: int | None) -> str | None:
        return None if place is None else self._ids[place]

    def _row(self, place: int) -> pd.Series:
        return self.row(self._ids[place])


def _first(order: np.ndarray, where: np.ndarray | None = None) -> int | None:
    """Return the first of an order, of those that `where` allows, or None."""
    found = order if where is None else order[where[order]]
    return int(found[0]) if len(found) else None


def twins(table: pd.DataFrame, cost: Cost) -> pd.Series:
    """Return for each row the ids of the rows that are the same network, itself included, best first.

    At one size for all rows they cost the same: a network that was published at two sizes is one point
    there. At their own sizes every row is alone.
    """
    alone = pd.Series([(row_id,) for row_id in table.index], index=table.index, dtype=object)
    if cost.size is None:
        return alone
    by_accuracy = table[table["family"].notna()].sort_values("miou", ascending=False, kind="stable")
    keys = [by_accuracy[key].fillna("") for key in ("dataset", "family", "encoder", "decoder", "options")]
    for _, same in by_accuracy.groupby([*keys, by_accuracy["qat"]], sort=False):
        if len(same) > 1:
            alone[same.index] = pd.Series([tuple(same.index)] * len(same), index=same.index, dtype=object)
    return alone


class Pair(NamedTuple):
    """One network that was published twice: in float, and trained for 8 bits and measured in them."""

    in_float: str
    """Row id, as the other one."""
    in_8_bits: str
    lost: float
    """Points of mIoU that 8 bits cost."""


def published_pairs(table: pd.DataFrame) -> tuple[Pair, ...]:
    """Return the rows that are a pair: equal in data set, model and input size, one of them QAT.

    A row without an mIoU makes no pair; of several that are equal, the first counts.
    """
    columns = [table[name].tolist() for name in ("dataset", "model", "input_width", "input_height")]
    found: dict[tuple[object, ...], dict[bool, tuple[str, float]]] = {}
    for row_id, miou, qat, *key in zip(
        table.index, table["miou"].tolist(), table["qat"].tolist(), *columns, strict=True
    ):
        if math.isfinite(miou):
            found.setdefault(tuple(key), {}).setdefault(bool(qat), (str(row_id), miou))
    return tuple(
        Pair(both[False][0], both[True][0], both[False][1] - both[True][1])
        for both in found.values()
        if len(both) == 2
    )
