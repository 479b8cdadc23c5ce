"""The float graph made ready for 8 bits, and the 8-bit graph that onnxruntime's quantizer makes of it.

Weights have 8 bits with zero point 128 in every channel, activations 8 bits with a zero point of their own.
Unsigned weights are on purpose: on processors without 8-bit dot products onnxruntime multiplies unsigned
activations by signed weights in 16-bit sums that saturate: UNetLite lost 1.4 to 3.5 points of mIoU by it.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from zoo.errors import InferenceError
from zoo.quantization.ranges import Range
from zoo.runtimes.last_resize import cut_last_resize
from zoo.sizes import Size

WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")
_FOLLOWED = ("Relu", "Clip")
"""Operations that become one with the layer before them."""


@dataclass(frozen=True)
class Prepared:
    """A float graph whose input is `scale` * (pixel - `zero`), with the paddings that raw pixels need."""

    model: onnx.ModelProto
    image: str
    output: str
    scale: float
    zero: int
    pads: tuple[int, ...] = ()
    """Of the first convolution, where its padding has to be written into the picture."""
    pad_values: tuple[int, int, int] = (0, 0, 0)
    """The pixel of each channel that the normalisation takes to about 0."""

    def values(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the float input for raw pixels (1, 3, H, W)."""
        return (pixels.astype(np.float32) - np.float32(self.zero)) * np.float32(self.scale)

    @property
    def properties(self) -> dict[str, str]:
        """What the float file says of itself."""
        return {entry.key: entry.value for entry in self.model.metadata_props}

    @property
    def last(self) -> list[str]:
        """Names of the nodes that stay in float: the last layer on each way to the output, and the rest."""
        makers = {name: node for node in self.model.graph.node for name in node.output}
        waiting, names = [self.output], []
        while waiting:
            node = makers.get(waiting.pop())
            if node is None or node.name in names:
                continue
            names.append(node.name)
            if node.op_type not in WEIGHTED:
                waiting += node.input
        return names


def prepare(model: bytes, mean: Sequence[float], std: Sequence[float]) -> Prepared:
    """Return a float network in the form that is quantized: at its own stride, with raw pixels in reach.

    `model` is an .onnx whose one input is (x - mean) / std, RGB, NCHW. A last bilinear resize of the kind
    that zoo.labelling does is left to it. The normalisation becomes the input's scale and zero point where
    one for all channels says it exactly; else it goes into the weights of the first convolution.
    Raises InferenceError if the first layer cannot take it.
    """
    proto = _simplified(model)
    graph = proto.graph
    for number, node in enumerate(graph.node):
        node.name = node.name or f"{node.op_type}_{number}"
    cut_last_resize(graph)
    image, output = graph.input[0].name, graph.output[0].name
    uniform = len(set(mean)) == 1 and len(set(std)) == 1 and float(mean[0]).is_integer()
    if uniform and 0 <= mean[0] <= 255:
        return Prepared(_with_shapes(proto), image, output, 1 / std[0], int(mean[0]))
    values = (round(mean[0]), round(mean[1]), round(mean[2]))
    zero = round(sum(mean) / 3)
    pads = _fold(graph, image, np.asarray(mean) - zero, np.asarray(std))
    return Prepared(_with_shapes(proto), image, output, 1.0, zero, pads, values)


