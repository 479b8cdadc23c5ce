"""What each operation of a graph costs: a table from operation to the layer that it is.

A MAC is one multiply-accumulate of a convolution, transposed convolution or matrix product; a bias is none.
An operation that is not in the table is not counted.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from onnx import NodeProto, helper

from zoo.complexity.onnx_shapes import Shapes


class _Operation(NamedTuple):
    """Where a counted operation has its input, its weights and its bias."""

    layer: Callable[[NodeProto, Shapes, str, str], dict[str, Any]]
    data: int = 0
    weight: int = 1
    bias: int = 2


def layer_of(node: NodeProto, shapes: Shapes) -> dict[str, Any] | None:
    """Return a node as a line of the layer table (without its name), or None if it is not counted."""
    operation = _OPERATIONS.get((node.domain if node.domain != "ai.onnx" else "", node.op_type))
    if operation is None:
        return None
    data, weight = node.input[operation.data], node.input[operation.weight]
    bias = node.input[operation.bias] if operation.bias < len(node.input) else ""
    params = sum(shapes.values(name) for name in {data, weight, bias} & shapes.fixed)
    line = {
        "kernel": "",
        "stride": "",
        "dilation": "",
        "groups": 1,
        "input_shape": shapes.shape(weight if data in shapes.fixed else data),
        "output_shape": shapes.shape(node.output[0]),
        "params": params,
    }
    return line | operation.layer(node, shapes, data, weight)


def weights_of(node: NodeProto) -> set[str]:
    """Return the names of a node's weights and bias, whatever their type; empty if it is not counted."""
    operation = _OPERATIONS.get((node.domain if node.domain != "ai.onnx" else "", node.op_type))
    if operation is None:
        return set()
    return {
        node.input[at] for at in (operation.data, operation.weight, operation.bias) if at < len(node.input)
    }


def _convolution(node: NodeProto, shapes: Shapes, data: str, weight: str) -> dict[str, Any]:
    return _filtered(node, shapes, data, weight, "convolution", shapes.values(node.output[0]))


def _transposed(node: NodeProto, shapes: Shapes, data: str, weight: str) -> dict[str, Any]:
    return _filtered(node, shapes, data, weight, "transposed convolution", shapes.values(data))


def _filtered(
    node: NodeProto, shapes: Shapes, data: str, weight: str, kind: str, positions: int
) -> dict[str, Any]:
    """Return a convolution's line; `positions` is the number of values that its filters are put to."""
    given = {one.name: helper.get_attribute_value(one) for one in node.attribute}
    groups, filters = int(given.get("group", 1)), shapes.shape(weight)
    kernel = filters[2:]
    if groups > 1:
        kind = f"depthwise {kind}" if groups == shapes.shape(data)[1] else f"grouped {kind}"
    ones = [1] * len(kernel)
    return {
        "kind": kind,
        "kernel": _by(kernel),
        "stride": _by(given.get("strides", ones)),
        "dilation": _by(given.get("dilations", ones)),
        "groups": groups,
        "macs": positions * math.prod(filters[1:]),
    }


def _gemm(node: NodeProto, shapes: Shapes, data: str, weight: str) -> dict[str, Any]:
    turned = any(one.name == "transA" and one.i for one in node.attribute)
    depth = shapes.shape(data)[0 if turned else 1]
    return {"kind": "linear", "macs": shapes.values(node.output[0]) * depth}


def _product(node: NodeProto, shapes: Shapes, data: str, weight: str) -> dict[str, Any]:
    kind = "linear" if shapes.fixed & {data, weight} else "matrix product"
    return {"kind": kind, "macs": shapes.values(node.output[0]) * shapes.shape(data)[-1]}


def _by(sides: Any) -> str:
    """Return a kernel's sides with the width first."""
    return "x".join(map(str, reversed(list(sides))))


_OPERATIONS = {
    ("", "Conv"): _Operation(_convolution),
    ("", "ConvTranspose"): _Operation(_transposed),
    ("", "Gemm"): _Operation(_gemm),
    ("", "MatMul"): _Operation(_product),
    ("", "ConvInteger"): _Operation(_convolution, bias=9),
    ("", "QLinearConv"): _Operation(_convolution, weight=3, bias=8),
    ("", "MatMulInteger"): _Operation(_product, bias=9),
    ("", "QLinearMatMul"): _Operation(_product, weight=3, bias=9),
    ("com.microsoft", "FusedConv"): _Operation(_convolution),
    ("com.microsoft", "FusedGemm"): _Operation(_gemm),
    ("com.microsoft", "QGemm"): _Operation(_gemm, weight=3, bias=6),
}
