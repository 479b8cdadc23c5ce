"""Complexity: what the chosen rows cost at a size, by formula at once and confirmed live."""

import pandas as pd
import streamlit as st

from pages.shared.counting import live_count
from pages.shared.errors import shown_errors
from pages.shared.loaders import audited, table_at
from pages.shared.shortlist import shortlist
from zoo.catalog import check_row_size
from zoo.charts import stride_bars
from zoo.costs import largest_size, macs_by_stride
from zoo.limits import Size
from zoo.selection import COUNTED, PUBLISHED, answer

ASPECTS = {"16:9": (16, 9), "4:3": (4, 3), "2:1": (2, 1), "1:1": (1, 1)}


def table_with_csv(table: pd.DataFrame, name: str) -> None:
    """Draw a table and its download."""
    st.dataframe(table, hide_index=True)
    st.download_button("CSV", table.to_csv(index=False), f"{name}.csv", "text/csv", key=f"{name}_csv")


chosen = shortlist()
catalog = table_at(chosen.size)
st.title("Complexity", anchor=False)
ids = [row for row in chosen.rows if row in catalog.index]
if not ids and chosen.datasets:
    with shown_errors():
        cost = PUBLISHED if chosen.size is None else COUNTED
        best = answer(
            catalog, chosen.datasets[0], max_gmacs=chosen.budget, cost=cost, size=chosen.size
        ).chosen
        ids = [best] if best else []
    st.caption("No row is chosen: this is the answer under your budget. Choose others in the sidebar.")

sizes: dict[str, Size] = {}
for row_id in ids:
    row = catalog.loc[row_id]
    with shown_errors():
        size = chosen.size or Size(int(row["input_width"]), int(row["input_height"]))
        sizes[row_id] = check_row_size(row_id, size.width, size.height)
strides = {row_id: macs_by_stride(row_id, *size) for row_id, size in sizes.items()}

st.subheader("Totals by the formula", anchor=False)
totals = [
    {"id": row_id, "size": str(sizes[row_id]), "macs": int(parts.sum()), "GigaMACs": parts.sum() / 1e9}
    for row_id, parts in strides.items()
]
table_with_csv(pd.DataFrame(totals), "totals")

if st.button("Confirm live with ptflops", key="confirm", icon=":material/verified:"):
    bar = st.progress(0.0, "Counting")
    lines = []
    for done, (row_id, size) in enumerate(sizes.items(), 1):
        with shown_errors():
            live = live_count(row_id, *size)
            verdict = "equal" if live.macs == strides[row_id].sum() else "not equal"
            st.markdown(f"{row_id}: {verdict}, ptflops {live.ptflops_version}, {live.seconds:.2f} s")
            values = live.peak_activation_values
            lines.append(
                {
                    "id": row_id,
                    "live macs": live.macs,
                    "activation MB, 4 bytes": values * 4 / 1e6,
                    "activation MB, 1 byte": values / 1e6,
                    "not counted": ", ".join(f"{name} {times}x" for name, times in live.uncounted.items()),
                }
            )
        bar.progress(done / len(sizes), f"{done} of {len(sizes)}")
    table_with_csv(pd.DataFrame(lines), "live")

st.subheader("MACs by stride", anchor=False)
st.plotly_chart(stride_bars(strides))

st.subheader("Largest size within the budget", anchor=False)
aspect = st.segmented_control("Aspect ratio", list(ASPECTS), default="16:9", key="aspect", required=True)
fitting = []
for row_id in ids:
    with shown_errors():
        fitting.append({"id": row_id, "largest": str(largest_size(row_id, chosen.budget, ASPECTS[aspect]))})
table_with_csv(pd.DataFrame(fitting), "largest")

st.subheader("All 35 rows: published against counted", anchor=False)
table_with_csv(audited().reset_index(), "audit")
