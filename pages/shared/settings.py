"""What a visitor can set, and what a link may hold: one object for both.

A `Setting` knows its key in the address, its default, how a link's text is read and what its widget may
hold; its kinds are in kinds.py. A page declares its settings at the top of its script, with the page's name
in front of the key (`catalog_search`), and draws each where it acts: `SEARCH.draw(st.text_input, "Search")`.
Nothing else has to be told: creating a setting makes the link check know it.

Values live in the session, not in widgets. Streamlit's own binding of widgets to the address forgets what a
link brought when its widget is not drawn, or when the visitor is quicker than the page; here the address is
written from the session after each run, and read on a first visit, on a page's change and when the browser
goes back.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from zoo.errors import ZooError

T = TypeVar("T")


ECHOES = 20
"""How many values back a widget may lag behind what it was told: fast keys on a slow server."""


@dataclass
class Store:
    """One visitor's settings."""

    values: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    """How often a setting was changed; a widget that shows an older one is told the new value."""
    shown: dict[str, int] = field(default_factory=dict)
    """By widget: the version that it shows."""
    held: dict[str, deque[Any]] = field(default_factory=dict)
    """By widget: the values that it was told or given, the last few."""
    drawn: dict[str, int] = field(default_factory=dict)
    """The versions when the address was written last."""
    moved: set[str] = field(default_factory=set)
    """The settings that a widget changed in this request."""
    unread: dict[str, list[str]] = field(default_factory=dict)
    """What the link holds for settings that were not asked for yet."""
    ignored: list[str] = field(default_factory=list)
    """What the link holds that cannot be used, in words."""
    pages: Collection[str] = ()
    """The pages that there are."""
    page: str | None = None
    """The page that was drawn last."""
    written: set[str] = field(default_factory=set)
    """The addresses that were written for this visitor."""


_FOUND: WeakKeyDictionary[object, dict[str, Any]] = WeakKeyDictionary()
"""By session what `of_session` has found there: a run asks hundreds of times, and each look takes a lock."""


def of_session(key: str, make: Callable[[], T]) -> T:
    """Return the one object of this visitor's session that is kept under a key; `make` gives the first."""
    context = get_script_run_ctx()
    found = {} if context is None else _FOUND.setdefault(context.session_state, {})
    if key not in found:
        if key not in st.session_state:
            st.session_state[key] = make()
        found[key] = st.session_state[key]
    one: T = found[key]
    return one


def store() -> Store:
    """Return the settings of this visitor."""
    return of_session("settings", Store)


KNOWN: dict[str, Setting[Any]] = {}
"""Every setting that was created, by key: the shared ones, and those of each page that was opened once."""


class Setting(ABC, Generic[T]):
    """One thing that a visitor can set."""

    allowed: str
    """What a link may hold, in words."""

    def __init__(self, key: str, default: T) -> None:
        self.key, self.default = key, default
        KNOWN[key] = self

    @abstractmethod
    def read(self, texts: list[str]) -> T:
        """Return what a link says, or raise ValueError or ZooError for what it may not hold."""

    def texts(self, value: T) -> list[str]:
        """Return a value as a link holds it."""
        return [str(value)]

    def widget_options(self) -> dict[str, Any]:
        """Return what this setting tells a widget that shows its value as it is: bounds, options."""
        return {}

    @property
    def value(self) -> T:
        """What the visitor has set."""
        kept = store()
        if self.key in kept.unread:
            self._take(kept.unread.pop(self.key))
        value: T = kept.values.get(self.key, self.default)
        return value

    @property
    def changed(self) -> bool:
        """Whether it differs from its default."""
        return self.value != self.default

    def set(self, value: T | None) -> None:
        """Set it, None for its default; call it from a callback, or before its widget is drawn."""
        kept = store()
        kept.values[self.key] = self.default if value is None else value
        kept.versions[self.key] = kept.versions.get(self.key, 0) + 1

    def draw(
        self,
        widget: Callable[..., Any],
        label: str,
        *,
        key: str | None = None,
        show: Callable[[T], Any] | None = None,
        take: Callable[[Any], T | None] = lambda value: value,
        **options: Any,
    ) -> T:
        """Draw a widget for this setting and return what is set.

        `widget`: `st.number_input`, `column.pills`, ... `key`: the widget's where one setting has several.
        `show` and `take` translate a value for the widget and back; what `take` refuses (ZooError) is told
        below the widget, and the setting stays.
        """
        kept, value, key = store(), self.value, key or self.key
        version = kept.versions.get(self.key, 0)
        if kept.values.get(self.key, value) != value:  # of what was set, an option is gone
            self.set(value)
            version = kept.versions[self.key]
        if key not in st.session_state or kept.shown.get(key) != version:
            st.session_state[key] = show(value) if show else value
            kept.shown[key] = version
            kept.held.setdefault(key, deque(maxlen=ECHOES)).append(st.session_state[key])
            st.session_state.pop(f"{key}_refused", None)

        def changed() -> None:
            given, held = st.session_state[key], kept.held[key]
            # A quick visitor's request may tell of a widget that is gone by now: what it held, no change.
            if given == held[-1] and f"{key}_refused" not in st.session_state:
                return
            # Or carry what this widget held before it was told another's values: no change of theirs where
            # another widget of the setting was moved in the same request.
            if self.key in kept.moved and given in held:
                kept.shown[key] = -1  # to be told again
                return
            kept.moved.add(self.key)
            st.session_state.pop(f"{key}_refused", None)
            try:
                taken = take(given)
            except ZooError as error:
                st.session_state[f"{key}_refused"] = str(error)
                return
            self.set(taken)
            held.append(given)
            if taken is not None:  # else the widget is told the default
                kept.shown[key] = kept.versions[self.key]

        told = {} if show else self.widget_options()
        widget(label, key=key, on_change=changed, **{**told, **options})
        if refused := st.session_state.get(f"{key}_refused"):
            st.error(refused, icon=":material/error:")
        return value

    def ignore(self, text: str) -> None:
        """Remember that a link holds something here that cannot be used."""
        store().ignored.append(f"{self.key} = {text[:40]!r} ({self.allowed})")

    def _take(self, texts: list[str]) -> None:
        try:
            self.set(self.read(texts) if any(texts) else self.nothing())
        except (ValueError, KeyError, ZooError):
            self.ignore(texts[-1])

    def nothing(self) -> T:
        """Return what a key without a text stands for (`?dataset=`)."""
        return self.default
