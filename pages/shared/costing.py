"""What the Complexity page shows of each row: the answer with its live confirmation, totals, layers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.shared.cards import Card, row_cards
from pages.shared.counting import live_count
from pages.shared.errors import shown_errors
from pages.shared.exploring import answer_here
from pages.shared.loaders import chosen_catalog, row_names
from pages.shared.own import escaped
from pages.shared.shortlist import shortlist
from zoo.catalog import check_row_size
from zoo.charts import growth_curves, layer_treemap, stride_bars
from zoo.costs import follows_formula, gmacs_at, macs_by_part
from zoo.errors import BudgetError, SizeError
from zoo.footprint import confirmation, fitting, layer_table, totals
from zoo.rows import Row
from zoo.sizes import Size
from zoo.words import format_gmacs

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from zoo.complexity import Complexity

TOTALS = {
    "title": st.column_config.TextColumn("Network", width=316),
    "size": st.column_config.TextColumn("At size", width=76),
    "gmacs": st.column_config.NumberColumn("GigaMACs", format="%.4f", width=76),
    "peak_8bit_mb": st.column_config.NumberColumn(
        "Peak activation, 8 bits (MB)", format="%.2f", help="All tensors alive at once; 1 byte a value"
    ),
    "peak_float_mb": st.column_config.NumberColumn(
        "Peak activation, float (MB)", format="%.2f", help="All tensors alive at once; 4 bytes a value"
    ),
    "weights_8bit_mb": st.column_config.NumberColumn(
        "Weights, 8 bits (MB)", format="%.2f", help="1 byte a parameter"
    ),
    "weights_float_mb": st.column_config.NumberColumn(
        "Weights, float (MB)", format="%.2f", help="4 bytes a parameter"
    ),
    "params_m": st.column_config.NumberColumn("Parameters (M)", format="%.3f"),
}
LAYERS = {
    "name": st.column_config.TextColumn("Layer"),
    "kind": st.column_config.TextColumn("Kind"),
    "output": st.column_config.TextColumn("Output", help="width x height x channels"),
    "macs": st.column_config.NumberColumn("MACs", format="localized"),
    "share": st.column_config.NumberColumn("Share (%)", format="%.2f"),
    "params": st.column_config.NumberColumn("Parameters", format="localized"),
    "input": st.column_config.TextColumn("Input", help="width x height x channels"),
    "kernel": st.column_config.TextColumn("Kernel"),
    "stride": st.column_config.TextColumn("Stride"),
    "dilation": st.column_config.TextColumn("Dilation"),
    "groups": st.column_config.NumberColumn("Groups"),
}
MOST_ROWS = 4


def rows_to_cost() -> dict[str, Row]:
    """Return the first chosen rows by id; without any, the answer under the budget, and say so."""
    chosen, catalog = shortlist(), chosen_catalog()
    ids = [row_id for row_id in chosen.rows if row_id in catalog.table.index]
    if len(ids) > MOST_ROWS:
        st.caption(f"The first {MOST_ROWS} of your {len(ids)} chosen rows.")
    if not ids:
        with shown_errors():
            best = answer_here(chosen.datasets[0], chosen.size)
            ids = [row_id for row_id in [best.chosen or best.cheapest] if row_id]
        st.caption("No row is chosen: this is the answer under your budget. Add others above.")
    return {row_id: catalog.row(row_id) for row_id in ids[:MOST_ROWS]}


def names_of(rows: Mapping[str, Row]) -> dict[str, str]:
    """Return the rows' names for people, with the data set where there are several."""
    names = row_names(dataset=len({row.dataset for row in rows.values()}) > 1)
    return {row_id: names[row_id] for row_id in rows}


def sizes_taken(rows: Mapping[str, Row], asked: Size | None) -> dict[str, Size]:
    """Return the size at which each row is costed: the one asked for, or its own; refusals are told."""
    found = {}
    for row_id, row in rows.items():
        with shown_errors():
            found[row_id] = check_row_size(row, *(asked or row.size))
    return found


