"""Catalog: all rows as published, what was counted beside them, their sources and notes."""

import streamlit as st

from pages.shared.loaders import audited, chosen_catalog, table_at
from pages.shared.settings import Choice, Text
from pages.shared.shortlist import shortlist, size_control
from pages.shared.tables import rows_table
from zoo.words import size_warnings

SEARCH = Text("catalog_search", 100)
VIEW = Choice("catalog_view", ["Grouped as published", "One table"], "Grouped as published")

size = shortlist().size
table = table_at(size).join(audited()[["error_pct", "verdict", "explanation"]])

st.title("Catalog", anchor=False)
with st.container(horizontal=True, vertical_alignment="bottom"):
    query = SEARCH.draw(
        st.text_input,
        "Search",
        icon=":material/search:",
        placeholder="model, data set, family, size",
        width=320,
    )
    view = VIEW.draw(st.segmented_control, "View")
    size_control()

text = (
    table.reset_index()
    .astype(object)
    .fillna("")
    .astype(str)
    .agg(" ".join, axis=1)
    .set_axis(table.index)
    .str.lower()
)
matches = [all(word in line for word in query.lower().split()) for line in text]
rows = table[matches]
at = "each row's published size" if size is None else str(size)
st.caption(
    f"{len(rows)} of {len(table)} rows. Published columns are as printed; GigaMACs counted at {at}. "
    "Difference and verdict always concern the published size. Click a heading to sort."
)

COLUMNS = ["name", "dataset", "input", "gmacs", "counted_gmacs", "error_pct", "verdict", "miou", "available"]
COLUMNS += [
    "qat",
    "family_label",
    "params_m",
    "activation_m",
    "published_name",
    "references",
    "explanation",
    "notes",
]
if rows.empty:
    st.info(f"No row matches {query!r}: try fewer words.", icon=":material/search_off:")
elif view == "One table":
    rows_table(rows, COLUMNS, height="content")
else:
    for section, part in rows.groupby("section", sort=False):
        st.subheader(str(section), anchor=False)
        for group, members in part.fillna({"group": ""}).groupby("group", sort=False):
            if group:
                st.markdown(f"**{group}**")
            rows_table(members, COLUMNS, height="content")
for warning in size_warnings(rows):
    st.caption(warning)

published = chosen_catalog().as_published.loc[rows.index].reset_index()
with st.container(horizontal=True):
    st.download_button(
        "CSV", published.to_csv(index=False), "segselect.csv", "text/csv", icon=":material/download:"
    )
    st.download_button(
        "JSON",
        published.to_json(orient="records", indent=1, double_precision=15, force_ascii=False),
        "segselect.json",
        "application/json",
        icon=":material/download:",
    )
    st.download_button(
        "Markdown",
        published.astype(object).fillna("").to_markdown(index=False),
        "segselect.md",
        "text/markdown",
        icon=":material/download:",
    )

st.subheader("What the columns mean", anchor=False)
for term, note in chosen_catalog().notes["note"].items():
    st.markdown(f"- **{term}**: {note}")
st.subheader("Data sets", anchor=False)
for name, entry in chosen_catalog().datasets.iterrows():
    st.markdown(f"- **{name}** ({entry['num_classes']} classes): {entry['description']} {entry['source']}")
st.subheader("References", anchor=False)
for number, entry in chosen_catalog().references.iterrows():
    address = entry.get("address")
    read = f". [What was read]({address})" if isinstance(address, str) else "."
    st.markdown(f"[{number}] {entry['authors']}: *{entry['title']}*. {entry['venue']}, {entry['year']}{read}")
