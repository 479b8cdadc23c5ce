"""Buttons that open a menu, whose contents are drawn only while it is open."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def menu(label: str, *, icon: str, key: str) -> DeltaGenerator | None:
    """Draw the button and return where its contents go, None while it is closed.

    With another label it is another button, and what it opened would close: a new label waits until then.
    """
    words = st.session_state.get(f"{key}_words", label)
    if not st.session_state.get(key):
        words = st.session_state[f"{key}_words"] = label
    opened = st.popover(words, icon=icon, key=key, on_change="rerun")
    return opened if opened.open else None
