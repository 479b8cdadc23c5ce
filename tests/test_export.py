"""Exports: what the file holds and says, held against torch, onnx and the masks of the weights themselves."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

import zoo
from zoo import export as exporting
from zoo.cli import main
from zoo.errors import FailedError, InputError, SizeError, WeightsMissingError
from zoo.export import Export, export
from zoo.onnx_metadata import file_facts
from zoo.sizes import Size
from zoo.weights.layouts import build_for

UNETLITE = "cityscapes-mobilenetv2-unetlite-768x384"
WITHOUT_WEIGHTS = "cityscapes-erfnet-1024x512"
SIZE = Size(96, 64)


@pytest.fixture(scope="module")
def fixed(tmp_path_factory: pytest.TempPathFactory) -> Export:
    return export(UNETLITE, tmp_path_factory.mktemp("fixed") / "unetlite.onnx", size=SIZE)


@pytest.fixture(scope="module")
def random(tmp_path_factory: pytest.TempPathFactory) -> Export:
    path = tmp_path_factory.mktemp("random") / "erfnet.onnx"
    return export(WITHOUT_WEIGHTS, path, size=(128, 64), dynamic=True)


def sides(path: Path) -> list[object]:
    [image] = onnx.load(path).graph.input
    return [dim.dim_value or dim.dim_param for dim in image.type.tensor_type.shape.dim]


def test_a_fixed_size_is_in_the_graph_and_onnx_finds_it_valid(fixed: Export) -> None:
    onnx.checker.check_model(onnx.load(fixed.path), full_check=True)
    assert sides(fixed.path) == [1, 3, SIZE.height, SIZE.width]
    assert fixed.file_bytes == fixed.path.stat().st_size
    assert [path.name for path in fixed.path.parent.iterdir()] == ["unetlite.onnx"]


def test_it_computes_what_torch_computes(fixed: Export) -> None:
    import onnxruntime

    values = np.random.default_rng(5).normal(size=(1, 3, 64, 96)).astype(np.float32)
    model = build_for(UNETLITE, zoo.weights.checkpoints.resolve(UNETLITE, "bundled").path)
    with torch.inference_mode():
        expected = model(torch.from_numpy(values)).numpy()
    session = onnxruntime.InferenceSession(fixed.path, providers=["CPUExecutionProvider"])
    [found] = session.run(None, {"image": values})
    assert np.abs(found - expected).max() < 1e-3 * np.abs(expected).max()
    assert 0 <= fixed.largest_difference < 1e-4


def test_what_it_says_of_itself_is_what_its_weights_are(fixed: Export) -> None:
    weights = zoo.weights.checkpoints.resolve(UNETLITE, "bundled")
    said = file_facts(fixed.path)
    assert said is not None
    assert said == fixed.facts
    assert (said.row_id, said.size, said.random) == (UNETLITE, SIZE, False)
    assert (said.mean, said.std, said.classes) == (weights.mean, weights.std, weights.classes)
    assert "CamVid" in said.weights
    assert said.notice == weights.notice
    assert f"torch {torch.__version__.split('+')[0]}" in said.versions


def test_its_mask_is_that_of_its_weights_with_their_classes(fixed: Export) -> None:
    picture = Path(zoo.__file__).parents[1] / "data" / "samples" / "china.jpg"
    expected = zoo.predict(UNETLITE, picture, weights="bundled", size=SIZE)
    # Given to a row with another family, so that nothing can come from the row.
    found = zoo.predict("cityscapes-erfnet-1024x512", picture, weights=fixed.path, size=SIZE)
    assert found.size == SIZE
    assert found.classes == expected.classes
    assert found.weights.classes.palette == expected.weights.classes.palette
    assert (found.labels != expected.labels).mean() < 1e-4
    assert "unetlite.onnx" in found.weights.label


def test_free_sizes_and_random_weights(random: Export) -> None:
    assert sides(random.path) == [1, 3, "height", "width"]
    assert random.facts.random
    assert random.facts.classes == zoo.classes.dataset_classes("Cityscapes")
    with pytest.raises(WeightsMissingError, match=r"erfnet\.onnx holds random weights"):
        zoo.predict(WITHOUT_WEIGHTS, np.zeros((64, 96, 3), np.uint8), weights=random.path)


def test_weights_of_ones_own(tmp_path: Path) -> None:
    own = tmp_path / "own.pth"
    torch.save(zoo.build_model(UNETLITE, num_classes=5).state_dict(), own)
    done = export(UNETLITE, tmp_path / "own.onnx", weights=own, size=SIZE)
    assert done.facts.classes is not None
    assert done.facts.classes.names == ("class 0", "class 1", "class 2", "class 3", "class 4")
    assert not done.facts.random


def test_what_disagrees_with_torch_gets_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = exporting.write_onnx

    def with_other_weights(model: torch.nn.Module, *arguments: object, **options: object) -> None:
        original(model, *arguments, **options)
        with torch.no_grad():
            for value in model.parameters():
                value.mul_(1.5)

    monkeypatch.setattr(exporting, "write_onnx", with_other_weights)
    with pytest.raises(FailedError, match="of the largest away from torch's"):
        export(UNETLITE, tmp_path / "wrong.onnx", size=SIZE)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_exported(tmp_path: Path, fixed: Export) -> None:
    for row, name, options, error, words in (
        (UNETLITE, "net.pth", {}, InputError, r"ends in \.onnx"),
        (UNETLITE, "net.onnx", {"weights": "published"}, WeightsMissingError, "not here"),
        (UNETLITE, "net.onnx", {"weights": fixed.path}, InputError, "whole model"),
        (UNETLITE, "net.onnx", {"size": (31, 64)}, SizeError, "31"),
        ("cityscapes-erfnet-1024x512", "net.onnx", {"size": (100, 64)}, SizeError, "multiples of 8"),
    ):
        with pytest.raises(error, match=words):
            export(row, tmp_path / name, **options)
    assert list(tmp_path.iterdir()) == []


def test_the_command_prints_json_and_says_random_aloud(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "net.onnx"
    asked = ["export", WITHOUT_WEIGHTS, "--size", "64x64", "--out", str(out), "--json"]
    assert main(asked) == 0
    told = capsys.readouterr()
    fields = json.loads(told.out)
    assert (fields["path"], fields["width"], fields["random"]) == (str(out), 64, True)
    assert fields["bytes"] == out.stat().st_size
    assert told.err.splitlines() == [
        "zoo: net.onnx has random weights, since no others are here: for counting and timing, not for masks. "
        "With --weights FILE it gets yours."
    ]
    assert main(["export", WITHOUT_WEIGHTS, "--size", "65x64", "--out", str(out)]) == 2
