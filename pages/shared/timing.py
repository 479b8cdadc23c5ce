"""What the Latency page does beside showing: timing rows on the server, reading a board's file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import pandas as pd
import streamlit as st

from pages.shared.counting import live_count
from pages.shared.errors import shown_errors
from pages.shared.loaders import chosen_catalog
from pages.shared.masks import queue
from pages.shared.own import escaped, own
from zoo.catalog import all_shipped
from zoo.charts import latency_scatter
from zoo.errors import MeasurementError, ZooError
from zoo.latency import BYTES, COLUMN, FLOAT_BYTES, Measured, against_macs, rank_correlation, traits, why
from zoo.limits import MEASUREMENTS_BYTES, MEGABYTE
from zoo.measurements import (
    Measurements,
    kept,
    merged,
    milliseconds,
    of_own,
    own_digest,
    parse,
    setups,
    together,
)
from zoo.rows import NO_DATASET, OWN, Row

TABLE = {
    "title": st.column_config.TextColumn("Network", pinned=True),
    "measured_at": st.column_config.TextColumn("Measured at"),
    "milliseconds": st.column_config.NumberColumn("Milliseconds", format="%.2f"),
    "gmacs": st.column_config.NumberColumn("GigaMACs, counted there", format="%.4f"),
    "gmacs_per_second": st.column_config.NumberColumn("GMAC/s", format="%.1f"),
    "times": st.column_config.NumberColumn("Times what MACs promise", format="%.2f"),
    "depthwise_share": st.column_config.NumberColumn("Depthwise share of MACs (%)", format="%.1f"),
    "bytes_per_mac": st.column_config.NumberColumn("Bytes a MAC", format="%.3f"),
}


def own_rows() -> dict[str, Row]:
    """Return this visitor's own rows that can be timed, by id: .onnx files, and rows that name a network."""
    return {row.id: row for row in own().joined(OWN).rows if row.own or row.network} if own() else {}


def row_titles() -> dict[str, str]:
    """Return every row's name for people by id, own ones with them."""
    return {
        row.id: row.title if row.dataset == NO_DATASET else f"{row.title} · {row.dataset}"
        for row in (*all_shipped().rows, *own_rows().values())
    }


def promised(measured: Measured) -> pd.DataFrame:
    """Return `against_macs` with names for people; of own rows, the layers are counted first."""
    mine: dict[Row, dict[str, int]] = {}
    for row in (row for row_id, row in own_rows().items() if row_id in measured.table.index):
        with shown_errors():
            mine[row] = traits(live_count(row, *row.size).layers)
    table = against_macs(measured, mine)
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
            f":material/swap_vert: Will fewer MACs be faster on {escaped(measured.where)}? The rank "
            f"correlation of MACs and milliseconds is **{found.rho:+.2f}** over {found.rows} rows; "
            "1 is one order."
        )
    for sentence in why(table):
        st.caption(sentence)
    st.dataframe(
        table[list(TABLE)],
        column_config=TABLE,
        hide_index=True,
        alt=f"What each row took on {measured.where}, and what its MACs promise.",
    )
    activation, weight = BYTES.get(measured.precision, FLOAT_BYTES)
    st.caption(
        f"Bytes a MAC in {escaped(measured.precision)}: {activation} for each value of a layer's input and "
        f"output, {weight} for each weight, as if every layer ran alone."
    )


def boards_control() -> None:
    """Draw what takes boards' files; what they hold stays in the session, also for the other views."""
    uploads = st.file_uploader(
        f"Your board's measurements (JSON, at most {MEASUREMENTS_BYTES // MEGABYTE} MB each)",
        accept_multiple_files=True,
        max_upload_size=MEASUREMENTS_BYTES // MEGABYTE,
        help="Copy zoo/benchmark.py there: python benchmark.py F.onnx --size WxH --out board.json",
        key="latency_uploads",
    )
    if uploads:
        files = [(file.name, file.getvalue()) for file in uploads]
        st.session_state.latency_boards = _board_files(files)
    elif boards := st.session_state.get("latency_boards"):
        names = ", ".join(dict.fromkeys(escaped(board.name) for board in boards))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Read before: {names}.", width="content")
            st.button("Forget them", on_click=st.session_state.pop, args=("latency_boards",))


def _board_files(uploads: Sequence[tuple[str, bytes]]) -> list[Measurements]:
    """Return what boards have measured, telling of each file that is refused."""
    found = []
    for name, content in uploads:
        try:
            found.append(parse(content, name))
        except MeasurementError as error:
            st.error(escaped(str(error)), icon=":material/error:")
    for note in (note for measurements in found for note in measurements.notes):
        st.caption(escaped(note))
    return found


def here() -> Measurements | None:
    """Return what this machine has measured: rows for everybody, this visitor's own for them alone."""
    found: Measurements | None = st.session_state.get("latency_own")
    return merged(kept(), found.lines) if found else kept()


def measured_table() -> pd.DataFrame:
    """Return what this machine and this visitor's boards have measured, one line each."""
    machine = here()
    table = together([*([machine] if machine else []), *st.session_state.get("latency_boards", [])])
    return of_own(table, {own_digest(row): row.id for row in own_rows().values()})


def all_setups() -> dict[str, Measured]:
    """Return the latencies of this machine and of boards' files, by what they were measured with."""
    table = measured_table()
    sizes = {row.id: row.size for row in (*all_shipped().rows, *own_rows().values())}
    found = {str(setup): milliseconds(table, setup, sizes) for setup in setups(table)}
    return {name: measured for name, measured in found.items() if len(measured.table)}


def _timed(row: Row, threads: int, tick: Callable[[], None]) -> str | None:
    """Time a row and keep what came of it; return why nothing did."""
    from zoo.measuring import measure_own, measure_rows

    if row.catalog == OWN:
        found = [measure_own(row, threads=threads, tick=tick)]
        st.session_state.latency_own = merged(st.session_state.get("latency_own"), found)
        return None
    (outcome,) = measure_rows([row], threads=threads, tick=tick)
    return outcome.reason


def time_rows(ids: Sequence[str], threads: int) -> None:
    """Time rows one after the other with progress, each in its turn; what is done is kept at once."""

    bar, skipped = st.progress(0.0, "Starting"), []
    st.button("Stop", key="latency_stop", help="What is done is kept.")
    for number, row_id in enumerate(ids):
        row = chosen_catalog().row(row_id)

        def tell(words: str, part: float = number / len(ids)) -> None:
            bar.progress(part, words)

        try:
            with queue().turn(lambda place: tell(f"Waiting: place {place} in the queue")):
                words = f"{escaped(row.title)}: {number + 1} of {len(ids)}"
                tell(words)
                reason = _timed(row, threads, partial(tell, words))
        except ZooError as error:
            reason = str(error)
        if reason:
            skipped.append(escaped(reason))
    st.session_state.latency_skipped = skipped
    st.rerun()
