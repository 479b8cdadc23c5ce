"""What can be done next with a row: beside every name, with the state carried over."""

from urllib.parse import urlencode

import streamlit as st

from pages.shared.link import link_to
from pages.shared.loaders import row_names
from pages.shared.own import escaped
from pages.shared.settings import store
from pages.shared.shortlist import ROWS, SHARED, drop

NEXT = {"complexity": "See its cost", "demo": "Try it on a picture", "compare": "Compare"}
"""By page: what its link beside a row says."""


def row_actions(row_id: str, *, key: str) -> None:
    """Draw the links that lead on from a row; `key` tells several of them on a page apart."""
    shared = link_to(SHARED)
    with_row = {**shared, "rows": list(dict.fromkeys([row_id, *ROWS.value]))}
    with st.container(horizontal=True, gap="small", vertical_alignment="center", width="content"):
        for page, label in NEXT.items():
            if page in store().pages and page != store().page:
                query = {**shared, "demo_row": [row_id]} if page == "demo" else with_row
                st.page_link(f"{page}.py", label=label, query_params=query)
        link = st.popover("Copy link", type="tertiary", on_change="rerun", key=f"link_{key}")
        if link.open:
            link.caption("This page with this row chosen:")
            address = f"{st.context.url or ''}?{urlencode(with_row, doseq=True)}"
            link.code(address, language=None, wrap_lines=True)


def shortlist_panel() -> None:
    """Draw the chosen rows by name, each with where to go next and a button that drops it."""
    if not ROWS.value:
        return
    st.subheader("Shortlist", anchor=False)
    for row_id in ROWS.value:
        with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"listed_{row_id}"):
            st.markdown(f"**{escaped(row_names()[row_id])}**", width="content")
            row_actions(row_id, key=f"listed_{row_id}")
            st.button("Drop", type="tertiary", key=f"drop_{row_id}", on_click=drop, args=(row_id,))
