"""An .onnx from outside, counted from its graph at any size it takes: no torch, no arithmetic on tensors.

Meant for the isolated process (`zoo.complexity.onnx_task`): what it raises are ValueErrors with the reason.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import onnx
from onnx import NodeProto, helper, inliner

from zoo import limits
from zoo.complexity.lifetimes import Lifetimes
from zoo.complexity.onnx_layers import layer_of, weights_of
from zoo.complexity.onnx_shapes import Shapes, shown
from zoo.runtimes import InputSpec
from zoo.runtimes.onnx_check import check_onnx

# fmt: off
VIEWS = frozenset([
    "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Transpose", "Slice", "Expand", "Split",
    "Dropout",
])
# fmt: on
"""Their results share the memory of what they read."""
# fmt: off
IN_PLACE = frozenset([
    "BatchNormalization", "InstanceNormalization", "LayerNormalization", "GroupNormalization", "Relu",
    "Clip", "HardSwish", "HardSigmoid", "Sigmoid", "Tanh", "Elu", "LeakyRelu", "PRelu", "Gelu", "Erf",
    "Softplus", "Mish", "Swish", "QuantizeLinear", "DequantizeLinear",
])
# fmt: on
"""Norms, activations, steps to 8 bits and back: written over what they read, if nothing else reads that."""
ARITHMETIC = frozenset({"Add", "Sub", "Mul", "Div"})
"""With a constant, or with what shares their memory, they are parts of a norm or an activation."""
_NO_WEIGHTS = {
    "BatchNormalization": (3, 4),  # running mean and variance: statistics
    "QuantizeLinear": (1, 2),
    "DequantizeLinear": (1, 2),
    "Resize": (1, 2, 3),
    "Upsample": (1,),
    "Pad": (1, 2, 3),
}
"""Inputs of real numbers that are no weights."""


@dataclass
class OnnxGraph:
    """A model that has been read and checked."""

    proto: onnx.ModelProto
    image: str
    """The name of its one input."""
    spec: InputSpec
    names: dict[int, str] = field(default_factory=dict)
    """Of its counted layers, by their place among the nodes."""

    @classmethod
    def read(cls, model: bytes) -> OnnxGraph:
        """Read a model from its bytes. Raises ValueError with what is wrong."""
        proto = check_onnx(model)
        if proto.functions:
            _check_inlined_nodes(proto)
            proto = inliner.inline_local_functions(proto)
        for node in proto.graph.node:
            if any(one.HasField("g") or one.graphs for one in node.attribute):
                raise ValueError(f"{shown(node)} is control flow, whose costs depend on the picture")
        _sort(proto.graph)
        weights = {tensor.name for tensor in proto.graph.initializer}
        inputs = [one for one in proto.graph.input if one.name not in weights]
        if len(inputs) != 1:
            raise ValueError(f"it takes {len(inputs)} inputs, not one RGB picture")
        tensor = inputs[0].type.tensor_type
        dtype = helper.tensor_dtype_to_np_dtype(tensor.elem_type).name if tensor.elem_type else "unknown"
        shape = [dim.dim_value if dim.HasField("dim_value") else None for dim in tensor.shape.dim]
        return cls(proto, inputs[0].name, InputSpec.of(shape, dtype), dict(_layer_names(proto)))

    def shapes_at(self, width: int, height: int) -> Shapes:
        """Return the shapes of all tensors at an input size. Raises ValueError for one that does not fit."""
        sides = (3, height, width) if self.spec.layout == "NCHW" else (height, width, 3)
        of_type = helper.np_dtype_to_tensor_dtype(_numpy_dtype(self.spec.dtype))
        return Shapes(self.proto, self.image, of_type, (1, *sides))

    def count_at(self, width: int, height: int) -> dict[str, Any]:
        """Return what `zoo.complexity.Complexity` says of a network, as plain values.

        Raises ValueError for a size that the network cannot take.
        """
        shapes = self.shapes_at(width, height)
        layers, uncounted = [], Counter[str]()
        weights: dict[str, int] = {}
        memory = _Memory(self.image, shapes)
        for place, node in enumerate(self.proto.graph.node):
            if shapes.fixed.issuperset(name for name in node.output if name):
                continue
            weights |= _weights(node, shapes)
            memory.run(node)
            layer = layer_of(node, shapes)
            if layer is not None:
                layers.append({"name": self.names[place], **layer})
            elif node.op_type not in VIEWS:
                uncounted[node.op_type] += 1
        return {
            "width": width,
            "height": height,
            "macs": sum(layer["macs"] for layer in layers),
            "params": sum(weights.values()),
            "layers": layers,
            "peak_activation_values": memory.lifetimes.peak_values(),
            "uncounted": dict(uncounted),
            "output_shape": shapes.shape(self.proto.graph.output[0].name),
        }


def _sort(graph: onnx.GraphProto) -> None:
    """Put a graph's nodes into an order in which each finds what it reads, near the one they have.

    Quantizers append nodes at the end that belong in front. What reads a tensor that nothing makes, or goes
    round in a circle, stays behind, where `Shapes` names it.
    """
    place_of = {name: place for place, node in enumerate(graph.node) for name in node.output if name}
    waits_for = [{place_of[name] for name in node.input if name in place_of} for node in graph.node]
    if all(max(places, default=-1) < place for place, places in enumerate(waits_for)):
        return
    readers: dict[int, list[int]] = {}
    for place, places in enumerate(waits_for):
        for other in places:
            readers.setdefault(other, []).append(place)
    missing = [len(places) for places in waits_for]
    ready = [place for place, count in enumerate(missing) if count == 0]
    order = []
    while ready:
        place = heapq.heappop(ready)
        order.append(place)
        for reader in readers.get(place, []):
            missing[reader] -= 1
            if missing[reader] == 0:
                heapq.heappush(ready, reader)
    order += sorted(set(range(len(missing))).difference(order))
    nodes = [graph.node[place] for place in order]
    del graph.node[:]
    graph.node.extend(nodes)


class _Memory:
    """Which tensors share memory, and how long each is alive."""

    def __init__(self, image: str, shapes: Shapes) -> None:
        self.lifetimes = Lifetimes()
        self._shapes = shapes
        self._buffer_of = {image: self.lifetimes.new_buffer(shapes.values(image))}

    def run(self, node: NodeProto) -> None:
        """Go on to a node, which reads its inputs and writes its outputs."""
        self.lifetimes.next_step()
        read = [self._buffer_of[name] for name in node.input if name in self._buffer_of]
        written = [self._buffer(node, name, read) for name in node.output if name]
        for buffer in [*read, *written]:
            self.lifetimes.use(buffer)

    def _buffer(self, node: NodeProto, output: str, read: list[int]) -> int:
        if node.op_type in VIEWS:
            self._buffer_of[output] = read[0]
            return read[0]
        alone = node.op_type in ARITHMETIC and len(set(read)) == 1
        in_place = (alone or node.op_type in IN_PLACE) and self._same_size(node, output)
        values = self._shapes.values(output)
        self._buffer_of[output] = self.lifetimes.new_buffer(values, read[0] if in_place else None)
        return self._buffer_of[output]

    def _same_size(self, node: NodeProto, output: str) -> bool:
        """Return whether a result is as large as what is read: a stretched one needs room of its own."""
        first = next(name for name in node.input if name in self._buffer_of)
        return self._shapes.values(first) == self._shapes.values(output)


def _weights(node: NodeProto, shapes: Shapes) -> dict[str, int]:
    """Return the weights that a node reads, by name, with their number of values; a single number is none."""
    left_out = {node.input[at] for at in _NO_WEIGHTS.get(node.op_type, ()) if at < len(node.input)}
    chosen = (shapes.fixed & set(node.input)) - left_out
    if node.op_type.startswith("QLinear") or node.domain == "com.microsoft":
        chosen &= weights_of(node)  # the others are scales and zero points
    of_layer = weights_of(node)
    return {
        name: shapes.values(name)
        for name in chosen
        if shapes.shape(name) and (name in of_layer or shapes.is_float(name))
    }


def _check_inlined_nodes(proto: onnx.ModelProto) -> None:
    """Raise ValueError if a model's functions, put where they are called, make too large a graph.

    Ten functions that each call the next one ten times are few bytes and ten thousand million nodes.
    """
    functions = {(one.domain, one.name): one for one in proto.functions}
    sizes: dict[tuple[str, str], int] = {}

    def size(nodes: Any, depth: int) -> int:
        if depth > len(functions):
            raise ValueError("its functions call themselves")
        total = 0
        for node in nodes:
            key = (node.domain, node.op_type)
            if key in functions and key not in sizes:
                sizes[key] = size(functions[key].node, depth + 1)
            total += sizes.get(key, 1)
        return total

    if len(functions) > limits.MODEL_FUNCTIONS:
        raise ValueError(f"it has more than the {limits.MODEL_FUNCTIONS} functions that are allowed")
    if size(proto.graph.node, 0) > limits.MODEL_NODES:
        raise ValueError(f"its graph has more than the {limits.MODEL_NODES:,} nodes that are allowed")


def _layer_names(proto: onnx.ModelProto) -> Iterator[tuple[int, str]]:
    """Yield a name for every node that can be counted, with its place: its module's, where that shows.

    torch names a node /decoder/pred/pred.1/pred.1.0/Conv, where each part repeats the one before.
    """
    seen: Counter[str] = Counter()
    for place, node in enumerate(proto.graph.node):
        if not weights_of(node):
            continue
        parts: list[str] = []
        for part in node.name.strip("/").split("/"):
            if parts and part.startswith(f"{parts[-1]}."):
                parts.pop()
            parts.append(part)
        if len(parts) > 1 and parts[-1].startswith(node.op_type):
            parts.pop()
        name = ".".join(filter(None, parts)) or node.op_type
        seen[name] += 1
        yield place, name if seen[name] == 1 else f"{name} ({seen[name]})"


def _numpy_dtype(name: str) -> Any:
    import numpy as np

    return np.dtype(name)
