"""The ranked table: what fits, best first, then what is over the budget; selected rows are chosen."""

from functools import lru_cache

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
    rows = ranked(view, dataset, budget)
    columns = [COLUMN if name == "cost" and column == COLUMN else name for name in COLUMNS]
    return lines_of(rows.assign(weights=weights_of(rows, weights)), columns)
