"""Reading a formula off live counts: a tiny network by hand, and what has no formula."""

from collections.abc import Callable

import numpy as np
import pytest
from torch import Tensor, nn

from zoo.complexity import count_model
from zoo.complexity.formula import READ_AT, read_formula
from zoo.costs import TERMS, factors
from zoo.errors import CountError
from zoo.sizes import Size


class Reduced(nn.Module):
    """Attention at stride 4 on a grid 8 times coarser, rounded down, and the mean of all positions."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 5, stride=4, padding=2)
        self.reduce = nn.Conv2d(6, 6, 8, stride=8)
        self.keys = nn.Linear(6, 6)
        self.up = nn.ConvTranspose2d(6, 2, 2, stride=2)
        self.mean = nn.Linear(2, 7, bias=False)

    def forward(self, image: Tensor) -> Tensor:
        x = self.stem(image)
        keys = self.keys(self.reduce(x).flatten(2).mT)
        seen = ((x.flatten(2).mT @ keys.mT) @ keys).mT.reshape(x.shape)
        return self.mean(self.up(seen).mean((2, 3)))


class Function(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, image: Tensor) -> Tensor:
        return self.function(image)


def read(network: nn.Module) -> dict[str, int]:
    return read_formula(lambda size: count_model(network, *size))


def test_a_tiny_network_by_hand() -> None:
    expected = {
        "cost_4": 3 * 6 * 25 + 6 * 2 * 4,
        "reduced_4": 6 * 6 * 64 + 6 * 6,
        "attention_4": 2 * 6,
        "constant": 2 * 7,
    }
    assert read(Reduced()) == dict.fromkeys(TERMS, 0) | expected


def test_all_terms_tell_apart() -> None:
    sides = np.array(READ_AT).T
    tuples = set(map(tuple, factors(*sides).tolist()))
    assert len(tuples) == len(TERMS)


def quadratic(image: Tensor) -> Tensor:
    return image.flatten(2).mT[:, ::4] @ image.flatten(2)[..., ::4]


def unpadded(image: Tensor) -> Tensor:
    return nn.functional.conv2d(image, image.new_ones(2, 3, 3, 3))


def changing(image: Tensor) -> Tensor:
    return image @ image.mT if image.shape[-1] > 1000 else image


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (quadratic, "at 4096x2048 the sum of its terms is"),
        (unpadded, "at 4096x2048 the sum of its terms is"),
        (changing, "its layers depend on the input size"),
    ],
)
def test_what_has_no_formula(function: Callable[[Tensor], Tensor], reason: str) -> None:
    with pytest.raises(CountError, match=f"has no formula: {reason}"):
        read(Function(function))


def test_sizes_that_a_network_takes() -> None:
    asked: list[Size] = []

    def count(size: Size) -> object:
        asked.append(size)
        return count_model(Reduced(), *size)

    read_formula(count, size_multiple=16)
    assert asked == [(4096, 2048), (1344, 864), (528, 272)]
