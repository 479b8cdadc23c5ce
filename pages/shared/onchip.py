"""The roofline of rows on a chip: which chip, and what bounds each row there."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from pages.shared.costing import sizes_taken
from pages.shared.counting import live_count
from pages.shared.errors import shown_errors
from pages.shared.kinds import Choice, Number
from pages.shared.loaders import catalog, chosen_catalog
from pages.shared.shortlist import rows_control, shortlist, size_control
from pages.shared.timing import measured_table
from zoo.charts import roofline_bars
from zoo.chips import timings as chip_timings
from zoo.latency import COLUMN, NEAR, near_sizes
from zoo.limits import MEGABYTE
from zoo.measurements import timings
from zoo.roofline import RULE, Chip, Roofline, known_chips, roofline
from zoo.rows import Row
from zoo.sizes import Size

OWN = "my own numbers"
CHIP = Choice(
    "latency_chip", lambda: [*known_chips(), OWN], "Google Coral Edge TPU (PCIe x1)", "a chip of the list"
)
BITS = Choice("latency_bits", ["8", "16"], "8")
PEAK = Number("latency_peak", 4000.0, 0.1, 1e7, "GMACs a second")
BANDWIDTH = Number("latency_bandwidth", 15.0, 0.1, 1e5, "GB a second")
ON_CHIP = Number("latency_on_chip", 8.0, 0.0, 1e5, "MB")
LAYERS_OF = Choice("latency_layers", lambda: ["", *catalog().index], "", "an id of the catalog")
MOST_ROWS = 8
EVERYWHERE = "every measured device"
MEASURED = {
    "network": st.column_config.TextColumn("Network"),
    "least_ms": st.column_config.NumberColumn("Least ms, the bound", format="%.3f"),
    "milliseconds": st.column_config.NumberColumn("Measured (ms)", format="%.3f"),
    "times": st.column_config.NumberColumn("Times the bound", format="%.2f"),
    "measured_at": st.column_config.TextColumn("Measured at"),
    "where": st.column_config.TextColumn("Measured on"),
}
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
        size_control()
        name, bits = (
            CHIP.draw(st.selectbox, "Chip", width=330),
            int(BITS.draw(st.segmented_control, "Bits", required=True)),
        )
        if name == OWN:
            peak = PEAK.draw(st.number_input, "Peak (GMACs a second)", width=170)
            own = (
                BANDWIDTH.draw(st.number_input, "Memory (GB/s)", width=130),
                ON_CHIP.draw(st.number_input, "On-chip memory (MB)", width=170),
            )
    with shown_errors():
        chip = Chip(OWN, peak, peak, *own) if name == OWN else known_chips()[name]
        chip.macs_per_second(bits)
        ids = [row for row in shortlist().rows if row in catalog().index] or [chosen_catalog().rows[0].id]
        rows = {row_id: chosen_catalog().row(row_id) for row_id in ids[:MOST_ROWS]}
        if len(ids) > MOST_ROWS:
            st.caption(f"The first {MOST_ROWS} of your {len(ids)} chosen rows.")
        sizes = sizes_taken(rows, shortlist().size)
        bounds = {}
        for row_id, size in sizes.items():
            with shown_errors():
                bounds[row_id] = roofline(live_count(rows[row_id], *size).layers, chip, bits)
        if bounds:
            names = _named({row_id: rows[row_id] for row_id in bounds}, sizes)
            _bounds(bounds, names, {row_id: sizes[row_id] for row_id in bounds})
            _layers(bounds, names)


def _named(rows: Mapping[str, Row], sizes: Mapping[str, Size]) -> dict[str, str]:
    """Return the rows' names with the size at which they are looked at."""
    names = {row_id: f"{row.name} · {sizes[row_id]}" for row_id, row in rows.items()}
    if len({row.dataset for row in rows.values()}) > 1:
        names = {row_id: f"{name}, {rows[row_id].dataset}" for row_id, name in names.items()}
    return names


def _bounds(bounds: Mapping[str, Roofline], names: Mapping[str, str], sizes: Mapping[str, Size]) -> None:
    """Show the least time of each row, and beside it what anybody here has measured at that size."""
    st.plotly_chart(
        roofline_bars(bounds, names),
        alt="The least time a frame takes, by what bounds it.",
    )
    figures = [
        {
            "Network": names[row_id],
            "Least ms a frame": found.least_ms,
            "Frames a second, at most": found.frames_per_second,
            "Bound by memory (% of time)": found.memory_share,
            "Moved (MB a frame)": found.moved_bytes / MEGABYTE,
        }
        for row_id, found in bounds.items()
    ]
    st.dataframe(
        pd.DataFrame(figures).round(3), hide_index=True, alt="The least time of each row, and what bounds it."
    )
    chip = next(iter(bounds.values())).chip
    # No caption: its grey makes links too pale to read.
    st.markdown(f"{chip.name}: {chip.source}")
    _beside_measured(bounds, names, sizes)


def _everywhere() -> pd.DataFrame:
    """Return every latency that is known: of this machine, this visitor's boards, and chips of the tables."""
    return pd.concat([timings(measured_table()), chip_timings()], ignore_index=True)


def _devices() -> list[str]:
    return [EVERYWHERE, *_everywhere()["where"].unique()]


AGAINST = Choice("latency_against", _devices, EVERYWHERE, "a device of the measured ones")


def _beside_measured(
    bounds: Mapping[str, Roofline], names: Mapping[str, str], sizes: Mapping[str, Size]
) -> None:
    """Show the bound beside what was measured on the device that the visitor takes for the chip."""
    measured = near_sizes(_everywhere(), sizes)
    if measured.empty:
        st.caption("No measurement of these rows at about this size: This machine and boards takes them.")
        return
    st.subheader("Beside what was measured", anchor=False)
    there = [EVERYWHERE, *measured["where"].unique()]
    AGAINST.draw(
        st.selectbox,
        "Measured on",
        show=lambda device: device if device in there else EVERYWHERE,
        options=there,
        width=420,
    )
    if AGAINST.value in there[1:]:
        measured = measured[measured["where"] == AGAINST.value]
    least = measured["id"].map({row_id: found.least_ms for row_id, found in bounds.items()})
    table = measured.assign(network=measured["id"].map(names), least_ms=least, times=measured[COLUMN] / least)
    st.dataframe(
        table[list(MEASURED)],
        column_config=MEASURED,
        hide_index=True,
        alt="What was measured of these rows at these sizes, beside the bound.",
    )
    found = next(iter(bounds.values()))
    st.caption(
        f"The bound is that of {found.chip.name} at {found.bits} bits; a measurement is of the machine and "
        "precision that it names. Where nobody measured a row at this size, one of about as many pixels "
        f"(at most {100 * (NEAR - 1):.0f} % more) stands for it."
    )


def _layers(bounds: Mapping[str, Roofline], names: Mapping[str, str]) -> None:
    """Show the layers of one row, the one that takes longest first."""
    there = list(bounds)
    LAYERS_OF.draw(
        st.selectbox,
        "Layers of",
        show=lambda row_id: row_id if row_id in there else there[0],
        options=there,
        format_func=names.__getitem__,
    )
    layers_of = LAYERS_OF.value if LAYERS_OF.value in there else there[0]
    layers = bounds[layers_of].layers.sort_values("least_ms", ascending=False, kind="stable")
    st.dataframe(
        layers[list(LAYERS)],
        column_config=LAYERS,
        hide_index=True,
        height=300,
        alt="The layers, the one that takes longest first.",
    )
