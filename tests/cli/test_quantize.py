"""`quantize` and `--precision`, from a folder of images to a mask in 8 bits."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.quantization.networks import pictures
from zoo.cache import CACHE_VARIABLE
from zoo.cli import main

ROW = "cityscapes-mobilenetv2-unetlite-768x384"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    images = tmp_path / "images"
    images.mkdir()
    for number, picture in enumerate(pictures(8, 96, 64)):
        Image.fromarray(picture).save(images / f"{number}.png")
    return images


def test_a_folder_of_images_makes_a_file_and_facts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder.parent / "eight.onnx"
    given = ["quantize", ROW, "--images", str(folder), "--out", str(out), "--size", "96x64", "--json"]
    assert main(given) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["bytes"] == out.stat().st_size
    assert 3 < said["float_bytes"] / said["bytes"] < 4
    assert (said["method"], said["pictures"], said["input_size"]) == ("percentile", 8, "96x64")
    assert 80 < said["agreement_pct"] <= 100
    assert len(said["layers"]) == 69
    kept = list((folder.parent / "cache" / "quantized").glob("*.onnx"))
    assert [path.read_bytes() for path in kept] == [out.read_bytes()]
    # What was made runs like any network from outside.
    image = str(folder / "0.png")
    assert main(["predict", str(out), image, "--out", str(folder.parent / "mask.png")]) == 0
    assert np.asarray(Image.open(folder.parent / "mask.png")).shape == (64, 96)


def test_seven_images_are_one_line_and_nothing_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "7.png").unlink()
    out = folder.parent / "eight.onnx"
    assert main(["quantize", ROW, "--images", str(folder), "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert "at least 8" in error
    assert error.count("\n") == 1
    assert not out.exists()
