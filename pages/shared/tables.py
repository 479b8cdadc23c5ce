"""How rows look in a table: one place for labels and number formats."""

from functools import partial
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import streamlit as st

from pages.shared.shortlist import ROWS
from zoo.rows import OWN
from zoo.tables import safe_cells

MEGABYTES = ["peak_8bit_mb", "peak_float_mb", "weights_8bit_mb", "weights_float_mb"]
COLUMNS: dict[str, Any] = {
    "title": "Network",
    "take": "Take this",
    "cheaper": "Next cheaper",
    "better": "One better",
    "miou_difference": st.column_config.NumberColumn("points", format="%+.2f", help="Points of mIoU"),
    "gmacs_difference": st.column_config.NumberColumn("GigaMACs, +/- %", format="%+.1f"),
    "counted_gmacs_difference": st.column_config.NumberColumn("Counted, +/- %", format="%+.1f"),
    "params_difference": st.column_config.NumberColumn("Parameters, +/- %", format="%+.1f"),
    "rank": st.column_config.NumberColumn("Rank", width=56),
    "cost": st.column_config.NumberColumn("GigaMACs", format="%.6g"),
    "milliseconds": st.column_config.NumberColumn("Milliseconds", format="%.4g"),
    "over": st.column_config.NumberColumn(
        "Over", format="%+.4g", width=56, help="By how much it does not fit the budget"
    ),
    "weights": "Weights",
    "name": st.column_config.TextColumn("Model", width=154),
    "dataset": "Data set",
    "published_name": "As printed",
    "input": st.column_config.TextColumn("Size", width=72, help="Input size, width x height"),
    "gmacs": st.column_config.NumberColumn("GigaMACs", format="%.6g", width=72, help="As printed"),
    "counted_gmacs": st.column_config.NumberColumn("Counted", format="%.4f", help="GigaMACs, counted"),
    "error_pct": st.column_config.NumberColumn("Difference (%)", format="%.2f"),
    "verdict": "Verdict",
    "miou": st.column_config.NumberColumn("mIoU", format="%.4g", width=56, help="Percent, as printed"),
    "on_frontier": "Frontier",
    "params_m": st.column_config.NumberColumn("Parameters (M)", format="%.2f", width=110),
    "peak_8bit_mb": st.column_config.NumberColumn(
        "Peak, 8 bits (MB)",
        format="%.2f",
        help="Peak activation at the published input size: all tensors alive at once, 1 byte a value",
    ),
    "peak_float_mb": st.column_config.NumberColumn(
        "Peak, float (MB)",
        format="%.2f",
        help="Peak activation at the published input size: all tensors alive at once, 4 bytes a value",
    ),
    "weights_8bit_mb": st.column_config.NumberColumn(
        "Weights, 8 bits (MB)", format="%.2f", help="1 byte a parameter"
    ),
    "weights_float_mb": st.column_config.NumberColumn(
        "Weights, float (MB)", format="%.2f", help="4 bytes a parameter"
    ),
    "available": "Available",
    "qat": "QAT",
    "family_label": "Family",
    "references": "References",
    "published_at": "Comes true at",
    "gmacs_there": st.column_config.NumberColumn("GigaMACs there", format="%.4f"),
    "reason": st.column_config.TextColumn("Reason", width="large"),
    "explanation": st.column_config.TextColumn("Why they differ", width="large"),
    "notes": st.column_config.TextColumn("Notes", width="large"),
}


def _short(config: Any) -> Any:
    """Return a column's configuration without what it leaves open: Streamlit copies it at every run."""
    if not isinstance(config, dict):
        return config
    return {name: _short(value) for name, value in config.items() if value is not None}


COLUMNS = {name: _short(config) for name, config in COLUMNS.items()}


class Lines(NamedTuple):
    """Rows of the catalog as a table shows them, to be kept: making them takes longer than showing them."""

    ids: tuple[str, ...]
    data: pa.Table


def lines_of(rows: pd.DataFrame, columns: list[str]) -> Lines:
    """Return rows of the catalog with these columns, to be shown by `chosen_from`."""
    return Lines(tuple(rows.index), pa.Table.from_pandas(_safe(rows, columns)))


def show_rows(table: pd.DataFrame | pa.Table, **options: Any) -> Any:
    """Show a table; only its own columns are told about."""
    names = table.columns if isinstance(table, pd.DataFrame) else table.column_names
    known = {name: COLUMNS[name] for name in names if name in COLUMNS}
    return st.dataframe(table, column_config=known, hide_index=True, placeholder="–", **options)


def rows_table(rows: pd.DataFrame, columns: list[str], **options: Any) -> Any:
    """Show rows of the catalog with these columns."""
    return show_rows(_safe(rows, columns), **options)


def chosen_from(lines: Lines, *, key: str, **options: Any) -> None:
    """Show rows of the catalog; those that are selected are on the shortlist, the others of them are not.

    Streamlit keeps a selection by position, and it cannot be set: where other lines stand there, or the
    shortlist was changed elsewhere, it is another table that starts with the selection that is right.
    """
    chosen = ROWS.value
    right = [n for n, row in enumerate(lines.ids) if row in chosen]
    ids, number = st.session_state.get(f"{key}_shown", (lines.ids, 0))
    held = st.session_state.get(f"{key}_{number}")
    if ids != lines.ids or (held is not None and sorted(held["selection"]["rows"]) != right):
        number += 1
    st.session_state[f"{key}_shown"] = lines.ids, number
    show_rows(
        lines.data,
        key=f"{key}_{number}",
        on_select=partial(_select, f"{key}_{number}", lines.ids, {lines.ids[n] for n in right}),
        selection_mode="multi-row",
        selection_default={"selection": {"rows": right}},
        **options,
    )


def _safe(rows: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return these columns as the table's own toolbar may write them to a file that a spreadsheet opens."""
    shown = rows[columns]
    whose = rows.get("catalog")
    return shown if whose is None or not (whose == OWN).any() else safe_cells(shown)


def _select(key: str, ids: tuple[str, ...], told: set[str]) -> None:
    """Put on the shortlist what was ticked since the table told last, and drop what was unticked.

    Not what it holds: a quick visitor's request still tells of a table that another one has replaced.
    """
    selected = {ids[n] for n in st.session_state[key]["selection"]["rows"] if n < len(ids)}
    kept = [row for row in ROWS.value if row not in told - selected]
    ROWS.set(list(dict.fromkeys([*kept, *(row for row in ids if row in selected - told)])))
    told.clear()
    told.update(selected)  # a quick second tick may come before the table is drawn again
