"""Tables that pages read, made once per server for each catalog; do not change what comes from here."""

from functools import lru_cache, partial

import pandas as pd
import streamlit as st

from pages.shared.kinds import Choice
from pages.shared.own import own
from zoo.audit import audit
from zoo.catalog import PUBLISHED, Catalog, catalog_named, catalog_names
from zoo.charts.cards import cards
from zoo.costs import params_and_peaks
from zoo.families import families
from zoo.footprint import BYTES_A_VALUE, megabytes
from zoo.rows import NO_DATASET, OWN
from zoo.selection import PUBLISHED as AS_PUBLISHED
from zoo.selection import counted_at, frontier, twins, with_counted
from zoo.sizes import Size
from zoo.weights.checkpoints import status

BOTH = "+".join(catalog_names())
CATALOG = Choice("catalog", lambda: [*catalog_names(), BOTH, *([OWN] if own() else [])], PUBLISHED)
OWN_LABEL = "Your own"
"""In place of a family's name."""


def catalog_title(name: str) -> str:
    """Return a catalog's name for people."""
    return "Your own rows alone" if name == OWN else catalog_named(name).title


def chosen_catalog() -> Catalog:
    """Return the catalog that the visitor has chosen, with their own rows and networks behind it.

    It stays the same object until the choice or the own rows change.
    """
    return own().joined(CATALOG.value)


def catalog() -> pd.DataFrame:
    """Return the table of the chosen catalog."""
    return chosen_catalog().table


def datasets() -> list[str]:
    """Return the data sets of the chosen catalog, in its order."""
    return list(_datasets(chosen_catalog()))


@lru_cache(maxsize=32)
def _datasets(rows: Catalog) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row.dataset for row in rows.rows if row.dataset != NO_DATASET))


def family_labels() -> dict[str, str]:
    """Return each family's name for people."""
    return {key: facts.label for key, facts in families().items()}


def audited() -> pd.DataFrame:
    """Return published against counted for every row of the chosen catalog."""
    return _audited(chosen_catalog())


@lru_cache(maxsize=16)
def _audited(rows: Catalog) -> pd.DataFrame:
    return audit(rows)


def input_sizes() -> list[str]:
    """Return the published input sizes, in the catalog's order."""
    return list(dict.fromkeys(str(row.size) for row in chosen_catalog().rows))


def row_names(*, dataset: bool = True) -> dict[str, str]:
    """Return every row's name for people by id: model, QAT told apart, input size and, if asked, data set."""
    return _row_names(chosen_catalog(), dataset)


@lru_cache(maxsize=32)
def _row_names(rows: Catalog, dataset: bool) -> dict[str, str]:
    return {row.id: f"{row.title} · {row.dataset}" if dataset else row.title for row in rows.rows}


def table_at(size: Size | None) -> pd.DataFrame:
    """Return the chosen catalog's table with what pages show beside it.

    `counted_gmacs` at `size` (None: each row's own); at the published size `input` (its name), `params`
    (and in millions) and `peak_activation_values`, both in MB by precision; `family_label`, `on_frontier` and
    `twins`.
    """
    return _table_at(chosen_catalog(), size)


@lru_cache(maxsize=64)
def _table_at(rows: Catalog, size: Size | None) -> pd.DataFrame:
    table = with_counted(rows, size)
    costs = params_and_peaks(rows)
    cost = AS_PUBLISHED if size is None else counted_at(size)
    table = table.assign(on_frontier=frontier(table, cost), twins=twins(table, cost))
    return table.assign(
        card=cards(table),
        input=[str(row.size) for row in rows.rows],
        family_label=table["family"].map(family_labels()).fillna(OWN_LABEL),
        params=costs["params"],
        params_m=costs["params"].astype(float) / 1e6,
        peak_activation_values=costs["peak_activation_values"],
        **{
            f"{what}_{precision}_mb": costs[column].astype(float).map(partial(megabytes, precision=precision))
            for what, column in (("peak", "peak_activation_values"), ("weights", "params"))
            for precision in BYTES_A_VALUE
        },
    )


SEARCHED = [
    "title",
    "name",
    "published_name",
    "dataset",
    "family_label",
    "section",
    "group",
    "input",
    "verdict",
]
SEARCHED += ["gmacs_printed", "miou_printed", "notes"]


@lru_cache(maxsize=64)
def listed(rows: Catalog, size: Size | None) -> pd.DataFrame:
    """Return the rows for the Catalog: `table_at` with the audit, and `searched`, the words of each."""
    table = _table_at(rows, size).join(_audited(rows)[["error_pct", "verdict", "explanation", "gmacs_there"]])
    text = table[SEARCHED].astype(object).where(table[SEARCHED].notna(), "").agg(" ".join, axis=1)
    return table.assign(searched=text.str.lower())


Words = tuple[tuple[str, str], ...]


@st.cache_resource(ttl=10, show_spinner=False)
def weights_words() -> Words:
    """Return each row's id with what a mask needs: "mask now", "download" or "upload only"."""
    best = status().assign(order=lambda found: found["status"].map(_ORDER)).groupby("id")["order"].min()
    return tuple(best.map(dict(enumerate(["mask now", "download", "upload only"]))).items())


def weights_of(table: pd.DataFrame, weights: Words) -> pd.Series:
    """Return `weights_words` of a table's rows; an own .onnx brings its weights, other own rows have none."""
    words = pd.Series(dict(weights), dtype="str").reindex(table.index)
    if not (table["catalog"] == OWN).any():
        return words
    mine = {
        row.id: "mask now" if row.own else "upload only" if row.network else "names no network"
        for row in own().joined(OWN).rows
    }
    return words.fillna(pd.Series(mine, dtype=object))


_ORDER = {"bundled": 0, "downloaded": 0, "missing": 1, "unavailable": 2}
