"""Choosing a row: the Pareto frontier, ranking, and the answer.

Every function takes a table with the columns of `Catalog.table`, indexed by row id, and the cost that counts:
a column of the table with its unit and words. A row without a cost or without an accuracy takes part in
nothing; `excluded` says why. mIoU is compared within one data set only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from zoo import words
from zoo.checks import check_budget, check_miou
from zoo.datasets import check_dataset
from zoo.sizes import Size
from zoo.words import Cost, size_warnings

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
    check_dataset(dataset, table["dataset"].unique())
    column = cost.column
    rows = table[(table["dataset"] == dataset) & np.isfinite(table[column]) & np.isfinite(table["miou"])]
    rows = rows.assign(on_frontier=frontier(rows, cost))
    if max_cost is not None:
        rows = rows[rows[column] <= check_budget(max_cost, cost.noun)]
    keys, ascending = ["miou", column], [False, True]
    if min_miou is not None:
        rows = rows[rows["miou"] >= check_miou(min_miou)]
        keys, ascending = [column, "miou"], [True, False]
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
    """Return the row to take on a data set under a budget (in the cost's unit), or for an accuracy.

    `passing` says of each row whether it may be taken: what filters hide is never chosen, but what one better
    would cost stays that of the data set, and a hidden row that is better than the chosen one is named.

    With neither it is the most accurate row. Raises UnknownIdError for a data set that has no rows, and
    BudgetError.
    """
    asked = words.asked(dataset, cost, max_cost, min_miou)
    # Three columns choose; the rows are taken from the wide table once they are known.
    numbers = table[list(dict.fromkeys(["dataset", "miou", cost.column]))]
    fitting = rank(numbers, dataset, max_cost=max_cost, min_miou=min_miou, cost=cost)
    by_accuracy = rank(numbers, dataset, cost=cost)
    by_cost = by_accuracy.sort_values([cost.column, "miou"], ascending=[True, False], kind="stable")
    best = _first(fitting)
    if passing is not None:
        fitting = fitting[passing[fitting.index]]
    may_be_taken = by_cost if passing is None else by_cost[passing[by_cost.index]]
    cheapest = _first(may_be_taken)
    if cheapest is None:
        why = f"no row has both {cost.noun} and an mIoU" if by_cost.empty else "no row passes the filters"
        return Answer(dataset, None, None, None, None, best, f"{asked} {why}.", ())
    chosen, cheaper, better = _first(fitting), None, None
    if chosen is None:
        named = [cheapest] if min_miou is None else [cheapest, by_accuracy.index[0]]
        text = f"{asked} nothing fits. {words.nothing_fits(cost, *(table.loc[row] for row in named))}"
    else:
        taken = numbers.loc[chosen]
        cheaper_rows = may_be_taken[may_be_taken[cost.column] < taken[cost.column]]
        cheaper = _first(
            cheaper_rows.sort_values(["miou", cost.column], ascending=[False, True], kind="stable")
        )
        better = _first(by_cost[by_cost["miou"] > taken["miou"]])
        named = [row for row in (chosen, cheaper, better) if row is not None]
        beside = [None if row is None else table.loc[row] for row in (cheaper, better)]
        text = f"{asked}: {words.choice(cost, table.loc[chosen], *beside)}"
        text += "".join(f" {words.cost_of_8_bits(*pair)}" for pair in _pairs_with(table, chosen))
    hidden = None if best == chosen else best
    if hidden is not None:
        text += f" {words.hidden(cost, table.loc[hidden])}"
    return Answer(dataset, chosen, cheaper, better, cheapest, hidden, text, size_warnings(table.loc[named]))


def _first(rows: pd.DataFrame) -> str | None:
    return None if rows.empty else str(rows.index[0])


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
    keys = ["dataset", "model", "input_width", "input_height"]
    known = table[[*keys, "qat", "miou"]]
    known = known[np.isfinite(known["miou"])].drop_duplicates([*keys, "qat"])
    known = known.rename_axis(index="id").reset_index()
    trained = known["qat"].astype(bool)
    both = known[~trained].merge(known[trained], on=keys, suffixes=("", "_in_8_bits"))
    columns = both[["id", "id_in_8_bits", "miou", "miou_in_8_bits"]].itertuples(index=False)
    return tuple(Pair(str(one), str(other), before - after) for one, other, before, after in columns)


def _pairs_with(table: pd.DataFrame, row_id: str) -> list[tuple[pd.Series, pd.Series]]:
    """Return the two rows of each pair that a row is part of."""
    alike = table.index[table["model"] == table.at[row_id, "model"]]
    if not table["qat"][alike].any():
        return []
    pairs = published_pairs(table.loc[alike])
    return [(table.loc[pair.in_float], table.loc[pair.in_8_bits]) for pair in pairs if row_id in pair[:2]]
