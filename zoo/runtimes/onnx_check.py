"""What an .onnx from outside must not have, found before any runtime reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zoo import limits


def check_onnx(model: bytes) -> None:
    """Raise ValueError for what is no ONNX model, has external data anywhere, or too many tensors.

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
    for count, tensor in enumerate(_tensors(proto), 1):
        if tensor.external_data or tensor.data_location == onnx.TensorProto.EXTERNAL:
            raise ValueError("it keeps data in other files, which are not read: save it as one file")
        if count > limits.MODEL_TENSORS:
            raise ValueError(f"it has more than the {limits.MODEL_TENSORS:,} tensors that are allowed")


def _tensors(message: Any) -> Iterator[Any]:
    """Yield every TensorProto in a message, however deep: all of a model is looked at, so none can hide."""
    from onnx import TensorProto

    waiting = [message]
    while waiting:
        found = waiting.pop()
        if isinstance(found, TensorProto):
            yield found
            continue
        for field, value in found.ListFields():
            if field.message_type is not None:
                waiting.extend(
                    value if hasattr(value, "__len__") and not hasattr(value, "ListFields") else [value]
                )
