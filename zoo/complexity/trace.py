"""What one forward pass does, operation by operation, seen from below torch's modules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import permutations
from typing import Any

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode

from zoo.complexity.layers import COUNTED, MISSED, aten, storage_key
from zoo.complexity.lifetimes import Convolved, Lifetimes

BATCH_NORMS = {"_native_batch_norm_legit_no_training", "native_batch_norm", "cudnn_batch_norm"}
IN_PLACE = BATCH_NORMS | {
    "native_layer_norm",
    "native_group_norm",
    "relu",
    "hardtanh",
    "hardswish",
    "hardsigmoid",
    "sigmoid",
    "silu",
    "gelu",
    "elu",
    "leaky_relu",
    "tanh",
    "mish",
    "softplus",
    "_prelu_kernel",
}
"""Norms and activations: any runtime writes their result over their input, unless that is read again."""
RESIZES = {aten.upsample_nearest2d.default, aten.upsample_bilinear2d.default, aten.upsample_bicubic2d.default}
VIEWS = {
    "view",
    "_unsafe_view",
    "_reshape_alias",
    "t",
    "transpose",
    "permute",
    "slice",
    "select",
    "split",
    "split_with_sizes",
    "unbind",
    "detach",
    "expand",
    "alias",
    "squeeze",
    "unsqueeze",
}


class Trace(TorchDispatchMode):
    """Records which tensors each operation reads and writes, and the operations that no counter counts."""

    def __init__(self, image: torch.Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch does not say its types here
        self.uncounted: Counter[str] = Counter()
        self.missed: set[str] = set()
        """Operations that multiply matrices, but that the live count cannot count."""
        self._storages: list[StorageWeakRef] = []  # kept, so that an address is never used twice
        self._buffer_of: dict[int, int] = {}
        self.lifetimes = Lifetimes()
        self._reads: Counter[int] = Counter()
        self._convolved: dict[int, Convolved] = {}
        self._buffer(image)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        packet = func._overloadpacket
        name = packet.__name__
        result = _known_result(func, name, args)
        if result is None:
            result = func(*args, **kwargs)
        self.lifetimes.next_step()
        if packet in MISSED:
            self.missed.add(name)
        tensors = _tensors([*args, *kwargs.values()])
        read = [self._buffer_of[key] for key in map(storage_key, tensors) if key in self._buffer_of]
        if not read:
            return result
        over = read[0] if name.rstrip("_") in IN_PLACE else None
        written = self._written(list(_tensors(result)), over)
        for buffer in [*read, *written]:
            self.lifetimes.use(buffer)
        self._reads.update({*read})
        self._follow_convolutions(packet, read, written)
        if packet not in COUNTED and name not in VIEWS:
            self.uncounted[name] += 1
        return result

    def _follow_convolutions(self, packet: Any, read: list[int], written: list[int]) -> None:
        """Note what convolutions make, and sums that a runtime has them write over the other summand."""
        if packet is aten.convolution:
            self._convolved[written[0]] = Convolved(read, written)
        elif packet.__name__ in BATCH_NORMS:
            if (before := self._only_read_here(read[0])) is not None:
                self._convolved[written[0]] = Convolved(before.read, before.written + written)
        elif packet is aten.add or packet is aten.add_:
            for summand, other in permutations(read, 2):
                if summand != other and (convolved := self._only_read_here(summand)) is not None:
                    self.lifetimes.add(convolved, other, written[0])
                    break

    def _only_read_here(self, buffer: int) -> Convolved | None:
        """Return the convolution that made a buffer which the operation at hand is the first to read."""
        return self._convolved.get(buffer) if self._reads[buffer] == 1 else None

    def _written(self, results: list[torch.Tensor], over: int | None) -> list[int]:
        """Return the buffers of an operation's results; of a norm, what is for training alone takes none."""
        if over is None or not results:
            return [self._buffer(result) for result in results]
        return [self._buffer(results[0], over)]

    def _buffer(self, tensor: torch.Tensor, over: int | None = None) -> int:
        key = storage_key(tensor)
        if key not in self._buffer_of:
            self._storages.append(StorageWeakRef(tensor.untyped_storage()))
            values = tensor.untyped_storage().nbytes() // tensor.element_size()
            self._buffer_of[key] = self.lifetimes.new_buffer(values, over)
        return self._buffer_of[key]


def _known_result(func: Any, name: str, args: Any) -> Any:
    """Return what frequent operations give on meta, where torch takes dozens of steps to find their shape."""
    if not args or not isinstance(image := args[0], torch.Tensor) or not image.is_meta:
        return None
    if name in IN_PLACE:
        for_training = [image.new_empty(0) for _ in func._schema.returns[1:]]
        return (torch.empty_like(image), *for_training) if for_training else torch.empty_like(image)
    if func in RESIZES:
        return image.new_empty((*image.shape[:2], *args[1]))
    return None


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _tensors(item)
