"""Shapes of a graph's tensors at one input size, found node by node in execution order.

ONNX' own rules give each node's output; its reference implementation works out the little integers of the
chains Shape -> Gather -> Concat -> Resize, by which exports with free sizes say how large a tensor becomes.
Nothing larger is ever computed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, TypeProto, helper, numpy_helper
from onnx.defs import OpSchema, SchemaError, get_schema
from onnx.reference import ReferenceEvaluator
from onnx.shape_inference import InferenceError, infer_node_outputs

from zoo import limits

FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE)
SHAPE_VALUES = 1_000
"""A tensor of at most so many values may be part of the computation of a shape."""
# fmt: off
SHAPE_OPERATIONS = frozenset([
    "Abs", "Add", "And", "Cast", "CastLike", "Ceil", "Concat", "Constant", "ConstantOfShape", "Div",
    "Equal", "Expand", "Flatten", "Floor", "Gather", "Greater", "GreaterOrEqual", "Identity", "Less",
    "LessOrEqual", "Max", "Min", "Mod", "Mul", "Neg", "Not", "Or", "Pow", "Range", "ReduceMax",
    "ReduceMin", "ReduceProd", "ReduceSum", "Reshape", "Round", "ScatterElements", "ScatterND", "Shape",
    "Sign", "Size", "Slice", "Split", "Sqrt", "Squeeze", "Sub", "Tile", "Transpose", "Unsqueeze",
    "Where",
])
# fmt: on
"""What such computations are made of."""

_StandIn = tuple[str, Sequence[int] | slice]
_AS_ITS_INPUT: _StandIn = ("Relu", (0,))
_STAND_INS: dict[str, _StandIn] = {
    "FusedConv": ("Conv", (0, 1, 2)),
    "FusedGemm": ("Gemm", (0, 1, 2)),
    "QGemm": ("Gemm", (0, 3)),
    "QLinearAdd": ("Add", (0, 3)),
    "QLinearMul": ("Mul", (0, 3)),
    "QLinearConcat": ("Concat", slice(2, None, 3)),
    "QLinearGlobalAveragePool": ("GlobalAveragePool", (0,)),
    "QLinearAveragePool": ("AveragePool", (0,)),
    "QuantizeLinear": _AS_ITS_INPUT,
    "DequantizeLinear": _AS_ITS_INPUT,
    "QLinearSigmoid": _AS_ITS_INPUT,
    "QLinearLeakyRelu": _AS_ITS_INPUT,
    "QLinearSoftmax": _AS_ITS_INPUT,
    "Gelu": _AS_ITS_INPUT,
    "FastGelu": _AS_ITS_INPUT,
    "QuickGelu": _AS_ITS_INPUT,
    "BiasGelu": _AS_ITS_INPUT,
}
"""onnxruntime's own operations (domain com.microsoft), each as the ONNX operation whose output has its shape,
with the inputs that decide it."""


class Shapes:
    """The shape of every tensor of a graph, and which of them do not depend on the picture."""

    def __init__(
        self, proto: onnx.ModelProto, image: str, image_type: int, image_shape: Sequence[int]
    ) -> None:
        """Go through the whole graph with that input.

        Raises ValueError, naming the node, where a shape cannot be told or the size does not fit.
        """
        self._opsets = list(proto.opset_import)
        self._versions = {opset.domain or "ai.onnx": opset.version for opset in self._opsets}
        self._ir_version = proto.ir_version
        self._types: dict[str, TypeProto] = {}
        self._small: dict[str, TensorProto] = {}
        self.fixed: set[str] = set()
        """Names of weights, and of all that is worked out from weights and sizes alone."""
        self._made_values = 0
        self._types[image] = helper.make_tensor_type_proto(image_type, list(image_shape))
        for tensor in proto.graph.initializer:
            self._keep(tensor.name, tensor)
        for sparse in proto.graph.sparse_initializer:
            self._types[sparse.values.name] = helper.make_tensor_type_proto(
                sparse.values.data_type, list(sparse.dims)
            )
            self.fixed.add(sparse.values.name)
        for node in proto.graph.node:
            self._add(node)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return a tensor's shape."""
        return tuple(int(dim.dim_value) for dim in self._types[name].tensor_type.shape.dim)

    def values(self, name: str) -> int:
        """Return how many values a tensor has."""
        return math.prod(self.shape(name))

    def is_float(self, name: str) -> bool:
        """Return whether a tensor holds real numbers."""
        return self._types[name].tensor_type.elem_type in FLOATS

    def _keep(self, name: str, tensor: TensorProto) -> None:
        self._types[name] = helper.make_tensor_type_proto(tensor.data_type, list(tensor.dims))
        self.fixed.add(name)
        if math.prod(tensor.dims) <= SHAPE_VALUES:
            self._small[name] = tensor

    def _add(self, node: NodeProto) -> None:
        inputs = [name for name in node.input if name]
        unknown = [name for name in inputs if name not in self._types]
        if unknown:
            raise ValueError(f"{shown(node)} reads a tensor that nothing before it makes")
        for name, inferred in self._inferred(node).items():
            self._types[name] = _checked(node, inferred)
        of_size = node.op_type in ("Shape", "Size") and not node.domain
        if of_size or self.fixed.issuperset(inputs):
            self._work_out(node, inputs)

    def _inferred(self, node: NodeProto) -> dict[str, TypeProto]:
        stand_in, schema = self._schema(node)
        names = {name for name in stand_in.input if name}
        try:
            return infer_node_outputs(
                schema,
                stand_in,
                {name: self._types[name] for name in names},
                {name: self._small[name] for name in names if name in self._small},
                opset_imports=self._opsets,
                ir_version=self._ir_version,
            )
        except (InferenceError, RuntimeError, ValueError, TypeError) as error:
            reason = " ".join(str(error).split()).removeprefix("[ShapeInferenceError] ")
            raise ValueError(f"{shown(node)} cannot take what it gets ({reason[:120]})") from error

    def _schema(self, node: NodeProto) -> tuple[NodeProto, OpSchema]:
        """Return the rule for a node's output, and the node as that rule wants to see it."""
        if node.domain == "com.microsoft" and node.op_type in _STAND_INS:
            op_type, chosen = _STAND_INS[node.op_type]
            inputs = node.input[chosen] if isinstance(chosen, slice) else [node.input[at] for at in chosen]
            schema = get_schema(op_type, self._versions.get("ai.onnx", 1), "")
            stand_in = NodeProto(op_type=op_type, input=inputs, output=node.output)
            stand_in.attribute.extend(one for one in node.attribute if one.name in schema.attributes)
            return stand_in, schema
        domain = "" if node.domain == "ai.onnx" else node.domain
        try:
            return node, get_schema(node.op_type, self._versions.get(domain or "ai.onnx", 1), domain)
        except SchemaError as error:
            raise ValueError(f"{shown(node)} is an operation that is not known here") from error

    def _work_out(self, node: NodeProto, inputs: list[str]) -> None:
        """Note that a node's outputs are fixed, and their values where they may become a shape."""
        outputs = [name for name in node.output if name]
        self.fixed.update(outputs)
        if node.op_type == "Constant" and len(node.attribute) == 1 and node.attribute[0].HasField("t"):
            self._keep(outputs[0], node.attribute[0].t)
            return
        self._made_values += sum(self.values(name) for name in outputs)
        if self._made_values > limits.MODEL_VALUES:
            raise ValueError(
                f"{shown(node)} makes a constant of more than the {limits.MODEL_VALUES // 1_000_000} million "
                "values that are allowed"
            )
        if node.domain or node.op_type not in SHAPE_OPERATIONS:
            return
        if any(self.values(name) > SHAPE_VALUES for name in outputs):
            return
        if node.op_type in ("Shape", "Size"):
            given: dict[str, Any] = {inputs[0]: np.broadcast_to(np.int8(0), self.shape(inputs[0]))}
        elif all(name in self._small for name in inputs):
            given = {name: numpy_helper.to_array(self._small[name]) for name in inputs}
        else:
            return
        try:
            found = ReferenceEvaluator(node, opsets=self._versions_by_domain()).run(None, given)
        except Exception as error:  # whatever the reference raises about a stranger's shapes
            raise ValueError(f"{shown(node)} cannot be worked out ({str(error)[:120]})") from error
        for name, value in zip(outputs, found, strict=True):
            self._small[name] = numpy_helper.from_array(np.asarray(value), name)

    def _versions_by_domain(self) -> dict[str, int]:
        return {opset.domain: opset.version for opset in self._opsets}


def shown(node: NodeProto) -> str:
    """Return a node as a message may name it."""
    domain = f"{node.domain}." if node.domain not in ("", "ai.onnx") else ""
    return f"node {node.name or node.output[0]!r} ({domain}{node.op_type})"


def _checked(node: NodeProto, inferred: TypeProto) -> TypeProto:
    """Return what was inferred of an output if it is a tensor with every side known."""
    tensor = inferred.tensor_type
    known = inferred.HasField("tensor_type") and tensor.HasField("shape")
    if not known or not all(dim.HasField("dim_value") and dim.dim_value >= 0 for dim in tensor.shape.dim):
        raise ValueError(f"the shape of what {shown(node)} makes cannot be told from the input's size alone")
    return inferred
