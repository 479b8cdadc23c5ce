"""What a link carries: every bound key with what it may hold, and a line about what was ignored.

Bound widgets silently fall back on nonsense and strip it from the address, so the address is read before
the widgets are drawn.
"""

import math
from collections.abc import Callable

import streamlit as st

from pages.shared.loaders import catalog, family_labels
from zoo.errors import ZooError
from zoo.sizes import parse_size

BUDGET_MIN, BUDGET_MAX = 0.1, 1000.0


def _number(least: float, most: float) -> Callable[[str], bool]:
    def holds(text: str) -> bool:
        try:
            number = float(text)
        except ValueError:
            return False
        return math.isfinite(number) and least <= number <= most

    return holds


def _size(text: str) -> bool:
    try:
        parse_size(text)
    except ZooError:
        return False
    return True


def _rules() -> dict[str, tuple[Callable[[str], bool], str]]:
    rows = catalog()
    sizes = set(rows["input_width"].astype(str) + "x" + rows["input_height"].astype(str))
    return {
        "dataset": (set(rows["dataset"]).__contains__, "one of the four data sets"),
        "budget": (_number(BUDGET_MIN, BUDGET_MAX), f"{BUDGET_MIN:g} to {BUDGET_MAX:g} GigaMACs"),
        "size": (_size, "width x height, 32 to 4096 a side"),
        "rows": (set(rows.index).__contains__, "ids of the catalog"),
        "explore_miou": (_number(0, 100), "0 to 100 percent"),
        "explore_family": (set(family_labels().values()).__contains__, "a family of the catalog"),
        "explore_qat": ({"Only QAT", "Without QAT"}.__contains__, "Only QAT or Without QAT"),
        "explore_available": ({"true", "false"}.__contains__, "true or false"),
        "explore_input": (sizes.__contains__, "a size of the catalog"),
        "explore_params": (_number(0, 1000), "0 to 1000 million"),
        "explore_activation": (_number(0, 10000), "0 to 10000 million values"),
        "catalog_search": (lambda text: len(text) <= 100, "at most 100 characters"),
        "catalog_view": ({"Grouped as published", "One table"}.__contains__, "a view of the page"),
    }


def note_ignored() -> None:
    """On a visitor's first run, remember what in the address cannot be used."""
    if "link_checked" in st.session_state:
        return
    st.session_state.link_checked = True
    rules = _rules()
    ignored = []
    for key in st.query_params:
        for value in st.query_params.get_all(key):
            if key.split("_")[0] in OTHER_PAGES:
                continue
            holds, allowed = rules.get(key, (lambda _: False, "no setting here"))
            if value and not holds(value):
                ignored.append(f"{key[:30]} = {value[:40]!r} ({allowed})")
    if ignored:
        st.session_state.link_notice = "Ignored in this link: " + "; ".join(ignored[:5])


OTHER_PAGES = {"complexity", "demo", "embed"}
"""Pages that check their own settings when they are drawn."""


def link_notice() -> None:
    """Show what was ignored, until the visitor has seen it."""
    if text := st.session_state.get("link_notice"):
        left, right = st.columns([6, 1], vertical_alignment="center")
        left.warning(text.replace("`", "'"), icon=":material/link_off:")
        right.button("Dismiss", on_click=lambda: st.session_state.pop("link_notice", None), width="stretch")
