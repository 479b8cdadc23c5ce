"""The roofline against arithmetic done by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from zoo.errors import BudgetError, InputError, UnknownIdError
from zoo.roofline import Chip, find_chip, known_chips, roofline

CHIP = Chip("by hand", gmacs_8bit=100, gmacs_16bit=50, bandwidth_gb_s=1, on_chip_mb=1)
LAYERS = pd.DataFrame(
    [
        # 3 x 400 x 400 -> 8 x 200 x 200: 480,000 values in and 320,000 out.
        ("stem", "convolution", (1, 3, 400, 400), (1, 8, 200, 200), 216 * 200 * 200, 224),
        # 320,000 in, 320,000 out.
        ("depthwise", "depthwise convolution", (1, 8, 200, 200), (1, 8, 200, 200), 72 * 200 * 200, 80),
        # Attention: (2, 100, 64) x (2, 64, 30): 12,800 and 3,840 in, 6,000 out.
        ("attention", "matrix product", (2, 100, 64), (2, 100, 30), 2 * 100 * 64 * 30, 0),
        # A linear layer with 10 million weights.
        ("head", "linear", (1, 10_000), (1, 1000), 10_000_000, 10_001_000),
    ],
    columns=["name", "kind", "input_shape", "output_shape", "macs", "params"],
)


def test_eight_bits_by_hand() -> None:
    found = roofline(LAYERS, CHIP, 8)
    table = found.layers.set_index("name")
    assert table["activation_bytes"].tolist() == [800_000, 640_000, 22_640, 11_000]
    # All activations fit a megabyte: only weights move.
    assert table["moved_bytes"].tolist() == [224, 80, 0, 10_001_000]
    compute = [0.0864, 0.0288, 0.00384, 0.1]  # macs / 100e9 s, in ms
    traffic = [0.000224, 0.00008, 0, 10.001]  # bytes / 1e9 s, in ms
    assert table["compute_ms"].tolist() == pytest.approx(compute)
    assert table["traffic_ms"].tolist() == pytest.approx(traffic)
    assert table["bound_by"].tolist() == ["compute", "compute", "compute", "memory"]
    least = 0.0864 + 0.0288 + 0.00384 + 10.001
    assert found.least_ms == pytest.approx(least)
    assert found.frames_per_second == pytest.approx(1000 / least)
    assert found.memory_share == pytest.approx(100 * 10.001 / least)


def test_sixteen_bits_are_twice_the_bytes_and_here_half_the_peak() -> None:
    found = roofline(LAYERS, CHIP, 16)
    table = found.layers.set_index("name")
    # 1.6 and 1.28 MB no longer fit: they move, and bound their layers.
    assert table["moved_bytes"].tolist() == [1_600_448, 1_280_160, 0, 20_002_000]
    assert table.loc["stem", "least_ms"] == pytest.approx(1.600448)
    assert table.loc["attention", "least_ms"] == pytest.approx(2 * 0.00384)
    assert table["bound_by"].tolist() == ["memory", "memory", "compute", "memory"]


def test_on_chip_memory_that_holds_nothing() -> None:
    chip = Chip("no cache", 100, None, 1, 0)
    assert roofline(LAYERS, chip, 8).layers["moved_bytes"].sum() == 1_473_640 + 10_001_304


def test_a_precision_without_a_peak() -> None:
    with pytest.raises(InputError, match="no peak at 16 bits: use 8 bits"):
        roofline(LAYERS, Chip("eight only", 100, None, 1, 0), 16)
    with pytest.raises(InputError, match="no peak at 4 bits: use 8 or 16 bits"):
        roofline(LAYERS, CHIP, 4)


@pytest.mark.parametrize(
    "figures", [(-1, 1, 1, 1), (1, 1, 0, 1), (1, 1, float("nan"), 1), (1, 1, 1, -0.5), ("8", 1, 1, 1)]
)
def test_figures_that_are_none(figures: tuple[float, float, float, float]) -> None:
    with pytest.raises(BudgetError, match="give a number"):
        Chip("wrong", *figures)


def test_the_known_chips_say_where_their_figures_come_from() -> None:
    chips = known_chips()
    assert find_chip("NVIDIA T4").macs_per_second(8) == 65e12  # 130 TOPS, two operations a MAC
    assert find_chip("Google Coral Edge TPU (PCIe x1)").precisions == (8,)
    assert all(chip.precisions and chip.source.count("https://") >= 1 for chip in chips.values())
    with pytest.raises(UnknownIdError, match="NVIDIA T4"):
        find_chip("NVIDIA T44")