def _simplified(model: bytes) -> onnx.ModelProto:
    """Return the model as onnxruntime's basic optimizer leaves it: constants folded, batch norms too."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    with tempfile.TemporaryDirectory(prefix="segselect-") as folder:
        options.optimized_model_filepath = str(Path(folder) / "model.onnx")
        onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        return onnx.load(options.optimized_model_filepath)


def _with_shapes(proto: onnx.ModelProto) -> onnx.ModelProto:
    return onnx.shape_inference.infer_shapes(proto)


def _fold(
    graph: onnx.GraphProto, image: str, shift: npt.NDArray[Any], std: npt.NDArray[Any]
) -> tuple[int, ...]:
    """Make the first convolution take pixels less one number, `shift` short of the mean; return its pads."""
    users = [node for node in graph.node if image in node.input and node.op_type != "Shape"]
    if [node.op_type for node in users] != ["Conv"]:
        raise InferenceError(
            "the network cannot be quantized: its first layer is not one convolution, which could take up "
            "the normalisation of its input."
        )
    first = users[0]
    stored = {tensor.name: tensor for tensor in graph.initializer}
    weight = numpy_helper.to_array(stored[first.input[1]]).astype(np.float64)
    bias = (
        numpy_helper.to_array(stored[first.input[2]]).astype(np.float64) if len(first.input) > 2 else 0.0
    ) - np.einsum("oihw,i->o", weight, shift / std)
    weight = weight / std[:, None, None]
    for name, values in (("folded_weight", weight), ("folded_bias", bias)):
        graph.initializer.append(numpy_helper.from_array(values.astype(np.float32), name))
    first.input[:] = [image, "folded_weight", "folded_bias"]
    pads = next((tuple(part.ints) for part in first.attribute if part.name == "pads"), ())
    return pads if any(pads) else ()


def quantize_graph(prepared: Prepared, ranges: Mapping[str, Range] | None = None) -> onnx.ModelProto:
    """Return the network in 8 bits (QDQ): uint8 pixels in, float logits out.

    `ranges` by tensor name; without them every range is 0 to 1, which shows what would be quantized.
    """
    from onnxruntime.quantization import QuantType, TensorData, TensorsData
    from onnxruntime.quantization.calibrate import CalibrationMethod
    from onnxruntime.quantization.qdq_quantizer import QDQQuantizer
    from onnxruntime.quantization.registry import QDQRegistry, QLinearOpsRegistry

    model = onnx.ModelProto()
    model.CopyFrom(prepared.model)
    known = _for_all_tensors(model.graph, ranges)
    quantizer = QDQQuantizer(
        model,
        True,  # per channel
        False,  # the whole range of 8 bits
        QuantType.QUInt8,
        QuantType.QUInt8,
        TensorsData(
            CalibrationMethod.MinMax,
            {
                name: TensorData(
                    lowest=np.array(found.low, np.float32), highest=np.array(found.high, np.float32)
                )
                for name, found in known.items()
            },
        ),
        [],
        prepared.last,
        sorted({*QDQRegistry, *QLinearOpsRegistry}),
        {
            "WeightSymmetric": True,
            "TensorQuantOverrides": {
                prepared.image: [
                    {
                        "quant_type": QuantType.QUInt8,
                        "scale": np.array(prepared.scale, np.float32),
                        "zero_point": np.array(prepared.zero, np.uint8),
                    }
                ]
            },
        },
    )
    quantizer.quantize_model()
    found: onnx.ModelProto = quantizer.model.model
    _take_pixels(found.graph, prepared)
    return found


def _for_all_tensors(graph: onnx.GraphProto, ranges: Mapping[str, Range] | None) -> dict[str, Range]:
    """Return a range for every tensor that onnxruntime asks for.

    It wants one for a layer's output too that a Relu takes over at once, and then does not use it.
    """
    known = dict(ranges or {})
    for node in graph.node:
        for name in node.output:
            if ranges is None:
                known[name] = Range(0.0, 1.0)
            elif node.op_type in _FOLLOWED and name in known:
                known.setdefault(node.input[0], known[name])
    known[graph.input[0].name] = Range(0.0, 1.0)
    return known


def _take_pixels(graph: onnx.GraphProto, prepared: Prepared) -> None:
    """Make the input uint8, in place of the quantization of a float one, and pad it where that was folded."""
    image = prepared.image
    quantizing = next(node for node in graph.node if node.op_type == "QuantizeLinear" and image in node.input)
    raw = image
    graph.node.remove(quantizing)
    graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.UINT8
    dequantizing = next(node for node in graph.node if quantizing.output[0] in node.input)
    if prepared.pads:
        raw = "padded_image"
        for node in reversed(_padding(graph, prepared, raw)):
            graph.node.insert(0, node)
        first = next(node for node in graph.node if "folded_bias" in str(node.input))
        for attribute in first.attribute:
            if attribute.name == "pads":
                attribute.ints[:] = [0] * len(prepared.pads)
    dequantizing.input[0] = raw


def _padding(graph: onnx.GraphProto, prepared: Prepared, name: str) -> list[onnx.NodeProto]:
    """Return nodes that pad each channel of the image with its own value."""
    top, left, bottom, right = prepared.pads
    graph.initializer.append(
        numpy_helper.from_array(np.array([0, 0, top, left, 0, 0, bottom, right], np.int64), "padding")
    )
    nodes = [helper.make_node("Split", [prepared.image], [f"channel_{at}" for at in range(3)], axis=1)]
    for at, value in enumerate(prepared.pad_values):
        graph.initializer.append(numpy_helper.from_array(np.array(value, np.uint8), f"padding_{at}"))
        nodes.append(helper.make_node("Pad", [f"channel_{at}", "padding", f"padding_{at}"], [f"padded_{at}"]))
    return [*nodes, helper.make_node("Concat", [f"padded_{at}" for at in range(3)], [name], axis=1)]


def stored_tensors(model: onnx.ModelProto) -> dict[str, tuple[str, float, int]]:
    """Return, for each activation that is quantized, the tensor of its 8 bits, its scale and zero point."""
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    return {
        node.input[0]: (
            node.output[0],
            float(numpy_helper.to_array(constants[node.input[1]])),
            int(numpy_helper.to_array(constants[node.input[2]])),
        )
        for node in model.graph.node
        if node.op_type == "QuantizeLinear" and node.input[0] not in constants
    }


def constant(model: onnx.ModelProto, name: str) -> npt.NDArray[Any]:
    """Return a stored tensor by name."""
    return numpy_helper.to_array(next(tensor for tensor in model.graph.initializer if tensor.name == name))


def tensor_bytes(prepared: Prepared, size: Size) -> dict[str, int]:
    """Return the bytes of the float tensors at an input size, as far as shapes can be told beforehand."""
    model = onnx.ModelProto()
    model.CopyFrom(prepared.model)
    for side, pixels in ((2, size.height), (3, size.width)):
        model.graph.input[0].type.tensor_type.shape.dim[side].dim_value = pixels
    del model.graph.value_info[:]  # of any size
    known = onnx.shape_inference.infer_shapes(model, data_prop=True)
    return {
        value.name: 4 * math.prod(dim.dim_value for dim in value.type.tensor_type.shape.dim)
        for value in known.graph.value_info
        if all(dim.HasField("dim_value") for dim in value.type.tensor_type.shape.dim)
    }


def with_properties(model: onnx.ModelProto, properties: Mapping[str, str]) -> bytes:
    """Return the file of a model that says this of itself."""
    helper.set_model_props(model, dict(properties))
    return model.SerializeToString()


def layers(prepared: Prepared) -> Iterator[tuple[str, str, str]]:
    """Yield each layer with weights: its name, its weights' tensor, and the tensor that it gives.

    A Relu or Clip right behind a layer belongs to it.
    """
    graph = prepared.model.graph
    constants = {tensor.name for tensor in graph.initializer}
    users: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    for node in graph.node:
        if node.op_type in WEIGHTED and node.input[1] in constants:
            output = node.output[0]
            following = users.get(output, [])
            if len(following) == 1 and following[0].op_type in _FOLLOWED:
                output = following[0].output[0]
            yield _path(node.name), node.input[1], output


def _path(name: str) -> str:
    """Return the module's path in what torch's exporter calls a node: /a/a.0/Conv is a.0."""
    parts = name.strip("/").split("/")
    if len(parts) < 2:
        return name
    outer = parts[:-1]
    kept = [
        part for part, inner in zip(outer, [*outer[1:], ""], strict=True) if not inner.startswith(f"{part}.")
    ]
    return ".".join(kept)


def dequantized_weights(model: onnx.ModelProto, name: str) -> npt.NDArray[np.float64] | None:
    """Return what the 8 bits of a weight stand for; None if it stayed in float."""
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    found = [constants.get(f"{name}_{part}") for part in ("quantized", "scale", "zero_point")]
    node = next((node for node in model.graph.node if f"{name}_quantized" in node.input), None)
    if node is None or any(part is None for part in found):
        return None
    values, scale, zero = (
        numpy_helper.to_array(part).astype(np.float64) for part in found if part is not None
    )
    axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 0)
    shape = [-1 if side == axis else 1 for side in range(values.ndim)]
    if scale.ndim:
        scale, zero = scale.reshape(shape), zero.reshape(shape)
    return (values - zero) * scale
