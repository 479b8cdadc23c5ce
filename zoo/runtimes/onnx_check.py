"""What an .onnx from outside must not have, found before any runtime or counter reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zoo import limits


def check_onnx(model: bytes) -> Any:
    """Return the ModelProto, or raise ValueError for what is no ONNX model, has external data anywhere, or
    more tensors or nodes than zoo.limits allows.

    onnxruntime reads any file under the working folder that a model given as bytes names as external data,
    in the graph, in sub-graphs and in functions alike: a visitor could read the server's files.
    """
    import onnx
    from google.protobuf.message import DecodeError

    try:
        proto = onnx.load_model_from_string(model)
    except DecodeError as error:
        raise ValueError("it is damaged or not an ONNX model") from error
    if not proto.graph.node:
        raise ValueError("it is damaged or not an ONNX model")
    _check_nodes(len(proto.graph.node) + sum(len(function.node) for function in proto.functions))
    nodes = tensors = 0
    for part in _parts(proto):
        if isinstance(part, onnx.NodeProto):
            nodes += 1
            _check_nodes(nodes)  # those of sub-graphs too
            continue
        tensors += 1
        if part.external_data or part.data_location == onnx.TensorProto.EXTERNAL:
            raise ValueError("it keeps data in other files, which are not read: save it as one file")
        if tensors > limits.MODEL_TENSORS:
            raise ValueError(f"it has more than the {limits.MODEL_TENSORS:,} tensors that are allowed")
    return proto


def _check_nodes(count: int) -> None:
    if count > limits.MODEL_NODES:
        raise ValueError(f"its graph has more than the {limits.MODEL_NODES:,} nodes that are allowed")


def _parts(message: Any) -> Iterator[Any]:
    """Yield every node and tensor in a message, however deep: all is looked at, so none can hide."""
    from onnx import NodeProto, TensorProto

    waiting = [message]
    while waiting:
        found = waiting.pop()
        if isinstance(found, TensorProto):
            yield found
            continue
        if isinstance(found, NodeProto):
            yield found
        for field, value in found.ListFields():
            if field.message_type is not None:
                waiting.extend(
                    value if hasattr(value, "__len__") and not hasattr(value, "ListFields") else [value]
                )
