"""Every product of two matrices is counted: by formula on tiny networks, and by torch's own counter."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from zoo.complexity import Complexity, count_model
from zoo.errors import CountError

# A picture of 48 x 32 gives 6 channels at 12 x 8 positions.
SIZE = (48, 32)
C, N = 6, 12 * 8
STEM = C * 3 * 16 * N


class Positions(nn.Module):
    """A convolution of stride 4, and a function of its output as (1, positions, channels)."""

    def __init__(self, function: Callable[["Positions", Tensor], Tensor]) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, C, 4, stride=4)
        self.linear = nn.Linear(C, 10)
        self.attention = nn.MultiheadAttention(C, 3, batch_first=True)
        self.bias = nn.Parameter(torch.zeros(1, N, N))
        self.function = function

    def forward(self, image: Tensor) -> Tensor:
        return self.function(self, self.stem(image).flatten(2).transpose(1, 2))


def heads(x: Tensor) -> Tensor:
    return x.unflatten(2, (3, 2)).transpose(1, 2)


def attend(x: Tensor, keys: Tensor, **options: bool) -> Tensor:
    return functional.scaled_dot_product_attention(x, keys, keys, **options)


GRAM = N * N * C
BY_FORMULA = {
    "bmm": (lambda net, x: torch.bmm(x, x.transpose(1, 2)), {"matrix product": GRAM}),
    "matmul": (lambda net, x: heads(x) @ heads(x).mT, {"matrix product": GRAM}),
    "matmul of two axes": (lambda net, x: x[0].T @ x[0], {"matrix product": C * C * N}),
    "a vector": (lambda net, x: x[0] @ x[0, 0], {"matrix product": N * C}),
    "einsum": (lambda net, x: torch.einsum("bnc,bmc->bnm", x, x), {"matrix product": GRAM}),
    "baddbmm": (lambda net, x: torch.baddbmm(net.bias, x, x.mT), {"matrix product": GRAM}),
    "addbmm": (lambda net, x: torch.addbmm(net.bias[0], x, x.mT), {"matrix product": GRAM}),
    "scaled dot product": (lambda net, x: attend(heads(x), heads(x)), {"matrix product": 2 * GRAM}),
    "of fewer keys": (lambda net, x: attend(heads(x), heads(x[:, ::4])), {"matrix product": 2 * GRAM // 4}),
    "causal": (lambda net, x: attend(heads(x), heads(x), is_causal=True), {"matrix product": 2 * GRAM}),
    "linear": (lambda net, x: net.linear(x.contiguous()), {"linear": N * C * 10}),
    "linear of a view": (lambda net, x: net.linear(x), {"linear": N * C * 10}),
    "nn.MultiheadAttention": (
        lambda net, x: net.attention(x, x, x, need_weights=False)[0],
        {"matrix product": 2 * GRAM, "linear": N * C * 4 * C},
    ),
}


def counted(function: Callable[[Positions, Tensor], Tensor]) -> Complexity:
    return count_model(Positions(function), *SIZE)


def torch_macs(function: Callable[[Positions, Tensor], Tensor]) -> float:
    network = Positions(function).to("meta").eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.empty(1, 3, SIZE[1], SIZE[0], device="meta"))
    return counter.get_total_flops() / 2


@pytest.mark.parametrize("name", BY_FORMULA)
def test_by_formula(name: str) -> None:
    function, macs = BY_FORMULA[name]
    found = counted(function)
    assert found.layers.groupby("kind")["macs"].sum().to_dict() == {"convolution": STEM} | macs
    assert found.macs == found.layers["macs"].sum()
    assert "scaled_dot" not in " ".join(found.uncounted)


# torch's counter knows neither a vector nor addbmm.
@pytest.mark.parametrize("name", sorted(BY_FORMULA.keys() - {"a vector", "addbmm"}))
def test_torch_counts_the_same(name: str) -> None:
    function, _ = BY_FORMULA[name]
    assert counted(function).macs == torch_macs(function)


def test_what_the_layer_table_says_of_a_product() -> None:
    layers = counted(BY_FORMULA["scaled dot product"][0]).layers.set_index("kind").loc["matrix product"]
    assert layers["input_shape"].tolist() == [(3, N, 2), (3, N, N)]
    assert layers["output_shape"].tolist() == [(3, N, N), (3, N, 2)]
    assert layers["params"].tolist() == [0, 0]
    assert layers["name"].tolist() == ["", ""]  # the network itself multiplies, not one of its parts


def test_a_linear_layer_has_its_parameters_however_torch_runs_it() -> None:
    for name in ("linear", "linear of a view"):
        layer = counted(BY_FORMULA[name][0]).layers.iloc[-1]
        assert (layer["name"], layer["params"]) == ("linear", 10 * C + 10)
        assert layer["input_shape"][-2:] == (N, C)


def test_a_product_has_the_name_of_the_module_that_multiplies() -> None:
    layers = counted(BY_FORMULA["nn.MultiheadAttention"][0]).layers
    assert set(layers["name"][layers["kind"] == "matrix product"]) == {"attention"}


def test_what_no_counter_sees_is_refused() -> None:
    weight = torch.ones(2, C, C, device="meta")
    with pytest.raises(CountError, match="multiplies matrices in _trilinear"):
        counted(lambda net, x: functional.bilinear(x, x, weight))
