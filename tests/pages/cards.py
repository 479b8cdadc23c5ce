"""Rows as a page's cards name them."""

import json
from typing import Any

from streamlit.testing.v1 import AppTest


def cards(app: AppTest) -> list[dict[str, Any]]:
    """Return what all cards of a page tell the browser, in their order."""
    return [card for drawn in app.get("bidi_component") for card in json.loads(drawn.proto.json)["cards"]]
