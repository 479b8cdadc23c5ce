"""Counting from a graph: small graphs by formula, torch's counter on the same network, what is refused."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import NodeProto, TensorProto, helper, numpy_helper
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from tests.hostile_files import BAD_GRAPHS
from zoo.complexity.onnx_graph import OnnxGraph


def weights(name: str, *shape: int, dtype: Any = np.float32) -> TensorProto:
    return numpy_helper.from_array(np.ones(shape, dtype), name)


def integers(name: str, *values: int) -> TensorProto:
    return numpy_helper.from_array(np.array(values, np.int64), name)


def node(op_type: str, inputs: str, output: str, **attributes: Any) -> NodeProto:
    """Return a node; names of inputs are separated by blanks, and "-" is one that is left out."""
    names = ["" if name == "-" else name for name in inputs.split()]
    return helper.make_node(op_type, names, output.split(), name=f"/{output}/{op_type}", **attributes)


def graph(
    nodes: Sequence[NodeProto],
    constants: Sequence[TensorProto] = (),
    shape: Sequence[object] = (1, 3, "h", "w"),
    dtype: int = TensorProto.FLOAT,
) -> OnnxGraph:
    made = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info("x", dtype, list(shape))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        list(constants),
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(made, opset_imports=opsets)
    model.ir_version = 8
    return OnnxGraph.read(model.SerializeToString())


def exported(network: nn.Module, width: int, height: int) -> OnnxGraph:
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter announces its end
        torch.onnx.export(
            network.eval(),
            (torch.zeros(1, 3, height, width),),
            file,
            opset_version=17,
            input_names=["x"],
            output_names=["y"],
            dynamic_axes={"x": {2: "h", 3: "w"}},
            dynamo=False,
        )
    return OnnxGraph.read(file.getvalue())


def macs(counted: dict[str, Any]) -> dict[str, int]:
    return {layer["name"]: layer["macs"] for layer in counted["layers"]}


class Classifier(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, (3, 5), stride=2, padding=(1, 2))
        self.wide = nn.Conv2d(8, 8, 3, padding=6, dilation=6, groups=8, bias=False)
        self.grouped = nn.Sequential(nn.Conv2d(8, 12, 1, groups=4))
        self.up = nn.ConvTranspose2d(12, 6, 3, stride=2, padding=1, output_padding=1)
        self.biased = nn.Linear(6, 10)
        self.plain = nn.Linear(10, 4, bias=False)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        features = torch.relu(self.up(self.grouped(self.wide(self.stem(image)))))
        features = nn.functional.interpolate(features, size=image.shape[2:], mode="bilinear")
        tokens = features.flatten(2).transpose(1, 2)
        attention = torch.matmul(tokens, tokens.transpose(1, 2))
        return self.plain(self.biased(torch.matmul(attention.softmax(2), tokens)).mean(1))


def test_every_kind_of_layer_by_formula_and_by_torchs_counter() -> None:
    network = Classifier()
    counted = exported(network, 40, 24).count_at(50, 38)
    rows = 50 * 38
    assert macs(counted) == {
        "stem": 3 * 8 * 15 * 25 * 19,
        "wide": 8 * 9 * 25 * 19,
        "grouped.0": 8 * 12 // 4 * 25 * 19,
        "up": 12 * 6 * 9 * 25 * 19,
        "MatMul": rows * rows * 6,
        "MatMul_1": rows * rows * 6,
        "biased": rows * 6 * 10,
        "plain": 10 * 4,
    }
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 3, 38, 50))
    assert counted["macs"] == counter.get_total_flops() // 2
    assert counted["params"] == sum(value.numel() for value in network.parameters())


def test_what_the_layer_table_says() -> None:
    layers = {layer["name"]: layer for layer in exported(Classifier(), 40, 24).count_at(50, 38)["layers"]}
    assert {name: layer["kind"] for name, layer in layers.items()} == {
        "stem": "convolution",
        "wide": "depthwise convolution",
        "grouped.0": "grouped convolution",
        "up": "transposed convolution",
        "MatMul": "matrix product",
        "MatMul_1": "matrix product",
        "biased": "linear",
        "plain": "linear",
    }
    assert layers["stem"] == {
        "name": "stem",
        "kind": "convolution",
        "kernel": "5x3",  # width first
        "stride": "2x2",
        "dilation": "1x1",
        "groups": 1,
        "input_shape": (1, 3, 38, 50),
        "output_shape": (1, 8, 19, 25),
        "macs": 3 * 8 * 15 * 25 * 19,
        "params": 3 * 8 * 15 + 8,
    }
    assert (layers["wide"]["dilation"], layers["wide"]["groups"]) == ("6x6", 8)
    assert (layers["up"]["input_shape"], layers["up"]["output_shape"]) == ((1, 12, 19, 25), (1, 6, 38, 50))


def test_what_is_not_counted_is_listed() -> None:
    counted = graph(
        [
            node("Relu", "x", "a"),
            node("Relu", "a", "b"),
            node("MaxPool", "b", "c", kernel_shape=[2, 2], strides=[2, 2]),
            node("Identity", "c", "d"),
            node("Einsum", "d d", "y", equation="nchw,nchw->nchw"),
        ]
    ).count_at(32, 32)
    assert counted["uncounted"] == {"Relu": 2, "MaxPool": 1, "Einsum": 1}
    assert (counted["macs"], counted["layers"], counted["params"]) == (0, [], 0)


SCALES = [weights("s"), weights("z", dtype=np.uint8), weights("zi", dtype=np.int8)]


@pytest.mark.parametrize(
    ("nodes", "constants", "params"),
    [
        (  # quantized as pairs of QuantizeLinear and DequantizeLinear
            [
                node("QuantizeLinear", "x s z", "q"),
                node("DequantizeLinear", "q s z", "d"),
                node("DequantizeLinear", "w s zi", "dw"),
                node("Conv", "d dw", "y", pads=[1, 1, 1, 1]),
            ],
            [weights("w", 8, 3, 3, 3, dtype=np.int8)],
            8 * 27,
        ),
        (
            [
                node("QuantizeLinear", "x s z", "q"),
                node("QLinearConv", "q s z w s zi s z b", "y", pads=[1, 1, 1, 1]),
            ],
            [weights("w", 8, 3, 3, 3, dtype=np.int8), weights("b", 8, dtype=np.int32)],
            8 * 27 + 8,
        ),
        (
            [
                node("QuantizeLinear", "x s z", "q"),
                node("ConvInteger", "q w z zi", "y", pads=[1, 1, 1, 1]),
            ],
            [weights("w", 8, 3, 3, 3, dtype=np.int8)],
            8 * 27,
        ),
        (
            [
                node(
                    "FusedConv",
                    "x w b",
                    "y",
                    domain="com.microsoft",
                    activation="Relu",
                    pads=[1, 1, 1, 1],
                )
            ],
            [weights("w", 8, 3, 3, 3), weights("b", 8)],
            8 * 27 + 8,
        ),
    ],
)
def test_quantized_and_fused_convolutions(
    nodes: list[NodeProto], constants: list[TensorProto], params: int
) -> None:
    counted = graph(nodes, [*constants, *SCALES]).count_at(40, 32)
    [layer] = counted["layers"]
    assert (layer["macs"], layer["kernel"]) == (8 * 27 * 40 * 32, "3x3")
    assert (layer["output_shape"], counted["params"]) == ((1, 8, 32, 40), params)


def test_products_of_matrices() -> None:
    tokens = [integers("to_rows", 0, 3, -1), node("Reshape", "x to_rows", "rows")]
    counted = graph(
        [
            tokens[1],
            node("MatMul", "m rows", "tall"),
            node("Transpose", "tall", "turned", perm=[0, 2, 1]),
            node("Squeeze", "turned zero", "flat"),
            node("Gemm", "flat n c", "g", transB=1),
            node("Gemm", "g p", "y", transA=1),
        ],
        [
            tokens[0],
            weights("m", 7, 3),
            integers("zero", 0),
            weights("n", 5, 7),
            weights("c", 5),
            weights("p", 40 * 32, 2),
        ],
    ).count_at(40, 32)
    positions = 40 * 32
    assert [layer["macs"] for layer in counted["layers"]] == [
        7 * 3 * positions,
        5 * 7 * positions,
        5 * 2 * positions,
    ]
    assert {layer["kind"] for layer in counted["layers"]} == {"linear"}
    assert counted["params"] == 7 * 3 + 5 * 7 + 5 + 2 * positions


RESIZE = [
    node("Conv", "x w", "c", strides=[2, 2], pads=[1, 1, 1, 1]),
    node("Shape", "x", "shape"),
    node("Slice", "shape two four", "sides"),
    node("Shape", "c", "own"),
    node("Slice", "own zero two", "front"),
    node("Concat", "front sides", "wanted", axis=0),
    node("Resize", "c - - wanted", "r", mode="linear"),
    node("Conv", "r v", "y"),
]


def test_sizes_that_the_graph_works_out_by_itself() -> None:
    constants = [weights("w", 4, 3, 3, 3), weights("v", 2, 4, 1, 1)]
    constants += [integers("zero", 0), integers("two", 2), integers("four", 4)]
    for width, height in ((51, 37), (640, 480)):
        counted = graph(RESIZE, constants).count_at(width, height)
        half = -(-width // 2) * -(-height // 2)
        assert [layer["macs"] for layer in counted["layers"]] == [4 * 27 * half, 8 * width * height]
        assert counted["uncounted"] == {"Resize": 1}  # what only works out a size is no work on the picture


@pytest.mark.parametrize(
    ("nodes", "channels"),
    [
        ([node("Conv", "x w", "y")], 3 + 8),
        ([node("Conv", "x w", "a"), node("Relu", "a", "b"), node("Sigmoid", "b", "y")], 3 + 8),
        (  # a swish, written out
            [node("Conv", "x w", "a"), node("Sigmoid", "a", "b"), node("Mul", "a b", "y")],
            8 + 8 + 8,
        ),
        ([node("Conv", "x w", "a"), node("Add", "a half", "b"), node("Mul", "b half", "y")], 3 + 8),
        ([node("Conv", "x w", "a"), node("Relu", "a", "b"), node("Add", "a b", "y")], 8 + 8 + 8),
        ([node("Conv", "x w", "a"), node("Flatten", "a", "b"), node("Identity", "b", "y")], 3 + 8),
        ([node("Conv", "x w", "a"), node("Concat", "a x", "y", axis=1)], 3 + 8 + 11),
        ([node("Conv", "x w", "a"), node("Conv", "x w", "b"), node("Add", "a b", "y")], 8 + 8 + 8),
        (  # the shape is read late, its tensor is not
            [
                node("Conv", "x w", "a"),
                node("Conv", "a v", "b"),
                node("Shape", "a", "shape"),
                node("Resize", "b - - shape", "y"),
            ],
            8 + 8,
        ),
    ],
)
def test_peak_activation_by_hand(nodes: list[NodeProto], channels: int) -> None:
    constants = [weights("w", 8, 3, 1, 1), weights("v", 8, 8, 1, 1), weights("half")]
    assert graph(nodes, constants).count_at(32, 64)["peak_activation_values"] == channels * 32 * 64


def test_a_function_is_counted_where_it_is_called() -> None:
    domain = "own"
    block = helper.make_function(
        domain,
        "Block",
        ["a", "w"],
        ["c"],
        [helper.make_node("Conv", ["a", "w"], ["b"]), helper.make_node("Relu", ["b"], ["c"])],
        [helper.make_opsetid("", 17)],
    )
    made = helper.make_graph(
        [
            helper.make_node("Block", ["x", "w"], ["h"], domain=domain),
            helper.make_node("Block", ["h", "w"], ["y"], domain=domain),
        ],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 32, 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [weights("w", 3, 3, 1, 1)],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(domain, 1)]
    model = helper.make_model(made, opset_imports=opsets, functions=[block])
    counted = OnnxGraph.read(model.SerializeToString()).count_at(64, 32)
    assert counted["macs"] == 2 * 9 * 32 * 64
    assert counted["uncounted"] == {"Relu": 2}


def test_nodes_in_any_order() -> None:
    nodes = [
        node("Conv", "a dv", "b"),
        node("Relu", "b", "y"),
        node("Conv", "x dw", "a"),
        node("DequantizeLinear", "v s zi", "dv"),
        node("DequantizeLinear", "w s zi", "dw"),
    ]
    constants = [weights("w", 8, 3, 1, 1, dtype=np.int8), weights("v", 4, 8, 1, 1, dtype=np.int8)]
    counted = graph(nodes, [*constants, *SCALES]).count_at(40, 32)
    assert macs(counted) == {"a": 24 * 40 * 32, "b": 32 * 40 * 32}
    assert counted["peak_activation_values"] == (8 + 4) * 40 * 32


def test_a_picture_with_its_channels_last() -> None:
    nodes = [node("Transpose", "x", "t", perm=[0, 3, 1, 2]), node("Conv", "t w", "y")]
    made = graph(nodes, [weights("w", 8, 3, 1, 1)], shape=(1, "h", "w", 3))
    assert made.spec.layout == "NHWC"
    assert made.count_at(64, 32)["macs"] == 24 * 64 * 32


def test_a_size_that_does_not_fit_names_the_node() -> None:
    nodes = [
        node("MaxPool", "x", "a", kernel_shape=[2, 2], strides=[2, 2]),
        node("AveragePool", "x", "b", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
        node("Add", "a b", "y"),
    ]
    made = graph(nodes)
    assert made.count_at(64, 32)["macs"] == 0
    with pytest.raises(ValueError, match=r"node '/y/Add' \(Add\) cannot take what it gets"):
        made.count_at(63, 33)


@pytest.mark.parametrize("name", BAD_GRAPHS)
def test_what_is_refused(name: str) -> None:
    make, reason = BAD_GRAPHS[name]
    with pytest.raises(ValueError, match=reason):
        OnnxGraph.read(make()).count_at(96, 64)


def test_a_model_of_onnx_itself_is_read_like_any_other() -> None:
    # An initializer that is listed as an input too, as files before IR version 4 do.
    made = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"])],
        "graph",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 32, 32]),
            helper.make_tensor_value_info("w", TensorProto.FLOAT, [4, 3, 1, 1]),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [weights("w", 4, 3, 1, 1)],
    )
    model = onnx.helper.make_model(made, opset_imports=[helper.make_opsetid("", 11)])
    counted = OnnxGraph.read(model.SerializeToString()).count_at(32, 32)
    assert counted["macs"] == 12 * 32 * 32
