"""What Explore shows of a catalog, kept for all visitors: their sliders stop at the same places.

Do not change what comes from here.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import pandas as pd

from pages.shared.axis import Timed, cost_of, cost_table
from pages.shared.loaders import chosen_catalog
from pages.shared.shortlist import shortlist
from zoo import selection
from zoo.catalog import Catalog
from zoo.charts import Ready, cost_range, pareto_without_budget, with_budget
from zoo.rows import NO_DATASET, OWN
from zoo.selection import COUNTED, Answer, Candidates
from zoo.sizes import Size


class View(NamedTuple):
    """Whose rows, at what cost, without which: the key of what is kept."""

    catalog: Catalog
    size: Size | None
    setup: Timed | None
    hidden: tuple[str, ...]
    """The rows that the filters hide."""


@lru_cache(maxsize=1024)
def answer(view: View, dataset: str, max_cost: float | None, min_miou: float | None) -> Answer:
    """Return the row to take on a data set. Raises as `zoo.selection.answer`."""
    return candidates(view, dataset).answer(max_cost=max_cost, min_miou=min_miou)


@lru_cache(maxsize=64)
def candidates(view: View, dataset: str) -> Candidates:
    """Return the rows of a data set that have both numbers."""
    table = cost_table(view.size, view.setup)
    return Candidates(table, dataset, cost_of(view.size, view.setup), _passing(table, view))


def answer_here(dataset: str, size: Size | None) -> Answer:
    """Return the answer in MACs under the visitor's budget, with no filter."""
    return answer(View(chosen_catalog(), size, None, ()), dataset, shortlist().budget, None)


@lru_cache(maxsize=128)
def ranked(view: View, dataset: str) -> pd.DataFrame:
    """Return the rows that pass, best first; `cost` is what counts, `on_frontier` of the whole data set."""
    cost = cost_of(view.size, view.setup)
    every = selection.rank(cost_table(view.size, view.setup), dataset, cost=cost)
    every = every.loc[_passing(every, view).to_numpy(bool)]
    return every.assign(cost=every[cost.column].astype(float))


@lru_cache(maxsize=512)
def chart(
    view: View,
    dataset: str,
    budget: float,
    min_miou: float | None,
    chosen: tuple[str, ...],
    answer: str | None,
    alone: bool,
) -> Ready:
    """Return a data set's chart; `alone` is whether it is the only one of the page."""
    rows, cost = _rows(view, dataset), cost_of(view.size, view.setup)
    across = cost_range(rows, cost, budget, _without_miou(view, dataset))
    parts = _chart(view, dataset, across, min_miou, chosen, alone)
    return Ready(with_budget(parts, rows, cost=cost, budget=budget, across=across, answer=answer))


@lru_cache(maxsize=128)
def _chart(
    view: View,
    dataset: str,
    across: tuple[float, float],
    min_miou: float | None,
    chosen: tuple[str, ...],
    alone: bool,
) -> dict[str, Any]:
    rows = _rows(view, dataset)
    return pareto_without_budget(
        rows,
        cost=cost_of(view.size, view.setup),
        across=across,
        min_miou=min_miou,
        chosen=chosen,
        height=500 if alone else 420,
        shown=_passing(rows, view),
        title=None if alone else dataset,
        beside=_without_miou(view, dataset),
    )


@lru_cache(maxsize=128)
def _rows(view: View, dataset: str) -> pd.DataFrame:
    table = cost_table(view.size, view.setup)
    return table[table["dataset"] == dataset]


@lru_cache(maxsize=128)
def _without_miou(view: View, dataset: str) -> tuple[tuple[str, float], ...]:
    """Return the own networks that have a cost but no mIoU, on any data set or on this: name and cost."""
    table, cost = cost_table(view.size, view.setup), cost_of(view.size, view.setup)
    # What an own network costs was counted, also at its own size.
    column = COUNTED.column if view.setup is None else cost.column
    mine = table[(table["catalog"] == OWN) & table["miou"].isna() & table[column].notna()]
    mine = mine[mine["dataset"].isin([NO_DATASET, dataset]) & _passing(mine, view)]
    how = "counted" if view.setup is None else "measured"
    return tuple(
        (f"{row['name']} · {view.size or row['input']}: {cost.format(row[column])}, {how}", row[column])
        for _, row in mine.iterrows()
    )


@lru_cache(maxsize=128)
def left_out(view: View, datasets: tuple[str, ...]) -> pd.DataFrame:
    """Return the rows that take part in nothing, with the `reason`."""
    table = cost_table(view.size, view.setup)
    here = table[table["dataset"].isin(datasets)]
    reasons = selection.excluded(here, cost_of(view.size, view.setup))
    return here.loc[reasons.index].assign(reason=reasons)


def _passing(rows: pd.DataFrame, view: View) -> pd.Series:
    return pd.Series(~rows.index.isin(view.hidden), index=rows.index)
