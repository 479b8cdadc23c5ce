"""Figures that are only shown."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import plotly.graph_objects as go
import plotly.io
from plotly.basedatatypes import BaseFigure


class Ready(BaseFigure):  # type: ignore[misc]  # Plotly has no types
    """A figure whose parts are taken as they are: Plotly neither checks nor copies them.

    It is for figures of which a page makes and sends many: checking one took longer than making it. Tests
    hold the same parts against Plotly's own figure.
    """

    def __init__(self, parts: dict[str, Any]) -> None:
        layout = {"template": _template(plotly.io.templates.default), **parts["layout"]}
        self._parts = {**parts, "layout": layout}

    def to_dict(self) -> dict[str, Any]:
        """Return the parts; do not change them."""
        return self._parts


@lru_cache(maxsize=4)
def _template(name: str) -> dict[str, Any]:
    """Return what a new figure has from a template."""
    template: dict[str, Any] = go.Figure(layout={"template": name}).to_dict()["layout"]["template"]
    return template
