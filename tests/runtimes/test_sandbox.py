"""A stranger's model: refused, or run, or dead in its own process; never more than one line."""

from __future__ import annotations

import errno
import io
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
import psutil
import pytest
from onnx import TensorProto, helper, numpy_helper

from zoo import limits
from zoo.errors import InferenceError, ModelFileError
from zoo.labelling import Frame
from zoo.runtimes import InputSpec, sandbox
from zoo.runtimes.isolated import IdlePool, IsolatedProcess
from zoo.runtimes.sandbox import SandboxedNetwork, sandboxed
from zoo.runtimes.worker import receive
from zoo.sizes import Size

EIGHT = Size(32, 32)
FRAME = Frame(EIGHT, EIGHT)
ZEROS = np.zeros((1, 3, 32, 32), np.float32)


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


@contextmanager
def loaded(path: Path, size: Size = EIGHT) -> Iterator[SandboxedNetwork]:
    network = SandboxedNetwork(path, "litert" if path.suffix == ".tflite" else "onnxruntime", size)
    try:
        yield network
    finally:
        network.close()


def test_a_good_model_runs_as_often_as_asked(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(1, 3, 32, 48)).astype(np.float32)
    size = Size(48, 32)
    with loaded(saved(tmp_path, IDENTITY), size) as network:
        assert network.spec == InputSpec(height=32, width=48)
        for sign in (1, -1):
            found = network.find_labels(sign * values, Frame(size, size), confidence=True)
            assert (found.labels == (sign * values[0]).argmax(0)).all()
            assert (found.kind, found.class_count) == ("logits", 3)
            assert found.confidence is not None
            chances = np.exp(sign * values[0])
            assert found.confidence == pytest.approx((chances / chances.sum(0)).max(0), rel=1e-4)
        half = network.find_labels(values, Frame(size, Size(20, 16), (0.5, 1.0)))
        assert half.labels.shape == (16, 20)
        assert half.confidence is None


def test_its_process_is_kept_for_the_next_picture_and_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[SandboxedNetwork] = []
    close = SandboxedNetwork.close
    monkeypatch.setattr(SandboxedNetwork, "close", lambda self: (closed.append(self), close(self)))
    monkeypatch.setattr(sandbox, "waiting", IdlePool(2, 0.5, 60))
    path = saved(tmp_path, IDENTITY)
    with sandboxed(path, "a", "onnxruntime", EIGHT) as first:
        assert first.find_labels(ZEROS, FRAME).labels.max() == 0
    with sandboxed(path, "a", "onnxruntime", EIGHT) as second:
        assert second is first
        with sandboxed(path, "a", "onnxruntime", EIGHT) as third:
            assert third is not first  # in use: nobody shares
    assert not closed
    with pytest.raises(InferenceError), sandboxed(path, "a", "onnxruntime", EIGHT) as failing:
        failing.find_labels(np.zeros((1, 4, 32, 32), np.float32), FRAME)
    assert closed == [failing]
    deadline = time.monotonic() + 10
    while len(closed) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert set(closed) == {first, third}


def test_a_pool_keeps_a_few_and_only_for_a_while() -> None:
    class Thing:
        def __init__(self) -> None:
            self.closed = False

        def close(self) -> None:
            self.closed = True

    pool: IdlePool[Thing] = IdlePool(2, 60, 60)
    things = []
    for key in "abc":
        with pool.borrow(key, Thing) as thing:
            things.append(thing)
    assert [thing.closed for thing in things] == [True, False, False]
    assert len(pool) == 2
    with pool.borrow("b", Thing) as again:
        assert again is things[1]
    pool.clear()
    assert all(thing.closed for thing in things)
    old: IdlePool[Thing] = IdlePool(2, 60, 0)
    with old.borrow("a", Thing) as thing:
        pass
    deadline = time.monotonic() + 10
    while not thing.closed and time.monotonic() < deadline:
        time.sleep(0.01)
    assert thing.closed


def test_a_reply_is_bounded_by_what_the_picture_can_need(tmp_path: Path) -> None:
    """A hundred bytes that give 1.5 GB of logits: the mask is made over there, or refused; not taken here."""
    shape = numpy_helper.from_array(np.array([1, 250, 1000, 1500]), "shape")
    content = model([helper.make_node("ConstantOfShape", ["shape"], ["y"])], [shape])
    assert len(content) < 200
    before = psutil.Process().memory_info().rss
    with loaded(saved(tmp_path, content)) as network:
        found = network.find_labels(ZEROS, FRAME)
    assert found.labels.nbytes == 1024
    assert psutil.Process().memory_info().rss - before < 20_000_000
    with pytest.raises(ValueError, match="at most 99"):
        receive(io.BytesIO(b'{"header": {}, "shape": [100], "dtype": "uint8"}\n' + bytes(100)), 99)


def test_it_cannot_write_files(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="this platform has no such limits")
    code = (
        "import pathlib, resource, signal\n"
        "from zoo.runtimes.worker import limit_this_process\n"
        "limit_this_process()\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "assert resource.getrlimit(resource.RLIMIT_FSIZE) == (0, 0)\n"
        "try:\n"
        f"    pathlib.Path({str(tmp_path / 'left')!r}).write_bytes(b'x')\n"
        "except OSError as error:\n"
        "    print(error.errno)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == errno.EFBIG
    assert (tmp_path / "left").stat().st_size == 0
    assert resource.getrlimit(resource.RLIMIT_FSIZE) != (0, 0)


def test_a_task_that_there_is_not_is_one_line() -> None:
    process = IsolatedProcess("a file")
    try:
        with pytest.raises(ModelFileError, match="a file cannot be used"):
            process.ask("no such task", {}, np.zeros(0), refusal=ModelFileError)
    finally:
        process.close()


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
        SandboxedNetwork(saved(tmp_path, content), "onnxruntime", EIGHT)
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
        SandboxedNetwork(saved(tmp_path, content), "onnxruntime", EIGHT)


def test_garbage_named_tflite(tmp_path: Path) -> None:
    with pytest.raises((ModelFileError, InferenceError)) as caught:
        SandboxedNetwork(saved(tmp_path, b"garbage" * 100, "model.tflite"), "litert", EIGHT)
    assert "\n" not in str(caught.value)


def test_an_endless_loop_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SANDBOX_SECONDS", 2)
    start = time.monotonic()
    with (
        loaded(saved(tmp_path, endless())) as network,
        pytest.raises(InferenceError, match="stopped after 2 s"),
    ):
        network.find_labels(ZEROS, FRAME)
    assert time.monotonic() - start < 30


def test_forty_gigabytes_in_a_hundred_bytes_do_no_harm(tmp_path: Path) -> None:
    pytest.importorskip("resource", reason="this platform has no memory limits")
    with (
        pytest.raises((InferenceError, ModelFileError)) as caught,
        loaded(saved(tmp_path, huge_constant())) as network,
    ):
        network.find_labels(ZEROS, FRAME)
    assert "\n" not in str(caught.value)


def test_the_process_comes_without_tables() -> None:
    code = "import sys, zoo.runtimes.worker, zoo.runtimes.strangers; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
