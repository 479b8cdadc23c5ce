"""The live count: tiny networks by formula, all rows by torch's own counter, and what it leaves behind."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

import zoo
from zoo.catalog import all_shipped
from zoo.complexity import count, count_model
from zoo.errors import CountError, SizeError, UnknownIdError

ROWS = zoo.load_catalog()
UNETLITE = "cityscapes-mobilenetv2-unetlite-768x384"
ERFNET = "cityscapes-erfnet-1024x512"
XCEPTION = "cityscapes-xception65-deeplab-769x769"


def torch_macs(network: nn.Module, width: int, height: int, device: str = "meta") -> int:
    """Count by torch's road: two operations for a multiply-accumulate."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 3, height, width, device=device))
    operations = counter.get_total_flops()
    assert operations % 2 == 0
    return operations // 2


class Classifier(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, (3, 5), stride=2, padding=(1, 2))
        self.wide = nn.Conv2d(8, 8, 3, padding=6, dilation=6, groups=8, bias=False)
        self.grouped = nn.Conv2d(8, 12, 1, groups=4)
        self.up = nn.ConvTranspose2d(12, 6, 3, stride=2, padding=1, output_padding=1)
        self.norm = nn.BatchNorm2d(6)
        self.biased = nn.Linear(6, 10)
        self.plain = nn.Linear(10, 4, bias=False)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        features = self.up(self.grouped(self.wide(self.stem(image))))
        features = nn.functional.interpolate(torch.relu(self.norm(features)), scale_factor=2)
        return self.plain(self.biased(features.mean((2, 3))))


# 50 x 38 gives 25 x 19 at stride 2; a transposed convolution works at the positions of its input.
BY_FORMULA = {
    "stem": 3 * 8 * 15 * 25 * 19,
    "wide": 8 * 9 * 25 * 19,
    "grouped": 8 * 12 // 4 * 25 * 19,
    "up": 12 * 6 * 9 * 25 * 19,
    "biased": 6 * 10,
    "plain": 10 * 4,
}


def test_a_tiny_network_by_formula() -> None:
    counted = count_model(Classifier(), 50, 38)
    assert dict(zip(counted.layers["name"], counted.layers["macs"], strict=True)) == BY_FORMULA
    assert counted.macs == sum(BY_FORMULA.values())
    assert counted.params == (360 + 8) + 72 + (24 + 12) + (648 + 6) + 12 + 70 + 40
    assert counted.weights_bytes == 4 * counted.params
    assert (counted.width, counted.height) == (50, 38)


def test_what_the_layer_table_says() -> None:
    layers = count_model(Classifier(), 50, 38).layers.set_index("name")
    assert layers["kind"].to_dict() == {
        "stem": "convolution",
        "wide": "depthwise convolution",
        "grouped": "grouped convolution",
        "up": "transposed convolution",
        "biased": "linear",
        "plain": "linear",
    }
    stem = layers.loc["stem"]
    assert (stem["kernel"], stem["stride"], stem["dilation"]) == ("5x3", "2x2", "1x1")  # width first
    assert layers.loc["wide", ["dilation", "groups"]].tolist() == ["6x6", 8]
    assert layers.at["up", "input_shape"] == (1, 12, 19, 25)
    assert layers.at["up", "output_shape"] == (1, 6, 38, 50)
    assert layers["params"].to_dict()["stem"] == 368
    assert layers["share"].sum() == pytest.approx(100)


def test_what_is_not_counted_is_listed() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 4, 1), nn.ReLU(), nn.MaxPool2d(2), nn.ReLU(), nn.Upsample(scale_factor=2)
    )
    uncounted = count_model(network, 32, 32).uncounted
    assert uncounted == {"relu": 2, "max_pool2d_with_indices": 1, "upsample_nearest2d": 1}


