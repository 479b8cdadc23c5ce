"""The Explore chart's data, each part held against its definition."""

import itertools
import math

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import plotly.io
import pytest

from zoo.catalog import catalog_named
from zoo.charts import Ready, pareto, pareto_parts
from zoo.charts.cards import cards
from zoo.charts.style import log_ticks
from zoo.families import families
from zoo.selection import PUBLISHED, counted_at, frontier, twins, with_counted
from zoo.sizes import Size

LABELS = {key: facts.label for key, facts in families().items()}


def table(dataset: str, size: Size | None = None) -> pd.DataFrame:
    rows = with_counted(catalog_named("published"), size)
    cost = PUBLISHED if size is None else counted_at(size)
    rows = rows.assign(
        family_label=rows["family"].map(LABELS), on_frontier=frontier(rows, cost), twins=twins(rows, cost)
    )
    return rows.assign(card=cards(rows))[rows["dataset"] == dataset]


def points(figure: go.Figure) -> dict[str, tuple[float, float]]:
    """Return where each row stands, by id."""
    return {
        row_id: (x, y)
        for trace in figure.data
        if trace.mode == "markers" and trace.customdata is not None
        for (row_id, *_), x, y in zip(trace.customdata, trace.x, trace.y, strict=True)
    }


def shape(figure: go.Figure, name: str) -> go.layout.Shape:
    return next(found for found in figure.layout.shapes if found.name == name)


def test_what_a_page_sends_unchecked_is_what_plotly_checks_and_sends() -> None:
    for asked in ({}, {"min_miou": 72.0, "title": "a title"}, {"beside": [("own", 3.0)]}):
        parts = pareto_parts(table("Cityscapes"), budget=4, **asked)
        sent = plotly.io.from_json(plotly.io.to_json(Ready(parts).to_dict(), validate=False))
        checked = plotly.io.from_json(plotly.io.to_json(go.Figure(parts)))
        assert sent == checked
        assert sent.layout.template == checked.layout.template


def brute_force_frontier(rows: pd.DataFrame, cost: str) -> list[tuple[float, float]]:
    pairs = [(c, m) for c, m in zip(rows[cost], rows["miou"], strict=True) if c == c and m == m]
    return sorted(
        (c, m) for c, m in pairs if not any(d <= c and n >= m and (d < c or n > m) for d, n in pairs)
    )


@pytest.mark.parametrize("dataset", ["Cityscapes", "ADE20K32", "COCOSeg21", "VOC2012"])
def test_points_stand_at_published_cost_and_miou(dataset: str) -> None:
    rows = table(dataset)
    expected = {
        row_id: (row["gmacs"], row["miou"])
        for row_id, row in rows.iterrows()
        if row["gmacs"] == row["gmacs"] and row["miou"] == row["miou"]
    }
    figure = pareto(rows, budget=4)
    assert points(figure) == expected
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.yaxis.type is None


@pytest.mark.parametrize("dataset", ["Cityscapes", "ADE20K32", "COCOSeg21", "VOC2012"])
def test_frontier_goes_through_the_undominated_rows_alone(dataset: str) -> None:
    rows = table(dataset)
    figure = pareto(rows, budget=4)
    line = next(trace for trace in figure.data if trace.mode == "lines")
    expected = brute_force_frontier(rows, "gmacs")
    assert list(zip(line.x, line.y, strict=True)) == expected
    assert line.line.shape == "hv"
    named = [(10**note.x, note.y) for note in figure.layout.annotations if note.name == "frontier"]
    assert sorted(named) == pytest.approx(np.array(expected))


@pytest.mark.parametrize("budget", [0.5, 4.0, 100.0])
def test_budget_is_a_line_and_what_is_over_it_is_shaded(budget: float) -> None:
    figure = pareto(table("Cityscapes"), budget=budget)
    line, shade = shape(figure, "budget"), shape(figure, "over the budget")
    assert (line.x0, line.x1, line.y0, line.y1, line.yref) == (budget, budget, 0, 1, "paper")
    assert shade.x0 == budget
    assert math.log10(shade.x1) > figure.layout.xaxis.range[1]
    note = next(note for note in figure.layout.annotations if note.text.startswith("budget"))
    assert 10**note.x == pytest.approx(budget)
    assert figure.layout.xaxis.range[0] < note.x < figure.layout.xaxis.range[1]