def answer_cards(
    rows: Mapping[str, Row],
    sizes: Mapping[str, Size],
    budget: float,
    aspect: tuple[int, int],
    multiple: int,
) -> dict[str, DeltaGenerator]:
    """Draw each row's largest size within the budget; return where its confirmation goes."""
    places, names = {}, names_of(rows)
    for (row_id, size), column in zip(sizes.items(), st.columns(len(sizes)), strict=True):
        row = rows[row_id]
        with column.container(border=True, gap="xxsmall", height="stretch", key=f"fits_{row_id}"):
            st.markdown(f"**{escaped(names[row_id])}** :blue-badge[fits up to]")
            largest, words = _largest(row, budget, aspect, multiple)
            st.metric(
                "Largest size",
                largest,
                words,
                label_visibility="collapsed",
                delta_color="off",
                delta_arrow="off",
            )
            places[row_id] = st.empty()
            places[row_id].markdown(cost_words(row, size, "hourglass_empty", "gray"), help="Being counted.")
            row_cards([Card(row_id)], "actions")
    return places


def _largest(row: Row, budget: float, aspect: tuple[int, int], multiple: int) -> tuple[str, str]:
    try:
        size, words = fitting(row, budget, aspect, multiple)
    except (BudgetError, SizeError) as error:
        return "no size", str(error)
    return str(size), words


def cost_words(row: Row, size: Size, icon: str, colour: str) -> str:
    """Return what a row costs at a size, behind a mark."""
    gmacs = f"{format_gmacs(gmacs_at(row, size))} GigaMACs" if follows_formula(row, size) else "Counted"
    return f":{colour}[:material/{icon}:] {gmacs} at {size}"


def confirm(place: DeltaGenerator, row: Row, size: Size, counted: Complexity) -> None:
    """Put the mark of a live count in its place, how it was made behind it."""
    equal, words = confirmation(row, size, counted)
    icon, colour = ("check_circle", "green") if equal else ("error", "red")
    place.markdown(cost_words(row, size, icon, colour), help=words)
    if row.own is not None and row.own.missed:
        missed = ", ".join(row.own.missed)
        st.caption(f"{escaped(row.title)}: its MACs are at least that many, {missed} is not counted.")


def totals_table(
    place: DeltaGenerator,
    rows: Mapping[str, Row],
    sizes: Mapping[str, Size],
    counted: Mapping[str, Complexity],
) -> None:
    """Show one line a row in a place that keeps its height."""
    table, names = totals(rows, sizes, counted), names_of(rows)
    table = table.assign(title=[names[row_id] for row_id in table.index])[list(TOTALS)]
    place.dataframe(
        table,
        column_config=TOTALS,
        hide_index=True,
        placeholder="–",
        height="content",
        alt="What each row costs.",
    )


def layers_of(row: Row, size: Size, counted: Complexity) -> None:
    """Show where a network's MACs are, as areas and as a table, and what is no MAC."""
    areas, table = _layers(row, size)
    st.plotly_chart(areas, alt="MACs of each layer, grouped by where it stands.")
    st.dataframe(
        table,
        column_config=LAYERS,
        hide_index=True,
        height=320,
        alt="The layers, the one with the most MACs first.",
    )
    uncounted = ", ".join(f"{name} {times}x" for name, times in counted.uncounted.items())
    st.caption(f"Not counted, being no MACs by definition: {uncounted or 'nothing'}.")


# Charts are kept for all visitors, by what they show: making one takes longer than all else on the page.
@lru_cache(maxsize=64)
def _layers(row: Row, size: Size) -> tuple[go.Figure, pd.DataFrame]:
    counted = live_count(row, *size)
    return layer_treemap(counted.layers), layer_table(counted)


@lru_cache(maxsize=256)
def stride_chart(rows: tuple[Row, ...], sizes: tuple[Size, ...], names: tuple[str, ...]) -> go.Figure:
    """Return the bars by stride, each row at its size; do not change them."""
    parts = {row.id: macs_by_part(row, *size) for row, size in zip(rows, sizes, strict=True)}
    return stride_bars(parts, dict(zip(parts, names, strict=True)))


@lru_cache(maxsize=512)
def growth_chart(
    rows: tuple[Row, ...], sizes: tuple[Size, ...], names: tuple[str, ...], budget: float
) -> go.Figure:
    """Return how rows grow with their input's width; do not change it."""
    ids = [row.id for row in rows]
    return growth_curves(
        dict(zip(ids, rows, strict=True)),
        dict(zip(ids, sizes, strict=True)),
        budget,
        dict(zip(ids, names, strict=True)),
    )
