"""Catalog: all rows as published, what was counted beside them, their sources and notes."""

import streamlit as st

from pages.shared.actions import shortlist_panel
from pages.shared.downloads import downloads
from pages.shared.loaders import CATALOG, catalog_title, chosen_catalog, listed
from pages.shared.own import escaped
from pages.shared.own_control import own_control
from pages.shared.settings import Choice, Flag, Text
from pages.shared.shortlist import SIZE, size_control
from pages.shared.sources import bibliography, described, glossary
from pages.shared.tables import MEGABYTES, chosen_from
from zoo.words import size_warnings

SEARCH = Text("catalog_search", 100)
VIEW = Choice("catalog_view", ["One table", "Grouped"], "One table")
AUDIT = Flag("catalog_audit")

COLUMNS = ["name", "input", "gmacs", "miou", "dataset", "params_m", "weights", "family_label", *MEGABYTES]
AUDITED = ["name", "input", "gmacs", "counted_gmacs", "error_pct", "verdict", "dataset", "miou"]
AUDITED += ["published_at", "gmacs_there", "published_name", "explanation"]

with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
    st.title("Catalog", anchor=False, width="content")
    CATALOG.draw(st.selectbox, "Catalog", format_func=catalog_title, width=190)
    SEARCH.draw(
        st.text_input,
        "Search",
        icon=":material/search:",
        placeholder="model, data set, size",
        width=210,
    )
    VIEW.draw(st.segmented_control, "View")
    AUDIT.draw(st.toggle, "Audit", help="Published against counted")
    size_control()
    own_control()

catalog, columns = chosen_catalog(), AUDITED if AUDIT.value else COLUMNS
table = listed(SIZE.value)
words = SEARCH.value.lower().split()
rows = table[[all(word in text for word in words) for text in table["searched"]]]
st.caption(
    f"{len(rows)} of {len(table)} rows, as printed; counted at {SIZE.value or 'the published size of each'}. "
    "Select rows to put them on your shortlist; click a heading to sort."
)
if rows.empty:
    st.info(f"No row matches {SEARCH.value!r}: try fewer words.", icon=":material/search_off:")
elif VIEW.value == "One table":
    chosen_from(rows, columns, key="catalog_rows", alt="All rows that match, as published.", height=560)
else:
    for (section, group), part in rows.fillna({"group": ""}).groupby(["section", "group"], sort=False):
        st.subheader(escaped(f"{section}: {group}" if group else str(section)), anchor=False)
        repeated = part["dataset"].nunique() == 1
        chosen_from(
            part,
            [column for column in columns if not (repeated and column == "dataset")],
            key=f"catalog_{section}_{group}",
            alt=f"Rows of {section} {group}",
            height="content",
        )
for warning in size_warnings(rows):
    st.caption(escaped(warning))
downloads(rows, columns)
shortlist_panel()

notes, datasets, references = st.tabs(["What words mean", "Data sets", "References"])
notes.markdown(glossary(catalog))
datasets.markdown(described(catalog))
references.markdown(bibliography(catalog))
