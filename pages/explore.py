"""Explore: which network to take under a budget, and what one better would cost."""

import streamlit as st

from pages.shared.errors import shown_errors
from pages.shared.filters import filter_chips, filtered, filters_control
from pages.shared.loaders import table_at
from pages.shared.settings import Limit
from pages.shared.shortlist import (
    budget_control,
    choose,
    dataset_control,
    rows_control,
    shortlist,
    size_control,
)
from pages.shared.tables import rows_table
from zoo.charts import pareto
from zoo.selection import PUBLISHED, answer, counted_at, excluded, frontier
from zoo.words import size_warnings

LEAST_MIOU = Limit("explore_miou", 0, 100, "percent")

chosen = shortlist()
cost = PUBLISHED if chosen.size is None else counted_at(chosen.size)
table = table_at(chosen.size)

st.title("Which network fits?", anchor=False)
with st.container(horizontal=True, vertical_alignment="bottom"):
    dataset_control()
    budget_control()
    size_control()
    min_miou = LEAST_MIOU.draw(st.number_input, "Or: mIoU at least (%)", width=150, placeholder="any")
    filters_control()
filter_chips()
answers = st.container()

passing = table[filtered(table)]
shown = passing[passing["dataset"].isin(chosen.datasets)]
with answers:
    for dataset in chosen.datasets:
        if not (shown["dataset"] == dataset).any():
            st.info(f"No row of {dataset} passes the filters: reset them below.")
            continue
        with shown_errors():
            best = answer(shown, dataset, max_cost=chosen.budget, cost=cost)
            st.markdown(f":material/check_circle: {best.text}")
            warnings = list(best.warnings)
            if min_miou is not None:
                inverse = answer(shown, dataset, min_miou=min_miou, cost=cost)
                st.markdown(f":material/swap_horiz: {inverse.text}")
                warnings += inverse.warnings
            for warning in dict.fromkeys(warnings):
                st.caption(warning)
    if len(chosen.datasets) > 1:
        st.caption(
            ":material/info: mIoU of different data sets cannot be compared: "
            "each has its own frontier and its own answer."
        )

shown = shown.assign(on_frontier=frontier(shown, cost))


def add_clicked() -> None:
    """Add clicked or lassoed points to the chosen rows."""
    points = st.session_state.explore_chart["selection"]["points"]
    clicked = [point["customdata"][0] for point in points if point.get("customdata")]
    choose(clicked)


st.plotly_chart(
    pareto(shown, cost=cost, budget=chosen.budget, chosen=chosen.rows),
    key="explore_chart",
    on_select=add_clicked,
    selection_mode=("points", "lasso"),
    config={"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "autoScale2d"]},
    alt="GigaMACs on a logarithmic axis against mIoU, with the frontier of each data set and the budget.",
)
st.caption("Click points, or lasso them, to add them to the chosen rows.")

st.subheader("Chosen rows", anchor=False)
rows_control()
COLUMNS = [
    "name",
    "dataset",
    "input",
    "gmacs",
    "counted_gmacs",
    "miou",
    "params_m",
    "activation_m",
    "family_label",
]
picked = table.loc[[row for row in chosen.rows if row in table.index]]
if picked.empty:
    st.caption("None yet: click a point of the chart, or add one here.")
else:
    rows_table(picked, [*COLUMNS, "available", "qat", "notes"])
    for warning in size_warnings(picked):
        st.caption(warning)
    if chosen.size is not None:
        st.caption(f"GigaMACs counted at {chosen.size}; mIoU is the published one, at the published size.")

reasons = excluded(shown, cost)
with st.expander(f"Excluded rows ({len(reasons)})", icon=":material/block:"):
    st.caption("They lack a number, so they cannot be ranked; nothing is filled in.")
    if not reasons.empty:
        rows_table(shown.loc[reasons.index].assign(reason=reasons), ["name", "dataset", "input", "reason"])
