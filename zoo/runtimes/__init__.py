"""Runtimes: each runs a network on one input and gives back its raw output.

`Network` is all that prediction knows of them. The files here: `export` makes and keeps the .onnx of a row's
network, `onnxruntime_session`, `torch_module` and `litert` are the three runtimes, and `sandbox` (with its
`worker`) runs a model file from outside in a process of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy.typing as npt

StepProgress = Callable[[str], None]
"""Told, in words, each step that may take a while."""


@dataclass(frozen=True)
class InputSpec:
    """What a network takes: one RGB picture, batch of 1."""

    layout: str = "NCHW"
    """NCHW or NHWC."""
    dtype: str = "float32"
    """Name of a numpy type: integers get raw RGB, floats get the row's preprocessing."""
    height: int | None = None
    width: int | None = None
    """None where the size is free."""

    @classmethod
    def of(cls, shape: list[Any], dtype: str) -> InputSpec:
        """Return the spec of an input of four dimensions; what is no positive integer in it is free.

        Raises ValueError unless it has a batch of 1 and three channels.
        """
        sides = [side if isinstance(side, int) and side > 0 else None for side in shape]
        if len(sides) != 4 or sides[0] not in (None, 1) or 3 not in (sides[1], sides[3]):
            raise ValueError(f"its input has shape {list(shape)[:8]}, not one RGB picture")
        if dtype not in ("float32", "float16", "uint8", "int8"):
            raise ValueError(f"its input is of type {dtype}, not float or 8-bit")
        if sides[1] == 3:
            return cls("NCHW", dtype, sides[2], sides[3])
        return cls("NHWC", dtype, sides[1], sides[2])


class Network(Protocol):
    """A network with its weights, ready to run; safe to share between threads."""

    @property
    def spec(self) -> InputSpec:
        """What `run` takes."""

    def run(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the first output for an input as `spec` says."""
