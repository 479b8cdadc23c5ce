"""Tables that pages read, parsed once per server."""

import pandas as pd
import streamlit as st

from zoo.audit import audit
from zoo.catalog import PUBLISHED, Catalog, catalog_named
from zoo.costs import load_costs
from zoo.families import families
from zoo.selection import with_counted
from zoo.sizes import Size


def chosen_catalog() -> Catalog:
    """Return the catalog of all pages."""
    return catalog_named(PUBLISHED)


def catalog() -> pd.DataFrame:
    """Return the table of the catalog; do not change it."""
    return chosen_catalog().table


def family_labels() -> dict[str, str]:
    """Return each family's name for people."""
    return {key: facts.label for key, facts in families().items()}


@st.cache_data
def audited() -> pd.DataFrame:
    """Return published against counted for every row."""
    return audit()


@st.cache_data(max_entries=64)
def table_at(size: Size | None) -> pd.DataFrame:
    """Return the catalog with `family_label`, `counted_gmacs` at `size` (None: each row's own), `params` and
    `peak_activation_values` at the published size."""
    rows = with_counted(chosen_catalog(), size)
    costs = load_costs().reindex(rows.index)
    return rows.assign(
        family_label=rows["family"].map(family_labels()),
        params=costs["params"],
        peak_activation_values=costs["peak_activation_values"],
    )
