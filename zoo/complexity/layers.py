"""What each layer of a forward pass costs: convolutions, linear layers, and every product of two matrices.

ptflops calls a function for each operation that it meets; those here write down the layer and give its MACs,
so that the layers always sum to ptflops' total. A bias addition is no MAC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from math import prod
from typing import Any

import torch
from ptflops.aten_ops import conv_flop
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils.flop_counter import flop_registry

aten = torch.ops.aten
ADDED = {aten.addmm, aten.addmv, aten.baddbmm, aten.addbmm}
"""Products whose first argument is what they are added to."""
PRODUCTS = ADDED | {aten.mm, aten.mv, aten.bmm, aten.dot, aten.vdot}
COUNTED = PRODUCTS | {aten.convolution}
MISSED = (set(flop_registry) | {aten._trilinear, aten._native_multi_head_attention}) - COUNTED
"""Operations that multiply matrices, as torch's own counter has them, and that no function here counts."""


class Layers:
    """The layers of one forward pass, in the order in which they run."""

    def __init__(self, model: nn.Module) -> None:
        self.found: list[dict[str, Any]] = []
        self._model = model
        self._running: list[tuple[str, nn.Module]] = []
        self._weights = {storage_key(value) for value in model.parameters()}
        self.hooks: dict[Any, Callable[..., int]] = {aten.convolution: self._convolution}
        self.hooks |= {packet: partial(self._product, packet) for packet in PRODUCTS}

    @contextmanager
    def named(self) -> Iterator[None]:
        """Follow which module runs, so that each layer has the name of the innermost one."""
        handles = []
        for path, module in self._model.named_modules():
            handles.append(module.register_forward_pre_hook(partial(self._enter, path)))
            handles.append(module.register_forward_hook(self._leave))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _enter(self, path: str, module: nn.Module, *_: object) -> None:
        self._running.append((path, module))

    def _leave(self, *_: object) -> None:
        self._running.pop()

    def _add(self, kind: str, image: Tensor, output: Tensor, macs: int, params: int, **more: Any) -> int:
        values = {"kernel": "", "stride": "", "dilation": "", "groups": 1} | more
        name = self._running[-1][0] if self._running else ""
        shapes = {"input_shape": tuple(image.shape), "output_shape": tuple(output.shape)}
        self.found.append({"name": name, "kind": kind, **values, **shapes, "macs": macs, "params": params})
        return macs

    def _convolution(self, args: Any, outputs: Any) -> int:
        image, weight, bias, stride, padding, dilation, transposed, output_padding, groups = args
        without_bias = (image, weight, None, stride, padding, dilation, transposed, output_padding, groups)
        kind = "transposed convolution" if transposed else "convolution"
        if groups > 1:
            kind = f"depthwise {kind}" if groups == image.shape[1] else f"grouped {kind}"
        return self._add(
            kind,
            image,
            outputs[0],
            int(conv_flop(without_bias, outputs)),
            _values(weight, bias),
            kernel=_by(weight.shape[2:]),
            stride=_by(stride),
            dilation=_by(dilation),
            groups=groups,
        )

    def _product(self, packet: Any, args: Any, outputs: Any) -> int:
        """A product with a weight is a linear layer; any other is a layer of its own kind."""
        bias, left, right = args[:3] if packet in ADDED else (None, *args[:2])
        macs = prod(left.shape) * (right.shape[-1] if right.dim() > 1 else 1)
        weight = next((side for side in (right, left) if storage_key(side) in self._weights), None)
        if weight is None:
            return self._add("matrix product", left, outputs[0], macs, 0)
        module = self._running[-1][1] if self._running else None
        if bias is None and isinstance(module, nn.Linear):
            bias = module.bias  # torch adds it by itself where the input is not contiguous
        image = left if weight is right else right
        return self._add("linear", image, outputs[0], macs, _values(weight, bias))


def storage_key(tensor: Tensor) -> int:
    """Return what all views of one tensor share."""
    return StorageWeakRef(tensor.untyped_storage()).cdata


def _values(weight: Tensor, bias: Tensor | None) -> int:
    return weight.numel() + (0 if bias is None else bias.numel())


def _by(pair: Iterable[int]) -> str:
    height, width = [*pair, *pair][:2]
    return f"{width}x{height}"
