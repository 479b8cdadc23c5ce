"""Which weights a row gets, and what is said of them."""

from __future__ import annotations

import csv
import hashlib
import json
import struct
from pathlib import Path

import pytest
import torch

from zoo import limits
from zoo.cache import CACHE_VARIABLE, cache_dir
from zoo.catalog import all_shipped, load_catalog
from zoo.errors import CheckpointError, ModelFileError, UnknownIdError, WeightsMissingError, ZooError
from zoo.models import build_model
from zoo.tables import DATA
from zoo.weights import checkpoints, load_weights, published
from zoo.weights.bundled import bundled_networks

UNET = "cityscapes-mobilenetv2-unetlite-768x384"
ERFNET = "cityscapes-erfnet-1024x512"
CAMVID: tuple[str, ...] = ("sky", "building", "pole", "road", "pavement", "tree")
CAMVID += ("sign symbol", "fence", "car", "pedestrian", "bicyclist")
BUNDLED = ("MobileNetV2+FPNLite", "MobileNetV2+UNetLite", "MobileNetV2S16+DeepLabV3Lite")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache" / "weights"


def put(folder: Path, row_id: str, content: bytes, file_format: str) -> Path:
    """Lay a file where a download would have put it."""
    folder.mkdir(parents=True)
    path = folder / f"{row_id}.{hashlib.sha256(content).hexdigest()}.{file_format}"
    path.write_bytes(content)
    return path


def test_bundled_weights_belong_to_every_row_of_their_architecture() -> None:
    for row_id, row in load_catalog().iterrows():
        if row["model"] in BUNDLED:
            found = checkpoints.resolve(str(row_id))
            ending = "onnx" if row["qat"] else "safetensors"  # in 8 bits, and in float
            assert (found.kind, found.format, found.verified) == ("bundled", ending, True)
            assert found.classes.names == CAMVID
            assert found.classes.palette[3] == (128, 64, 128)
            assert "CamVid" in found.label
            assert "personal and research use only" in found.notice
            assert (found.mean, found.std) == ((128,) * 3, (64,) * 3)
            assert found == checkpoints.resolve(str(row_id), "bundled")
        else:
            with pytest.raises(WeightsMissingError):
                checkpoints.resolve(str(row_id))


def test_the_error_names_the_three_ways() -> None:
    with pytest.raises(WeightsMissingError) as caught:
        checkpoints.resolve(ERFNET)
    message = str(caught.value)
    for way in ("bundled", f"python -m zoo weights get {ERFNET}", "--weights FILE", "upload"):
        assert way in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("row_id", "kind"), [(ERFNET, "bundled"), (UNET, "published"), (ERFNET, "published")]
)
def test_a_kind_that_is_not_there(row_id: str, kind: str) -> None:
    with pytest.raises(WeightsMissingError, match=kind):
        checkpoints.resolve(row_id, kind)


def test_published_weights_come_before_bundled_ones(folder: Path) -> None:
    row_id = "cocoseg21-mobilenetv2-unetlite-512x512"
    assert checkpoints.resolve(row_id).kind == "bundled"
    path = put(folder, row_id, b"weights", "pth")
    found = checkpoints.resolve(row_id)
    assert (found.kind, found.path, found.verified) == ("published", path, False)
    assert found.sha256 == hashlib.sha256(b"weights").hexdigest()
    assert (len(found.classes), found.classes.names[0]) == (21, "background")
    assert "unverified" in found.label
    assert "No licence is stated" in found.notice
    assert checkpoints.resolve(row_id, "bundled").kind == "bundled"


def test_erfnets_twentieth_class_is_void(folder: Path) -> None:
    put(folder, ERFNET, b"weights", "pth")
    found = checkpoints.resolve(ERFNET)
    assert (len(found.classes), *found.classes.names[::19]) == (20, "road", "void")
    assert "NC" in found.notice


