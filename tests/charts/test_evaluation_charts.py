"""Figures of evaluations by value."""

from __future__ import annotations

import json

import numpy as np
import pytest

from zoo.charts import class_bars, confusion_heatmap, figure_json, measured_scatter
from zoo.evaluation.summary import ClassFigure, Summary
from zoo.sizes import Size


def summary(row_id: str, gmacs: float | None, miou: float | None, **more: object) -> Summary:
    classes = (ClassFigure("road", 80.5, 900), ClassFigure("<b>sky</b>", None, 0))
    values = {"accuracy": 90.0, "classes": classes, "images": 7, "rules": {}, "size": Size(480, 352)}
    return Summary(id=row_id, weights="mine", miou=miou, counted_gmacs=gmacs, **{**values, **more})  # type: ignore[arg-type]


def test_measured_points_have_their_interval_and_their_own_frontier() -> None:
    rows = [
        summary("dear", 9.0, 60.0),
        summary("good", 4.0, 70.0, interval=(66.0, 73.5)),
        summary("cheap", 1.0, 50.0),
        summary("twin", 4.0, 65.0),
        summary("uncounted", None, 99.0),
        summary("unmeasured", 2.0, None),
    ]
    frontier, *points = measured_scatter(rows, {"good": "Good <i>one</i>"}).data
    assert (list(frontier.x), list(frontier.y)) == ([1.0, 4.0], [50.0, 70.0])
    assert [(point.x[0], point.y[0]) for point in points] == [(9, 60), (4, 70), (1, 50), (4, 65)]
    good = points[1]
    assert good.name == "Good &lt;i&gt;one&lt;/i&gt; · 480x352"
    assert (good.error_y.array[0], good.error_y.arrayminus[0]) == pytest.approx((3.5, 4.0))
    assert points[0].error_y.array[0] == 0
    assert len({point.marker.symbol for point in points}) == 4


def test_an_axis_is_logarithmic_and_holds_all_points() -> None:
    axis = measured_scatter([summary("a", 2.0, 60.0), summary("b", 30.0, 70.0)], {}).layout.xaxis
    assert axis.type == "log"
    assert 10 ** axis.range[0] < 2 < 30 < 10 ** axis.range[1]
    assert measured_scatter([], {}).data[0].x == ()


def test_bars_are_the_iou_of_each_class() -> None:
    figure = class_bars([summary("a", 1.0, 50.0), summary("b", 1.0, 50.0)], {"a": "A"})
    first, second = figure.data
    assert list(first.x) == [80.5, None]
    assert list(first.y) == ["road", "&lt;b&gt;sky&lt;/b&gt;"]
    assert (first.name, second.name) == ("A · 480x352", "b · 480x352")
    assert list(first.customdata) == [900, 0]
    assert tuple(figure.layout.xaxis.range) == (0, 100)
    assert first.marker.pattern.shape != second.marker.pattern.shape


def test_the_confusion_matrix_shows_rows_as_shares() -> None:
    figure = confusion_heatmap([[30, 10, 0], [0, 0, 0], [1, 2, 97]], ["a", "b", "c"])
    (heat,) = figure.data
    assert np.asarray(heat.z)[0].tolist() == [75, 25, 0]
    assert np.isnan(np.asarray(heat.z)[1]).all()
    assert np.asarray(heat.z)[2].tolist() == [1, 2, 97]
    assert np.asarray(heat.customdata)[2].tolist() == [1, 2, 97]
    assert (heat.zmin, heat.zmax) == (0, 100)
    assert list(heat.y) == ["a", "b", "c"]
    assert figure.layout.yaxis.autorange == "reversed"
    assert figure.layout.yaxis.title.text == "labelled"


def test_a_figure_as_text_cannot_end_its_script() -> None:
    figure = class_bars([summary("</script><script>", 1.0, 50.0)], {"</script><script>": "</script>&"})
    text = figure_json(figure)
    assert "<" not in text
    assert ">" not in text
    assert json.loads(text)["data"][0]["name"] == "&lt;/script&gt;&amp; · 480x352"
