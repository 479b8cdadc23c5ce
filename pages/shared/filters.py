"""The filters of Explore, in one popover, each in the address."""

import pandas as pd
import streamlit as st

KEYS = [
    "explore_family",
    "explore_qat",
    "explore_available",
    "explore_input",
    "explore_params",
    "explore_activation",
]
EMPTY = {"explore_family": [], "explore_available": False, "explore_input": []}


def draw_filters(table: pd.DataFrame) -> pd.DataFrame:
    """Draw the filters and return the rows that pass them all."""
    sizes = (table["input_width"].astype(str) + "x" + table["input_height"].astype(str)).rename("input")
    with st.popover("Filters", icon=":material/filter_list:"):
        family = st.pills(
            "Family",
            sorted(table["family_label"].unique()),
            selection_mode="multi",
            key="explore_family",
            bind="query-params",
        )
        qat = st.segmented_control(
            "Quantization-aware training",
            ["Only QAT", "Without QAT"],
            key="explore_qat",
            bind="query-params",
        )
        available = st.toggle("Only with a published model", key="explore_available", bind="query-params")
        inputs = st.pills(
            "Published input size",
            list(sizes.unique()),
            selection_mode="multi",
            key="explore_input",
            bind="query-params",
        )
        params = st.number_input(
            "Parameters, at most (million)", 0.0, 1000.0, None, key="explore_params", bind="query-params"
        )
        activation = st.number_input(
            "Peak activation, at most (million values, at the published size)",
            0.0,
            10000.0,
            None,
            key="explore_activation",
            bind="query-params",
        )
    active = any(st.session_state.get(key) for key in KEYS)
    st.button("Reset filters", icon=":material/restart_alt:", on_click=_reset, disabled=not active)
    passes = pd.Series(True, index=table.index)
    if family:
        passes &= table["family_label"].isin(family)
    if qat:
        passes &= table["qat"] == (qat == "Only QAT")
    if available:
        passes &= table["available"]
    if inputs:
        passes &= sizes.isin(inputs)
    if params is not None:
        passes &= table["params"] <= params * 1e6
    if activation is not None:
        passes &= table["peak_activation_values"] <= activation * 1e6
    return table[passes]


def _reset() -> None:
    for key in KEYS:
        st.session_state[key] = EMPTY.get(key)
