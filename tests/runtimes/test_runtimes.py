"""The list of runtimes: which runs what, and that all of them give the same."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from tests.tiny_tflite import HEIGHT, WIDTH, channels_of
from zoo.catalog import find_row
from zoo.errors import InputError
from zoo.prediction import predict
from zoo.runtimes import RUNTIMES, choose_runtime, export
from zoo.runtimes.litert import LiteRtNetwork
from zoo.runtimes.onnxruntime_session import OnnxNetwork
from zoo.runtimes.runtime import InputSpec, Loading, Runtime
from zoo.runtimes.torch_module import TorchNetwork
from zoo.sizes import Size
from zoo.weights.checkpoints import resolve

ROW = "cityscapes-mobilenetv2-unetlite-768x384"
VOC = "voc2012-deeplabv3-mnv2-dm05-512x512"


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


@pytest.mark.parametrize(
    ("file_format", "names", "default"),
    [
        ("safetensors", {"onnxruntime", "torch", "openvino"}, "onnxruntime"),
        ("pth", {"onnxruntime", "torch", "openvino"}, "onnxruntime"),
        ("onnx", {"onnxruntime", "openvino"}, "onnxruntime"),
        ("tflite", {"litert"}, "litert"),
    ],
)
def test_which_runtimes_run_a_file(file_format: str, names: set[str], default: str) -> None:
    known = {"onnxruntime", "torch", "litert", "openvino"}
    assert {name for name in known if RUNTIMES[name].runs(file_format)} == names
    assert choose_runtime(file_format, file_name="f").name == default
    for name in names & {"onnxruntime", "torch", "litert"}:
        assert choose_runtime(file_format, name, file_name="f").name == name
    for name in known - names - {"openvino"}:
        with pytest.raises(InputError, match=f"{name!r} cannot run f: use .*{default}"):
            choose_runtime(file_format, name, file_name="f")


def test_what_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Runtime, "installed", property(lambda self: self.name == "torch"))
    with pytest.raises(InputError, match="package openvino, or take torch"):
        choose_runtime("pth", "openvino", file_name="f")
    with pytest.raises(InputError, match="install the package ai_edge_litert"):
        choose_runtime("tflite", file_name="f")
    assert choose_runtime("pth", file_name="f").name == "torch"
    with pytest.raises(InputError, match="give one of onnxruntime, torch, litert, openvino"):
        choose_runtime("pth", "cuda", file_name="f")


@pytest.mark.skipif(find_spec("openvino") is None, reason="OpenVINO is not installed here")
def test_openvino_gives_torchs_logits_at_every_size_and_takes_bytes() -> None:
    checkpoint = resolve(ROW, "bundled")
    path = export.exported(checkpoint, Size(96, 64), lambda _: None)
    torch_network = TorchNetwork(find_row(ROW), str(checkpoint.path))
    for model, size in ((path, Size(96, 64)), (path.read_bytes(), Size(160, 128)), (path, None)):
        network = RUNTIMES["openvino"].open_file(model, Loading(size))
        assert network.spec == (
            InputSpec() if size is None else InputSpec(height=size.height, width=size.width)
        )
        height, width = (64, 96) if size is None else (size.height, size.width)
        values = np.random.default_rng(0).normal(size=(1, 3, height or 64, width or 96)).astype(np.float32)
        found = torch.from_numpy(network.run(values))  # without the last resize
        resized = F.interpolate(found, values.shape[2:], mode="bilinear").numpy()
        assert np.abs(resized - torch_network.run(values)).max() < 1e-3
    rgb = np.random.default_rng(1).integers(0, 256, (64, 96, 3), np.uint8)
    masks = [
        predict(ROW, rgb, size=(96, 64), weights="bundled", runtime=name) for name in ("openvino", "torch")
    ]
    assert [mask.runtime for mask in masks] == ["openvino", "torch"]
    assert (masks[0].labels == masks[1].labels).mean() > 0.999


@pytest.mark.parametrize("keep_memory", [True, False])
def test_a_session_of_one_size_gives_what_one_of_any_size_gives(keep_memory: bool) -> None:
    path = export.exported(resolve(ROW, "bundled"), Size(96, 64), lambda _: None)
    fixed, free = OnnxNetwork(path, Loading(Size(96, 64), keep_memory)), OnnxNetwork(path)
    assert fixed.spec == InputSpec(height=64, width=96)
    assert free.spec == InputSpec()
    rng = np.random.default_rng(0)
    outputs = []
    for _ in range(3):
        values = rng.normal(size=(1, 3, 64, 96)).astype(np.float32)
        outputs.append((fixed.run(values), free.run(values)))
    for one, other in outputs:  # after all runs: none writes into what another gave
        assert np.abs(one - other).max() < 1e-4
    assert np.abs(outputs[0][0] - outputs[1][0]).max() > 0.01


def test_litert_gives_its_model_s_values(tmp_path: Path, picture: np.ndarray) -> None:
    network = LiteRtNetwork(channels_of("uint8", 1, 2))
    assert network.spec == InputSpec("NHWC", "uint8", HEIGHT, WIDTH)
    assert (network.run(picture[None]) == picture[None, :, :, 1:]).all()
    (tmp_path / "own.tflite").write_bytes(channels_of("uint8", 0, 3))
    found = predict(VOC, picture, weights=tmp_path / "own.tflite")
    assert (found.runtime, found.size) == ("litert", (WIDTH, HEIGHT))
    assert (found.labels == picture.argmax(2)).all()


def test_litert_floats_get_the_rows_preprocessing(tmp_path: Path, picture: np.ndarray) -> None:
    (tmp_path / "own.tflite").write_bytes(channels_of("float32", 0, 3))
    found = predict(VOC, picture, weights=tmp_path / "own.tflite", confidence=True)
    assert (found.labels == picture.argmax(2)).all()
    logits = picture.astype(np.float64) / 127.5  # the same shift on each channel changes no softmax
    chances = np.exp(logits) / np.exp(logits).sum(2, keepdims=True)
    assert found.confidence == pytest.approx(chances.max(2), abs=1e-4)


def test_a_single_plane_of_bytes_is_read_by_its_scale(tmp_path: Path, picture: np.ndarray) -> None:
    """Bytes that mean 0 to 1 are probabilities of a second class; without a scale they are labels."""
    network = LiteRtNetwork(channels_of("uint8", 1, 1, scale=1 / 255))
    assert network.run(picture[None])[..., 0] == pytest.approx(picture[None, :, :, 1] / 255, abs=1e-6)
    (tmp_path / "own.tflite").write_bytes(channels_of("uint8", 1, 1, scale=1 / 255))
    found = predict(VOC, picture, weights=tmp_path / "own.tflite")
    assert (found.labels == (picture[..., 1] > 127)).all()
    assert "above 0.5" in " ".join(found.notes)
    (tmp_path / "labels.tflite").write_bytes(channels_of("uint8", 1, 1))
    found = predict(VOC, picture, weights=tmp_path / "labels.tflite")
    assert (found.labels == picture[..., 1]).all()
