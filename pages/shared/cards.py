"""Rows by name with what can be done next: beside every name, with the state carried over."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import urlencode

import streamlit as st

from pages.shared.link import link_to
from pages.shared.loaders import row_names
from pages.shared.settings import store
from pages.shared.shortlist import ROWS, SHARED, drop

NEXT = {"complexity": "See its cost", "demo": "Try it on a picture", "compare": "Compare"}
"""By page: what its link beside a row says."""

_HERE = Path(__file__)
_COMPONENT = st.components.v2.component(
    "row_cards",
    css=_HERE.with_name("row_cards.css").read_text(encoding="utf-8"),
    js=_HERE.with_name("row_cards.js").read_text(encoding="utf-8"),
)


class Card(NamedTuple):
    """What a card says of a row, or of that there is none; all of it is shown as it is, never as Markdown."""

    row_id: str | None
    title: str = ""
    badge: str = ""
    colour: Literal["blue", "gray", "green"] = "gray"
    """The badge's."""
    miou: str = ""
    cost: str = ""
    beside: str = ""
    """The row against the budget, or against the answer."""
    drop: bool = False
    """Whether the visitor may take it from the shortlist here."""


def row_cards(cards: Sequence[Card], look: Literal["cards", "list", "actions"], *, key: str) -> None:
    """Draw cards side by side, lines below each other, or next steps alone; `key` tells places apart."""
    key, shared = f"cards_{key}", link_to(SHARED)
    others = [page for page in NEXT if page in store().pages and page != store().page]

    def drawn(card: Card) -> dict[str, object]:
        told: dict[str, object] = {name: value for name, value in card._asdict().items() if value}
        if card.row_id is None:
            return told
        with_row = {**shared, "rows": list(dict.fromkeys([card.row_id, *ROWS.value]))}
        queries = dict.fromkeys(others, with_row) | {"demo": {**shared, "demo_row": [card.row_id]}}
        links = [
            {"page": page, "label": NEXT[page], "query": urlencode(queries[page], doseq=True)}
            for page in others
        ]
        return {**told, "links": links, "here": urlencode(with_row, doseq=True)}

    def dropped() -> None:
        drop(st.session_state[key]["dropped"])

    _COMPONENT(
        key=key,
        data={"look": look, "cards": [drawn(card) for card in cards]},
        on_dropped_change=dropped,
    )


def shortlist_panel() -> None:
    """Draw the chosen rows by name, each with where to go next and a button that drops it."""
    if ROWS.value:
        st.subheader("Shortlist", anchor=False)
        row_cards([Card(row, row_names()[row], drop=True) for row in ROWS.value], "list", key="shortlist")
