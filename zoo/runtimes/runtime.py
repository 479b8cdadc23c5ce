"""What a runtime is: it runs a network on one input and gives back its raw output."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

import numpy.typing as npt

from zoo.errors import InputError
from zoo.sizes import Size

if TYPE_CHECKING:  # rows come with pandas, which the processes for files from outside do without
    from zoo.rows import Row

StepProgress = Callable[[str], None]
"""Told, in words, each step that may take a while."""

WEIGHTS_FORMATS = ("pth", "safetensors")
"""Files of tensors for a network of ours; every other format is a model file, with its network in it."""


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


ModelFile = str | os.PathLike[str] | bytes


class Loading(NamedTuple):
    """How a model file is to be loaded; a runtime that knows nothing of one of them leaves it out."""

    size: Size | None = None
    """The input size to fix where the file leaves it free: that runs a tenth faster."""
    keep_memory: bool = True
    """Hold on to what a run took for the next one: faster too, where it is little."""
    threads: int | None = None
    """Of the processor, that a run takes; None for all."""


DEFAULT = Loading()
LoadFile = Callable[[ModelFile, Loading], Network]
LoadRow: TypeAlias = "Callable[[Row, str], Network]"


@cache
def _is_installed(package: str) -> bool:
    """Return whether a module is there; looked up once, for it is asked at each mask."""
    return find_spec(package) is not None


@dataclass(frozen=True)
class Runtime:
    """One way to run networks."""

    name: str
    package: str
    """The module that has to be installed."""
    file_format: str | None = None
    """The model files that it reads: onnx or tflite. Networks of ours come to those of onnx as an export."""
    load_file: LoadFile | None = None
    """(model file, how to load it) -> Network."""
    load_row: LoadRow | None = None
    """(row, path of its weights) -> Network, for a runtime that builds networks of ours itself."""
    by_name_only: bool = False
    """It is never taken unless it is asked for."""

    @property
    def installed(self) -> bool:
        """Whether it can be used here."""
        return _is_installed(self.package)

    def runs(self, file_format: str) -> bool:
        """Return whether it can run weights or a model file of this format."""
        if file_format in WEIGHTS_FORMATS:
            return self.load_row is not None or self.file_format == "onnx"
        return file_format == self.file_format

    def open_file(self, model: ModelFile, loading: Loading) -> Network:
        """Return a model file as a Network. Raises InputError where it reads none."""
        if self.load_file is None:
            raise InputError(f"{self.name} reads no model files: take another runtime.")
        return self.load_file(model, loading)
