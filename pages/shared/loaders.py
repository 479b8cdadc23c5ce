"""Tables that pages read, parsed once per server."""

import pandas as pd
import streamlit as st

import zoo
from zoo.catalog import load_families
from zoo.costs import audit, load_costs
from zoo.limits import Size
from zoo.selection import with_counted


@st.cache_data
def catalog() -> pd.DataFrame:
    """Return the published rows."""
    return zoo.load_catalog()


@st.cache_data
def families() -> pd.DataFrame:
    """Return the families, indexed by key."""
    return load_families()


@st.cache_data
def audited() -> pd.DataFrame:
    """Return published against counted for every row."""
    return audit()


@st.cache_data(max_entries=64)
def table_at(size: Size | None) -> pd.DataFrame:
    """Return the catalog with `family_label`, `counted_gmacs` at `size` (None: each row's own), `params` and
    `peak_activation_values` at the published size."""
    rows = with_counted(catalog(), size)
    costs = load_costs().reindex(rows.index)
    return rows.assign(
        family_label=rows["family"].map(families()["label"]),
        params=costs["params"],
        peak_activation_values=costs["peak_activation_values"],
    )
