"""Compare: two to four networks side by side, in numbers, curves and masks of one picture."""

import streamlit as st

from pages.shared.comparing import compared_masks, draw_masks, kept_picture
from pages.shared.costing import growth_chart, sizes_taken, stride_chart
from pages.shared.kinds import Choice, Choices, Flag, Whole
from pages.shared.loaders import catalog, table_at
from pages.shared.masks import picture_control
from pages.shared.own import escaped
from pages.shared.reporting import report_button
from pages.shared.shortlist import budget_control, chip_control, rows_control, shortlist, size_control
from pages.shared.tables import show_rows
from pages.shared.variants import KINDS, rows_shown, variants_control
from zoo.charts import compared_scatter
from zoo.comparison import LEAST, MOST, compare_figures, position
from zoo.costs import follows_formula
from zoo.selection import PUBLISHED, counted_at
from zoo.words import size_warnings

SOURCE = Choice("compare_source", ["Sample", "Upload", "Camera"], "Sample")
WEIGHTS = Choice("compare_weights", list(KINDS), "Best there is")
IN_8_BITS = Choices("compare_8bit", lambda: list(catalog().index), [], "ids of the catalog")
STRENGTH, OUTLINES = Whole("compare_strength", 60, 0, 100, "percent"), Flag("compare_outlines")
NUMBERS = ["title", "dataset", "miou", "miou_difference", "gmacs", "gmacs_difference", "counted_gmacs"]
NUMBERS += ["counted_gmacs_difference", "params_m", "params_difference", "on_frontier"]

chosen = shortlist()
cost = PUBLISHED if chosen.size is None else counted_at(chosen.size)
table = table_at(chosen.size)
st.title("Compare", anchor=False)
with st.container(horizontal=True, vertical_alignment="bottom"):
    budget_control()
    chip_control()
    size_control()
    report = st.empty()
rows_control()
rows = rows_shown(LEAST, MOST)
if len(rows) < LEAST:
    st.info("Add a row above: two to four are compared.", icon=":material/add:")
    st.stop()
ids = [row.id for row in rows]

figures = compare_figures(rows, chosen.size)
here = table.loc[ids, ["title", "dataset", "params_m", "on_frontier"]]
show_rows(here.join(figures)[NUMBERS], alt="Published and counted numbers with their differences.")
st.caption(
    f"Differences are from {escaped(rows[0].title)}: points of mIoU, percent of the others. mIoU and "
    f"GigaMACs are as published; what we count is at {chosen.size or 'the size of each row'}."
)
if len({row.dataset for row in rows}) > 1:
    st.caption("mIoU of different data sets cannot be compared: its points say nothing between them.")
for warning in size_warnings(table.loc[ids]):
    st.caption(escaped(warning))

st.subheader("On one picture", anchor=False)
with st.container(horizontal=True, vertical_alignment="bottom"):
    source = SOURCE.draw(st.segmented_control, "Picture")
    STRENGTH.draw(st.slider, "Mask strength (%)", width=220)
    OUTLINES.draw(st.toggle, "Outlines")
    variants = variants_control(rows, WEIGHTS, IN_8_BITS, key="compare")
if len(variants) > MOST:
    st.caption(f"The first {MOST} of {len(variants)} masks: drop a row to see the others.")
given = picture_control(source)
masks = st.container()

datasets = list(dict.fromkeys(row.dataset for row in rows))
left, right = st.columns(2, gap="large")
with left:
    st.subheader("Against the frontier", anchor=False)
    for dataset in datasets:
        st.plotly_chart(
            compared_scatter(table[table["dataset"] == dataset], ids, cost),
            key=f"compare_frontier_{dataset}",
            alt=f"{cost.noun} against mIoU on {dataset}; the compared rows are named.",
        )
    for row in rows:
        st.markdown(f":small[**{escaped(row.title)}**: {escaped(position(table, row.id, cost))}]")
by_id = {row.id: row for row in rows}
sizes = sizes_taken(by_id, chosen.size)
with right:
    st.subheader("Growth with input size", anchor=False)
    if sizes:
        shown = tuple(map(by_id.__getitem__, sizes))
        titles = tuple(row.title for row in shown)
        st.plotly_chart(
            growth_chart(shown, tuple(sizes.values()), titles, chosen.budget),
            alt="GigaMACs of each row against input width at its own proportions, with the budget.",
        )
    by_formula = tuple(by_id[row_id] for row_id in sizes if follows_formula(by_id[row_id]))
    if by_formula:
        st.subheader("Where: MACs by stride", anchor=False)
        st.plotly_chart(
            stride_chart(
                by_formula,
                tuple(sizes[row.id] for row in by_formula),
                tuple(row.title for row in by_formula),
            ),
            alt="GigaMACs of each row by the stride at which they run.",
        )
# Last, since masks take time: all else stands meanwhile.
with masks:
    outcomes = () if given is None else compared_masks(given, variants[:MOST], chosen.size)
    if given is None:
        st.info("Choose a picture", icon=":material/upload:")
    draw_masks(outcomes, STRENGTH.value / 100, outlines=OUTLINES.value)
with report:
    report_button(rows, picture=kept_picture(), outcomes=outcomes)
