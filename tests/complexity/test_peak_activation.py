"""Peak activation: by hand on tiny networks, and by the definition, word for word, on random ones."""

from collections.abc import Callable
from pathlib import Path

import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from tests.models.networks import exported, picture
from zoo.complexity import count_model

PIXELS = 32 * 32


class Function(nn.Module):
    """A network of one convolution (3 to 8 channels), called as a function says."""

    def __init__(self, function: Callable[[nn.Module, torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 1)
        self.norm = nn.BatchNorm2d(8)
        self.function = function

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.function(self, image)


def keep_the_image(net: nn.Module, image: torch.Tensor) -> torch.Tensor:
    return torch.cat([net.conv(image), image], 1)


def add(net: nn.Module, image: torch.Tensor) -> torch.Tensor:
    first = net.conv(image)
    return first + net.conv(image)


def pre_activated(net: nn.Module, image: torch.Tensor) -> torch.Tensor:
    x = net.conv(image)
    return x + torch.relu(x)


def attend(net: nn.Module, image: torch.Tensor) -> torch.Tensor:
    x = net.conv(image).flatten(2)[..., :64]  # 8 channels at 64 positions of 1024, in the whole's buffer
    weights = functional.softmax(x.mT @ x, dim=-1)
    return weights @ x.mT


SCORES = 64 * 64 / PIXELS
NORMS_AND_ACTIVATIONS = [
    functional.relu,
    functional.relu6,
    functional.hardsigmoid,
    functional.hardswish,
    functional.sigmoid,
    functional.tanh,
    functional.silu,
    functional.gelu,
    functional.elu,
    functional.leaky_relu,
    functional.mish,
    functional.softplus,
    lambda x: functional.prelu(x, torch.zeros(8, device="meta")),
    lambda x: functional.layer_norm(x, x.shape[1:]),
    lambda x: functional.group_norm(x, 4),
    lambda x: functional.instance_norm(x),
]


@pytest.mark.parametrize("function", NORMS_AND_ACTIVATIONS)
def test_a_norm_or_activation_is_in_place(function: Callable[[torch.Tensor], torch.Tensor]) -> None:
    # Beside its input it would need 8 + 8 channels.
    network = Function(lambda net, image: function(net.conv(image)))
    assert count_model(network, 32, 32).peak_activation_values == (3 + 8) * PIXELS


@pytest.mark.parametrize(
    ("function", "channels"),
    [
        (lambda net, image: net.conv(image), 3 + 8),
        (lambda net, image: torch.relu(net.norm(net.conv(image))), 3 + 8),  # in place
        (lambda net, image: functional.hardswish(net.conv(image), inplace=True), 3 + 8),
        (lambda net, image: net.conv(image).flatten(2).transpose(1, 2), 3 + 8),  # views
        (lambda net, image: functional.softmax(net.conv(image), 1), 8 + 8),  # neither norm nor activation
        (pre_activated, 8 + 8 + 8),  # what is read again is not written over
        (attend, 8 + 2 * SCORES),
        (keep_the_image, 3 + 8 + 11),
        (add, 8 + 8 + 8),
        (lambda net, image: functional.interpolate(net.conv(image), scale_factor=2), 8 + 32),
        (lambda net, image: functional.max_pool2d(image, 2), 3 + 3 / 4 * 2),  # with its indices
    ],
)
def test_by_hand(function: Callable[..., torch.Tensor], channels: float) -> None:
    assert count_model(Function(function), 32, 32).peak_activation_values == channels * PIXELS


def shortcut(net: nn.Module, x: torch.Tensor) -> torch.Tensor:
    return net.norm(net.on(x)) + x


def shortcut_in_place(net: nn.Module, x: torch.Tensor) -> torch.Tensor:
    out = net.on(x)
    out += x
    return torch.relu(out)


def projections(net: nn.Module, x: torch.Tensor) -> torch.Tensor:
    return net.on(net.narrow(x)) + net.on(x)


def activated(net: nn.Module, x: torch.Tensor) -> torch.Tensor:
    return torch.relu(net.on(x)) + x


def used_again(net: nn.Module, x: torch.Tensor) -> torch.Tensor:
    branch = net.on(x)
    return torch.cat([branch + x, branch], 1)


def spread(net: nn.Module, x: torch.Tensor) -> torch.Tensor:
    return net.on(x) + functional.adaptive_avg_pool2d(x, 1)


def doubled(net: nn.Module, x: torch.Tensor) -> torch.Tensor:
    branch = net.on(x)
    return branch + branch


class Summing(nn.Module):
    """A convolution to 16 channels, sums as a function says, and a convolution to one."""

    def __init__(self, function: Callable[[nn.Module, torch.Tensor], torch.Tensor], channels: int) -> None:
        super().__init__()
        self.function = function
        self.first, self.on, self.narrow = nn.Conv2d(3, 16, 1), nn.Conv2d(16, 16, 1), nn.Conv2d(16, 16, 1)
        self.norm = nn.BatchNorm2d(16)
        self.last = nn.Conv2d(channels, 1, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.last(self.function(self, self.first(image)))


SUMS = [
    (shortcut, 16, 3 + 16, 1),  # the sum is written over x: nothing is wider than the first convolution
    (shortcut_in_place, 16, 3 + 16, 1),
    (projections, 16, 16 + 16 + 16, 1),  # x, the narrow branch that waits, and the other one
    (activated, 16, 16 + 16 + 16, 0),
    (used_again, 32, 16 + 16 + 32, 0),
    (spread, 16, 16 + 16, 0),
    (doubled, 16, 16 + 16, 0),
]


@pytest.mark.parametrize(("function", "channels", "at_once", "_fused"), SUMS)
def test_a_run_adds_to_what_lies_there(
    function: Callable[..., torch.Tensor], channels: int, at_once: int, _fused: int
) -> None:
    counted = count_model(Summing(function, channels), 32, 32)
    assert counted.run_peak_values == pytest.approx(at_once * PIXELS, abs=16)  # beside a pooled pixel


@pytest.mark.parametrize(("function", "channels", "_at_once", "fused"), SUMS)
def test_the_runtime_adds_where_the_count_says(
    function: Callable[..., torch.Tensor], channels: int, _at_once: int, fused: int, tmp_path: Path
) -> None:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.log_severity_level = 4
    model = exported(Summing(function, channels).eval(), picture(32, 32), free=False)
    onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    nodes = onnx.load(options.optimized_model_filepath).graph.node
    convolutions = [len(node.input) for node in nodes if node.op_type in ("Conv", "FusedConv")]
    assert convolutions.count(4) == fused  # picture, weight, bias, and what is added


class Graph(nn.Module):
    """A random network: each step reads one or two earlier tensors (0 is the image) and writes one."""

    def __init__(self, steps: list[tuple[int, int, int | None]]) -> None:
        super().__init__()
        self.steps, self.channels, self.reads = [], [3], []
        self.layers = nn.ModuleList()
        for width, first, second in steps:
            read = [first % len(self.channels)]
            if second is None:
                self.layers.append(nn.Conv2d(self.channels[read[0]], width, 1))
                self.channels.append(width)
            else:
                read.append(second % len(self.channels))
                self.layers.append(nn.Identity())
                self.channels.append(sum(self.channels[index] for index in read))
            self.reads.append(read)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        made = [image]
        for layer, read in zip(self.layers, self.reads, strict=True):
            made.append(layer(made[read[0]]) if len(read) == 1 else torch.cat([made[at] for at in read], 1))
        return made[-1]

    def peak_by_definition(self, *, before_last: bool = False) -> int:
        last = {index: index for index in range(len(self.channels))}
        for step, read in enumerate(self.reads, start=1):
            last.update(dict.fromkeys(read, step))
        alive = [
            sum(width for made, width in enumerate(self.channels) if made <= step <= last[made])
            for step in range(len(self.channels) - before_last)
        ]
        return max(alive) * PIXELS


indices = st.integers(0, 50)
steps = st.lists(st.tuples(st.integers(1, 9), indices, st.none() | indices), min_size=1, max_size=8)


@given(steps)
@settings(max_examples=60)
def test_by_definition(drawn: list[tuple[int, int, int | None]]) -> None:
    network = Graph(drawn)
    counted = count_model(network, 32, 32)
    assert counted.peak_activation_values == network.peak_by_definition()
    assert counted.run_peak_values == network.peak_by_definition(before_last=True)