def test_least_miou_is_a_line_within_the_axis() -> None:
    figure = pareto(table("Cityscapes"), budget=4, min_miou=85)
    line = shape(figure, "mIoU at least")
    assert (line.y0, line.y1, line.x0, line.x1, line.xref) == (85, 85, 0, 1, "paper")
    assert figure.layout.yaxis.range[0] < 85 < figure.layout.yaxis.range[1]


def test_answer_is_ringed_and_chosen_rows_are_larger() -> None:
    rows = table("Cityscapes")
    answer, chosen = "cityscapes-mobilenetv2-fpnlite-768x384", "cityscapes-erfnet-1024x512"
    figure = pareto(rows, budget=4, answer=answer, chosen=[chosen])
    ring = next(trace for trace in figure.data if trace.name == "Answer")
    assert (ring.x[0], ring.y[0]) == (3.84, 70.39)
    assert ring.marker.symbol == "circle-open"
    sizes = {
        row_id: size
        for trace in figure.data
        if trace.customdata is not None
        for (row_id, *_), size in zip(trace.customdata, trace.marker.size, strict=True)
    }
    assert [row_id for row_id, size in sizes.items() if size == max(sizes.values())] == [chosen]


def test_a_point_says_what_its_row_is_and_no_click_fades_the_others() -> None:
    rows = table("Cityscapes")
    figure = pareto(rows, budget=4)
    assert figure.layout.xaxis.title.text == "GigaMACs, as published"
    groups = [trace for trace in figure.data if trace.customdata is not None]
    said = {ids[0]: text for group in groups for ids, text in zip(group.customdata, group.text, strict=True)}
    assert said == rows.loc[list(said), "card"].to_dict()
    for group in groups:
        assert set(rows.loc[[ids[0] for ids in group.customdata], "family_label"]) == {group.name}
        assert (group.selected.marker.opacity, group.unselected.marker.opacity) == (1, 1)
    filtered = pareto(rows, budget=4, shown=rows["family_label"] != rows["family_label"].iloc[0])
    looks = {group.name: (group.marker.color, group.marker.symbol) for group in groups}
    left = [trace for trace in filtered.data if trace.customdata is not None]
    assert 0 < len(left) < len(groups)
    assert all(looks[trace.name] == (trace.marker.color, trace.marker.symbol) for trace in left)


def test_filtered_rows_have_no_point_but_the_axes_and_the_frontier_stay() -> None:
    rows = table("Cityscapes")
    nothing = pd.Series(False, index=rows.index)
    whole, empty = pareto(rows, budget=4), pareto(rows, budget=4, shown=nothing)
    assert points(empty) == {}
    assert empty.layout.yaxis.range == whole.layout.yaxis.range
    assert empty.layout.yaxis.range[0] < rows["miou"].min() < rows["miou"].max() < empty.layout.yaxis.range[1]
    only = rows["qat"]
    assert set(points(pareto(rows, budget=4, shown=only))) == set(rows.index[only])
    line = next(trace for trace in empty.data if trace.mode == "lines")
    assert list(zip(line.x, line.y, strict=True)) == brute_force_frontier(rows, "gmacs")


def test_twins_are_one_point_that_names_both() -> None:
    size = Size(640, 480)
    rows = table("Cityscapes", size)
    figure = pareto(rows, cost=counted_at(size), budget=4)
    pair = ["cityscapes-mobilenetv2-fpnlite-1536x768", "cityscapes-mobilenetv2-fpnlite-768x384"]
    at = points(figure)
    assert at[pair[0]] == (rows.at[pair[0], "counted_gmacs"], 74.61)
    assert pair[1] not in at
    trace, index = next(
        (trace, n)
        for trace in figure.data
        if trace.customdata is not None
        for n, ids in enumerate(trace.customdata)
        if ids[0] == pair[0]
    )
    assert list(trace.customdata[index]) == pair
    assert "74.61" in trace.text[index]
    assert "70.39 %, published at 768x384" in trace.text[index]


