"""What stands in for a mask where weights are missing: how to get some, and a button that downloads them."""

from __future__ import annotations

import streamlit as st

from pages.shared.errors import shown_errors
from pages.shared.masks import show_progress
from pages.shared.networks import state_of, states
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


def no_weights(row: Row) -> bool:
    """Return whether there is no mask of a row now, having drawn the ways to get one.

    Where its published weights can be downloaded the button stands there, whatever is bundled.
    """
    missing = state_of(row) != "mask now"
    to_download = row.own is None and "missing" in set(status(row)["status"])
    if missing:
        st.subheader("No weights for this network here yet", anchor=False)
        st.markdown(
            "Its published weights can be downloaded; or pick a network marked *mask now*."
            if to_download
            else "Pick a network marked *mask now*, or upload a file of your own (under Weights)."
        )
    download_button(row, key="demo_download")
    return missing
