"""What comes from outside, and what it gets, through the library and the command line.

Every file here is made by the test. Whatever is wrong with it, the answer is one line that names it, nothing
is written, and the next good file works.
"""

from __future__ import annotations

import io
import json
import pickle
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from onnx import GraphProto, NodeProto, TensorProto, helper
from PIL import Image
from safetensors.torch import save_file

from zoo import limits, predict
from zoo.cli import main
from zoo.errors import CheckpointError, ImageError, ModelFileError, ZooError
from zoo.models import build_model
from zoo.weights import checkpoints

ROW = "cityscapes-mobilenetv2-unetlite-768x384"
SIZE = limits.Size(96, 64)


@pytest.fixture(scope="module", autouse=True)
def _folder(tmp_path_factory: pytest.TempPathFactory) -> object:
    """One cache folder for all, so that the network is exported once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(checkpoints.CACHE_VARIABLE, str(tmp_path_factory.mktemp("cache")))
        yield


def photo(mode: str = "RGB", size: tuple[int, int] = (60, 40)) -> Image.Image:
    """Return a picture with something in it."""
    noise = np.random.default_rng(3).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(noise).convert(mode)


def encoded(image: Image.Image, image_format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, image_format, **options)
    return file.getvalue()


def png_of(width: int, height: int) -> bytes:
    """Return a PNG that says this size and has no pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]


JPEG, PNG = encoded(photo(), "JPEG"), encoded(photo(), "PNG")
BAD_IMAGES = {
    "empty.jpg": (b"", "is empty"),
    "text.png": (b"just some words\n" * 9, "is not an image"),
    "half.jpg": (JPEG[: len(JPEG) // 2], "is cut short"),
    "flipped.png": (flipped(PNG, len(PNG) // 2), "is damaged"),
    "bomb.png": (png_of(30_000, 30_000), "30000x30000|megapixels"),
    "thin.png": (png_of(1, 65_535), "1x65535"),
    "tiny.png": (png_of(15, 40), "16"),
    "long.png": (png_of(2100, 100), "20 times"),
    "drawing.png": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n", "EPS"),
    "float.tiff": (encoded(photo("L").convert("F"), "TIFF"), "float.tiff"),
    "phone.heic": (b"\x00\x00\x00\x18ftypheic" + bytes(60), "save it as JPEG"),
    "large.jpg": (JPEG + bytes(limits.IMAGE_BYTES), "20 MB"),
}
GOOD_IMAGES = {
    "photo.jpg": JPEG,
    "photo.png": PNG,
    "photo.webp": encoded(photo(), "WEBP"),
    "photo.bmp": encoded(photo(), "BMP"),
    "photo.tiff": encoded(photo(), "TIFF"),
    "grey16.png": encoded(
        Image.fromarray(np.linspace(0, 65_535, 2400).astype(np.uint16).reshape(40, 60)), "PNG"
    ),
    "print.jpg": encoded(photo("CMYK"), "JPEG"),
    "clear.png": encoded(photo("RGBA"), "PNG"),
}


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


class _Bomb:
    """Unpickled, it would leave a file behind."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.trace,)


def _weights_with(value: torch.Tensor) -> dict[str, torch.Tensor]:
    state = build_model(ROW, num_classes=11).state_dict()
    return {**state, next(iter(state)): value}


def _truncated_safetensors(path: Path) -> None:
    save_file({"a": torch.zeros(100)}, path)
    path.write_bytes(path.read_bytes()[:-8])


BAD_WEIGHTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "code.pth": (lambda path: torch.save({"a": _Bomb(path.with_name("ran"))}, path), "nothing of it was run"),
    "pickle.pt": (lambda path: path.write_bytes(pickle.dumps(_Bomb(path.with_name("ran")))), "pickle.pt"),
    "module.pth": (lambda path: torch.save(torch.nn.Conv2d(3, 3, 1), path), "state_dict"),
    "sparse.pth": (lambda path: torch.save({"a": torch.zeros(4, 4).to_sparse()}, path), "'a'|a "),
    "stretched.pth": (lambda path: torch.save({"a": torch.zeros(1).expand(100)}, path), "'a'|a "),
    "broken.safetensors": (lambda path: path.write_bytes(b"\xff" * 64), "damaged"),
    "cut.safetensors": (_truncated_safetensors, "damaged"),
    "nan.pth": (lambda path: torch.save(_weights_with(torch.full((32, 3, 3, 3), torch.nan)), path), "NaN"),
    "other.pth": (lambda path: torch.save({"head.weight": torch.zeros(5, 5)}, path), "head.weight|encoder"),
    "shape.pth": (lambda path: torch.save(_weights_with(torch.zeros(31, 3, 3, 3)), path), "31"),
    "empty.pth": (lambda path: path.write_bytes(b""), "is empty"),
    "page.pth": (lambda path: path.write_bytes(b"<html>404</html>"), "page.pth"),
    "weights.zip": (lambda path: path.write_bytes(b"PK"), "safetensors"),
}


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


def _onnx(nodes: list[NodeProto], initializers: Sequence[TensorProto] = ()) -> bytes:
    """Return a model from a float picture `x` to `y`."""
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 64, 96])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        list(initializers),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    return model.SerializeToString()


def _external(name: str) -> TensorProto:
    """Return a tensor whose values are said to lie in another file."""
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="secret.bin")
    return tensor


def _in_a_branch() -> bytes:
    def branch(nodes: list[NodeProto], initializers: list[TensorProto]) -> GraphProto:
        out = [helper.make_tensor_value_info("z", TensorProto.FLOAT, None)]
        return helper.make_graph(nodes, "branch", [], out, initializers)

    then = branch([helper.make_node("Identity", ["w"], ["z"])], [_external("w")])
    other = branch([helper.make_node("Identity", ["x"], ["z"])], [])
    yes = helper.make_tensor("yes", TensorProto.BOOL, [], [True])
    return _onnx([helper.make_node("If", ["yes"], ["y"], then_branch=then, else_branch=other)], [yes])


def _huge_constant() -> bytes:
    shape = helper.make_tensor("shape", TensorProto.INT64, [1], [10_000_000_000])
    return _onnx([helper.make_node("ConstantOfShape", ["shape"], ["y"])], [shape])


def _endless() -> bytes:
    keep = helper.make_tensor("keep", TensorProto.BOOL, [], [True])
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["go_on"]), helper.make_node("Identity", ["v"], ["w"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("w", TensorProto.FLOAT, None),
        ],
    )
    return _onnx([helper.make_node("Loop", ["", "keep", "x"], ["y"], body=body)], [keep])


BAD_MODELS = {
    "garbage.onnx": b"\x08\x07 this is no model" * 9,
    "garbage.tflite": b"\x1c\x00\x00\x00TFL3" + b"\xff" * 200,
    "outside.onnx": _onnx([helper.make_node("Add", ["x", "w"], ["y"])], [_external("w")]),
    "branch.onnx": _in_a_branch(),
    "huge.onnx": _huge_constant(),
    "endless.onnx": _endless(),
}


@pytest.mark.parametrize("name", BAD_MODELS)
def test_a_bad_model_dies_alone(
    name: str, good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SANDBOX_SECONDS", 3)
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
