"""Rows by name with what can be done next: beside every name, with the state carried over."""

from collections.abc import Sequence
from functools import cache
from html import escape
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
_STEPS = st.components.v2.component(
    "row_steps", js=_HERE.with_name("row_steps.js").read_text(encoding="utf-8")
)


class Card(NamedTuple):
    """What a card says of a row, or of that there is none; all of it is text, never markup."""

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


def ready_for_cards() -> None:
    """Draw what cards look like and what their links and buttons do: once, on a page that has some."""
    st.html(_style())
    _STEPS(key="row_steps", on_dropped_change=lambda: drop(st.session_state["row_steps"]["dropped"]))


def row_cards(cards: Sequence[Card], look: Literal["cards", "list", "actions"]) -> None:
    """Draw cards side by side, lines below each other, or what can be done next alone."""
    shared = link_to(SHARED)
    st.html(f'<div class="rows {look}">{"".join(_html(card, shared) for card in cards)}</div>')


def copied_text(text: str) -> None:
    """Draw a text with a button that copies it: `st.code` has the browser load 1.5 MB for its colours."""
    words = escape(text)
    button = f'<button data-text="{words}" title="The sentence beside this">Copy</button>'
    st.html(f'<div class="rows sentence"><p>{words}</p>{button}</div>')


def shortlist_panel() -> None:
    """Draw the chosen rows by name, each with where to go next and a button that drops it."""
    st.subheader("Shortlist", anchor=False)
    row_cards([Card(row, row_names()[row], drop=True) for row in ROWS.value], "list")


def _html(card: Card, shared: dict[str, list[str]]) -> str:
    title = escape(card.title) if card.row_id is None else f"<b>{escape(card.title)}</b>"
    badge = f'<span class="badge {card.colour}">{escape(card.badge)}</span> ' if card.badge else ""
    lines = [
        f"<p>{badge}{title}</p>" if card.title else "",
        f"<p><b>{escape(card.miou)}</b> mIoU · <b>{escape(card.cost)}</b></p>" if card.miou else "",
        f'<p class="beside">{escape(card.beside)}</p>' if card.beside else "",
        "" if card.row_id is None else _actions(card.row_id, card.drop, shared),
    ]
    return f"<article>{''.join(lines)}</article>"


def _actions(row_id: str, may_drop: bool, shared: dict[str, list[str]]) -> str:
    with_row = {**shared, "rows": list(dict.fromkeys([row_id, *ROWS.value]))}
    here = escape(urlencode(with_row, doseq=True))
    queries = dict.fromkeys(NEXT, here)
    queries["demo"] = escape(urlencode({**shared, "demo_row": [row_id]}, doseq=True))
    others = [page for page in NEXT if page in store().pages and page != store().page]
    links = "".join(f'<a href="{page}?{queries[page]}">{NEXT[page]}</a>' for page in others)
    copy = f'<button data-query="{here}" title="This page with this row chosen">Copy link</button>'
    drop_it = f'<button data-drop="{escape(row_id)}">Drop</button>' if may_drop else ""
    return f'<div class="actions">{links}{copy}{drop_it}</div>'


@cache
def _style() -> str:
    css = _HERE.with_name("row_cards.css").read_text(encoding="utf-8")
    light, dark = (st.get_option(f"theme.{theme}.linkColor") for theme in ("light", "dark"))
    return f"<style>{css.replace('LINK', f'light-dark({light}, {dark})')}</style>"
