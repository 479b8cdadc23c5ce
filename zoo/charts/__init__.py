"""Every Plotly figure: one file per page's charts, `style` for what they share.

Colours are safe for colour-blind eyes, and a symbol or a dash says the same again. A figure is fetched from
its file when it is first asked for, so that a page pays only for its own.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoo.charts.comparison import compared_scatter
    from zoo.charts.complexity import growth_curves, layer_treemap, stride_bars
    from zoo.charts.embed import figure_json, plotly_script
    from zoo.charts.evaluation import class_bars, confusion_heatmap, measured_scatter
    from zoo.charts.explore import cost_range, pareto, pareto_parts, pareto_without_budget, with_budget
    from zoo.charts.latency import device_bars, latency_scatter, precision_gains, roofline_bars
    from zoo.charts.ready import Ready

_HOMES = {
    "Ready": "ready",
    "class_bars": "evaluation",
    "compared_scatter": "comparison",
    "confusion_heatmap": "evaluation",
    "device_bars": "latency",
    "figure_json": "embed",
    "growth_curves": "complexity",
    "latency_scatter": "latency",
    "layer_treemap": "complexity",
    "measured_scatter": "evaluation",
    "pareto": "explore",
    "pareto_parts": "explore",
    "pareto_without_budget": "explore",
    "with_budget": "explore",
    "cost_range": "explore",
    "plotly_script": "embed",
    "precision_gains": "latency",
    "roofline_bars": "latency",
    "stride_bars": "complexity",
}
__all__ = [
    "Ready",
    "class_bars",
    "compared_scatter",
    "confusion_heatmap",
    "cost_range",
    "device_bars",
    "figure_json",
    "growth_curves",
    "latency_scatter",
    "layer_treemap",
    "measured_scatter",
    "pareto",
    "pareto_parts",
    "pareto_without_budget",
    "plotly_script",
    "precision_gains",
    "roofline_bars",
    "stride_bars",
    "with_budget",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
