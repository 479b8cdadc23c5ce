"""The smallest .tflite files: one operation on a picture, written with the format's own schema."""

from __future__ import annotations

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

WIDTH, HEIGHT = 48, 32
_TYPES = {"float32": schema.TensorType.FLOAT32, "uint8": schema.TensorType.UINT8}


def channels_of(dtype: str, first: int, count: int, scale: float | None = None) -> bytes:
    """Return a model that gives `count` channels of its RGB input (1, HEIGHT, WIDTH, 3), from `first` on.

    `dtype` is float32 or uint8; with `scale` the bytes mean real numbers, scale * byte.
    """
    shape = [1, HEIGHT, WIDTH, 3]
    model = schema.ModelT()
    model.version = 3
    buffers = [b"", np.int32([0, 0, 0, first]).tobytes(), np.int32([1, HEIGHT, WIDTH, count]).tobytes()]
    model.buffers = [_buffer(data) for data in buffers]
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.SLICE
    code.version = 2 if dtype == "uint8" else 1
    model.operatorCodes = [code]
    kind = _TYPES[dtype]
    graph = schema.SubGraphT()
    graph.tensors = [
        _tensor("image", shape, kind, 0, scale),
        _tensor("begin", [4], schema.TensorType.INT32, 1),
        _tensor("size", [4], schema.TensorType.INT32, 2),
        _tensor("planes", [*shape[:3], count], kind, 0, scale),
    ]
    graph.inputs, graph.outputs = [0], [3]
    operator = schema.OperatorT()
    operator.inputs, operator.outputs = [0, 1, 2], [3]
    operator.builtinOptionsType = schema.BuiltinOptions.SliceOptions
    operator.builtinOptions = schema.SliceOptionsT()
    graph.operators = [operator]
    model.subgraphs = [graph]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _buffer(data: bytes) -> schema.BufferT:
    buffer = schema.BufferT()
    if data:
        buffer.data = np.frombuffer(data, np.uint8)
    return buffer


def _tensor(
    name: str, shape: list[int], kind: int, buffer: int, scale: float | None = None
) -> schema.TensorT:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.type, tensor.buffer = name.encode(), shape, kind, buffer
    if scale is not None:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [scale], [0]
    return tensor
