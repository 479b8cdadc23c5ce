"""Explore: which network to take under a budget, and what one better would cost."""

from contextlib import nullcontext
from functools import partial

import streamlit as st

from pages.shared.answers import answer_cards, answers_table, offers
from pages.shared.axis import (
    MILLISECONDS,
    budget,
    budget_of_cost,
    cost_control,
    cost_of,
    cost_table,
    notes_of,
    size_of,
    timed,
)
from pages.shared.cards import copied_text, ready_for_cards, shortlist_panel
from pages.shared.errors import shown_errors
from pages.shared.exploring import View, answer, chart, left_out
from pages.shared.filters import LEAST_MIOU, filter_chips, filters_control, hidden_rows
from pages.shared.link import link_in_step
from pages.shared.loaders import chosen_catalog
from pages.shared.own import escaped
from pages.shared.own_control import own_control
from pages.shared.ranking import ranked_tables, ranking
from pages.shared.shortlist import (
    BUDGET,
    ROWS,
    SHARED,
    budget_place,
    chip_control,
    choose,
    dataset_control,
    shortlist,
    size_control,
)
from pages.shared.tables import rows_table
from zoo.selection import Answer
from zoo.words import size_warnings

setup, min_miou, datasets = timed(), LEAST_MIOU.value, shortlist().datasets
size = size_of(setup)
cost, table = cost_of(size, setup), cost_table(size, setup)

ready_for_cards()
with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
    st.title("Which network fits?", anchor=False, width="content")
    dataset_control()
    cost_control()
    place_of_budget = budget_place()
    if setup is None:
        chip_control()
        size_control()
    filters_control()
    own_control()
filter_chips()

view = View(chosen_catalog(), size, setup, hidden_rows(table))


@st.fragment
def under_the_budget() -> None:
    """Draw what the budget and the chosen rows change: when they move, this is drawn alone."""
    with link_in_step(SHARED, (BUDGET, MILLISECONDS, ROWS)):
        budget_of_cost(place_of_budget)
        limit = budget().value
        answers, inverses = {}, {}
        with shown_errors():
            for dataset in datasets:
                answers[dataset] = answer(view, dataset, limit, None)
                if min_miou is not None:
                    inverses[dataset] = answer(view, dataset, None, min_miou)
        show_answers(answers, inverses)
        with st.grid(2, min_column_width=360, key="charts") if len(answers) > 1 else nullcontext():
            for best in answers.values():
                show_chart(best, limit, alone=len(answers) == 1)
        for number, best in enumerate(answers.values()):
            show_ranking(best, limit, first=number == 0)
        show_shortlist(shortlist().rows)


def show_answers(answers: dict[str, Answer], inverses: dict[str, Answer]) -> None:
    """Draw the cards of a data set, or a table with a line for each of several."""
    if len(answers) > 1:
        answers_table(table, answers, cost)
        st.caption(
            "mIoU of different data sets cannot be compared: each has its own frontier and its own answer."
        )
    for dataset, best in answers.items():
        if best.chosen is None:
            offers(table, best, cost)
        if len(answers) == 1 and (best.chosen or inverses):
            answer_cards(view, best, inverses.get(dataset))
        if best.hidden is not None:
            title = escaped(table.at[best.hidden, "title"])
            st.caption(f":material/visibility_off: The filters hide a better one: {title}.")


def show_chart(best: Answer, limit: float, *, alone: bool) -> None:
    """Draw the chart of a data set; `alone` is whether it is the only one."""
    key = f"explore_chart_{best.dataset}"
    st.plotly_chart(
        chart(view, best.dataset, limit, min_miou, tuple(shortlist().rows), best.chosen, alone),
        key=key,
        on_select=partial(add_clicked, key),
        selection_mode=("points", "lasso"),
        config={"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "autoScale2d"]},
        alt=f"{cost.unit} against mIoU on {best.dataset}; the answer is {best.text}",
    )


def add_clicked(key: str) -> None:
    """Add clicked or lassoed points to the chosen rows."""
    points = st.session_state[key]["selection"]["points"]
    choose([row for point in points for row in point.get("customdata", [])[:1]])


def show_ranking(best: Answer, limit: float, *, first: bool) -> None:
    """Draw the answer in words and the ranked table of a data set; above the `first`, what charts do."""
    hint = "Click points, lasso them, or select lines of a table to put rows on your shortlist."
    found, within = ranking(view, best.dataset, limit, cost), cost.format(limit)
    over = f" :gray[:small[over {within} in grey, the cheapest first]]" if found.over.ids else ""
    # One element, as each costs time at every move.
    st.markdown(
        (f":gray[:small[{hint}]]\n" if first else "") + f"### Ranked for {escaped(best.dataset)}{over}"
    )
    copied_text(best.text)
    for text in (*best.warnings, *notes_of(table, best.dataset, setup)):
        st.caption(escaped(text))
    ranked_tables(found, best.dataset, within)


def show_shortlist(rows: list[str]) -> None:
    """Draw the chosen rows, with what is to be known of their numbers."""
    if rows:
        shortlist_panel()
        for warning in size_warnings(table.loc[[row for row in rows if row in table.index]]):
            st.caption(escaped(warning))


under_the_budget()

excluded = left_out(view, tuple(datasets))
if not excluded.empty:
    with st.expander(f"Excluded rows ({len(excluded)})", icon=":material/block:"):
        st.caption("They lack a number, so they cannot be ranked; nothing is filled in.")
        rows_table(excluded, ["title", "dataset", "reason"], alt="Rows that lack a number.")
