"""The figures of the Complexity page, each by its values."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict

import numpy as np
import pandas as pd
import pytest

from zoo.catalog import all_shipped, catalog_named, check_row_size
from zoo.charts import growth_curves, layer_treemap, stride_bars
from zoo.charts.complexity import PART_COLOURS, PATTERNS
from zoo.complexity import count
from zoo.costs import PARTS, macs_at, macs_by_part
from zoo.sizes import Size
from zoo.words import format_gmacs

FPN = "cityscapes-mobilenetv2-fpnlite-768x384"
ERFNET = "cityscapes-erfnet-1024x512"
DEEPLAB = "voc2012-deeplabv3-mnv2-dm05-512x512"
ROWS = {row_id: all_shipped().row(row_id) for row_id in (FPN, ERFNET, DEEPLAB)}
NAMES = {row_id: row.title for row_id, row in ROWS.items()}
SIZES = {row_id: row.size for row_id, row in ROWS.items()}


def curves(budget: float) -> tuple[list, object]:
    figure = growth_curves(ROWS, SIZES, budget, NAMES)
    return [trace for trace in figure.data if trace.mode == "lines"], figure


@pytest.mark.parametrize("budget", [0.1, 4, 100, 1000])
def test_the_budget_stands_on_the_growth_axis_and_does_not_stretch_it(budget: float) -> None:
    lines, figure = curves(budget)
    (shape,), (note,) = figure.layout.shapes, figure.layout.annotations
    assert (shape.y0, shape.y1) == (budget, budget)
    assert note.y == pytest.approx(math.log10(budget))  # an annotation on a log axis takes the exponent
    assert note.text.startswith("budget")
    bottom, top = figure.layout.yaxis.range
    highest = max(budget, *(max(line.y) for line in lines))
    lowest = min(budget, *(min(line.y) for line in lines))
    assert bottom < math.log10(lowest)
    assert math.log10(highest) < top < math.log10(highest) + 0.2
    assert all(lowest <= tick * 1.25 and tick <= highest * 1.25 for tick in figure.layout.yaxis.tickvals)


def test_every_point_of_a_curve_is_a_size_the_row_takes_with_the_macs_it_has_there() -> None:
    lines, figure = curves(4)
    for line, (row_id, own) in zip(lines, SIZES.items(), strict=True):
        assert len(line.x) > 50
        for width, gmacs in zip(line.x, line.y, strict=True):
            height = int(width * own.height / own.width)  # 2:1 and 1:1: no rounding, and never upright
            assert check_row_size(row_id, int(width), height) == (width, height)
            assert gmacs == macs_at(int(width), height)[row_id] / 1e9
    marks = [trace for trace in figure.data if trace.mode == "markers"]
    assert [(mark.x[0], mark.y[0]) for mark in marks] == [
        (size.width, macs_at(*size)[row_id] / 1e9) for row_id, size in SIZES.items()
    ]


def test_the_bars_are_the_macs_of_each_part() -> None:
    strides = {row_id: macs_by_part(row_id, 1024, 512) for row_id in ROWS}
    figure = stride_bars(strides, NAMES)
    for bar in figure.data:
        assert list(bar.x) == [strides[row_id][bar.name] / 1e9 for row_id in bar.y]
    sums = np.sum([bar.x for bar in figure.data], axis=0)
    assert sums == pytest.approx([macs_at(1024, 512)[row_id] / 1e9 for row_id in ROWS])
    named = {note.y: note.text for note in figure.layout.annotations}
    assert named[FPN] == "MobileNetV2+FPNLite · 768x384: 6.6974"
    assert {row_id: text.rpartition(": ")[2] for row_id, text in named.items()} == {
        row_id: format_gmacs(macs_at(1024, 512)[row_id] / 1e9) for row_id in ROWS
    }


def test_no_two_parts_look_alike() -> None:
    every = catalog_named("published+recent").rows
    strides = {row.id: macs_by_part(row, 2048, 1024) for row in every if row.network and _takes(row)}
    figure = stride_bars(strides, {row.id: row.title for row in every})
    shown = [bar.name for bar in figure.data]
    assert len(shown) == len(set(shown)) >= 12
    assert len({bar.marker.color for bar in figure.data}) == len(shown)
    assert len(PARTS) == len(set(PART_COLOURS)) == len(PATTERNS)
    # The second cue: its name stands in each bar, and neighbours have other patterns.
    assert [bar.text for bar in figure.data] == [name.removeprefix("stride ") for name in shown]
    pairs = list(itertools.pairwise(PATTERNS))
    assert all(one != other for one, other in pairs)


def _takes(row: object) -> bool:
    return macs_at(2048, 1024, catalog_named("published+recent")).notna()[row.id]


@pytest.mark.parametrize("row_id", [FPN, "ade20k-segformer-b0-512x512"])
def test_the_areas_of_the_treemap_sum_to_the_total(row_id: str) -> None:
    counted = count(row_id, *all_shipped().row(row_id).size)
    (tree,) = layer_treemap(counted.layers).data
    values = dict(zip(tree.ids, tree.values, strict=True))
    held = defaultdict(int)
    for path, parent in zip(tree.ids, tree.parents, strict=True):
        held[parent] += values[path]
    assert values["whole network"] == held[""] == counted.macs
    leaves = [path for path in tree.ids if path not in held]
    assert sum(values[path] for path in leaves) == counted.macs
    assert all(held[parent] == values[parent] for parent in held.keys() - {""})


def test_a_block_is_labelled_by_its_name_output_and_share() -> None:
    layers = pd.DataFrame(
        [
            ("encoder.0.conv", (1, 3, 8, 16), (1, 8, 4, 8), 600),
            ("encoder.1.conv.a", (1, 8, 4, 8), (1, 8, 4, 8), 100),
            ("encoder.1.conv.b", (1, 8, 4, 8), (1, 8, 2, 4), 100),
            ("head", (1, 8), (1, 5), 200),
        ],
        columns=["name", "input_shape", "output_shape", "macs"],
    ).assign(kind="convolution")
    (tree,) = layer_treemap(layers).data
    found = {
        path: (label, parent, output, value)
        for path, label, parent, output, value in zip(
            tree.ids, tree.labels, tree.parents, tree.customdata, tree.values, strict=True
        )
    }
    assert found == {
        "whole network": ("network", "", "5", 1000),
        "encoder": ("encoder", "whole network", "4x2x8", 800),
        "encoder.0.conv": ("encoder.0.conv", "encoder", "8x4x8", 600),  # width x height x channels
        "encoder.1.conv": ("encoder.1.conv", "encoder", "4x2x8", 200),
        "encoder.1.conv.a": ("a", "encoder.1.conv", "8x4x8", 100),
        "encoder.1.conv.b": ("b", "encoder.1.conv", "4x2x8", 100),
        "head": ("head", "whole network", "5", 200),
    }
    assert "%{percentRoot" in tree.texttemplate


def test_an_upright_size_stays_upright() -> None:
    upright = {FPN: Size(384, 768)}
    figure = growth_curves({FPN: ROWS[FPN]}, upright, 4, NAMES)
    line = figure.data[0]
    at = list(line.x).index(384)
    assert line.y[at] == macs_at(384, 768)[FPN] / 1e9
    assert line.y[at] != macs_at(384, 192)[FPN] / 1e9
