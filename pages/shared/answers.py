"""The answer as cards: what to take, and what is beside it, each with where to go next."""

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

import pandas as pd
import streamlit as st

from pages.shared.axis import AXIS, budget, cost_of, cost_table, timed
from pages.shared.cards import Card, row_cards
from pages.shared.exploring import View, candidates
from pages.shared.loaders import BOTH, CATALOG, chosen_catalog
from pages.shared.own import escaped
from pages.shared.shortlist import SIZE
from pages.shared.tables import show_rows
from zoo.catalog import all_shipped
from zoo.costs import largest_size
from zoo.errors import BudgetError, NotOursError
from zoo.selection import Answer
from zoo.words import Cost, difference, format_gmacs, headroom, miou_at, shown_cost


def answer_cards(view: View, best: Answer, inverse: Answer | None) -> None:
    """Draw a card for the answer, the next cheaper, one better, and the cheapest that is accurate enough."""
    row_cards(cards(view, best, inverse, budget().value), "cards")


@lru_cache(maxsize=512)
def cards(view: View, best: Answer, inverse: Answer | None, limit: float) -> tuple[Card, ...]:
    """Return what the cards say; `limit` is the budget."""
    table, cost = cost_table(view.size, view.setup), cost_of(view.size, view.setup)
    row_of = candidates(view, best.dataset).row

    def card(badge: str, row_id: str | None, nothing: str, colour: Literal["blue", "gray", "green"]) -> Card:
        if row_id is None:
            return Card(None, nothing, badge, colour)
        row = row_of(row_id)
        if row_id == best.chosen or best.chosen is None:
            beside = headroom(row, limit, cost)
        else:
            beside = difference(row_of(best.chosen), row, cost)
        beside = ". ".join(filter(None, [beside, miou_at(row, table, cost)]))
        return Card(
            row_id, row["title"], badge, colour, f"{row['miou']:.2f} %", shown_cost(row, cost), beside
        )

    made = []
    if best.chosen is not None:
        made = [
            card("Take this", best.chosen, "Nothing fits.", "blue"),
            card("Next cheaper", best.next_cheaper, "Nothing is cheaper.", "gray"),
            card("One better", best.next_better, "Nothing is more accurate.", "gray"),
        ]
    if inverse is not None:
        made.append(card("Accurate enough", inverse.chosen, "No row is accurate enough.", "green"))
    return tuple(made)


def offers(table: pd.DataFrame, best: Answer, cost: Cost) -> None:
    """Draw what can be done where nothing fits: other rows, a larger budget, or a smaller input."""
    if best.cheapest is None:
        st.info(escaped(best.text), icon=":material/filter_list_off:")
        if _more_measured(table, best.dataset):
            st.button(
                f"Take the rows of both catalogs, some of which were measured on {escaped(AXIS.value)}",
                icon=":material/library_add:",
                type="primary",
                on_click=CATALOG.set,
                args=(BOTH,),
                key=f"both_{best.dataset}",
            )
        return
    row = chosen_catalog().row(best.cheapest)
    least = table.at[best.cheapest, cost.column]
    with st.container(border=True):
        st.markdown(
            f"**Nothing on {escaped(best.dataset)} fits {cost.format(budget().value)}.** "
            f"The cheapest is {escaped(row.title)}."
        )
        with st.container(horizontal=True):
            st.button(
                f"Raise the budget to {format_gmacs(least)}",
                icon=":material/arrow_upward:",
                type="primary",
                on_click=budget().set,
                args=(budget().least_that_holds(least),),
                key=f"raise_{best.dataset}",
            )
            if timed() is not None:
                return
            try:
                size = largest_size(row, budget().value, _proportions(*row.size))
            except (BudgetError, NotOursError):
                return
            st.button(
                f"Count at {size}, the largest input of {escaped(row.model)} that fits",
                icon=":material/photo_size_select_small:",
                on_click=SIZE.set,
                args=(size,),
                key=f"shrink_{best.dataset}",
            )


def _more_measured(table: pd.DataFrame, dataset: str) -> bool:
    """Return whether the chosen device ran rows of a data set that a table lacks, of the shipped catalogs."""
    setup = timed()
    others = set() if setup is None else {*setup.measured.table.index} - {*table.index}
    return any(row.dataset == dataset and row.id in others for row in all_shipped().rows)


def answers_table(table: pd.DataFrame, answers: Mapping[str, Answer], cost: Cost) -> None:
    """Show one line a data set: what to take, and what is beside it."""
    lines = [
        {
            "dataset": dataset,
            "take": _named(table, best.chosen, cost) or "nothing fits",
            "cheaper": _named(table, best.next_cheaper, cost) or "",
            "better": _named(table, best.next_better, cost) or "",
        }
        for dataset, best in answers.items()
    ]
    show_rows(pd.DataFrame(lines), alt="The answer on each data set, the next cheaper row and one better.")


def _named(table: pd.DataFrame, row_id: str | None, cost: Cost) -> str | None:
    if row_id is None:
        return None
    row = table.loc[row_id]
    return f"{row['title']}: {row['miou']:.2f} %, {shown_cost(row, cost)}"


def _proportions(width: int, height: int) -> tuple[int, int]:
    return width // math.gcd(width, height), height // math.gcd(width, height)
