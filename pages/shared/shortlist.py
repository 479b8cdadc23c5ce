"""What every page shares: data sets, budget, input size and chosen rows, each with the control that sets it.

A page draws the controls of what acts on it; the values stay with the visitor and in every link.
"""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from pages.shared.kinds import Choices, InputSize, Number
from pages.shared.loaders import CATALOG, catalog_title, datasets, row_names
from pages.shared.menus import menu
from pages.shared.own import escaped
from zoo.checks import budget_from_chip, check_budget
from zoo.sizes import Size, parse_size
from zoo.words import format_gmacs

PUBLISHED = "published sizes"
PRESETS = ["512x512", "768x384", "1024x512", "1280x720", "1920x1080", "2048x1024"]
# Fine where the rows are dense, coarse where they are not.
STEPS = [
    *np.arange(0.5, 2, 0.25).tolist(),
    *np.round(np.arange(2, 10, 0.1), 1).tolist(),
    *np.arange(10, 30, 0.5).tolist(),
    *np.arange(30, 100, 5).tolist(),
    *np.arange(100, 451, 25).tolist(),
]
STEP_WORDS = {step: format_gmacs(step) for step in STEPS}  # the slider asks for all, several times a run

DATASETS = Choices("dataset", datasets, ["Cityscapes"], "a data set of the catalog")
BUDGET = Number("budget", 4.0, 0.1, 1000.0, "GigaMACs")
SIZE = InputSize("size")
ROWS = Choices("rows", lambda: list(row_names()), [], "ids of the catalog")
# A chip's, for a budget: no link holds them.
TOPS = Number("chip_tops", 4.0, 0.01, 10000.0, "TOPS")
UTILISATION = Number("chip_share", 25.0, 1.0, 100.0, "percent")
FRAMES = Number("chip_rate", 30.0, 0.1, 1000.0, "frames a second")
SHARED = (CATALOG, DATASETS, BUDGET, SIZE, ROWS)


@dataclass(frozen=True)
class Shortlist:
    """What the visitor has chosen."""

    datasets: list[str]
    budget: float
    """GigaMACs."""
    size: Size | None
    """The visitor's own input size; None for each row's published one."""
    rows: list[str]


def shortlist() -> Shortlist:
    """Return what is chosen; no data set means all."""
    return Shortlist(
        datasets=DATASETS.value or DATASETS.options,
        budget=BUDGET.value,
        size=SIZE.value,
        rows=ROWS.value,
    )


def choose(rows: list[str]) -> None:
    """Add rows to the chosen ones; call it from a callback."""
    ROWS.set(list(dict.fromkeys([*ROWS.value, *rows])))


def drop(row: str) -> None:
    """Take a row from the chosen ones; call it from a callback."""
    ROWS.set([kept for kept in ROWS.value if kept != row])


def dataset_control() -> None:
    """Draw the choice of data sets behind a button that says what is chosen."""
    chosen = shortlist().datasets
    label = escaped(chosen[0]) if len(chosen) == 1 else f"{len(chosen)} data sets"
    opened = menu(label, icon=":material/database:", key="datasets")
    if opened is None:
        return
    with opened:
        CATALOG.draw(st.selectbox, "Catalog", key="catalog_here", format_func=catalog_title)
        DATASETS.draw(
            st.pills, "Data sets", selection_mode="multi", help="None chosen: all. Each has its own answer."
        )


def budget_place() -> st.delta_generator.DeltaGenerator:
    """Return a place for `budget_control`."""
    return st.container(horizontal=True, vertical_alignment="bottom", width="content", gap="xsmall")


def budget_control(place: st.delta_generator.DeltaGenerator | None = None) -> None:
    """Draw the budget, here or in a `budget_place`: a slider with the exact number beside it."""
    with place or budget_place():
        BUDGET.draw(
            st.select_slider,
            "Budget (GigaMACs)",
            key="budget_slider",
            show=lambda budget: min(STEPS, key=lambda step: abs(step - budget)),
            options=STEPS,
            format_func=STEP_WORDS.__getitem__,
            width=150,
        )
        BUDGET.draw(
            st.text_input,
            "Budget, exact",
            show=format_gmacs,
            take=_typed_budget,
            label_visibility="collapsed",
            width=64,
        )


def chip_control() -> None:
    """Draw a button behind which a budget is made of what a chip can do."""
    chip = st.popover("Chip", help="A budget from a chip's peak", on_change="rerun", key="chip")
    if chip.open:
        with chip:
            _chip()


def size_control() -> None:
    """Draw the input size at which MACs are counted: presets, or any size typed."""
    value = SIZE.value
    options = [PUBLISHED, *PRESETS]
    if value is not None and str(value) not in options:
        options.append(str(value))
    SIZE.draw(
        st.selectbox,
        "Input size",
        show=lambda size: PUBLISHED if size is None else str(size),
        take=lambda text: None if text == PUBLISHED else parse_size(text),
        options=options,
        accept_new_options=True,
        width=140,
        placeholder="width x height",
    )


def rows_control() -> None:
    """Draw the chosen rows, which a click drops, and a field that adds one."""
    # Pills, not a multiselect: its tags are white on the theme's colour, too faint in the dark theme.
    names, chosen = row_names(), ROWS.value
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if chosen:
            ROWS.draw(
                st.pills,
                "Chosen rows",
                selection_mode="multi",
                show=list,
                options=chosen,
                format_func=lambda row: escaped(names[row]),
                help="They stay in the link. Click one to drop it.",
                wrap=True,  # else they go off a narrow screen
            )
        st.selectbox(
            "Add a row",
            [row for row in names if row not in chosen],
            index=None,
            format_func=names.__getitem__,
            key="add_row",
            placeholder="a network at a size",
            on_change=_add_row,
            width=300,
        )


def _add_row() -> None:
    if st.session_state.add_row:
        choose([st.session_state.add_row])
    st.session_state.add_row = None


def _typed_budget(text: str) -> float:
    # "3,84" is how half of Europe writes it.
    try:
        number = float(text.strip().replace(",", "."))
    except ValueError:
        return check_budget(text)
    return BUDGET.check(number)


def _chip() -> None:
    tops = TOPS.draw(st.number_input, "Peak (TOPS)")
    share = UTILISATION.draw(st.number_input, "Utilisation (%)")
    rate = FRAMES.draw(st.number_input, "Frames a second")
    gmacs = budget_from_chip(tops, share / 100, rate)
    st.caption(
        f"{tops:g} TOPS x {share:g} % / {rate:g} frames a second, two operations a MAC: "
        f"**{format_gmacs(gmacs)} GigaMACs** a frame."
    )
    st.button("Use as budget", on_click=BUDGET.set, args=(BUDGET.nearest(gmacs),), type="primary")
