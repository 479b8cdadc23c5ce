"""What is compared or evaluated: chosen rows, each with the weights that it runs with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from pages.shared.errors import shown_errors
from pages.shared.exploring import answer_here
from pages.shared.kinds import Choice, Choices
from pages.shared.loaders import chosen_catalog, table_at
from pages.shared.masks import own_weights
from pages.shared.shortlist import shortlist
from zoo import limits
from zoo.errors import ZooError, shown_name
from zoo.rows import Row

KINDS = {"Best there is": None, "Published": "published", "Bundled": "bundled"}


class Variant(NamedTuple):
    """A row with the weights that it is to run with."""

    row: Row
    weights: str | None = None
    """As `zoo.predict` takes them."""
    file: str | None = None
    """What the visitor calls the file of their own."""
    precision: str | None = None
    """float, 8bit, or None for the row's own."""

    @property
    def title(self) -> str:
        """Its name for people."""
        return f"{self.row.title} · 8 bits" if self.precision == "8bit" else self.row.title

    @property
    def missing(self) -> str:
        """What is said where it cannot run here for want of weights."""
        if self.precision == "8bit":
            return (
                "Not in 8 bits here yet: choose 8 bits for it on the Demo page, which makes them from "
                f"{limits.CALIBRATION_PICTURES} or more pictures of yours."
            )
        return (
            "No weights for this network here. Download them where they are published, or give a file of "
            "your own under Weights."
        )

    def named(self, words: str) -> str:
        """Return words in which the file has the name that the visitor knows."""
        if self.weights is None or self.file is None:
            return words
        return words.replace(Path(self.weights).name, shown_name(self.file))

    def told(self, error: ZooError) -> str:
        """Return what an error says, in one line."""
        return self.named(str(error))


def rows_shown(least: int, most: int) -> list[Row]:
    """Return the first chosen rows; where they are too few, the answer and what is beside it with them."""
    chosen, catalog = shortlist(), chosen_catalog()
    table = table_at(chosen.size)
    ids = [row_id for row_id in chosen.rows if row_id in table.index]
    if len(ids) > most:
        st.caption(f"The first {most} of your {len(ids)} chosen rows.")
    if len(ids) < least:
        given = list(ids)
        dataset = chosen.datasets[0] if not ids else str(table.at[ids[0], "dataset"])
        with shown_errors():
            best = answer_here(dataset, chosen.size)
            beside = [best.chosen, best.next_better, best.next_cheaper, best.cheapest]
            more = [row_id for row_id in beside if row_id and row_id not in ids]
            ids = list(dict.fromkeys([*ids, *more]))[:least]
            few = "No row is chosen" if not given else f"Fewer than {least} rows are chosen"
            st.caption(f"{few}: the answer under your budget stands in.")
    return [catalog.row(row_id) for row_id in ids[:most]]


def variants_control(rows: Sequence[Row], kind: Choice, in_8_bits: Choices, *, key: str) -> list[Variant]:
    """Draw which weights and precisions the rows run with, and return what is to be run; `key` is the page's.

    A row in 8 bits stands behind the same row in float, as a variant of its own.
    """
    names = {row.id: row.title for row in rows if row.own is None and not row.qat}
    with st.popover("Weights and 8 bits", icon=":material/tune:"):
        weights = KINDS[kind.draw(st.selectbox, "Weights of all rows")]
        in_8_bits.draw(
            st.pills,
            "Also in 8 bits",
            selection_mode="multi",
            show=lambda ids: [row_id for row_id in ids if row_id in names],
            options=list(names),
            format_func=names.__getitem__,
            help="Beside the same network in float. A QAT row is in 8 bits by itself.",
        )
        owner = st.selectbox(
            "A file of your own, for",
            list(names),
            index=None,
            format_func=names.__getitem__,
            key=f"{key}_own_row",
            placeholder="no row",
        )
        own = None
        if owner is not None:
            with shown_errors():
                own = own_weights(key)
    found = []
    for row in rows:
        variant = (
            Variant(row, *own) if own and row.id == owner else Variant(row, None if row.own else weights)
        )
        found.append(variant)
        if row.id in in_8_bits.value and row.id in names:
            found.append(variant._replace(precision="8bit"))
    return found
