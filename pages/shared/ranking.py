"""The ranked table: what fits, best first, then what is over the budget; selected rows are chosen."""

import pandas as pd

from pages.shared.loaders import weights_words
from pages.shared.tables import chosen_from
from zoo.latency import COLUMN
from zoo.selection import rank
from zoo.words import Cost

COLUMNS = ["rank", "title", "cost", "miou", "params_m", "activation_m", "on_frontier", "weights"]
GREY = "color: #7a8591"


def ranking(table: pd.DataFrame, dataset: str, budget: float, cost: Cost, passing: pd.Series) -> None:
    """Draw the ranked table of a data set; a selected row goes to the chosen ones."""
    rows = ranked(table, dataset, budget, cost, passing)
    over = rows["rank"].isna()
    chosen_from(
        rows,
        [COLUMN if name == "cost" and cost.column == COLUMN else name for name in COLUMNS],
        key=f"explore_ranking_{dataset}",
        alt=f"Rows of {dataset} within {cost.format(budget)}, the most accurate first, then those over it.",
        style=lambda shown: shown.style.apply(lambda _: [GREY if beyond else "" for beyond in over], axis=0),
    )


def ranked(table: pd.DataFrame, dataset: str, budget: float, cost: Cost, passing: pd.Series) -> pd.DataFrame:
    """Return the rows that pass: those within the budget with their rank, then the others by cost."""
    every = rank(table, dataset, cost=cost)
    every = every.loc[passing[every.index].to_numpy(bool)]
    fits = every[every[cost.column] <= budget]
    fits = fits.assign(rank=range(1, len(fits) + 1))
    over = every.drop(fits.index).sort_values(cost.column, kind="stable").assign(rank=pd.NA)
    rows = pd.concat([fits.astype({"rank": "Int64"}), over.astype({"rank": "Int64"})])
    return rows.assign(
        cost=rows[cost.column], weights=weights_words().reindex(rows.index), on_frontier=every["on_frontier"]
    )
