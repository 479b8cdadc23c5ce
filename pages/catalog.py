"""Catalog: all rows as published, what was counted beside them, their sources and notes."""

import streamlit as st

from pages.shared.cards import ready_for_cards, shortlist_panel
from pages.shared.downloads import downloads
from pages.shared.kinds import Choice, Flag, Text
from pages.shared.link import link_in_step
from pages.shared.listing import Asked, listing, matching
from pages.shared.loaders import CATALOG, catalog_title, chosen_catalog, weights_words
from pages.shared.own import escaped
from pages.shared.own_control import own_control
from pages.shared.shortlist import ROWS, SHARED, SIZE, size_control
from pages.shared.sources import bibliography, described, glossary
from pages.shared.tables import MEGABYTES, chosen_from

SEARCH = Text("catalog_search", 100)
VIEW = Choice("catalog_view", ["One table", "Grouped"], "One table")
AUDIT = Flag("catalog_audit")

COLUMNS = ["name", "input", "gmacs", "miou", "dataset", "params_m", "weights", "family_label", *MEGABYTES]
AUDITED = ["name", "input", "gmacs", "counted_gmacs", "error_pct", "verdict", "dataset", "miou"]
AUDITED += ["published_at", "gmacs_there", "published_name", "explanation"]

with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
    st.title("Catalog", anchor=False, width="content")
    CATALOG.draw(st.selectbox, "Catalog", format_func=catalog_title, width=190)
    place_of_search = st.container(horizontal=True, vertical_alignment="bottom", width="content")
    size_control()
    own_control()

ready_for_cards()
catalog, weights = chosen_catalog(), weights_words()


@st.fragment
def what_matches() -> None:
    """Draw what a search finds: while letters come, this is drawn alone."""
    with link_in_step(SHARED, (SEARCH, VIEW, AUDIT, ROWS)):
        with place_of_search:
            SEARCH.draw(
                st.text_input,
                "Search",
                icon=":material/search:",
                placeholder="model, data set, size",
                width=210,
            )
            VIEW.draw(st.segmented_control, "View")
            AUDIT.draw(st.toggle, "Audit", help="Published against counted")
        columns = AUDITED if AUDIT.value else COLUMNS
        words = tuple(SEARCH.value.lower().split())
        asked = Asked(catalog, SIZE.value, words, VIEW.value == "Grouped", tuple(columns))
        show_rows(asked)
        downloads(lambda: matching(asked, weights), columns)
        if ROWS.value:
            shortlist_panel()


def show_rows(asked: Asked) -> None:
    """Draw the rows that match, in one table or by group."""
    found = listing(asked, weights)
    st.caption(
        f"{found.total} of {len(catalog.rows)} rows, as printed; "
        f"counted at {SIZE.value or 'the published size of each'}. "
        "Select rows to put them on your shortlist; click a heading to sort."
    )
    if not found.total:
        st.info(f"No row matches {SEARCH.value!r}: try fewer words.", icon=":material/search_off:")
    elif asked.grouped:
        for heading, lines in found.tables.items():
            st.subheader(escaped(heading), anchor=False)
            chosen_from(lines, key=f"catalog_{heading}", alt=f"Rows of {heading}", height="content")
    else:
        chosen_from(
            found.tables[""],
            key="catalog_rows",
            alt="All rows that match, as published.",
            height=560 if found.total > 15 else "content",
        )
    for warning in found.warnings:
        st.caption(escaped(warning))


what_matches()

notes, datasets, references = st.tabs(["What words mean", "Data sets", "References"])
notes.markdown(glossary(catalog))
datasets.markdown(described(catalog))
references.markdown(bibliography(catalog))
