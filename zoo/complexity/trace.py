"""What one forward pass does, operation by operation, seen from below torch's modules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode

COUNTED = {"convolution", "_convolution", "addmm", "mm", "bmm", "matmul"}
IN_PLACE = {
    "_native_batch_norm_legit_no_training",
    "native_batch_norm",
    "cudnn_batch_norm",
    "relu",
    "hardtanh",
    "hardswish",
    "hardsigmoid",
    "sigmoid",
    "silu",
    "gelu",
    "elu",
    "leaky_relu",
}
"""Norms and activations: any runtime writes their result over their input."""
VIEWS = {
    "view",
    "_unsafe_view",
    "t",
    "transpose",
    "permute",
    "slice",
    "detach",
    "expand",
    "alias",
    "unsqueeze",
}


class Trace(TorchDispatchMode):
    """Records which tensors each operation reads and writes, and the operations that no counter counts."""

    def __init__(self, image: torch.Tensor) -> None:
        super().__init__()
        self.uncounted: Counter[str] = Counter()
        self._storages: list[StorageWeakRef] = []  # kept, so that an address is never used twice
        self._buffer_of: dict[int, int] = {}
        self._values: list[int] = []
        self._born: list[int] = []
        self._last_use: list[int] = []
        self._step = 0
        self._buffer(image, None)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        name = func._overloadpacket.__name__
        self._step += 1
        read = [self._buffer_of[key] for key in map(_key, _tensors(args)) if key in self._buffer_of]
        if not read:
            return result
        over = read[0] if name.rstrip("_") in IN_PLACE else None
        written = [self._buffer(tensor, over) for tensor in _tensors(result)]
        for buffer in [*read, *written]:
            self._last_use[buffer] = self._step
        if name not in COUNTED and name not in VIEWS:
            self.uncounted[name] += 1
        return result

    def peak_values(self) -> int:
        """Return the largest sum of tensors alive at once, in values."""
        change = [0] * (self._step + 2)
        for values, born, last in zip(self._values, self._born, self._last_use, strict=True):
            change[born] += values
            change[last + 1] -= values
        peak = alive = 0
        for step in change:
            alive += step
            peak = max(peak, alive)
        return peak

    def _buffer(self, tensor: torch.Tensor, over: int | None) -> int:
        key = _key(tensor)
        if key not in self._buffer_of:
            self._storages.append(StorageWeakRef(tensor.untyped_storage()))
            if over is None:
                self._values.append(tensor.untyped_storage().nbytes() // tensor.element_size())
                self._born.append(self._step)
                self._last_use.append(self._step)
                over = len(self._values) - 1
            self._buffer_of[key] = over
        return self._buffer_of[key]


def _key(tensor: torch.Tensor) -> int:
    return StorageWeakRef(tensor.untyped_storage()).cdata


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _tensors(item)
