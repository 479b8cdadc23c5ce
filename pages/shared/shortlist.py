"""The shortlist in the sidebar: data set, budget, input size and chosen rows, which every link carries.

A slider for quick moves stands beside a field for exact values; the field is what the address holds.
"""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from pages.shared.link import BUDGET_MAX, BUDGET_MIN
from pages.shared.loaders import catalog
from zoo.checks import budget_from_chip
from zoo.errors import ZooError
from zoo.sizes import Size, parse_size
from zoo.words import format_gmacs

PUBLISHED = "published"
PRESETS = ["512x512", "768x384", "1024x512", "1280x720", "1920x1080", "2048x1024"]
# Fine where the rows are dense, coarse where they are not.
STEPS = [
    *np.arange(0.5, 2, 0.25).tolist(),
    *np.round(np.arange(2, 10, 0.1), 1).tolist(),
    *np.arange(10, 30, 0.5).tolist(),
    *np.arange(30, 100, 5).tolist(),
    *np.arange(100, 451, 25).tolist(),
]


@dataclass(frozen=True)
class Shortlist:
    """What the visitor has chosen."""

    datasets: list[str]
    budget: float
    """GigaMACs."""
    size: Size | None
    """The visitor's own input size; None for each row's published one."""
    rows: list[str]


def draw_shortlist() -> None:
    """Draw the widgets of the shortlist."""
    names = list(catalog()["dataset"].unique())
    st.pills(
        "Data set", names, selection_mode="multi", default=["Cityscapes"], key="dataset", bind="query-params"
    )
    _budget()
    _size()
    _rows()


def choose(rows: list[str]) -> None:
    """Add rows to the chosen ones; call it from a callback."""
    st.session_state.rows = list(dict.fromkeys([*st.session_state.get("rows", []), *rows]))


def shortlist() -> Shortlist:
    """Return what is chosen; the widgets must have been drawn."""
    state = st.session_state
    try:
        size = parse_size(state.size) if state.get("size") else None
    except ZooError:
        size = None
    return Shortlist(
        datasets=list(state.get("dataset") or catalog()["dataset"].unique()),
        budget=state.get("budget") or 4.0,
        size=size,
        rows=list(state.get("rows", [])),
    )


def _budget() -> None:
    slot = st.container()
    typed = st.number_input(
        "Budget, exact (GigaMACs)",
        BUDGET_MIN,
        BUDGET_MAX,
        4.0,
        0.1,
        format="%.2f",
        key="budget",
        bind="query-params",
    )
    st.session_state.budget_slider = min(STEPS, key=lambda step: abs(step - typed))
    slot.select_slider(
        "Budget (GigaMACs)",
        STEPS,
        key="budget_slider",
        format_func=format_gmacs,
        on_change=lambda: st.session_state.update(budget=float(st.session_state.budget_slider)),
    )
    with st.popover("Budget from a chip", icon=":material/memory:", width="stretch"):
        tops = st.number_input("Peak (TOPS)", 0.01, 10000.0, 4.0, key="chip_tops")
        share = st.number_input("Utilisation (%)", 1.0, 100.0, 25.0, key="chip_share")
        rate = st.number_input("Frames a second", 0.1, 1000.0, 30.0, key="chip_rate")
        gmacs = budget_from_chip(tops, share / 100, rate)
        st.caption(
            f"{tops:g} TOPS x {share:g} % / {rate:g} frames a second, two operations a MAC: "
            f"**{format_gmacs(gmacs)} GigaMACs** a frame."
        )
        usable = min(max(round(gmacs, 2), BUDGET_MIN), BUDGET_MAX)
        st.button("Use as budget", on_click=lambda: st.session_state.update(budget=usable), type="primary")


def _size() -> None:
    slot = st.container()
    typed = st.text_input(
        "Input size, exact (width x height)",
        key="size",
        bind="query-params",
        placeholder="published size of each row",
        help="Empty: every row at its published size.",
    )
    options = [PUBLISHED, *PRESETS]
    chosen = PUBLISHED
    if typed:
        try:
            chosen = str(parse_size(typed))
        except ZooError as error:
            st.error(str(error))
        if chosen not in options:
            options.append(chosen)
    st.session_state.size_slider = chosen
    slot.select_slider("Count MACs at", options, key="size_slider", on_change=_take_size)


def _take_size() -> None:
    chosen = st.session_state.size_slider
    st.session_state.size = "" if chosen == PUBLISHED else chosen


def _rows() -> None:
    # Pills, not a multiselect: its tags are white on the theme's colour, too faint in the dark theme.
    known = list(catalog().index)
    current = st.session_state.get("rows", st.query_params.get_all("rows"))
    options = [row for row in current if row in known]
    # Drawn even when empty: a widget that is new on this run would not reach the address.
    st.pills(
        "Chosen rows" if options else "Chosen rows: none yet",
        options,
        selection_mode="multi",
        key="rows",
        bind="query-params",
        help="Rows you keep an eye on; they stay in the link. Click one to drop it.",
    )
    st.selectbox(
        "Add a row",
        [row for row in known if row not in options],
        index=None,
        key="add_row",
        placeholder="or click points of the chart",
        on_change=_add_row,
    )


def _add_row() -> None:
    if st.session_state.add_row:
        choose([st.session_state.add_row])
    st.session_state.add_row = None
