"""The ranked table: what fits, best first, then what is over the budget; selected rows are chosen."""

from functools import lru_cache

import numpy as np
import pyarrow as pa

from pages.shared.exploring import View, ranked
from pages.shared.loaders import Words, weights_of, weights_words
from pages.shared.tables import MEGABYTES, Lines, chosen_from, lines_of
from zoo.latency import COLUMN
from zoo.words import Cost

COLUMNS = ["rank", "title", "cost", "over", "miou", "on_frontier", "weights", "params_m", *MEGABYTES]


def ranking(view: View, dataset: str, budget: float, cost: Cost) -> None:
    """Draw the ranked table of a data set; a selected row goes to the chosen ones."""
    chosen_from(
        _lines(view, dataset, budget, cost.column, weights_words()),
        key=f"explore_ranking_{dataset}",
        alt=f"Rows of {dataset} within {cost.format(budget)}, the most accurate first, then those over it.",
    )


@lru_cache(maxsize=256)
def _lines(view: View, dataset: str, budget: float, column: str, weights: Words) -> Lines:
    """Return the rows within the budget with their `rank`, then the others by cost with what is `over`."""
    costs, every = _every(view, dataset, column, weights)
    over = costs > budget
    order = np.lexsort((np.where(over, costs, np.arange(len(costs))), over))
    fitting = int((~over).sum())
    rank = [*range(1, fitting + 1)] + [None] * (len(costs) - fitting)
    beyond = [None] * fitting + (costs[order][fitting:] - budget).tolist()
    data = every.data.take(order)
    for name, values in (("rank", rank), ("over", beyond)):
        place = data.schema.get_field_index(name)
        data = data.set_column(
            place, data.schema.field(place), pa.array(values, data.schema.field(place).type)
        )
    return Lines(tuple(every.ids[n] for n in order), data)


@lru_cache(maxsize=64)
def _every(view: View, dataset: str, column: str, weights: Words) -> tuple[np.ndarray, Lines]:
    """Return the costs, best row first, and the lines whose `rank` and `over` wait for a budget."""
    rows = ranked(view, dataset)
    columns = [COLUMN if name == "cost" and column == COLUMN else name for name in COLUMNS]
    rows = rows.assign(weights=weights_of(rows, weights), rank=rows["rank"].astype("Int64"), over=np.nan)
    return rows["cost"].to_numpy(float), lines_of(rows, columns)
