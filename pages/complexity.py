"""Complexity: what the chosen rows cost at a size, by formula at once and confirmed live by ptflops."""

import pandas as pd
import streamlit as st

from pages.shared.counting import live_count
from pages.shared.errors import shown_errors
from pages.shared.loaders import audited, table_at
from pages.shared.settings import Choice, Whole
from pages.shared.shortlist import budget_control, rows_control, shortlist, size_control
from pages.shared.tables import download_table, rows_table
from zoo.catalog import check_row_size
from zoo.charts import growth_curves, layer_treemap, stride_bars
from zoo.costs import largest_size, macs_by_part
from zoo.selection import PUBLISHED, answer, counted_at
from zoo.sizes import Size

ASPECTS = {"16:9": (16, 9), "4:3": (4, 3), "2:1": (2, 1), "1:1": (1, 1)}
MOST_ROWS = 4
ASPECT = Choice("complexity_aspect", list(ASPECTS), "16:9")
MULTIPLE = Whole("complexity_multiple", 32, 1, 512, "pixels")

chosen = shortlist()
catalog = table_at(chosen.size)
st.title("Complexity", anchor=False)
with st.container(horizontal=True, vertical_alignment="bottom"):
    budget_control()
    size_control()
rows_control()
ids = [row for row in chosen.rows if row in catalog.index][:MOST_ROWS]
if len(chosen.rows) > MOST_ROWS:
    st.caption(f"The first {MOST_ROWS} of your {len(chosen.rows)} chosen rows.")
if not ids:
    with shown_errors():
        cost = PUBLISHED if chosen.size is None else counted_at(chosen.size)
        best = answer(catalog, chosen.datasets[0], max_cost=chosen.budget, cost=cost)
        ids = [row for row in [best.chosen or best.cheapest] if row]
    st.caption("No row is chosen: this is the answer under your budget. Choose others above.")

sizes: dict[str, Size] = {}
for row_id in ids:
    row = catalog.loc[row_id]
    with shown_errors():
        own = Size(int(row["input_width"]), int(row["input_height"]))
        sizes[row_id] = check_row_size(row_id, *(chosen.size or own))
if not sizes:
    st.stop()
strides = {row_id: macs_by_part(row_id, *size) for row_id, size in sizes.items()}

totals = pd.DataFrame(
    {
        "id": list(sizes),
        "size": [str(size) for size in sizes.values()],
        "gmacs_formula": [parts.sum() / 1e9 for parts in strides.values()],
    }
)
place = st.empty()
place.dataframe(totals, hide_index=True, column_config={"gmacs_formula": "GigaMACs, by formula"})
live_line = st.empty()

left, right = st.columns(2, gap="large")
with left:
    st.subheader("Where: MACs by stride", anchor=False)
    st.plotly_chart(stride_bars(strides), alt="GigaMACs of each row by the stride at which they run.")
with right:
    st.subheader("Growth with input size", anchor=False)
    st.plotly_chart(
        growth_curves(list(sizes), sizes, chosen.budget),
        alt="GigaMACs of each row against input width at its own proportions, with the budget.",
    )

st.subheader("Largest size within the budget", anchor=False)
with st.container(horizontal=True, vertical_alignment="bottom"):
    aspect = ASPECT.draw(st.segmented_control, "Proportions")
    multiple = MULTIPLE.draw(st.number_input, "Sides are multiples of", width=190)
fitting = []
for row_id in sizes:
    with shown_errors():
        found = largest_size(row_id, chosen.budget, ASPECTS[aspect], multiple)
        fitting.append({"id": row_id, "largest size": str(found)})
if fitting:
    download_table(pd.DataFrame(fitting), "largest")
    st.caption("Sides are rounded to the multiple, so the proportions are kept about.")

st.subheader("Layers", anchor=False)
layers_of = st.selectbox("Network", list(sizes), key="complexity_layers")
layers_place = st.container()

st.subheader("Audit: published against counted, all rows", anchor=False)
st.caption(
    "At the published size. The three 769x769 rows come true at 2049x1025: "
    "'GigaMACs there' is what we count at that size."
)
AUDIT = ["name", "dataset", "input", "published_gmacs", "counted_gmacs", "error_pct", "verdict"]
audit = catalog[["name", "dataset", "input"]].join(audited())
rows_table(audit, [*AUDIT, "published_at", "gmacs_there", "explanation"])
st.download_button("CSV", audited().to_csv(), "audit.csv", "text/csv", key="complexity_audit_csv")

# Last, since the first count on a server has to load torch: all above stands meanwhile.
lines = {}
with live_line.container(), st.spinner("Confirming live with ptflops"), shown_errors():
    for row_id, size in sizes.items():
        lines[row_id] = live_count(row_id, *size)
if len(lines) == len(sizes):
    equal = [live.macs == strides[row_id].sum() for row_id, live in lines.items()]
    totals["live"] = [live.macs / 1e9 for live in lines.values()]
    totals["equal"] = ["equal" if same else "not equal" for same in equal]
    totals["params_m"] = [live.params / 1e6 for live in lines.values()]
    totals["activation_4"] = [live.peak_activation_values * 4 / 1e6 for live in lines.values()]
    totals["activation_1"] = [live.peak_activation_values / 1e6 for live in lines.values()]
    with place.container():
        download_table(totals, "totals")
    first = next(iter(lines.values()))
    seconds = sum(live.seconds for live in lines.values())
    live_line.caption(f"Confirmed live by ptflops {first.ptflops_version}, counted in {seconds:.2f} s.")
    with layers_place:
        live = lines[layers_of]
        st.plotly_chart(layer_treemap(live.layers), alt="MACs of each layer, grouped by where it stands.")
        download_table(live.layers.astype({"input_shape": str, "output_shape": str}), "layers", height=300)
        uncounted = ", ".join(f"{name} {times}x" for name, times in live.uncounted.items())
        st.caption(f"Not counted, being no MACs by definition: {uncounted or 'nothing'}.")
