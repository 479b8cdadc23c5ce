"""The frame of all pages: configuration, navigation, the link, and each page below it."""

import streamlit as st
from streamlit.navigation.page import Page

from pages.shared.link import link_notice, note_unknown, read_link, write_link
from pages.shared.settings import of_session
from pages.shared.shortlist import SHARED

PAGES = {
    "explore": ("Explore", "scatter_plot", "Which network fits a budget, and what one better would cost."),
    "catalog": ("Catalog", "table_rows", "Every network as published, with sources, notes and downloads."),
    "complexity": ("Complexity", "stacked_bar_chart", "What a network costs at a size, and what size fits."),
    "latency": (
        "Latency",
        "timer",
        "Milliseconds on chips, on this machine and on your board, against MACs.",
    ),
    "demo": ("Demo", "image_search", "A network's mask on your own picture."),
    "compare": ("Compare", "compare", "Two to four networks side by side: numbers, curves, masks."),
    "evaluate": ("Evaluate", "fact_check", "What networks reach on your own labelled pictures."),
}


def made() -> dict[str, Page]:
    """Return what Streamlit needs of each page: kept for the session, as it is the same at every run."""
    return {
        name: st.Page(
            f"{name}.py", title=title, icon=f":material/{icon}:", help=words, default=name == "explore"
        )
        for name, (title, icon, words) in PAGES.items()
    }


pages = of_session("pages", made)
page = st.navigation(list(pages.values()), position="top")
name = next(name for name, entry in pages.items() if entry == page)
st.set_page_config(page_title=f"{page.title} · SegSelect", page_icon=":material/grid_view:", layout="wide")
read_link(name, list(pages), SHARED)
notice = st.empty()
write_link(name, SHARED)
try:
    page.run()
finally:
    note_unknown()
    link_notice(notice)
    write_link(name, SHARED)
