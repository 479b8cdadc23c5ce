"""The ranked table: what fits, best first, then what is over the budget; selected rows are chosen."""

from functools import partial

import pandas as pd
import streamlit as st

from pages.shared.loaders import weights_words
from pages.shared.shortlist import ROWS
from pages.shared.tables import show_rows
from zoo.selection import rank
from zoo.words import Cost

COLUMNS = ["rank", "title", "cost", "miou", "params_m", "activation_m", "on_frontier", "weights"]
GREY = "color: #7a8591"


def ranking(table: pd.DataFrame, dataset: str, budget: float, cost: Cost, passing: pd.Series) -> None:
    """Draw the ranked table of a data set; a selected row goes to the chosen ones."""
    rows = ranked(table, dataset, budget, cost, passing)
    key = f"explore_ranking_{dataset}"
    over = rows["rank"].isna()
    show_rows(
        rows[COLUMNS].style.apply(lambda _: [GREY if beyond else "" for beyond in over], axis=0),
        columns=COLUMNS,
        key=key,
        on_select=partial(_select, key, list(rows.index)),
        selection_mode="multi-row",
        selection_default={
            "selection": {"rows": [n for n, row in enumerate(rows.index) if row in ROWS.value]}
        },
        alt=f"Rows of {dataset} within {cost.format(budget)}, the most accurate first, then those over it.",
    )


def ranked(table: pd.DataFrame, dataset: str, budget: float, cost: Cost, passing: pd.Series) -> pd.DataFrame:
    """Return the rows that pass: those within the budget with their rank, then the others by cost."""
    every = rank(table, dataset, cost=cost)
    every = every[passing[every.index]]
    fits = rank(every, dataset, max_cost=budget, cost=cost)
    over = every.drop(fits.index).sort_values(cost.column, kind="stable").assign(rank=pd.NA)
    rows = pd.concat([fits.astype({"rank": "Int64"}), over.astype({"rank": "Int64"})])
    return rows.assign(
        cost=rows[cost.column], weights=weights_words().reindex(rows.index), on_frontier=every["on_frontier"]
    )


def _select(key: str, ids: list[str]) -> None:
    selected = [ids[n] for n in st.session_state[key]["selection"]["rows"] if n < len(ids)]
    others = [row for row in ROWS.value if row not in ids]
    ROWS.set([*others, *selected])
