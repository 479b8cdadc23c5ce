"""The numbers of a network's cost formula, read off live counts at sizes that tell its terms apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any

import numpy as np

from zoo.complexity import Complexity
from zoo.costs import TERMS, factors
from zoo.errors import CountError
from zoo.sizes import Size

READ_AT = (Size(4096, 2048), Size(1332, 859), Size(520, 264))
"""At the first all strides tell apart. A grid that SegFormer reduces rounds down where a stride's rounds up:
the second parts those of strides 4, 8 and 16, the third all of them from stride 32."""


def read_formula(count: Callable[[Size], Complexity], size_multiple: int = 1) -> dict[str, int]:
    """Return the number of each term of zoo.costs, from what `count` counts.

    Both sides of the sizes asked for are multiples of `size_multiple`. Raises CountError for a network whose
    cost at these sizes is no sum of those terms.
    """
    sizes = [Size(*(-(-side // size_multiple) * size_multiple for side in size)) for size in READ_AT]
    counts = [count(size) for size in sizes]
    table = factors(np.array([size.width for size in sizes]), np.array([size.height for size in sizes]))
    by_grid = {tuple(values): term for term, values in zip(TERMS, table.tolist(), strict=True)}
    numbers = dict.fromkeys(TERMS, 0)
    pooled = np.zeros(len(sizes), np.int64)
    for positions, macs in _layers(counts):
        if positions in by_grid:
            numbers[by_grid[positions]] += macs[0] // positions[0]
        else:
            pooled += macs
    # No grid of SwiftNet's pooling has a term, but all of them together have one, and one cost.
    numbers["pooled"] = int(pooled[0]) // int(table[TERMS.index("pooled"), 0])
    found = np.array([numbers[term] for term in TERMS]) @ table
    for size, formula, counted in zip(sizes, found.tolist(), counts, strict=True):
        if formula != counted.macs:
            raise CountError(
                f"{counted.id} has no formula: at {size} the sum of its terms is {formula} MACs, not "
                f"{counted.macs}."
            )
    return numbers


def _layers(counts: Sequence[Complexity]) -> Iterator[tuple[tuple[int, ...], list[int]]]:
    """Yield each layer's positions (of a product: pairs of them) and MACs at each of the sizes."""
    tables = [counted.layers.to_dict("records") for counted in counts]
    if len({tuple(layer["name"] for layer in table) for table in tables}) != 1:
        raise CountError(f"{counts[0].id} has no formula: its layers depend on the input size.")
    for layers in zip(*tables, strict=True):
        sides = zip(*(_sides(layer) for layer in layers), strict=True)
        grown = [side for side in sides if len(set(side)) > 1]
        yield tuple(map(prod, zip(*grown, strict=True))) or (1,) * len(counts), [x["macs"] for x in layers]


def _sides(layer: dict[Any, Any]) -> list[int]:
    """Return what a layer's MACs are the product of, as far as it may depend on the input size."""
    if "convolution" in layer["kind"]:
        shape = layer["input_shape"] if "transposed" in layer["kind"] else layer["output_shape"]
        return [prod(shape[2:])]
    return [*layer["input_shape"], *layer["output_shape"][-1:]]
