"""Precision: which file is run, what is said of it, and what the bundled networks in 8 bits compute."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from zoo.cache import CACHE_VARIABLE
from zoo.catalog import find_row
from zoo.errors import InputError, WeightsMissingError
from zoo.images import read_image
from zoo.prediction import predict
from zoo.tables import DATA
from zoo.weights.bundled import bundled_in_8_bits, bundled_networks
from zoo.weights.checkpoints import resolve
from zoo.weights.quantized import keep_quantized

FLOAT_ROW = "cityscapes-mobilenetv2-unetlite-768x384"
QAT_ROWS = [
    f"cityscapes-{name}-qat-768x384"
    for name in ("mobilenetv2s16-deeplabv3lite", "mobilenetv2-unetlite", "mobilenetv2-fpnlite")
]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    return tmp_path


@pytest.fixture
def street() -> np.ndarray:
    return read_image(
        next(path for path in sorted((DATA / "samples").iterdir()) if path.suffix == ".jpg")
    ).rgb


@pytest.mark.parametrize("row_id", QAT_ROWS)
def test_a_qat_row_runs_weights_trained_for_8_bits_in_8_bits(row_id: str, street: np.ndarray) -> None:
    found = predict(row_id, street, size=(480, 352))
    assert found.weights.precision == "8bit"
    assert found.weights.path.name.endswith("-qat-8bit.onnx")
    assert "in 8 bits, trained for 8 bits" in found.weights.label
    in_float = predict(row_id, street, size=(480, 352), precision="float")
    assert in_float.weights.precision == "float"
    # Trained on apart from each other: alike, not equal.
    assert 0.8 < np.mean(found.labels == in_float.labels) < 1


@pytest.mark.parametrize("row_id", QAT_ROWS)
def test_a_bundled_file_says_what_its_figures_say(row_id: str) -> None:
    row = find_row(row_id)
    shipped = bundled_in_8_bits(row.model, qat=True)
    assert shipped is not None
    entries = {entry.key: entry.value for entry in onnx.load(shipped.path).metadata_props}
    assert entries["segselect.row"] == row_id
    assert entries["segselect.precision"] == "8bit"
    assert int(entries["segselect.calibration_pictures"]) == shipped.calibration["pictures"] == 64
    assert entries["segselect.calibration_method"] == shipped.calibration["method"] == "percentile"
    assert "research use only" in entries["segselect.notice"]
    float_figures = bundled_networks()[row.model].figures
    for split in ("val", "test"):
        figures = shipped.figures[split]
        assert figures["miou"] == pytest.approx(np.mean(list(figures["iou"].values())), abs=0.01)
        assert list(figures["iou"]) == list(float_figures[split]["iou"])
        assert 0 < float_figures[split]["miou"] - figures["miou"] < 1.3 or split == "val"
    assert shipped.path.stat().st_size < 3_300_000


def test_a_float_row_runs_in_float_unless_asked(street: np.ndarray) -> None:
    found = predict(FLOAT_ROW, street, size=(480, 352))
    eight = predict(FLOAT_ROW, street, size=(480, 352), precision="8bit")
    assert (found.weights.precision, eight.weights.precision) == ("float", "8bit")
    assert eight.weights.label != found.weights.label
    assert "64 pictures" in eight.weights.calibration
    assert np.mean(found.labels == eight.labels) > 0.93


def test_what_there_is_not_in_8_bits_says_how_to_make_it(tmp_path: Path) -> None:
    own = tmp_path / "own.pth"
    own.write_bytes(b"x")
    with pytest.raises(WeightsMissingError, match=r"quantize cityscapes-.*--weights FILE --out") as caught:
        resolve(FLOAT_ROW, own, "8bit")
    assert "\n" not in str(caught.value)
    model = tmp_path / "own.onnx"
    model.write_bytes(b"x")
    with pytest.raises(InputError, match="whole model"):
        resolve(FLOAT_ROW, model, "8bit")
    with pytest.raises(InputError, match="float, 8bit"):
        resolve(FLOAT_ROW, None, "4bit")


def test_the_last_calibration_is_used_and_a_damaged_one_is_not(tmp_path: Path) -> None:
    own = tmp_path / "own.pth"
    own.write_bytes(b"x")
    checkpoint = resolve(FLOAT_ROW, own)
    network = find_row(FLOAT_ROW).built
    facts = {"method": "minmax", "pictures": 8, "input_size": "96x64"}
    first = keep_quantized(network, checkpoint.sha256, b"first", facts)
    second = keep_quantized(network, checkpoint.sha256, b"second", {**facts, "pictures": 9})
    found = resolve(FLOAT_ROW, own, "8bit")
    assert found.path == second
    assert found.calibration == "Ranges by minmax over 9 pictures at 96x64."
    assert found.source.endswith("in 8 bits")
    second.write_bytes(b"damaged")
    assert resolve(FLOAT_ROW, own, "8bit").path == first