@pytest.mark.parametrize("suffix", [".pth", ".PT", ".safetensors", ".onnx", ".tflite"])
def test_an_own_file_is_never_trusted(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"mine{suffix}"
    path.write_bytes(b"x")
    found = checkpoints.resolve(UNET, path)
    assert (found.kind, found.verified, len(found.classes), found.path) == ("own", False, 0, path)
    assert f"mine{suffix}" in found.label
    assert found.with_class_count(19).classes.names[0] == "road"
    assert found.with_class_count(3).classes.names == ("class 0", "class 1", "class 2")
    assert len(set(found.with_class_count(255).classes.palette)) > 200
    assert checkpoints.resolve(ERFNET, path).with_class_count(20).classes.names[-1] == "void"


def test_own_files_that_cannot_be_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MODEL_BYTES", 1000)
    for name, content in (("a.zip", b"x"), ("empty.pth", b""), ("big.pth", bytes(1001)), ("no suffix", b"x")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CheckpointError, match=name) as caught:
            checkpoints.resolve(UNET, tmp_path / name)
        assert "\n" not in str(caught.value)
    (tmp_path / "folder.pth").mkdir()
    (tmp_path / "big.onnx").write_bytes(bytes(1001))
    for name, error in (
        ("folder.pth", CheckpointError),
        ("absent.pth", CheckpointError),
        ("nul\0.pth", CheckpointError),
        ("two\nlines.pth", CheckpointError),
        ("big.onnx", ModelFileError),
        ("absent.tflite", ModelFileError),
    ):
        with pytest.raises(error) as refused:
            checkpoints.resolve(UNET, tmp_path / name)
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize("weights", [None, "bundled", "published", "own.pth"])
def test_an_unknown_row(weights: str | None) -> None:
    with pytest.raises(UnknownIdError):
        checkpoints.resolve("no-such-row", weights)


def test_status_tells_every_row(folder: Path) -> None:
    path = put(folder, ERFNET, b"weights", "pth")
    told = checkpoints.status()
    assert list(told.columns) == ["id", "kind", "status", "path", "verified"]
    assert list(dict.fromkeys(told["id"])) == [row.id for row in all_shipped().rows]
    counts = told[told["id"].isin(load_catalog().index)]["status"].value_counts().to_dict()
    # 3 networks x (ADE20K32, COCOSeg21, Cityscapes, its QAT) and FPNLite at 1536x768; 15 addresses, one got.
    assert counts == {"bundled": 13, "missing": 14, "downloaded": 1, "unavailable": 20}
    line = checkpoints.status(ERFNET).iloc[0]
    assert (line["status"], line["path"], line["verified"]) == ("downloaded", str(path), False)
    assert checkpoints.status(UNET)["status"].tolist() == ["bundled", "unavailable"]
    with pytest.raises(UnknownIdError):
        checkpoints.status("no-such-row")


def test_the_cache_folder_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_dir() == tmp_path / "cache"
    monkeypatch.delenv(CACHE_VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    assert "segselect" in str(cache_dir()).lower()


def test_torchvisions_lines_are_what_torchvision_says() -> None:
    from torchvision.models import segmentation

    listed = published.published_list()
    for row_id, constructor in (
        ("cocoseg21-lr-aspp-mobilenetv3-large-520x520", "LRASPP_MobileNet_V3_Large"),
        ("cocoseg21-deeplabv3-mobilenetv3-large-520x520", "DeepLabV3_MobileNet_V3_Large"),
        ("cocoseg21-deeplabv3-resnet50-520x520", "DeepLabV3_ResNet50"),
    ):
        weights = getattr(segmentation, f"{constructor}_Weights").COCO_WITH_VOC_LABELS_V1
        assert listed.at[row_id, "url"] == weights.url
        assert weights.url.endswith(f"-{listed.at[row_id, 'sha256_prefix']}.pth")
        mean = [float(number) / 255 for number in listed.at[row_id, "mean"].split()]
        assert mean == pytest.approx(weights.transforms().mean)


def test_a_line_that_breaks_the_list_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (DATA / "checkpoints.csv").read_text(encoding="utf-8")
    (tmp_path / "checkpoints.csv").write_text(
        text.replace("https://github", "ftp://github"), encoding="utf-8"
    )
    monkeypatch.setattr(published, "DATA", tmp_path)
    with pytest.raises(ZooError, match=r"checkpoints.csv, line \d+, column url.*ftp://.*https"):
        published.published_list.__wrapped__()


@pytest.mark.parametrize("model", BUNDLED)
def test_a_bundled_network_loads_and_its_figures_add_up(model: str) -> None:
    network = bundled_networks()[model]
    for split in ("val", "test"):
        figures = network.figures[split]
        assert tuple(figures["iou"]) == CAMVID
        assert figures["miou"] == pytest.approx(sum(figures["iou"].values()) / 11, abs=0.02)
    with network.path.open("rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    assert {tensor["dtype"] for tensor in header.values()} == {"F16"}
    row_id = next(str(key) for key, row in load_catalog().iterrows() if row["model"] == model)
    built = build_model(row_id, num_classes=11)
    load_weights(built, network.path)
    with torch.inference_mode():
        logits = built.eval()(torch.zeros(1, 3, 64, 96))
    assert torch.isfinite(logits).all()


def test_the_sample_pictures_have_their_credits() -> None:
    with (DATA / "samples" / "samples.csv").open(encoding="utf-8", newline="") as file:
        samples = list(csv.DictReader(file))
    assert {path.name for path in (DATA / "samples").iterdir()} == {
        "samples.csv",
        *(sample["file"] for sample in samples),
    }
    assert all(sample["credit"] and sample["licence"] and sample["source"] for sample in samples)
