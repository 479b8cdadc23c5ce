"""The frame of all pages: configuration, the shortlist in the sidebar, navigation."""

import streamlit as st

from pages.shared.link import link_notice, note_ignored
from pages.shared.shortlist import draw_shortlist

st.set_page_config(page_title="SegSelect", page_icon="🧩", layout="wide")
note_ignored()
page = st.navigation(
    [
        st.Page("explore.py", title="Explore", icon=":material/scatter_plot:", default=True),
        st.Page("catalog.py", title="Catalog", icon=":material/table_rows:"),
        st.Page("complexity.py", title="Complexity", icon=":material/stacked_bar_chart:"),
        st.Page("demo.py", title="Demo", icon=":material/image_search:"),
    ]
)
with st.sidebar:
    draw_shortlist()
link_notice()
page.run()
