"""The cache of exported networks: kept, checked, made again, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from zoo.cache import CACHE_VARIABLE, exports_dir
from zoo.catalog import find_row
from zoo.errors import CheckpointError, InferenceError
from zoo.models import build_model
from zoo.prediction import predict
from zoo.runtimes import export
from zoo.runtimes.export import exported
from zoo.runtimes.onnxruntime_session import OnnxNetwork
from zoo.runtimes.torch_module import TorchNetwork
from zoo.sizes import Size
from zoo.weights.checkpoints import resolve
from zoo.weights.layouts import build_for

ROW = "cityscapes-mobilenetv2-unetlite-768x384"
SWIFTNET = "cityscapes-mobilenetv2-swiftnet-2048x1024"
SIZE = Size(96, 64)
ELSEWHERE = export.carry_out_elsewhere
"""As it is before the tests export in their own process (tests/conftest.py)."""


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> object:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv(CACHE_VARIABLE, str(folder))
        yield folder


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Export in a process of its own, as the product does."""
    monkeypatch.setattr(export, "carry_out_elsewhere", ELSEWHERE)


def silent(_: str) -> None:
    """Progress that nobody reads."""


def test_it_is_made_once_and_takes_any_size() -> None:
    told: list[str] = []
    first = exported(resolve(ROW), SIZE, told.append)
    second = exported(resolve(ROW), Size(160, 128), told.append)
    assert first == second
    assert len(told) == 1
    network = OnnxNetwork(first)
    model = TorchNetwork(find_row(ROW), str(resolve(ROW).path))
    for height, width in ((64, 96), (75, 131)):
        values = np.random.default_rng(0).normal(size=(1, 3, height, width)).astype(np.float32)
        found = network.run(values)
        assert found.shape == (1, 11, -(-height // 2), -(-width // 2))  # UNetLite's last resize is not in it
        resized = F.interpolate(torch.from_numpy(found), (height, width), mode="bilinear").numpy()
        assert np.abs(resized - model.run(values)).max() < 1e-3


def test_rows_of_one_architecture_share_it() -> None:
    qat = resolve("cityscapes-mobilenetv2-unetlite-qat-768x384", precision="float")
    assert exported(qat, SIZE, silent) == exported(resolve(ROW), SIZE, silent)


def test_a_network_in_8_bits_is_one_already() -> None:
    eight = resolve(ROW, precision="8bit")
    assert exported(eight, SIZE, silent) == eight.path


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
    assert OnnxNetwork(again).run(np.zeros((1, 3, 64, 96), np.float32)).shape == (1, 11, 32, 48)


@pytest.mark.usefixtures("elsewhere")
def test_changed_code_or_weights_or_a_fixed_size_make_a_new_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    writing = "import json, sys; open(json.load(sys.stdin)['out'], 'w').write('all the same')"
    monkeypatch.setattr(export, "EXPORTING", [sys.executable, "-S", "-c", writing])
    unet, fpn = resolve(ROW), resolve("cityscapes-mobilenetv2-fpnlite-768x384")
    first = exported(unet, SIZE, silent)
    assert exported(unet, Size(160, 128), silent) == first
    assert exported(fpn, SIZE, silent) != first
    for seed in (0, 1):
        torch.manual_seed(seed)
        torch.save(build_model(SWIFTNET).state_dict(), tmp_path / f"{seed}.pth")
    swiftnet, other = (resolve(SWIFTNET, tmp_path / f"{seed}.pth") for seed in (0, 1))
    asked = (swiftnet, Size(96, 64)), (swiftnet, Size(160, 128)), (other, Size(96, 64))
    assert len({exported(*one, silent) for one in asked}) == 3
    monkeypatch.setattr(export, "code_version", lambda: "other code")
    assert exported(unet, SIZE, silent) != first


def test_what_was_used_last_is_kept_and_what_a_crash_left_is_swept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    monkeypatch.setattr(export, "KEPT_EXPORTS", 2)
    unet, fpn, deeplab = (
        resolve(f"cityscapes-{name}-768x384")
        for name in ("mobilenetv2-unetlite", "mobilenetv2-fpnlite", "mobilenetv2s16-deeplabv3lite")
    )
    oldest = exported(unet, SIZE, silent)
    other = exported(fpn, SIZE, silent)
    for age, path in ((9, oldest), (5, other)):
        then = time.time() - 1000 * age
        os.utime(path, (then, then))
    crashed, running = oldest.with_name("crashed.segselect-part"), oldest.with_name("running.segselect-part")
    for path in (crashed, running):
        path.write_bytes(b"half")
    os.utime(crashed, (1, 1))
    assert exported(unet, SIZE, silent) == oldest  # made first, used last
    newest = exported(deeplab, SIZE, silent)
    assert set(oldest.parent.iterdir()) == {oldest, newest, running}


def test_another_server_may_remove_a_file_at_any_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Between being found and hashed, and between being found and loaded."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    path = exported(resolve(ROW), SIZE, silent)
    find = Path.glob

    def glob_and_lose(folder: Path, pattern: str) -> list[Path]:
        found = list(find(folder, pattern))
        if pattern.endswith(".onnx"):
            path.unlink(missing_ok=True)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(Path, "glob", glob_and_lose)
        assert exported(resolve(ROW), SIZE, silent) == path
    find_export, lost = export.exported, []

    def export_and_lose(*asked: object) -> Path:
        found = find_export(*asked)
        if not lost:
            lost.append(found)
            found.unlink()
        return found

    monkeypatch.setattr(export, "exported", export_and_lose)
    found = predict(ROW, np.zeros((64, 96, 3), np.uint8), size=(32, 64), weights="bundled")
    assert lost
    assert found.labels.shape == (64, 96)


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file"))
    with pytest.raises(InferenceError, match="cannot be kept") as caught:
        exported(resolve(ROW), SIZE, silent)
    assert "\n" not in str(caught.value)


def test_a_process_makes_its_masks_without_torch_the_first_too(tmp_path: Path) -> None:
    code = (
        "import sys, zoo, numpy as np\n"
        f"found = zoo.predict({ROW!r}, np.zeros((64, 96, 3), np.uint8), size=(96, 64))\n"
        "assert found.labels.shape == (64, 96)\n"
        "assert not {'torch', 'onnx', 'timm'} & set(sys.modules)\n"
    )
    home = Path(__file__).resolve().parents[2]
    cold = {**os.environ, CACHE_VARIABLE: str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], cwd=home, env=cold, check=True)
    assert len(list(tmp_path.rglob("*.onnx"))) == 1


@pytest.mark.usefixtures("elsewhere")
def test_the_process_that_exports_refuses_as_its_own_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "other.pth"
    torch.save({"conv.weight": torch.zeros(1)}, path)
    with pytest.raises(CheckpointError) as alone:
        build_for(ROW, path)
    with pytest.raises(CheckpointError) as caught:
        exported(resolve(ROW, path), SIZE, silent)
    assert str(caught.value) == str(alone.value)
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    monkeypatch.setattr(export, "EXPORTING", [sys.executable, "-c", "import os; os.abort()"])
    with pytest.raises(InferenceError, match=r"could not be exported \(its process died"):
        exported(resolve("cityscapes-mobilenetv2-fpnlite-768x384"), SIZE, silent)
    assert not list(exports_dir().glob("*-part"))
