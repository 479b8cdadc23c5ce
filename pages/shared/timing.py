"""What the Latency page does beside showing: timing rows on the server, reading a board's file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from pages.shared.loaders import chosen_catalog
from pages.shared.masks import queue
from zoo.catalog import all_shipped
from zoo.charts import latency_scatter
from zoo.errors import MeasurementError, ZooError
from zoo.latency import COLUMN, Measured, against_macs, rank_correlation, why
from zoo.measurements import Measurements, Setup, kept, milliseconds, parse, setups

TABLE = {
    "title": st.column_config.TextColumn("Network", pinned=True),
    "measured_at": st.column_config.TextColumn("Measured at"),
    "milliseconds": st.column_config.NumberColumn("Milliseconds", format="%.2f"),
    "gmacs": st.column_config.NumberColumn("GigaMACs, counted there", format="%.4f"),
    "gmacs_per_second": st.column_config.NumberColumn("GMAC/s", format="%.1f"),
    "times": st.column_config.NumberColumn("Times what MACs promise", format="%.2f"),
    "depthwise_share": st.column_config.NumberColumn("Depthwise share of MACs (%)", format="%.1f"),
    "bytes_per_mac": st.column_config.NumberColumn("Bytes a MAC (float)", format="%.3f"),
}


def row_titles() -> dict[str, str]:
    """Return every shipped row's name for people by id."""
    return {row.id: f"{row.title} · {row.dataset}" for row in all_shipped().rows}


def promised(measured: Measured) -> pd.DataFrame:
    """Return `against_macs` with names for people."""
    table = against_macs(measured)
    names = row_titles()
    at = [f"{width:.0f}x{height:.0f}" for width, height in zip(table["width"], table["height"], strict=True)]
    return table.assign(title=[names[row_id] for row_id in table.index], measured_at=at)


def show(measured: Measured) -> None:
    """Show what MACs promise of the rows of one setup, and what they took."""
    table = promised(measured)
    if table.empty:
        st.info("No row of the catalogs was measured with this setup.")
        return
    st.plotly_chart(
        latency_scatter(table, row_titles()), alt=f"Milliseconds against GigaMACs on {measured.where}."
    )
    found = rank_correlation(table["gmacs"], table[COLUMN])
    if found.rho is not None:
        st.markdown(
            f":material/swap_vert: Will fewer MACs be faster on {measured.where}? The rank correlation of "
            f"MACs and milliseconds is **{found.rho:+.2f}** over {found.rows} rows; 1 is one order."
        )
    for sentence in why(table):
        st.caption(sentence)
    st.dataframe(table[list(TABLE)], column_config=TABLE, hide_index=True)


def board_files(uploads: Sequence[tuple[str, bytes]]) -> list[Measurements]:
    """Return what boards have measured, telling of each file that is refused; nothing of it is stored."""
    found = []
    for name, content in uploads:
        try:
            found.append(parse(content, name))
        except MeasurementError as error:
            st.error(str(error), icon=":material/error:")
    for note in (note for measurements in found for note in measurements.notes):
        st.caption(note)
    return found


def all_setups(files: Sequence[Measurements]) -> dict[str, Measured]:
    """Return the latencies of this machine and of boards' files, by what they were measured with."""
    sizes = {row.id: row.size for row in all_shipped().rows}
    found: dict[str, Measured] = {}
    here = kept()
    for measurements in [*([here] if here else []), *files]:
        table = measurements.table()
        for setup in setups(table):
            measured = milliseconds(table, Setup(*setup), sizes)
            if len(measured.table):
                found[str(setup)] = measured
    return found


def time_rows(ids: Sequence[str], threads: int) -> None:
    """Time rows one after the other with progress, each in its turn; what is done is kept at once."""
    from zoo.measuring import measure_rows

    bar, skipped = st.progress(0.0, "Starting"), []
    st.button("Stop", key="latency_stop", help="What is done is kept.")
    for number, row_id in enumerate(ids):
        title = chosen_catalog().row(row_id).title

        def tell(words: str, part: float = number / len(ids)) -> None:
            bar.progress(part, words)

        try:
            with queue().turn(lambda place: tell(f"Waiting: place {place} in the queue")):
                words = f"{title}: {number + 1} of {len(ids)}"
                tell(words)
                outcomes = list(measure_rows([row_id], threads=threads, tick=partial(tell, words)))
        except ZooError as error:
            skipped.append(str(error))
            continue
        skipped += [outcome.reason for outcome in outcomes if outcome.reason]
    st.session_state.latency_skipped = skipped
    st.rerun()
