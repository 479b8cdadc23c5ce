"""Complexity: what the chosen rows cost at a size and what size fits, by formula at once, confirmed live."""

import streamlit as st

from pages.shared.cards import ready_for_cards
from pages.shared.costing import (
    answer_cards,
    confirm,
    growth_chart,
    layers_of,
    names_of,
    rows_to_cost,
    sizes_taken,
    stride_chart,
    totals_table,
)
from pages.shared.counting import live_count
from pages.shared.errors import shown_errors
from pages.shared.kinds import Choice, Whole
from pages.shared.loaders import catalog
from pages.shared.own import escaped
from pages.shared.own_control import own_control
from pages.shared.shortlist import budget_control, chip_control, rows_control, shortlist, size_control
from zoo.costs import follows_formula

ASPECTS = {"16:9": (16, 9), "4:3": (4, 3), "2:1": (2, 1), "1:1": (1, 1)}
ASPECT = Choice("complexity_aspect", list(ASPECTS), "16:9")
MULTIPLE = Whole("complexity_multiple", 32, 1, 512, "pixels")
LAYERS = Choice("complexity_layers", lambda: ["", *catalog().index], "", "an id of the catalog")

ready_for_cards()
st.title("What does it cost, and at what size does it fit?", anchor=False)
with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
    budget_control()
    chip_control()
    aspect = ASPECT.draw(st.segmented_control, "Proportions", required=True)
    multiple = MULTIPLE.draw(
        st.number_input, "Sides: multiples of", width=130, help="Proportions are kept about."
    )
    size_control()
    own_control()
rows_control()
chosen = shortlist()
rows = rows_to_cost()
sizes = sizes_taken(rows, chosen.size)
if not sizes:
    st.stop()
names = names_of(rows)
places = answer_cards(rows, sizes, chosen.budget, ASPECTS[aspect], multiple)
table_place = st.empty()
totals_table(table_place, rows, sizes, {})
notes = st.container()

left, right = st.columns(2, gap="large")
with left:
    at = chosen.size or next(iter(sizes.values()))
    st.subheader(f"Where: MACs by stride, all at {at}", anchor=False)
    by_formula = {row_id: row for row_id, row in rows.items() if row_id in sizes and follows_formula(row)}
    taken = sizes_taken(by_formula, at)
    if taken:
        st.plotly_chart(
            stride_chart(
                tuple(map(rows.__getitem__, taken)),
                tuple(taken.values()),
                tuple(map(names.__getitem__, taken)),
            ),
            alt=f"GigaMACs of each row at {at} by the stride at which they run.",
        )
    for row_id in sizes.keys() - by_formula.keys():
        st.caption(f"{escaped(names[row_id])}: its MACs do not follow its strides; see its layers.")
with right:
    st.subheader("Growth with input size", anchor=False)
    st.plotly_chart(
        growth_chart(
            tuple(map(rows.__getitem__, sizes)),
            tuple(sizes.values()),
            tuple(map(names.__getitem__, sizes)),
            chosen.budget,
        ),
        alt="GigaMACs of each row against input width at its own proportions, with the budget.",
    )

st.subheader("Layers", anchor=False)
if len(sizes) > 1:
    LAYERS.draw(
        st.segmented_control,
        "Network",
        show=lambda row_id: row_id if row_id in sizes else next(iter(sizes)),
        options=list(sizes),
        format_func=names.__getitem__,
        label_visibility="collapsed",
        required=True,
    )
layers_row = LAYERS.value if LAYERS.value in sizes else next(iter(sizes))
layers_place = st.empty()
layers_place.skeleton(height=840)

# Last, since the first count has to wait for a process with torch: all above stands meanwhile.
counted = {}
for row_id, size in sizes.items():
    with notes, shown_errors():
        counted[row_id] = live_count(rows[row_id], *size)
        confirm(places[row_id], rows[row_id], size, counted[row_id])
totals_table(table_place, rows, sizes, counted)
with layers_place.container():
    if layers_row in counted:
        layers_of(rows[layers_row], sizes[layers_row], counted[layers_row])
