"""The roofline of rows on a chip: which chip, and what bounds each row there."""

import pandas as pd
import streamlit as st

from pages.shared.counting import live_count
from pages.shared.errors import shown_errors
from pages.shared.loaders import catalog, chosen_catalog
from pages.shared.settings import Choice, Number
from pages.shared.shortlist import rows_control, shortlist
from zoo.charts import roofline_bars
from zoo.limits import MEGABYTE
from zoo.roofline import RULE, Chip, known_chips, roofline

OWN = "my own numbers"
CHIP = Choice(
    "latency_chip", lambda: [*known_chips(), OWN], "Google Coral Edge TPU (PCIe x1)", "a chip of the list"
)
BITS = Choice("latency_bits", ["8", "16"], "8")
PEAK = Number("latency_peak", 4000.0, 0.1, 1e7, "GMACs a second")
BANDWIDTH = Number("latency_bandwidth", 15.0, 0.1, 1e5, "GB a second")
ON_CHIP = Number("latency_on_chip", 8.0, 0.0, 1e5, "MB")
MOST_ROWS = 8
LAYERS = {
    "name": st.column_config.TextColumn("Layer"),
    "kind": st.column_config.TextColumn("Kind"),
    "least_ms": st.column_config.NumberColumn("Least ms", format="%.4f"),
    "bound_by": st.column_config.TextColumn("Bound by"),
    "compute_ms": st.column_config.NumberColumn("Compute (ms)", format="%.4f"),
    "traffic_ms": st.column_config.NumberColumn("Memory traffic (ms)", format="%.4f"),
    "macs": st.column_config.NumberColumn("MACs", format="localized"),
    "weight_bytes": st.column_config.NumberColumn("Weights (bytes)", format="localized"),
    "activation_bytes": st.column_config.NumberColumn("Input and output (bytes)", format="localized"),
    "moved_bytes": st.column_config.NumberColumn("Moved (bytes)", format="localized"),
}


def draw_on_chip() -> None:
    """Draw the choice of a chip, and the least time that each chosen row takes there."""
    st.caption(RULE)
    rows_control()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name, bits = CHIP.draw(st.selectbox, "Chip", width=330), int(BITS.draw(st.segmented_control, "Bits"))
        if name == OWN:
            peak = PEAK.draw(st.number_input, "Peak (GMACs a second)", width=170)
            own = (
                BANDWIDTH.draw(st.number_input, "Memory (GB/s)"),
                ON_CHIP.draw(st.number_input, "On-chip memory (MB)"),
            )
    with shown_errors():
        chip = Chip(OWN, peak, peak, *own) if name == OWN else known_chips()[name]
        rows = [row for row in shortlist().rows if row in catalog().index][:MOST_ROWS] or [
            chosen_catalog().rows[0].id
        ]
        bounds = {}
        for row_id in rows:
            row = chosen_catalog().row(row_id)
            bounds[row.title] = roofline(live_count(row, *row.size).layers, chip, bits)
        st.plotly_chart(roofline_bars(bounds), alt="The least time a frame takes, by what bounds it.")
        figures = [
            {
                "Network": title,
                "Least ms a frame": found.least_ms,
                "Frames a second, at most": found.frames_per_second,
            }
            | {
                "Bound by memory (% of time)": found.memory_share,
                "Moved (MB a frame)": found.moved_bytes / MEGABYTE,
            }
            for title, found in bounds.items()
        ]
        st.dataframe(pd.DataFrame(figures).round(3), hide_index=True)
        st.caption(f"{chip.name}: {chip.source}")
        layers_of = st.selectbox("Layers of", list(bounds), key="latency_layers")
        layers = bounds[layers_of].layers.sort_values("least_ms", ascending=False, kind="stable")
        st.dataframe(
            layers[list(LAYERS)],
            column_config=LAYERS,
            hide_index=True,
            height=300,
            alt="The layers, the one that takes longest first.",
        )
