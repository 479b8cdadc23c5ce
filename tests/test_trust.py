"""What comes from outside, and what it gets, through the library and the command line.

Every file here is made by the test. Whatever is wrong with it, the answer is one line that names it, nothing
is written, and the next good file works.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
import torch
from PIL import Image

from tests.hostile_files import (
    BAD_IMAGES,
    BAD_MODELS,
    BAD_WEIGHTS,
    GOOD_IMAGES,
    JPEG,
    ROW,
    encoded,
    photo,
)
from zoo import limits, predict
from zoo.cli import main
from zoo.errors import CheckpointError, ImageError, ModelFileError, ZooError
from zoo.models import build_model
from zoo.sizes import Size

SIZE = Size(96, 64)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.jpg"
    path.write_bytes(JPEG)
    return path


def complaint(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one line that was complained with."""
    captured = capsys.readouterr()
    lines = [line for line in captured.err.splitlines() if line.startswith("zoo: ")]
    assert len(lines) == 1
    assert "Traceback" not in captured.err + captured.out
    return lines[0]


@pytest.mark.parametrize("name", BAD_IMAGES)
def test_a_bad_image_is_one_line_and_the_rest_goes_on(
    name: str, good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, reason = BAD_IMAGES[name]
    bad = tmp_path / name
    bad.write_bytes(content)
    with pytest.raises(ImageError, match=reason) as caught:
        predict(ROW, bad, size=SIZE)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)

    masks = tmp_path / "masks"
    assert main(["predict", ROW, str(bad), str(good), "--size", str(SIZE), "--out", str(masks)]) == 1
    assert name in complaint(capsys)
    assert [path.name for path in masks.iterdir()] == ["good.png"]


def test_a_bad_image_alone_is_what_was_asked_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "half.jpg"
    bad.write_bytes(BAD_IMAGES["half.jpg"][0])
    assert main(["predict", ROW, str(bad), "--size", str(SIZE), "--out", str(tmp_path / "mask.png")]) == 2
    assert "half.jpg is cut short" in complaint(capsys)
    assert not (tmp_path / "mask.png").exists()


@pytest.mark.parametrize("name", GOOD_IMAGES)
def test_what_can_be_shown_gets_a_mask_of_its_own_size(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(GOOD_IMAGES[name])
    found = predict(ROW, tmp_path / name, size=SIZE)
    assert found.labels.shape == (40, 60)
    assert found.labels.max() < 11


def test_a_turned_photo_has_a_turned_mask(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: the stored rows are the picture's columns
    (tmp_path / "turned.jpg").write_bytes(encoded(photo(), "JPEG", exif=exif))
    assert predict(ROW, tmp_path / "turned.jpg", size=SIZE).labels.shape == (60, 40)


def test_names_are_only_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "two\nlines \x1b[31m<b>.png"
    bad.write_bytes(b"words")
    assert main(["predict", ROW, str(bad)]) == 2
    assert "\x1b" not in complaint(capsys)


@pytest.mark.parametrize("name", BAD_WEIGHTS)
@pytest.mark.filterwarnings(
    "ignore::UserWarning"
)  # torch's own, on making the files: sparse tensors are in beta
def test_bad_weights_are_one_line_and_nothing_ran(
    name: str, good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write, reason = BAD_WEIGHTS[name]
    path, mask = tmp_path / name, tmp_path / "mask.png"
    write(path)
    with pytest.raises(CheckpointError, match=reason) as caught:
        predict(ROW, good, weights=path, size=SIZE)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
    asked = ["predict", ROW, str(good), "--size", str(SIZE), "--out", str(mask)]
    assert main([*asked, "--weights", str(path)]) == 2
    assert name in complaint(capsys)
    assert not mask.exists()
    assert not (tmp_path / "ran").exists()
    assert main(asked) == 0  # the bundled weights still work
    assert mask.exists()


def test_own_weights_bring_their_own_class_count(good: Path, tmp_path: Path) -> None:
    for count, first in ((19, "road"), (5, "class 0")):
        path = tmp_path / f"{count}.pth"
        torch.save(build_model(ROW, num_classes=count).state_dict(), path)
        found = predict(ROW, good, weights=path, size=SIZE)
        assert (len(found.classes), found.classes[0]) == (count, first)


@pytest.mark.parametrize("name", BAD_MODELS)
def test_a_bad_model_dies_alone(
    name: str, good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "endless.onnx":
        monkeypatch.setattr(limits, "SANDBOX_SECONDS", 2)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.bin").write_bytes(struct.pack("<f", 42.0))
    path, mask = tmp_path / name, tmp_path / "mask.png"
    path.write_bytes(BAD_MODELS[name])
    expected = ModelFileError if name in ("outside.onnx", "branch.onnx", "garbage.onnx") else ZooError
    with pytest.raises(expected) as caught:
        predict(ROW, good, weights=path)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert main(["predict", ROW, str(good), "--weights", str(path), "--out", str(mask)]) in (1, 2)
    assert name in complaint(capsys)
    assert not mask.exists()
    assert predict(ROW, good, size=SIZE).labels.shape == (40, 60)


@pytest.mark.parametrize("size", ["0x64", "-96x64", "96.5x64", "31x64", "4097x64", "wide", "96"])
def test_a_bad_size_is_one_line(size: str, good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", ROW, str(good), "--size", size]) == 2
    complaint(capsys)


def test_json_is_all_there_is_on_standard_output(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"words")
    assert main(["predict", ROW, str(good), str(bad), "--size", str(SIZE), "--json"]) == 1
    [line] = json.loads(capsys.readouterr().out)
    assert set(line) == {"image", "id", "weights", "width", "height", "seconds", "shares"}
    assert (line["image"], line["width"], line["height"]) == (str(good), 60, 40)
    assert "CamVid" in line["weights"]
    assert sum(line["shares"].values()) == pytest.approx(100)
