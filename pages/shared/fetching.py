"""The button that downloads a row's published weights."""

from __future__ import annotations

import streamlit as st

from pages.shared.errors import shown_errors
from pages.shared.masks import show_progress
from pages.shared.networks import states
from zoo.rows import Row
from zoo.weights.checkpoints import status


def download_button(row: Row, *, key: str) -> None:
    """Draw a button that downloads the row's published weights, where they can be had and are not here."""
    if row.own is not None or "missing" not in set(status(row)["status"]):
        return
    if not st.button("Download the published weights", icon=":material/download:", key=key):
        return
    from zoo.weights.download import download

    bar = st.progress(0.0, "Downloading")
    with shown_errors():
        download(row.id, lambda done, total: show_progress(bar, done, total))
        states.clear()
        st.rerun()
