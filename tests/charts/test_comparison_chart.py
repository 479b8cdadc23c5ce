"""The figure of the Compare page by its values."""

from __future__ import annotations

import math

import pytest

from zoo.catalog import catalog_named
from zoo.charts import compared_scatter
from zoo.charts.style import COLOURS, SYMBOLS
from zoo.selection import PUBLISHED, frontier

TABLE = catalog_named("published").table.assign(on_frontier=lambda table: frontier(table, PUBLISHED))
CITYSCAPES = TABLE[TABLE["dataset"] == "Cityscapes"]
COMPARED = ["cityscapes-erfnet-1024x512", "ade20k32-mobilenetv2-fpnlite-512x512"]
COMPARED += ["cityscapes-mobilenetv2-fpnlite-768x384"]


def test_every_row_has_one_point_and_those_compared_keep_their_place_s_colour() -> None:
    figure = compared_scatter(CITYSCAPES, COMPARED, PUBLISHED)
    numbers = CITYSCAPES.dropna(subset=["gmacs", "miou"])
    here = {row_id: place for place, row_id in enumerate(COMPARED) if row_id in numbers.index}
    assert list(here.values()) == [0, 2]  # one is of another data set
    (others,) = [trace for trace in figure.data if trace.name == "Other rows"]
    expected = numbers.drop(list(here))
    assert sorted(zip(others.x, others.y, strict=True)) == sorted(
        zip(expected["gmacs"], expected["miou"], strict=True)
    )
    large = {trace.customdata[0]: trace for trace in figure.data if trace.customdata is not None}
    assert set(large) == set(here)
    for row_id, place in here.items():
        trace = large[row_id]
        assert (trace.x[0], trace.y[0]) == (numbers.at[row_id, "gmacs"], numbers.at[row_id, "miou"])
        assert (trace.marker.color, trace.marker.symbol) == (COLOURS[place], SYMBOLS[place])
    names = {note.text: (10**note.x, note.y) for note in figure.layout.annotations}
    assert names == {
        numbers.at[row_id, "title"].replace(" · ", "<br>"): (
            pytest.approx(numbers.at[row_id, "gmacs"]),
            numbers.at[row_id, "miou"],
        )
        for row_id in here
    }


def test_the_line_joins_the_rows_that_none_beats() -> None:
    numbers = CITYSCAPES.dropna(subset=["gmacs", "miou"])
    best = {
        (row.gmacs, row.miou)
        for row in numbers.itertuples()
        if not any(
            other.gmacs <= row.gmacs
            and other.miou >= row.miou
            and (other.gmacs, other.miou) != (row.gmacs, row.miou)
            for other in numbers.itertuples()
        )
    }
    (line,) = [
        trace for trace in compared_scatter(CITYSCAPES, COMPARED, PUBLISHED).data if trace.name == "Frontier"
    ]
    assert list(zip(line.x, line.y, strict=True)) == sorted(best)
    assert line.line.shape == "hv"


def test_nothing_to_draw_is_an_empty_plot_with_finite_axes() -> None:
    figure = compared_scatter(CITYSCAPES.iloc[:0], COMPARED, PUBLISHED)
    assert all(
        math.isfinite(end) for axis in (figure.layout.xaxis, figure.layout.yaxis) for end in axis.range
    )
    assert not figure.layout.annotations
