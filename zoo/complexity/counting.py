"""Counting whatever a row stands for: a network of ours live, an own .onnx in a process of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pandas as pd

from zoo import limits
from zoo.catalog import check_row_size, find_row
from zoo.complexity.result import LAYER_COLUMNS, PTFLOPS_VERSION, Complexity
from zoo.errors import CountError, InputError, ModelFileError, shown_name
from zoo.rows import Row
from zoo.runtimes.isolated import IdlePool, IsolatedProcess
from zoo.sizes import Size

COUNTED_BY = "onnx graph"
MULTIPLYING = frozenset(
    {"Attention", "DeformConv", "Einsum", "GRU", "LSTM", "MultiHeadAttention", "QAttention", "RNN"}
    | {"DynamicQuantizeLSTM", "DynamicQuantizeMatMul", "FusedMatMul", "MatMulIntegerToFloat", "MatMulNBits"}
)
"""Operations of a graph that multiply and accumulate, and are not counted."""


class GraphProcess:
    """An .onnx from outside in a process of its own, ready to be counted."""

    def __init__(self, path: Path) -> None:
        """Start the process and have it read the model.

        Raises ModelFileError for one that is refused, InferenceError where its process died.
        """
        self._name = shown_name(path)
        self._process = IsolatedProcess(path)
        try:
            content = np.fromfile(path, np.uint8)
            self.said = self._process.ask_json("describe", {}, content, refusal=ModelFileError)
        except BaseException:
            self.close()
            raise

    def count(self, size: Size, name: str | None = None) -> Complexity:
        """Return the count at a size; `name` is its id. Raises ModelFileError for one that does not fit."""
        began = time.perf_counter()
        nothing = np.empty(0, np.uint8)
        found = self._process.ask_json("count", {"size": list(size)}, nothing, refusal=ModelFileError)
        self.output_shape: tuple[int, ...] = tuple(map(int, found["output_shape"]))
        return _complexity(name or self._name, size, found, began)

    def close(self) -> None:
        """End the process."""
        self._process.close()


_kept: IdlePool[GraphProcess] = IdlePool(1, limits.SANDBOX_IDLE_SECONDS, limits.SANDBOX_KEPT_SECONDS)
_live: IdlePool[IsolatedProcess] = IdlePool(1, limits.SANDBOX_IDLE_SECONDS, limits.SANDBOX_KEPT_SECONDS)
_one_live_count = Lock()


@contextmanager
def graph_process(path: Path, sha256: str) -> Iterator[GraphProcess]:
    """Give the process of an .onnx from outside: the one of the last question if it still waits."""
    with _kept.borrow(sha256, lambda: GraphProcess(path)) as process:
        yield process


def count(row: str | Row, width: int, height: int, *, num_classes: int | None = None) -> Complexity:
    """Return the count of a row's network at any size it takes: live by torch, or from its own graph.

    Raises UnknownIdError, NotOursError for a row without a network, SizeError for a size that is out of range
    or that the network cannot take, InputError for a class count that is none, ModelFileError and CountError.
    """
    found = find_row(row)
    if found.own is None:
        from zoo.complexity.live import count as count_live

        return count_live(found, width, height, num_classes=num_classes)
    if num_classes is not None:
        raise InputError(f"{found.own.name} has the classes that it has: give no other number.")
    return _count_own(found.own.path, found.own.sha256, found.id, found.own.check_size(width, height))


def count_elsewhere(row: Row, width: int, height: int) -> Complexity:
    """Return `count` of a row, in a process of its own: this one neither imports torch nor waits for it.

    Raises as `count` does, and InferenceError where the process died.
    """
    if row.own is not None:
        return count(row, width, height)
    size = check_row_size(row, width, height)
    began = time.perf_counter()
    order = {"network": row.built, "num_classes": row.num_classes, "size": size, "name": row.id}
    # In turn: each such process holds a torch of its own.
    with _one_live_count, _live.borrow("live", _live_process) as process:
        found = process.ask_json("live", order, np.empty(0, np.uint8), refusal=CountError)
    return replace(_complexity(row.id, size, found, began), ptflops_version=PTFLOPS_VERSION)


def _live_process() -> IsolatedProcess:
    return IsolatedProcess("the live count", ours=True)


def missed_in(counted: Complexity) -> tuple[str, ...]:
    """Return what an own network multiplies in that is not counted: its MACs are then at least those told."""
    return tuple(sorted(MULTIPLYING.intersection(counted.uncounted)))


@lru_cache(maxsize=32)
def _count_own(path: Path, sha256: str, name: str, size: Size) -> Complexity:
    with graph_process(path, sha256) as process:
        return process.count(size, name)


def _complexity(name: str, size: Size, found: dict[str, Any], began: float) -> Complexity:
    """Return an answer of the process as what it says, in types that it does not choose."""
    layers = [_layer(layer) for layer in found["layers"]]
    macs, params = int(found["macs"]), int(found["params"])
    table = pd.DataFrame(layers, columns=LAYER_COLUMNS)
    return Complexity(
        id=name,
        width=size.width,
        height=size.height,
        macs=macs,
        params=params,
        layers=table.assign(share=100 * table["macs"] / max(macs, 1)),
        peak_activation_values=int(found["peak_activation_values"]),
        weights_bytes=4 * params,
        uncounted={shown_name(kind, 40): int(times) for kind, times in found["uncounted"].items()},
        seconds=time.perf_counter() - began,
        ptflops_version=COUNTED_BY,
    )


def _layer(layer: dict[str, Any]) -> dict[str, Any]:
    texts = {key: shown_name(str(layer[key]).replace("/", "."), 120) for key in ("name", "kind")}
    texts |= {key: shown_name(layer[key] or " ").strip() for key in ("kernel", "stride", "dilation")}
    shapes = {key: tuple(map(int, layer[key])) for key in ("input_shape", "output_shape")}
    return texts | shapes | {key: int(layer[key]) for key in ("groups", "macs", "params")}
