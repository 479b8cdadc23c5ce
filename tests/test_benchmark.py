"""The file that goes to a board: what it times, what it needs, what it tells."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from zoo import benchmark

FREE = (1, 3, "height", "width")


def convolution(path: Path, shape: Sequence[object] = FREE, **metadata: str) -> Path:
    """Write a network of one 3x3 convolution with 8 channels, 216 MACs at each position."""
    weight = numpy_helper.from_array(np.ones((8, 3, 3, 3), np.float32), "weight")
    graph = helper.make_graph(
        [helper.make_node("Conv", ["image", "weight"], ["logits"], pads=[1, 1, 1, 1])],
        "graph",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, list(shape))],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, None)],
        [weight],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, metadata)
    onnx.save(model, path)
    return path


def test_percentiles_are_those_of_the_timed_runs_alone() -> None:
    # A clock that stands still but for the runs: warm-ups take 9 s each, then runs take 1, 2, ... 11 ms.
    now, calls = [0.0], [0]

    def run() -> None:
        calls[0] += 1
        now[0] += 9.0 if calls[0] <= benchmark.WARMUP_RUNS else (calls[0] - benchmark.WARMUP_RUNS) / 1000

    found = benchmark.timed(run, runs=11, seconds=60, clock=lambda: now[0])
    assert (found["runs"], found["warmup_runs"]) == (11, benchmark.WARMUP_RUNS)
    assert found["median_ms"] == pytest.approx(6)
    assert found["p10_ms"] == pytest.approx(2)
    assert found["p90_ms"] == pytest.approx(10)
    assert found["min_ms"] == pytest.approx(1)


def test_a_slow_network_is_run_a_few_times_only() -> None:
    now = [0.0]

    def run() -> None:
        now[0] += 60.0

    assert benchmark.timed(run, runs=100, seconds=1, clock=lambda: now[0])["runs"] == benchmark.LEAST_RUNS


def test_it_runs_on_a_board_with_nothing_of_ours(tmp_path: Path) -> None:
    model = convolution(tmp_path / "tiny.onnx", **{"segselect.row": "cityscapes-erfnet-1024x512"})
    script, out = tmp_path / "benchmark.py", tmp_path / "result.json"
    shutil.copy(benchmark.__file__, script)
    command = [sys.executable, "-I", str(script), str(model), "--size", "64x32", "--threads", "1"]
    command += ["--runs", "20", "--macs", str(216 * 64 * 32), "--name", "my board", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    document = json.loads(out.read_text())
    assert (document["format"], document["version"]) == (benchmark.FORMAT, benchmark.VERSION)
    assert document["machine"]["name"] == "my board"
    assert document["machine"]["processor"]
    (found,) = document["measurements"]
    assert (found["width"], found["height"], found["threads"]) == (64, 32, 1)
    assert found["id"] == "cityscapes-erfnet-1024x512"
    assert 0 < found["p10_ms"] <= found["median_ms"] <= found["p90_ms"]
    assert found["gmacs_per_second"] == pytest.approx(216 * 64 * 32 / (found["median_ms"] / 1000) / 1e9)
    # Its process alone: an interpreter with two libraries is neither 5 MB nor the size of this test's.
    assert 15e6 < found["base_memory_bytes"] <= found["peak_memory_bytes"] < 400e6


def test_importing_it_brings_none_of_the_heavy_libraries() -> None:
    code = (
        "import sys, zoo.benchmark\n"
        "assert not {'torch', 'pandas', 'streamlit', 'onnx', 'zoo.catalog', 'zoo.limits'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux alone tells it")
def test_peak_memory_is_not_the_parents() -> None:
    ballast = np.ones(100_000_000, np.uint8)
    code = "from zoo.benchmark import peak_memory; print(peak_memory())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    parents = benchmark.peak_memory()
    assert parents is not None
    assert int(done.stdout) < 60e6 < ballast.nbytes < parents


@pytest.mark.parametrize(
    ("shape", "size", "reason"),
    [
        (FREE, None, "give --size"),
        ((1, 3, 32, 64), (32, 32), "fixed at 64x32"),
        ((1, 3, 32), (64, 32), "four dimensions"),
    ],
)
def test_what_cannot_be_measured(
    tmp_path: Path, shape: Sequence[object], size: tuple[int, int] | None, reason: str
) -> None:
    model = convolution(tmp_path / "tiny.onnx", (1, 3, "a", "b"))
    if len(shape) == 3:
        proto = onnx.load(model)
        proto.graph.node[0].CopyFrom(helper.make_node("Identity", ["image"], ["logits"]))
        del proto.graph.input[0].type.tensor_type.shape.dim[3]
        onnx.save(proto, model)
    else:
        convolution(model, shape)
    with pytest.raises(benchmark.BenchmarkError, match=reason) as caught:
        benchmark.measure(str(model), size, runs=1, seconds=0.1)
    assert "\n" not in str(caught.value)


def test_a_provider_that_is_not_there(tmp_path: Path) -> None:
    model = convolution(tmp_path / "tiny.onnx")
    with pytest.raises(benchmark.BenchmarkError, match="CPUExecutionProvider"):
        benchmark.measure(str(model), (64, 32), provider="NoProvider")
