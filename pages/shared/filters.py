"""The filters of Explore, in one popover, with a chip for each that is set."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st

from pages.shared.kinds import Choice, Choices, Flag, Limit
from pages.shared.loaders import OWN_LABEL, family_labels, input_sizes, weights_of, weights_words
from pages.shared.menus import menu
from pages.shared.own import own
from pages.shared.settings import Setting
from zoo.rows import OWN

FAMILY = Choices(
    "explore_family",
    lambda: [*sorted(family_labels().values()), *([OWN_LABEL] if own() else [])],
    [],
    "a family of the catalog",
)
QAT = Choice("explore_qat", ["", "Only QAT", "Without QAT"], "")
AVAILABLE = Flag("explore_available")
WEIGHTS = Flag("explore_weights")
INPUT = Choices("explore_input", input_sizes, [], "a size of the catalog")
PARAMS = Limit("explore_params", 0, 1000, "million")
ACTIVATION = Limit("explore_activation", 0, 10000, "MB in 8 bits")

LEAST_MIOU = Limit("explore_miou", 0, 100, "percent")
"""Hides nothing: it asks which row is the cheapest that is accurate enough."""

FILTERS: dict[Setting, Callable[[pd.DataFrame], pd.Series]] = {  # type: ignore[type-arg]
    FAMILY: lambda rows: (
        rows["family_label"].isin(FAMILY.value) | ((rows["catalog"] == OWN) & (OWN_LABEL in FAMILY.value))
    ),
    QAT: lambda rows: rows["qat"] == (QAT.value == "Only QAT"),
    AVAILABLE: lambda rows: rows["available"],
    WEIGHTS: lambda rows: weights_of(rows, weights_words()).isin(["mask now", "download"]),
    INPUT: lambda rows: rows["input"].isin(INPUT.value),
    PARAMS: lambda rows: rows["params_m"].le(PARAMS.value),
    ACTIVATION: lambda rows: rows["peak_8bit_mb"].le(ACTIVATION.value),
}
"""By filter, which rows pass it."""


def hidden_rows(rows: pd.DataFrame) -> tuple[str, ...]:
    """Return the rows that do not pass every filter that is set."""
    tests = [test for setting, test in FILTERS.items() if setting.changed]
    if not tests:
        return ()
    passes = np.logical_and.reduce([test(rows).to_numpy(bool) for test in tests])
    return tuple(rows.index[~passes])


def filters_control() -> None:
    """Draw the button behind which the filters are; it says how many are set, `filter_chips` which."""
    active = sum(setting.changed for setting in (*FILTERS, LEAST_MIOU))
    label = f"Filters ({active})" if active else "Filters"
    opened = menu(label, icon=":material/filter_list:", key="filters")
    if opened is None:
        return
    with opened:
        LEAST_MIOU.draw(
            st.number_input,
            "mIoU at least (%)",
            placeholder="any",
            help="A line on the chart, and a card with the cheapest network that reaches it. Hides nothing.",
        )
        FAMILY.draw(st.pills, "Family", selection_mode="multi")
        QAT.draw(
            st.segmented_control,
            "Quantization-aware training",
            show=lambda value: value or None,
            options=[option for option in QAT.options if option],
        )
        AVAILABLE.draw(
            st.toggle,
            "Its authors published the model",
            help="As the catalog's source says of the row. Its weights may be gone, or not be had here.",
        )
        WEIGHTS.draw(
            st.toggle,
            "Weights can be had here",
            help="They are here (mask now), or can be downloaded from here (download).",
        )
        INPUT.draw(st.pills, "Published input size", selection_mode="multi")
        PARAMS.draw(st.number_input, "Parameters, at most (million; as many MB in 8 bits)")
        ACTIVATION.draw(
            st.number_input,
            "Peak activation in 8 bits, at most (MB)",
            help="At the published input size, 1 byte a value; in float it is four times as much.",
        )
        st.button("Reset filters", icon=":material/restart_alt:", on_click=reset_filters, disabled=not active)


def filter_chips() -> None:
    """Draw what is filtered, one chip a filter; a click takes it away."""
    words = {setting: _words(setting) for setting in (LEAST_MIOU, *FILTERS) if setting.changed}
    if not words:
        return
    with st.container(horizontal=True, gap="xsmall"):
        for setting, text in words.items():
            st.button(
                text,
                icon=":material/close:",
                key=f"remove_{setting.key}",
                on_click=setting.set,
                args=(None,),
                help="Remove this filter",
            )


def reset_filters() -> None:
    """Take every filter away; call it from a callback."""
    for setting in (LEAST_MIOU, *FILTERS):
        setting.set(None)


def _words(setting: Setting[object]) -> str:
    value = setting.value
    if setting is LEAST_MIOU:
        return f"mIoU at least {value:g} %"
    if setting is AVAILABLE:
        return "Model published"
    if setting is WEIGHTS:
        return "Weights can be had"
    if setting is PARAMS:
        return f"At most {value:g} M parameters"
    if setting is ACTIVATION:
        return f"At most {value:g} MB of activation in 8 bits"
    return ", ".join(value) if isinstance(value, list) else str(value)
