"""What Explore takes for the cost: GigaMACs, or milliseconds on one device, precision and runtime."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import pandas as pd
import streamlit as st

from pages.shared.kinds import Choice, Number
from pages.shared.loaders import chosen_catalog, table_at
from pages.shared.own import escaped
from pages.shared.shortlist import BUDGET, SIZE, budget_control
from zoo.catalog import Catalog, all_shipped
from zoo.chips import measured_setups
from zoo.chips import milliseconds as on_chip
from zoo.latency import Measured, size_notes, with_milliseconds
from zoo.measurements import Setup, kept, milliseconds, setups
from zoo.selection import PUBLISHED, counted_at, frontier
from zoo.sizes import Size
from zoo.words import Cost

MACS = "GigaMACs"
MILLISECONDS = Number("explore_ms", 30.0, 0.1, 10000.0, "milliseconds")


@dataclass(frozen=True, eq=False)
class Timed:
    """Latencies of one setup, compared by identity so that what is made of them can be kept."""

    measured: Measured


@lru_cache(maxsize=128)
def _on_chip(name: str) -> Timed:
    return Timed(on_chip(measured_setups()[name]))


@st.cache_resource(ttl=10, show_spinner=False)
def _here() -> dict[str, Timed]:
    """Return what this machine has measured and kept, by setup."""
    found = kept()
    table = None if found is None else found.table()
    sizes = {row.id: row.size for row in all_shipped().rows}
    timed = (
        {}
        if table is None
        else {str(setup): Timed(milliseconds(table, Setup(*setup), sizes)) for setup in setups(table)}
    )
    return {name: one for name, one in timed.items() if len(one.measured.table)}


def _mine() -> dict[str, Timed]:
    """Return what only this visitor has: their boards' files and own networks, timed; kept until they change.

    Where this machine timed an own network, its setup holds the rows of everybody too.
    """
    brought = [st.session_state.get(name) for name in ("latency_boards", "latency_own")]
    if not any(brought):
        return {}
    of = (*brought, chosen_catalog(), _here())
    kept_of, found = st.session_state.get("explore_timed", ((), {}))
    if len(kept_of) != len(of) or any(one is not other for one, other in zip(kept_of, of, strict=True)):
        from pages.shared.timing import all_setups

        shared = {name: len(one.measured.table) for name, one in _here().items()}
        found = {
            name: Timed(measured)
            for name, measured in all_setups().items()
            if len(measured.table) > shared.get(name, 0)
        }
        st.session_state.explore_timed = (of, found)
    timed: dict[str, Timed] = found
    return timed


AXIS = Choice(
    "explore_cost",
    lambda: [MACS, *{**_here(), **_mine()}, *measured_setups()],
    MACS,
    "GigaMACs or a setup of the list",
)


def timed() -> Timed | None:
    """Return the latencies that are the cost, None for GigaMACs."""
    name = AXIS.value
    return None if name == MACS else _mine().get(name) or _here().get(name) or _on_chip(name)


def cost_of(size: Size | None, setup: Timed | None) -> Cost:
    """Return the cost that is chosen."""
    if setup is not None:
        return setup.measured.cost
    return PUBLISHED if size is None else counted_at(size)


def cost_table(size: Size | None, setup: Timed | None) -> pd.DataFrame:
    """Return `table_at` with `milliseconds`, `measured_at` and that cost's frontier where they are chosen."""
    return table_at(size) if setup is None else _with_times(chosen_catalog(), setup)


@lru_cache(maxsize=32)
def _with_times(rows: Catalog, setup: Timed) -> pd.DataFrame:
    table = with_milliseconds(table_at(None), setup.measured)
    return table.assign(on_frontier=frontier(table, setup.measured.cost))


def notes_of(table: pd.DataFrame, dataset: str, setup: Timed | None) -> tuple[str, ...]:
    """Return a sentence for each row of a data set that was measured at another size than its own."""
    return () if setup is None else size_notes(table[table["dataset"] == dataset])


def cost_control() -> None:
    """Draw the choice of the cost."""
    # Behind a button, which has room for the whole name of a setup.
    menu = st.popover(
        escaped(AXIS.value),
        icon=":material/speed:",
        key="cost",
        help="What the budget is of",
        on_change="rerun",
    )
    if menu.open:
        AXIS.draw(
            menu.selectbox,
            "Cost",
            width=440,
            help="MACs, or milliseconds on one device, precision and runtime: they never mix on one axis.",
        )


def budget_of_cost(place: st.delta_generator.DeltaGenerator) -> None:
    """Draw the budget of the cost that is chosen in a `budget_place`."""
    if AXIS.value == MACS:
        budget_control(place)
    else:
        with place:
            MILLISECONDS.draw(st.number_input, "Budget (milliseconds)", width=150)


def budget() -> Number:
    """Return the budget of the cost that is chosen."""
    return BUDGET if AXIS.value == MACS else MILLISECONDS


def size_of(setup: Timed | None) -> Size | None:
    """Return the visitor's input size where it acts: milliseconds are for the sizes that were measured."""
    return SIZE.value if setup is None else None
