"""Downloads of a table: what is shown, with ids, printed numbers and what was counted."""

import json
from collections.abc import Callable

import pandas as pd
import streamlit as st

from zoo.tables import as_text, to_csv

KEPT = ["dataset", "model", "input_width", "input_height", "gmacs", "miou", "available", "qat"]
KEPT += ["counted_gmacs", "error_pct", "verdict", "params", "peak_activation_values", "references", "notes"]
"""What a download holds besides the columns that are shown."""
HIDDEN = {"params_m": "params", "name": "model"}
HIDDEN |= dict.fromkeys(["peak_8bit_mb", "peak_float_mb"], "peak_activation_values")
HIDDEN |= dict.fromkeys(["weights_8bit_mb", "weights_float_mb"], "params")
"""Columns that are shown in another unit than they are kept in."""


def downloads(rows: Callable[[], pd.DataFrame], columns: list[str]) -> None:
    """Draw a button that offers rows as CSV, JSON and Markdown; they and files are made when it is opened."""
    menu = st.popover("Download", icon=":material/download:", on_change="rerun", key="downloads")
    if not menu.open:
        return
    table = downloaded(rows(), columns)
    with menu:
        st.download_button("CSV", to_csv(table), "segselect.csv", "text/csv", on_click="ignore")
        st.download_button("JSON", as_json(table), "segselect.json", "application/json", on_click="ignore")
        st.download_button("Markdown", as_markdown(table), "segselect.md", "text/markdown", on_click="ignore")


def downloaded(rows: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return rows as they are downloaded: the kept columns, and those that are shown beside them."""
    shown = [column for column in columns if column not in HIDDEN and column not in KEPT]
    return rows[[*KEPT, *shown]].reset_index()


def as_json(table: pd.DataFrame) -> str:
    """Return a table as a JSON array, each number with as few digits as tell it apart; missing is null."""
    plain = table.astype(object).where(table.notna(), None)
    return json.dumps(
        plain.to_dict("records"), indent=1, ensure_ascii=False, default=lambda number: number.item()
    )


def as_markdown(table: pd.DataFrame) -> str:
    """Return a table as Markdown; a cell that a spreadsheet would run is text there too."""
    plain = table.astype(object).where(table.notna(), "").map(as_text)
    return plain.to_markdown(index=False, disable_numparse=True)
