"""The ranked table: what fits, best first; below it in grey what is over. Selected rows are chosen."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from pages.shared.exploring import View, ranked
from pages.shared.loaders import Words, weights_of, weights_words
from pages.shared.tables import MEGABYTES, Lines, chosen_from, lines_of
from zoo.latency import COLUMN
from zoo.words import Cost

COLUMNS = ["title", "cost", "miou", "on_frontier", "weights", "params_m", *MEGABYTES]


class Ranked(NamedTuple):
    """The rows of a data set on both sides of a budget."""

    fitting: Lines
    """With their `rank`."""
    over: Lines
    """By cost, with what they are `over`."""


def ranking(view: View, dataset: str, budget: float, cost: Cost) -> Ranked:
    """Return the rows of a data set as `ranked_tables` draws them."""
    return _ranked(view, dataset, budget, cost.column, weights_words())


def ranked_tables(found: Ranked, dataset: str, within: str) -> None:
    """Draw the ranked table of a data set and the grey one; a selected row goes to the chosen ones.

    `within`: the budget in words.
    """
    if found.fitting.ids:
        chosen_from(
            found.fitting,
            key=f"explore_ranking_{dataset}",
            alt=f"Rows of {dataset} within {within}, the most accurate first.",
        )
    if found.over.ids:
        chosen_from(
            found.over,
            key=f"explore_over_{dataset}",
            alt=f"Rows of {dataset} over {within}, the cheapest first.",
        )


@lru_cache(maxsize=256)
def _ranked(view: View, dataset: str, budget: float, column: str, weights: Words) -> Ranked:
    costs, every = _every(view, dataset, column, weights)
    over = costs > budget
    fitting, beyond = np.flatnonzero(~over), np.flatnonzero(over)
    beyond = beyond[np.argsort(costs[beyond], kind="stable")]
    return Ranked(
        _with(every, fitting, "rank", pa.array(range(1, len(fitting) + 1), pa.int64())),
        _with(every, beyond, "over", pa.array(costs[beyond] - budget)),
    )


def _with(lines: Lines, places: np.ndarray, name: str, values: pa.Array) -> Lines:
    """Return some of the lines with one column more, the first."""
    data = lines.data.take(places).add_column(0, name, values)
    return Lines(tuple(lines.ids[place] for place in places), data)


@lru_cache(maxsize=64)
def _every(view: View, dataset: str, column: str, weights: Words) -> tuple[np.ndarray, Lines]:
    """Return the costs, best row first, and the lines without what a budget says of them."""
    rows = ranked(view, dataset)
    columns = [COLUMN if name == "cost" and column == COLUMN else name for name in COLUMNS]
    rows = rows.assign(weights=weights_of(rows, weights))
    return rows["cost"].to_numpy(float), lines_of(rows, columns)
