"""The Explore chart, kept for all visitors: their sliders stop at the same places."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import pandas as pd

from pages.shared.axis import Timed, cost_of, cost_table
from pages.shared.loaders import chosen_catalog
from zoo.catalog import Catalog
from zoo.charts import pareto
from zoo.sizes import Size

if TYPE_CHECKING:
    import plotly.graph_objects as go


def explore_chart(
    dataset: str,
    size: Size | None,
    setup: Timed | None,
    budget: float,
    min_miou: float | None,
    chosen: list[str],
    answer: str | None,
    passing: pd.Series,
    *,
    alone: bool,
) -> go.Figure:
    """Return a data set's chart, do not change it; `alone` is whether it is the only one of the page."""
    rows = cost_table(size, setup)
    of_dataset = rows.index[rows["dataset"] == dataset]
    marked = tuple(row for row in chosen if row in of_dataset)
    hidden = tuple(of_dataset[~passing[of_dataset]])
    return _chart(chosen_catalog(), dataset, size, setup, budget, min_miou, marked, answer, hidden, alone)


@lru_cache(maxsize=512)
def _chart(
    catalog: Catalog,
    dataset: str,
    size: Size | None,
    setup: Timed | None,
    budget: float,
    min_miou: float | None,
    chosen: tuple[str, ...],
    answer: str | None,
    hidden: tuple[str, ...],
    alone: bool,
) -> go.Figure:
    rows = cost_table(size, setup)
    rows = rows[rows["dataset"] == dataset]
    return pareto(
        rows,
        cost=cost_of(size, setup),
        budget=budget,
        min_miou=min_miou,
        chosen=chosen,
        answer=answer,
        height=500 if alone else 420,
        shown=pd.Series(~rows.index.isin(hidden), index=rows.index),
        title=None if alone else dataset,
    )
