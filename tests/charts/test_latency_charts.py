"""The figures of the Latency page, each by its values."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from zoo.catalog import all_shipped
from zoo.charts import device_bars, latency_scatter, precision_gains, roofline_bars
from zoo.chips import Setup, float_against_8_bits, load_chips, milliseconds, over_devices
from zoo.complexity import count
from zoo.latency import against_macs
from zoo.roofline import find_chip, roofline

PHONE = Setup("Samsung Galaxy S25", "float", "onnx")


def test_points_stand_at_their_macs_and_milliseconds() -> None:
    table = against_macs(milliseconds(PHONE))
    figure = latency_scatter(table, {row.id: row.title for row in all_shipped().rows})
    found = {
        row_id[0]: (x, y)
        for trace in figure.data
        if trace.mode == "markers"
        for row_id, x, y in zip(trace.customdata, trace.x, trace.y, strict=True)
    }
    published = load_chips().dropna(subset="row_id").set_index(["device", "precision", "runtime", "row_id"])
    assert set(found) == set(table.index)
    for row_id, (gmacs, ms) in found.items():
        assert ms == published.loc[(*PHONE, row_id), "milliseconds"]
        assert gmacs == table.loc[row_id, "gmacs"]


def test_a_points_pace_is_that_of_its_line_against_the_median() -> None:
    table = against_macs(milliseconds(PHONE))
    rates = table["gmacs"] / (table["milliseconds"] / 1000)
    expected = {"faster": set(), "as": set(), "slower": set()}
    for row_id, rate in rates.items():
        ratio = rate / rates.median()
        expected["faster" if ratio > 1.25 else "slower" if ratio < 0.8 else "as"].add(row_id)
    assert all(expected.values())
    for trace in latency_scatter(table, {}).data:
        if trace.mode == "markers":
            assert {row_id[0] for row_id in trace.customdata} == expected[trace.name.split()[0]]


def test_a_few_points_have_their_names_beside_them_and_many_do_not() -> None:
    table = against_macs(milliseconds(PHONE))
    names = {row.id: row.title for row in all_shipped().rows}
    notes = [note for note in latency_scatter(table, names).layout.annotations if note.name == "row"]
    assert {(round(10**note.x, 6), round(10**note.y, 6), note.text) for note in notes} == {
        (round(row.gmacs, 6), round(row.milliseconds, 6), names[row.Index].replace(" · ", "<br>"))
        for row in table.itertuples()
    }
    long = dict.fromkeys(names, f"{'x' * 35}<i>")  # an own network's, of 38 letters
    texts = {note.text for note in latency_scatter(table, long).layout.annotations if note.name == "row"}
    assert texts == {f"{'x' * 35}…"}
    many = pd.concat([table] * 3)
    assert not any(note.name == "row" for note in latency_scatter(many, names).layout.annotations)


def test_a_line_of_equal_rate_is_that_rate_along_its_length() -> None:
    figure = latency_scatter(against_macs(milliseconds(PHONE)), {})
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert 1 <= len(lines) <= 6
    for line in lines:
        rate = float(line.name.removesuffix(" GMAC/s"))
        assert [x / (y / 1000) for x, y in zip(line.x, line.y, strict=True)] == pytest.approx([rate] * 2)
    bottom, top = figure.layout.yaxis.range
    assert all(bottom <= note.y <= top for note in figure.layout.annotations)


def test_devices_stand_on_a_logarithmic_axis_that_holds_them() -> None:
    table = over_devices("pidnet", "float", "onnx")
    figure = device_bars(table)
    (points,) = figure.data
    assert list(zip(points.y, points.x, strict=True)) == list(
        zip(table["device"], table["milliseconds"], strict=True)
    )
    low, high = figure.layout.xaxis.range
    assert low < math.log10(min(points.x))
    assert math.log10(max(points.x)) < high < math.log10(max(points.x)) + 0.4


def test_where_8_bits_are_slower_they_stand_left_of_1_and_none_dominates() -> None:
    table = float_against_8_bits("Samsung Galaxy S25", "onnx").set_index("network")
    figure = precision_gains(table.reset_index())
    points = {trace.name: trace for trace in figure.data if trace.mode == "markers+text"}
    slower = points["slower in 8 bits"]
    assert dict(zip(slower.y, slower.text, strict=True)) == {
        name: f"{line.w8a8_ms / line.float_ms:.1f}x slower"
        for name, line in table.iterrows()
        if line.w8a8_ms > line.float_ms
    }
    assert set(slower.y) == {"pidnet", "ddrnet23_slim"}
    for trace in points.values():
        for name, gain, (in_float, in_8_bits) in zip(trace.y, trace.x, trace.customdata, strict=True):
            assert (in_float, in_8_bits) == tuple(table.loc[name, ["float_ms", "w8a8_ms"]])
            assert gain == pytest.approx(in_float / in_8_bits)
    low, high = figure.layout.xaxis.range
    assert figure.layout.xaxis.type == "log"
    assert low < math.log10(min(table["gain"])) < 0 < math.log10(max(table["gain"])) < high
    middle = [math.log10(gain) for gain in table["gain"] if 2 < gain < 4]
    assert all((value - low) / (high - low) > 0.3 for value in middle)  # pspnet's 13 leaves them room
    assert set(figure.layout.yaxis.categoryarray) == set(table.index)


def test_a_narrow_axis_still_has_ticks_to_read_by() -> None:
    figure = latency_scatter(against_macs(milliseconds(PHONE)), {})  # 14.7 to 20.8 ms
    for axis in (figure.layout.xaxis, figure.layout.yaxis):
        low, high = axis.range
        assert len(axis.tickvals) >= 3
        assert all(low <= math.log10(tick) <= high for tick in axis.tickvals)


def test_the_parts_of_a_bound_add_up_and_equal_names_stay_two_bars() -> None:
    layers = count("cityscapes-mobilenetv2-unetlite-768x384", 128, 64).layers
    bounds = {
        "a": roofline(layers, find_chip("NVIDIA T4"), 8),
        "b": roofline(layers, find_chip("NVIDIA T4"), 16),
    }
    long = "<i>" + "x" * 40
    figure = roofline_bars(bounds, {"a": f"{long} · 128x64", "b": f"{long} · 128x64"})
    compute, memory = figure.data
    for row_id, first, second in zip(compute.y, compute.x, memory.x, strict=True):
        assert first + second == pytest.approx(bounds[row_id].least_ms)
        times = bounds[row_id].layers
        assert second == pytest.approx(times.loc[times["bound_by"] == "memory", "traffic_ms"].sum())
    assert list(compute.y) == ["a", "b"]
    assert list(figure.layout.yaxis.ticktext) == ["&lt;i&gt;" + "x" * 20 + "…<br>128x64"] * 2
