"""The live count: MACs, parameters, layers and activation memory of a network at any size.

ptflops (backend aten) on meta tensors is the counter of record: no memory, no arithmetic. Through its custom
hooks (layers.py) bias additions are left out, every matrix product is counted, and each layer is seen, so
that the layers always sum to the total.
"""

from __future__ import annotations

import copy
import io
import threading
import time
from functools import lru_cache
from typing import Any

import pandas as pd
import torch
from ptflops import get_model_complexity_info
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from zoo.catalog import check_row_size, find_row
from zoo.complexity.layers import Layers
from zoo.complexity.result import LAYER_COLUMNS, Complexity
from zoo.complexity.trace import Trace
from zoo.errors import CountError
from zoo.models import build_network, check_classes
from zoo.rows import Network, Row
from zoo.sizes import Size, check_size

_lock = threading.Lock()  # networks are kept and shared; their names are read through hooks


def count(row_id: str | Row, width: int, height: int, *, num_classes: int | None = None) -> Complexity:
    """Return the live count of a row's network.

    Raises UnknownIdError, NotOursError for a row that no family builds, SizeError for a size that is out of
    range or that the network cannot take, InputError for a class count that is none, and CountError.
    """
    row = find_row(row_id)
    size = check_row_size(row, width, height)
    classes = check_classes(row.num_classes if num_classes is None else num_classes)
    return count_network(row.built, classes, size, name=row.id)


def count_network(network: Network, num_classes: int, size: Size, *, name: str) -> Complexity:
    """Return the live count of a network of ours; see `count`."""
    with _lock:
        return _count(name, _network(network, num_classes), size)


def count_model(model: nn.Module, width: int, height: int, *, name: str = "network") -> Complexity:
    """Return the live count of any network that takes (1, 3, H, W); it stays as it is.

    Raises SizeError for a size that is out of range, and CountError.
    """
    size = check_size(width, height)
    with _lock:
        return _count(name, _meta_copy(model).eval(), size)


def _meta_copy(model: nn.Module) -> nn.Module:
    """Return a copy of a network on meta, without ever holding its weights twice."""
    stand_ins: dict[int, Any] = {
        id(value): nn.Parameter(torch.empty_like(value, device="meta"), requires_grad=False)
        for value in model.parameters()
    }
    stand_ins |= {id(value): torch.empty_like(value, device="meta") for value in model.buffers()}
    return copy.deepcopy(model, stand_ins)


@lru_cache(maxsize=64)
def _network(network: Network, num_classes: int) -> nn.Module:
    return build_network(network, num_classes, device="meta")


class _Shell(nn.Module):
    """Hides a network's children from ptflops, which would leave its hooks on them, and keeps its failure."""

    def __init__(self, model: nn.Module, trace: Trace) -> None:
        super().__init__()
        self.held = (model, trace)
        self.failure: Exception | None = None

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        model, trace = self.held
        try:
            # Scaled dot product attention as the products that it is made of: ptflops sees no other form.
            with trace, sdpa_kernel(SDPBackend.MATH):
                return model(image)
        except Exception as error:  # ptflops would print it and go on
            self.failure = error
            return image


def _count(name: str, model: nn.Module, size: Size) -> Complexity:
    began = time.perf_counter()
    image = torch.empty((1, 3, size.height, size.width), device="meta")
    trace = Trace(image)
    shell = _Shell(model, trace)
    layers = Layers(model)
    with torch.no_grad(), layers.named():
        macs, _ = get_model_complexity_info(
            shell,
            (3, size.height, size.width),
            print_per_layer_stat=False,
            as_strings=False,
            input_constructor=lambda _: image,
            ost=io.StringIO(),
            custom_modules_hooks=layers.hooks,
            backend="aten",
        )
    if shell.failure is not None or macs is None:
        reason = " ".join(str(shell.failure).split())
        raise CountError(f"{name} could not be counted at {size}: {reason}") from shell.failure
    table = pd.DataFrame(layers.found, columns=LAYER_COLUMNS)
    if trace.missed or int(table["macs"].sum()) != int(macs):
        where = ", ".join(sorted(trace.missed)) or "no layer"
        raise CountError(f"{name} multiplies matrices in {where}, which is not counted: use torch.matmul.")
    params = sum(parameter.numel() for parameter in model.parameters())
    return Complexity(
        id=name,
        width=size.width,
        height=size.height,
        macs=int(macs),
        params=params,
        layers=table.assign(share=100 * table["macs"] / max(int(macs), 1)),
        peak_activation_values=trace.lifetimes.peak_values(),
        run_peak_values=trace.lifetimes.run_peak_values(),
        weights_bytes=4 * params,
        uncounted=dict(trace.uncounted),
        seconds=time.perf_counter() - began,
    )