@pytest.mark.parametrize("dataset", ["Cityscapes", "ADE20K32", "COCOSeg21", "VOC2012"])
@pytest.mark.parametrize(("width", "beside"), [(310, 165), (930, 110)])
@pytest.mark.parametrize("catalog", ["published", "published+recent"])
def test_names_of_the_frontier_cover_no_other_name(
    dataset: str, width: int, beside: int, catalog: str
) -> None:
    rows = with_counted(catalog_named(catalog))
    rows = rows.assign(
        family_label=rows["family"].map(LABELS), on_frontier=frontier(rows), twins=twins(rows, PUBLISHED)
    )
    rows = rows.assign(card=cards(rows))
    figure = pareto(rows[rows["dataset"] == dataset], budget=4)
    (left, right), (bottom, top) = figure.layout.xaxis.range, figure.layout.yaxis.range
    height = figure.layout.height - beside
    boxes = []
    for note in figure.layout.annotations:
        if note.name != "frontier":
            continue
        lines = note.text.split("<br>")
        wide, tall = 5.8 * max(map(len, lines)), 12 * len(lines)
        x = (note.x - left) / (right - left) * width + note.ax
        y = (note.y - bottom) / (top - bottom) * height - note.ay
        start = x - {"left": 0, "center": wide / 2, "right": wide}[note.xanchor]
        low = y if note.yanchor == "bottom" else y - tall
        boxes.append((start, low, start + wide, low + tall))
    assert boxes
    for one, other in itertools.combinations(boxes, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart, (one, other)
    assert all(box[0] > -40 and box[2] < width + 12 for box in boxes)


def test_every_family_has_a_look_of_its_own() -> None:
    rows = with_counted(catalog_named("published+recent"))
    rows = rows.assign(
        family_label=rows["family"].map(LABELS), on_frontier=frontier(rows), twins=twins(rows, PUBLISHED)
    )
    rows = rows.assign(card=cards(rows))
    figure = pareto(rows[rows["dataset"] == "Cityscapes"], budget=4)
    looks = [
        (trace.marker.color, trace.marker.symbol) for trace in figure.data if trace.customdata is not None
    ]
    assert len(looks) > 6
    assert len(set(looks)) == len(looks)


def test_a_published_pair_is_joined_and_its_cards_name_both() -> None:
    rows = table("Cityscapes")
    trace = next(trace for trace in pareto(rows, budget=4).data if trace.name == "Float and 8 bits")
    ends = [(69.13, 68.77), (68.94, 68.18), (70.39, 69.88)]
    joined = set(zip(trace.y[0::3], trace.y[1::3], strict=True))
    assert joined == set(ends)
    assert trace.x[0::3] == trace.x[1::3]
    for row_id in ("cityscapes-mobilenetv2-unetlite-768x384", "cityscapes-mobilenetv2-unetlite-qat-768x384"):
        assert "float 68.94 %, 8 bits 68.18 %: 0.76 points less" in rows.at[row_id, "card"]
    assert "8 bits" not in rows.at["cityscapes-erfnet-1024x512", "card"]


def test_a_card_names_the_catalog_of_its_point() -> None:
    rows = with_counted(catalog_named("published+recent"))
    found = cards(rows.assign(twins=twins(rows, PUBLISHED)))
    for row_id, catalog in rows["catalog"].items():
        assert f"from the catalog {catalog}<br>" in found[row_id]


@pytest.mark.parametrize("low", [0.0132, 0.9, 2.0, 3.1, 5.0, 7.7, 23.9, 410.0])
@pytest.mark.parametrize("times", [1.5625, 1.9, 2.4, 4.0, 9.0, 300.0])
def test_a_cost_axis_has_three_ticks_or_more_however_narrow_it_is(low: float, times: float) -> None:
    ticks = log_ticks(low, low * times)
    assert 3 <= len(ticks) <= 15
    assert all(low <= tick <= low * times for tick in ticks)
    assert ticks == sorted(set(ticks))
    assert all(float(f"{tick:g}") == pytest.approx(tick, rel=1e-9) for tick in ticks)


def test_ticks_are_round() -> None:
    assert log_ticks(1, 20) == [1, 2, 5, 10, 20]
    assert log_ticks(32, 52) == [35, 40, 45, 50]
    assert log_ticks(3.2, 5.1) == [3.5, 4, 4.5, 5]