class Repeats(nn.Module):
    """Applies its layer as often as a number says that it computes itself."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 3, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        for _ in range(int(torch.relu(torch.tensor([-1.0, 3.0])).sum())):
            image = self.layer(image)
        return image


def test_a_network_s_own_numbers_are_computed() -> None:
    assert count_model(Repeats(), 32, 32).macs == 3 * 9 * 32 * 32


def test_a_network_without_layers_costs_nothing() -> None:
    counted = count_model(nn.ReLU(), 32, 32)
    assert (counted.macs, counted.params, len(counted.layers)) == (0, 0, 0)


def odd_size(row_id: str) -> tuple[int, int]:
    return (1048, 344) if row_id == ERFNET else (513, 257)


NETWORKS = {row.network: row.id for row in all_shipped().rows}
PARTS = {network.family: row_id for network, row_id in reversed(NETWORKS.items())}
"""The first row of each, which mostly is the smallest."""


def check_against_torch(row_id: str) -> None:
    network = zoo.build_model(row_id, device="meta")
    counted = count(row_id, *odd_size(row_id))
    assert counted.macs == torch_macs(network, *odd_size(row_id))
    assert counted.layers["macs"].sum() == counted.macs
    assert counted.params == sum(value.numel() for value in network.parameters())


# At the published size the tests of each family's costs do this.
@pytest.mark.parametrize("row_id", PARTS.values())
def test_torch_counts_the_same(row_id: str) -> None:
    check_against_torch(row_id)


@pytest.mark.slow
@pytest.mark.parametrize("row_id", sorted(set(NETWORKS.values()) - set(PARTS.values())))
def test_torch_counts_the_same_of_every_network(row_id: str) -> None:
    check_against_torch(row_id)


@pytest.mark.parametrize(
    "row_id",
    [
        "ade20k32-regnetx400mf-fpnlite-384x384",
        UNETLITE,
        "voc2012-deeplabv3-mnv2-dm05-512x512",
        "cocoseg21-lr-aspp-mobilenetv3-large-520x520",
        ERFNET,
    ],
)
def test_real_tensors_cost_the_same(row_id: str) -> None:
    assert count(row_id, 96, 64).macs == torch_macs(zoo.build_model(row_id), 96, 64, device="cpu")


def test_other_classes() -> None:
    # The last 1x1 of UNetLite runs on 2 x classes channels (at least 32) at stride 2.
    eleven, twelve = (count(UNETLITE, 64, 64, num_classes=classes) for classes in (11, 12))
    assert twelve.macs - eleven.macs == 32 * 32 * 32


@pytest.mark.parametrize(
    ("width", "height"),
    [
        (0, 64),
        (-64, 64),
        (64.0, 64),
        (64.5, 64),
        ("64", 64),
        (None, 64),
        (True, 64),
        (31, 64),
        (64, 4097),
        (10**12, 64),
    ],
)
def test_sizes_that_nobody_can_take(width: object, height: object) -> None:
    for refuse in (lambda: count(UNETLITE, width, height), lambda: count_model(nn.ReLU(), width, height)):
        with pytest.raises(SizeError, match="whole number of pixels from 32 to 4096"):
            refuse()


def test_sizes_at_the_limits() -> None:
    for size in ((32, 32), (33, 4096), (4096, 4096)):
        assert count(UNETLITE, *size).macs > 0


def test_a_size_that_the_network_cannot_take() -> None:
    with pytest.raises(SizeError, match="such as 512x256 or 520x264"):
        count(ERFNET, 513, 257)


def test_an_unknown_row() -> None:
    with pytest.raises(UnknownIdError, match=ERFNET):
        count("cityscapes-erfnet-1024x521", 64, 64)


class Broken(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 4, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        self.layer(image)
        raise ValueError("two lines\nof reason")


def test_a_failure_says_why_and_is_silent(capfd: pytest.CaptureFixture[str]) -> None:
    network = Broken()
    with pytest.raises(CountError, match="tower could not be counted at 64x32: two lines of reason"):
        count_model(network, 64, 32, name="tower")
    assert capfd.readouterr() == ("", "")
    assert not network.layer._forward_pre_hooks


def test_a_counted_network_stays_as_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    network = Classifier().train()
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    count_model(network, 64, 64)
    assert network.training
    assert all(torch.equal(value, weights[name]) for name, value in network.state_dict().items())
    assert not any(module._forward_pre_hooks or module._forward_hooks for module in network.modules())
    assert capfd.readouterr() == ("", "")


def test_ten_visitors_get_the_same_numbers_as_one() -> None:
    asked = [(row_id, 64 + 32 * step, 96) for step in range(3) for row_id in (UNETLITE, *ROWS.index[-7:-5])]
    alone = [count(*one) for one in asked]
    with ThreadPoolExecutor(10) as visitors:
        together = list(visitors.map(lambda one: count(*one), asked))
    for one, other in zip(alone, together, strict=True):
        assert (one.macs, one.params, one.peak_activation_values) == (
            other.macs,
            other.params,
            other.peak_activation_values,
        )
        assert one.uncounted == other.uncounted
        assert one.layers.equals(other.layers)


def test_the_counter_is_recorded() -> None:
    counted = count(UNETLITE, 64, 64)
    assert counted.ptflops_version == version("ptflops")
    assert counted.seconds > 0


class Real(TorchDispatchMode):
    """Sums the bytes of all tensors that operations give and that are not on meta."""

    bytes_made = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, torch.Tensor) and not tensor.is_meta:
                self.bytes_made += tensor.nbytes
        return result


def test_counting_allocates_no_real_tensors() -> None:
    with Real() as real:
        counted = count(XCEPTION, 2048, 1024, num_classes=7)  # which nothing else counts: it is built here
    assert counted.weights_bytes > 150_000_000
    assert real.bytes_made < 100_000
    with real:
        torch.ones(100, 1000)
    assert real.bytes_made >= 400_000  # it would have seen them


def test_a_count_elsewhere_is_the_same_and_leaves_this_process_without_torch() -> None:
    code = (
        "import sys\n"
        "from zoo.catalog import find_row\n"
        "from zoo.complexity.counting import count_elsewhere\n"
        f"found = count_elsewhere(find_row({UNETLITE!r}), 512, 256)\n"
        "assert 'torch' not in sys.modules\n"
        "print(found.layers.to_json(orient='split'), found.macs, found.params, sep='|', end='|')\n"
        "print(found.peak_activation_values, dict(found.uncounted), found.weights_bytes, sep='|', end='|')\n"
        "print(found.ptflops_version)\n"
    )
    home = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=home, check=True, capture_output=True, text=True)
    live = count(UNETLITE, 512, 256)
    wanted = (
        live.layers.to_json(orient="split"),
        live.macs,
        live.params,
        live.peak_activation_values,
        dict(live.uncounted),
        live.weights_bytes,
        live.ptflops_version,
    )
    assert done.stdout.strip().split("|") == [str(value) for value in wanted]
