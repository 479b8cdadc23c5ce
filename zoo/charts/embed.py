"""Figures in a page of their own: Plotly's script, and a figure as text that any HTML may hold."""

from __future__ import annotations

import plotly.graph_objects as go
import plotly.offline


def plotly_script() -> str:
    """Return Plotly's own JavaScript, as it ships with the library: about 4.8 MB."""
    script: str = plotly.offline.get_plotlyjs()
    return script.replace("</script", "<\\/script")


def figure_json(figure: go.Figure) -> str:
    """Return a figure as JSON that may stand in a script element, on the page's own background."""
    plain = go.Figure(figure)
    plain.update_layout(
        template="none", paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", autosize=True
    )
    text: str = plain.to_json()
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
