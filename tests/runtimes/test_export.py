"""The cache of exported networks: kept, checked, made again; and no torch where it is warm."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from zoo.cache import CACHE_VARIABLE
from zoo.errors import InferenceError
from zoo.runtimes import export
from zoo.runtimes.export import exported
from zoo.runtimes.onnxruntime_session import OnnxNetwork
from zoo.runtimes.torch_module import TorchNetwork
from zoo.sizes import Size
from zoo.weights.checkpoints import resolve

ROW = "cityscapes-mobilenetv2-unetlite-768x384"
SIZE = Size(96, 64)


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> object:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv(CACHE_VARIABLE, str(folder))
        yield folder


def silent(_: str) -> None:
    """Progress that nobody reads."""


def test_it_is_made_once_and_takes_any_size() -> None:
    told: list[str] = []
    first = exported(resolve(ROW), SIZE, told.append)
    second = exported(resolve(ROW), Size(160, 128), told.append)
    assert first == second
    assert len(told) == 1
    network = OnnxNetwork(first)
    model = TorchNetwork(ROW, str(resolve(ROW).path))
    for height, width in ((64, 96), (75, 131)):
        values = np.random.default_rng(0).normal(size=(1, 3, height, width)).astype(np.float32)
        assert np.abs(network.run(values) - model.run(values)).max() < 1e-3


def test_rows_of_one_architecture_share_it() -> None:
    qat = resolve("cityscapes-mobilenetv2-unetlite-qat-768x384")
    assert exported(qat, SIZE, silent) == exported(resolve(ROW), SIZE, silent)


@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
def test_a_damaged_file_is_made_again(damage: str) -> None:
    path = exported(resolve(ROW), SIZE, silent)
    good = path.read_bytes()
    middle = len(good) // 2
    bad = {
        "cut": good[:middle],
        "flip": good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1 :],
        "empty": b"",
    }[damage]
    path.write_bytes(bad)
    os.utime(path, (1, 1))  # another time, as a later day has
    again = exported(resolve(ROW), SIZE, silent)
    assert OnnxNetwork(again).run(np.zeros((1, 3, 64, 96), np.float32)).shape == (1, 11, 64, 96)


def test_changed_code_or_weights_or_a_fixed_size_make_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    unet, fpn = resolve(ROW), resolve("cityscapes-mobilenetv2-fpnlite-768x384")
    stem = export._stem(unet, SIZE)
    assert stem == export._stem(unet, Size(160, 128))
    assert stem != export._stem(fpn, SIZE)
    monkeypatch.setattr(export, "FIXED_SIZE_FAMILIES", {"edgeailite"})
    assert export._stem(unet, SIZE) != export._stem(unet, Size(160, 128))
    monkeypatch.setattr(export, "_code_version", lambda: "other code")
    assert export._stem(fpn, SIZE) != stem


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file"))
    with pytest.raises(InferenceError, match="cannot be kept") as caught:
        exported(resolve(ROW), SIZE, silent)
    assert "\n" not in str(caught.value)


def test_a_later_process_makes_a_mask_without_torch() -> None:
    exported(resolve(ROW), SIZE, silent)
    code = (
        "import sys, zoo, numpy as np\n"
        f"found = zoo.predict({ROW!r}, np.zeros((64, 96, 3), np.uint8), size=(96, 64))\n"
        "assert found.labels.shape == (64, 96)\n"
        "assert not {'torch', 'onnx', 'timm'} & set(sys.modules)\n"
    )
    home = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", code], cwd=home, check=True)
