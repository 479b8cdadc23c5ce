"""A stranger's model: refused, or run, or dead in its own process; never more than one line."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from zoo import limits
from zoo.errors import InferenceError, ModelFileError
from zoo.runtimes import InputSpec
from zoo.runtimes.sandbox import SandboxedNetwork


def model(
    nodes: Sequence[onnx.NodeProto],
    constants: Sequence[onnx.TensorProto] = (),
    shape: Sequence[object] = (1, 3, "h", "w"),
    inputs: int = 1,
) -> bytes:
    names = ["x", "x2"][:inputs]
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape)) for name in names],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        list(constants),
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    made.ir_version = 8
    return made.SerializeToString()


def external(name: str, location: str) -> onnx.TensorProto:
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[1])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return tensor


def branch(*, location: str) -> bytes:
    """A model whose external data is named only inside the branches of an If."""
    value = [helper.make_tensor_value_info("z", TensorProto.FLOAT, None)]
    inside = helper.make_graph(
        [helper.make_node("Identity", ["secret"], ["z"])], "in", [], value, [external("secret", location)]
    )
    condition = numpy_helper.from_array(np.array(True), "c")
    return model([helper.make_node("If", ["c"], ["y"], then_branch=inside, else_branch=inside)], [condition])


def endless() -> bytes:
    """A Loop of two to the power of sixty steps."""
    step = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Add", ["v", "v"], ["w"])],
        "step",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("w", TensorProto.FLOAT, None),
        ],
    )
    constants = [numpy_helper.from_array(np.array(2**60), "n"), numpy_helper.from_array(np.array(True), "t")]
    return model([helper.make_node("Loop", ["n", "t", "x"], ["y"], body=step)], constants)


def huge_constant() -> bytes:
    """Forty gigabytes in a hundred bytes."""
    constants = [numpy_helper.from_array(np.array([10_000, 1_000_000]), "shape")]
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["big"]),
        helper.make_node("ReduceSum", ["big"], ["sum"], keepdims=0),
        helper.make_node("Add", ["x", "sum"], ["y"]),
    ]
    return model(nodes, constants)


IDENTITY = model([helper.make_node("Identity", ["x"], ["y"])])


def saved(tmp_path: Path, content: bytes, name: str = "model.onnx") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def test_a_good_model_runs_as_often_as_asked(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(1, 3, 8, 9)).astype(np.float32)
    with SandboxedNetwork(saved(tmp_path, IDENTITY), "onnx") as network:
        assert network.spec == InputSpec()
        assert (network.run(values) == values).all()
        assert (network.run(-values) == -values).all()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"garbage, not a model" * 10, "not an ONNX model"),
        (IDENTITY[: len(IDENTITY) // 2], "cannot be used"),
        (model([helper.make_node("Identity", ["s"], ["y"])], [external("s", "secret.txt")]), "other files"),
        (branch(location="secret.txt"), "other files"),
        (model([helper.make_node("Identity", ["x"], ["y"])], inputs=2), "2 inputs"),
        (model([helper.make_node("Identity", ["x"], ["y"])], shape=(1, 4, 8, 8)), "not one RGB picture"),
        (model([helper.make_node("Identity", ["x"], ["y"])], shape=(2, 3, 8, 8)), "not one RGB picture"),
        (model([helper.make_node("NoSuchOperation", ["x"], ["y"])]), "cannot be used"),
    ],
)
def test_a_bad_model_is_refused_in_one_line(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(ModelFileError, match=reason) as caught:
        SandboxedNetwork(saved(tmp_path, content), "onnx")
    assert "model.onnx" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_too_many_tensors(tmp_path: Path) -> None:
    tensor = numpy_helper.from_array(np.zeros(1, np.float32))
    many = []
    for place in range(limits.MODEL_TENSORS + 1):
        tensor.name = f"t{place}"
        many.append(onnx.TensorProto.FromString(tensor.SerializeToString()))
    content = model([helper.make_node("Identity", ["x"], ["y"])], many)
    with pytest.raises(ModelFileError, match="20,000 tensors"):
        SandboxedNetwork(saved(tmp_path, content), "onnx")


def test_garbage_named_tflite(tmp_path: Path) -> None:
    with pytest.raises((ModelFileError, InferenceError)) as caught:
        SandboxedNetwork(saved(tmp_path, b"garbage" * 100, "model.tflite"), "tflite")
    assert "\n" not in str(caught.value)


def test_an_endless_loop_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SANDBOX_SECONDS", 4)
    start = time.monotonic()
    with (
        SandboxedNetwork(saved(tmp_path, endless()), "onnx") as network,
        pytest.raises(InferenceError, match="stopped after 4 s"),
    ):
        network.run(np.zeros((1, 3, 8, 8), np.float32))
    assert time.monotonic() - start < 30


def test_forty_gigabytes_in_a_hundred_bytes_do_no_harm(tmp_path: Path) -> None:
    pytest.importorskip("resource", reason="this platform has no memory limits")
    with (
        pytest.raises((InferenceError, ModelFileError)) as caught,
        SandboxedNetwork(saved(tmp_path, huge_constant()), "onnx") as network,
    ):
        network.run(np.zeros((1, 3, 8, 8), np.float32))
    assert "\n" not in str(caught.value)
