"""Explore: which network to take under a budget, and what one better would cost."""

from contextlib import nullcontext
from functools import partial

import streamlit as st

from pages.shared.answers import answer_cards, answers_table, offers
from pages.shared.axis import budget, cost_control, cost_of, cost_table, notes_of, size_of, timed
from pages.shared.cards import ready_for_cards, shortlist_panel
from pages.shared.errors import shown_errors
from pages.shared.exploring import View, answer, chart, left_out
from pages.shared.filters import LEAST_MIOU, filter_chips, filters_control, hidden_rows
from pages.shared.loaders import chosen_catalog
from pages.shared.own import escaped
from pages.shared.own_control import own_control
from pages.shared.ranking import ranking
from pages.shared.shortlist import choose, dataset_control, shortlist
from pages.shared.tables import rows_table
from zoo.words import size_warnings

chosen, setup, limit, min_miou = shortlist(), timed(), budget().value, LEAST_MIOU.value
size = size_of(setup)
cost, table = cost_of(size, setup), cost_table(size, setup)

ready_for_cards()
with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
    st.title("Which network fits?", anchor=False, width="content")
    dataset_control()
    cost_control()
    filters_control()
    own_control()
filter_chips()

view = View(chosen_catalog(), size, setup, hidden_rows(table))
answers, inverses = {}, {}
with shown_errors():
    for dataset in chosen.datasets:
        answers[dataset] = answer(view, dataset, limit, None)
        if min_miou is not None:
            inverses[dataset] = answer(view, dataset, None, min_miou)
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


def add_clicked(key: str) -> None:
    """Add clicked or lassoed points to the chosen rows."""
    points = st.session_state[key]["selection"]["points"]
    choose([row for point in points for row in point.get("customdata", [])[:1]])


with st.grid(2, min_column_width=360, key="charts") if len(answers) > 1 else nullcontext():
    for dataset, best in answers.items():
        key = f"explore_chart_{dataset}"
        st.plotly_chart(
            chart(view, dataset, limit, min_miou, tuple(chosen.rows), best.chosen, len(answers) == 1),
            key=key,
            on_select=partial(add_clicked, key),
            selection_mode=("points", "lasso"),
            config={"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "autoScale2d"]},
            alt=f"{cost.unit} against mIoU on {dataset}; the answer is {best.text}",
        )

st.caption("Click points, lasso them, or select lines of the table to put rows on your shortlist.")
for dataset, best in answers.items():
    st.subheader(f"Ranked for {escaped(dataset)}", anchor=False)
    st.code(best.text, language=None, wrap_lines=True)
    for warning in best.warnings:
        st.caption(escaped(warning))
    for note in notes_of(table, dataset, setup):
        st.caption(escaped(note))
    ranking(view, dataset, limit, cost)

if chosen.rows:
    shortlist_panel()
    for warning in size_warnings(table.loc[[row for row in chosen.rows if row in table.index]]):
        st.caption(escaped(warning))

excluded = left_out(view, tuple(chosen.datasets))
if not excluded.empty:
    with st.expander(f"Excluded rows ({len(excluded)})", icon=":material/block:"):
        st.caption("They lack a number, so they cannot be ranked; nothing is filled in.")
        rows_table(excluded, ["title", "dataset", "reason"], alt="Rows that lack a number.")
