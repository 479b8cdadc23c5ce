"""Milliseconds as a cost and against MACs, held against typed numbers and hand counts."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pandas as pd
import pytest

from zoo.catalog import catalog_named
from zoo.errors import BudgetError
from zoo.latency import (
    Measured,
    against_macs,
    near_sizes,
    rank_correlation,
    row_traits,
    size_notes,
    traits,
    why,
    with_milliseconds,
)
from zoo.selection import answer, excluded, frontier
from zoo.sizes import Size

UNET = "cityscapes-mobilenetv2-unetlite-768x384"
FPN = "cityscapes-mobilenetv2-fpnlite-768x384"
BIG_FPN = "cityscapes-mobilenetv2-fpnlite-1536x768"
ERFNET = "cityscapes-erfnet-1024x512"
REGNET = "cityscapes-regnetx800mf-fpnlite-768x384"


def measured(**sizes: tuple[int, int]) -> Measured:
    lines = [
        (UNET, *sizes.get("unet", (768, 384)), 40.0),
        (FPN, 768, 384, 65.0),
        (BIG_FPN, 1536, 768, 260.0),
        (ERFNET, 1024, 512, 200.0),
    ]
    table = pd.DataFrame(lines, columns=["id", "width", "height", "milliseconds"]).set_index("id")
    return Measured("my board (float32, onnxruntime, 4 threads)", table)


def test_near_sizes_stand_for_those_that_nobody_measured() -> None:
    lines = [
        (UNET, 768, 384, "pi", 40.0),
        (UNET, 784, 384, "pi", 41.0),
        (UNET, 384, 768, "nano", 30.0),  # as many pixels, another shape
        (UNET, 832, 384, "nano", 44.0),  # 8.3 % more
        (UNET, 864, 384, "orin", 9.0),  # 12.5 % more
        (FPN, 700, 384, "orin", 8.0),  # 8.9 % fewer
        (FPN, 690, 384, "pi", 8.0),  # 10.2 % fewer, and 1.113 times as many the other way round
        (ERFNET, 768, 384, "pi", 1.0),
    ]
    timings = pd.DataFrame(lines, columns=["id", "width", "height", "where", "milliseconds"])
    found = near_sizes(timings, {FPN: Size(768, 384), UNET: Size(768, 384)})
    assert found.to_numpy().tolist() == [
        [FPN, "orin", "700x384", 8.0],
        [UNET, "nano", "384x768", 30.0],
        [UNET, "pi", "768x384", 40.0],
    ]
    assert near_sizes(timings.iloc[:0], {UNET: Size(768, 384)}).empty
    assert near_sizes(timings, {}).empty


def test_the_answer_under_a_budget_of_milliseconds() -> None:
    found = measured()
    table = with_milliseconds(catalog_named("published").table, found)
    best = answer(table, "Cityscapes", max_cost=100.0, cost=found.cost)
    assert (best.chosen, best.next_cheaper, best.next_better) == (FPN, UNET, BIG_FPN)
    assert best.text.startswith(
        "Under 100 ms on Cityscapes: MobileNetV2+FPNLite (768x384), 70.39 % mIoU for 65 ms, "
        "measured on my board (float32, onnxruntime, 4 threads)."
    )
    assert "4.22 points more would cost 260 ms" in best.text
    # ERFNet is slower than the small FPNLite and less accurate: dominated.
    on = frontier(table, found.cost)
    assert sorted(on.index[on]) == sorted([UNET, FPN, BIG_FPN])
    reasons = excluded(table, found.cost)
    assert reasons[REGNET] == "nobody measured it on my board (float32, onnxruntime, 4 threads)"
    assert not {UNET, FPN, BIG_FPN, ERFNET} & set(reasons.index)


def test_a_budget_that_is_none_is_spoken_of_in_its_unit() -> None:
    found = measured()
    table = with_milliseconds(catalog_named("published").table, found)
    with pytest.raises(BudgetError, match="not a budget in milliseconds"):
        answer(table, "Cityscapes", max_cost=-1, cost=found.cost)
    assert "has both milliseconds and an mIoU" in answer(table, "VOC2012", cost=found.cost).text


def test_a_measurement_at_another_size_is_said() -> None:
    table = with_milliseconds(catalog_named("published").table, measured(unet=(640, 480)))
    assert size_notes(table) == (
        "MobileNetV2+UNetLite: its milliseconds were measured at 640x480, its mIoU at 768x384.",
    )
    one_size = Measured("my board", measured().table, Size(640, 480))
    assert "at 640x480" in one_size.cost.basis


def test_rank_correlation_by_the_textbook() -> None:
    # 1 - 6 sum d^2 / (n (n^2 - 1)), where nothing ties.
    base = [1.0, 2.0, 3.0, 4.0, 5.0]
    for order in itertools.islice(itertools.permutations(base), 0, 120, 7):
        distance = sum((a - b) ** 2 for a, b in zip(base, order, strict=True))
        expected = 1 - 6 * distance / (5 * 24)
        found = rank_correlation(pd.Series(base), pd.Series([10**value for value in order]))
        assert found.rows == 5
        assert found.rho == pytest.approx(expected)
    assert rank_correlation(pd.Series([1, 2, 3]), pd.Series([1, 2, 3])) == (None, 3)
    assert rank_correlation(pd.Series([1, 2, 3, None]), pd.Series([1, 2, 3, 4])) == (None, 3)
    assert rank_correlation(pd.Series([1, 1, 1, 1]), pd.Series([1, 2, 3, 4])) == (None, 4)


def test_what_macs_promise() -> None:
    table = against_macs(measured())
    # 27.705 GMACs are published; the audit says that no count explains all of them.
    assert 0.95 * 27.705 < table.loc[ERFNET, "gmacs"] < 27.705
    rate = (table["gmacs"] / table["milliseconds"] * 1000).median()
    assert table.loc[ERFNET, "times"] == pytest.approx(200 / (table.loc[ERFNET, "gmacs"] / rate * 1000))
    assert table.index[-1] == ERFNET  # the fastest for its MACs: 138 GMAC/s, where the others reach 55 to 60
    assert table["times"].is_monotonic_decreasing
    assert len(why(table)) == 2
    assert all("over 4 rows" in sentence for sentence in why(table))


def test_traits_by_hand() -> None:
    layers = pd.DataFrame(
        [
            ("convolution", (1, 3, 8, 8), (1, 4, 8, 8), 108 * 64, 108),
            ("depthwise convolution", (1, 4, 8, 8), (1, 4, 4, 4), 36 * 16, 36),
            ("matrix product", (1, 16, 4), (1, 16, 16), 16 * 4 * 16, 0),
        ],
        columns=["kind", "input_shape", "output_shape", "macs", "params"],
    )
    assert traits(layers) == {
        "macs": 108 * 64 + 36 * 16 + 1024,
        "depthwise_macs": 36 * 16,
        "activation_values": (192 + 256) + (256 + 64) + (64 + 64 + 256),
        "weight_values": 144,
    }


@pytest.mark.parametrize("row_id", [UNET, ERFNET])
def test_traits_csv_is_what_the_live_count_gives(row_id: str) -> None:
    from zoo.complexity import count

    row = catalog_named("published").row(row_id)
    found = traits(count(row, *row.size).layers)
    line = row_traits().loc[row_id]
    assert line["depthwise_share"] == pytest.approx(100 * found["depthwise_macs"] / found["macs"])
    moved = found["activation_values"] + found["weight_values"]
    assert line["bytes_per_mac"] == pytest.approx(4 * moved / found["macs"])


def test_traits_csv_has_every_row_that_we_build() -> None:
    from zoo.catalog import all_shipped

    assert {row.id for row in all_shipped().rows if row.network} <= set(row_traits().index)


@pytest.mark.parametrize(
    ("precision", "activation", "weight"), [("float", 4, 4), ("w8a8", 1, 1), ("w8a16", 2, 1), ("8bit", 1, 1)]
)
def test_bytes_a_mac_follow_the_precision(precision: str, activation: int, weight: int) -> None:
    from zoo.complexity import count

    found = traits(count(UNET, 768, 384).layers)
    expected = (activation * found["activation_values"] + weight * found["weight_values"]) / found["macs"]
    assert row_traits(precision).at[UNET, "bytes_per_mac"] == pytest.approx(expected)
    table = against_macs(replace(measured(), precision=precision))
    assert table.at[UNET, "bytes_per_mac"] == pytest.approx(expected)
