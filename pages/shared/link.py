"""The address: read into the settings, written from them; what it holds in vain is told to the visitor."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any
from urllib.parse import urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.shared.settings import KNOWN, Setting, store

EMBED = "embed"
"""Streamlit's own keys, for a page within another."""

_TURN = Lock()
"""Held by the visitor whose fragment is drawn: of those who meet, only the last has to wait for all."""
LONGEST_TURN = 0.2
"""Seconds: who draws for longer, as with a large table of their own, shares the processor."""


def read_link(page: str, pages: Collection[str], shared: Collection[Setting[Any]]) -> None:
    """Take the address into the settings on a visitor's first run, on a page's change and on the way back.

    On every other run the session knows better: a quick visitor's request may carry an address that is older.
    """
    kept = store()
    kept.pages = pages
    kept.moved.clear()  # the callbacks of this request are over
    context = get_script_run_ctx()
    went_back = context is not None and context.is_history_navigation
    if page == kept.page and not went_back:
        return
    sent = {key: st.query_params.get_all(key) for key in st.query_params}
    kept.page = page
    kept.unread.update(sent)
    if went_back and _held(sent) in kept.written:
        # A setting that this address leaves out was at its default when the address was written.
        for setting in _of_page(page, shared):
            if setting.key not in sent and setting.changed:
                setting.set(None)
    for setting in shared:
        _ = setting.value  # reads what the link holds


def write_link(page: str, shared: Collection[Setting[Any]]) -> None:
    """Write the settings of this page and the shared ones to the address, unless it holds them already.

    What the page has not asked for yet, as it may run for the first time or for long, stays as it came.
    """
    kept = store()
    embed = {key: st.query_params.get_all(key) for key in st.query_params if key.startswith(EMBED)}
    settings = link_to(_of_page(page, shared))
    waiting = {key: texts for key, texts in kept.unread.items() if key.partition("_")[0] == page}
    wanted = embed | settings | waiting
    if {key: st.query_params.get_all(key) for key in st.query_params} != wanted:
        st.query_params.from_dict(wanted)
    kept.written.add(_held(wanted))
    kept.drawn = dict(kept.versions)


@contextmanager
def link_in_step(shared: Collection[Setting[Any]], inside: Collection[Setting[Any]]) -> Iterator[None]:
    """Do for a fragment, a part of a page that is drawn alone, what main.py does for a page.

    `inside`: the settings that act in it alone; where a button of it has set another, the page is drawn.
    """
    kept, context = store(), get_script_run_ctx()
    kept.moved.clear()  # the callbacks of this request are over
    with _turn():
        try:
            if context is not None and context.fragment_ids_this_run:
                changed = {key for key, version in kept.versions.items() if kept.drawn.get(key) != version}
                if changed - {setting.key for setting in inside}:
                    st.rerun()
            yield
        finally:
            write_link(kept.page or "", shared)


@contextmanager
def _turn() -> Iterator[None]:
    """Wait for the visitor who draws a fragment, for a moment at most, and give the turn on in any case."""
    held = _TURN.acquire(timeout=LONGEST_TURN)
    try:
        yield
    finally:
        if held:
            _TURN.release()


def link_to(shared: Collection[Setting[Any]], **changes: list[str]) -> dict[str, list[str]]:
    """Return the query of a link that carries the shared settings, with `changes` to some keys."""
    values = [(setting, setting.value) for setting in shared]
    texts = {setting.key: setting.texts(value) for setting, value in values if value != setting.default}
    return {key: value for key, value in {**texts, **changes}.items() if value}


def address_here(shared: Collection[Setting[Any]]) -> str:
    """Return the whole address of this page as it is set now."""
    query = urlencode(link_to(_of_page(store().page or "", shared)), doseq=True)
    return f"{st.context.url or ''}?{query}"


def note_unknown() -> None:
    """Remember what in the link belongs to no setting; what belongs to another page waits for it."""
    kept = store()
    for key in list(kept.unread):
        if key in KNOWN:
            if key.partition("_")[0] in (kept.page, key):
                _ = KNOWN[key].value
        elif key.partition("_")[0] == kept.page or key.partition("_")[0] not in {*kept.pages, EMBED}:
            kept.ignored.append(f"{key[:30]} = {kept.unread.pop(key)[-1][:40]!r} (no setting here)")


def link_notice(place: st.delta_generator.DeltaGenerator) -> None:
    """Show what was ignored, until the visitor has seen it."""
    kept = store()
    if not kept.ignored:
        return
    with place.container(horizontal=True, vertical_alignment="center"):
        text = "Ignored in this link: " + "; ".join(kept.ignored[:5])
        st.warning(text.replace("`", "'"), icon=":material/link_off:")
        st.button("Dismiss", on_click=kept.ignored.clear)


def _of_page(page: str, shared: Collection[Setting[Any]]) -> list[Setting[Any]]:
    return [*shared, *(setting for key, setting in KNOWN.items() if key.startswith(f"{page}_"))]


def _held(link: dict[str, list[str]]) -> str:
    return repr(sorted(link.items()))
