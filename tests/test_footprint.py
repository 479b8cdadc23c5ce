"""What rows cost, held against sums done by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zoo.catalog import all_shipped
from zoo.complexity import count
from zoo.errors import BudgetError
from zoo.footprint import confirmation, fitting, layer_table, megabytes, shape_words, totals
from zoo.sizes import Size

FPN = "cityscapes-mobilenetv2-fpnlite-768x384"
OWN, OTHER = Size(768, 384), Size(1280, 720)


def test_megabytes_are_a_million_bytes_once() -> None:
    assert megabytes(14_155_776, "8bit") == 14.155776
    assert megabytes(14_155_776, "float") == 56.623104


def test_the_totals_of_a_row() -> None:
    rows = {FPN: all_shipped().row(FPN)}
    line = totals(rows, {FPN: OWN}, {}).loc[FPN]
    # The widest moment: 96 channels of 384x192 in, 96 of them out in place: 2 x 96 x 384 x 192 values.
    assert line["peak_8bit_mb"] == pytest.approx(2 * 96 * 384 * 192 / 1e6)
    assert line["peak_float_mb"] == pytest.approx(4 * line["peak_8bit_mb"])
    assert line["params_m"] == pytest.approx(2.669376)
    assert (line["weights_8bit_mb"], line["weights_float_mb"]) == pytest.approx((2.669376, 10.677504))
    assert (line["size"], line["gmacs"]) == ("768x384", 3.767298048)


def test_elsewhere_the_peak_is_missing_until_it_is_counted() -> None:
    rows, sizes = {FPN: all_shipped().row(FPN)}, {FPN: OTHER}
    before = totals(rows, sizes, {}).loc[FPN]
    counted = count(FPN, *OTHER)
    after = totals(rows, sizes, {FPN: counted}).loc[FPN]
    assert before.isna().sum() == 2
    assert after["peak_8bit_mb"] == pytest.approx(counted.peak_activation_values / 1e6)
    assert before["gmacs"] == after["gmacs"] == counted.macs / 1e9


def test_a_confirmation_says_how_it_was_counted_and_when_it_is_none() -> None:
    counted = count(FPN, *OWN)
    equal, words = confirmation(all_shipped().row(FPN), OWN, counted)
    assert equal
    assert count_by_hand(OWN) == 3_767_298_048
    assert words.startswith(
        f"3,767,298,048 MACs at 768x384, counted live by ptflops {counted.ptflops_version}"
    )
    equal, words = confirmation(all_shipped().row(FPN), OWN, replace(counted, macs=counted.macs + 1))
    assert not equal
    assert words.endswith("the formula gives 3,767,298,048.")


def test_what_fits_is_wide_and_the_largest() -> None:
    row = all_shipped().row(FPN)
    size, words = fitting(row, 4, (16, 9), 32)
    sizes = [Size(w, round(w * 9 / 16 / 32) * 32) for w in range(64, 4097, 32)]
    within = [size for size in sizes if count_by_hand(size) <= 4e9]
    assert size == max(within, key=lambda size: size.width * size.height)
    assert size.width > size.height
    gmacs = count_by_hand(size) / 1e9
    assert words == f"{gmacs:.4f} GigaMACs, {gmacs / 4:.0%} of the budget".replace("%", " %")
    with pytest.raises(BudgetError, match="fit no size"):
        fitting(row, 0.0001, (16, 9), 32)


def count_by_hand(size: Size) -> int:
    """MACs of MobileNetV2+FPNLite with 19 classes: its cost at one position of each stride."""
    costs = {2: 3200, 4: 95984, 8: 116112, 16: 616000, 32: 1796928}
    return sum(cost * -(-size.width // s) * -(-size.height // s) for s, cost in costs.items())


def test_the_layers_are_sorted_and_complete() -> None:
    counted = count(FPN, *OWN)
    table = layer_table(counted)
    assert table["macs"].is_monotonic_decreasing
    assert table["macs"].sum() == counted.macs
    assert table["share"].sum() == pytest.approx(100)
    top = table.iloc[0]
    assert (top["output"], top["input"]) == ("192x96x256", "192x96x256")
    assert top["macs"] == 256 * 256 * 192 * 96


def test_shapes_in_words() -> None:
    assert shape_words((1, 32, 192, 384)) == "384x192x32"
    assert shape_words((2, 100, 64)) == "100x64"
    assert shape_words((1, 1000)) == "1000"
