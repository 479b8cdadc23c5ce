"""`weights`, `cache` and `predict` as a person calls them."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoo.cache import CACHE_VARIABLE
from zoo.cli import main
from zoo.errors import DownloadError
from zoo.weights import checkpoints, download

ROW = "cityscapes-mobilenetv2-unetlite-768x384"
PUBLISHED = "cityscapes-erfnet-1024x512"
SMALL = ("--size", "128x96")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def lay_down(folder: Path) -> Path:
    content = b"weights"
    path = folder / "weights" / f"{PUBLISHED}.{hashlib.sha256(content).hexdigest()}.pth"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def test_weights_lists_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = lay_down(folder)
    assert main(["weights", "--json"]) == 0
    lines = json.loads(capsys.readouterr().out)
    assert {tuple(line) for line in lines} == {("id", "kind", "status", "path")}
    assert {"id": PUBLISHED, "kind": "published", "status": "downloaded", "path": str(path)} in lines
    assert [line["status"] for line in lines if line["id"] == ROW] == ["bundled", "unavailable"]


def test_weights_lists_for_people(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lay_down(folder)
    assert main(["weights"]) == 0
    out = capsys.readouterr().out
    assert "downloaded, unverified" in out
    assert "missing" in out
    assert "personal and research use only" in out


def test_weights_get_keeps_what_is_here(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = lay_down(folder)
    monkeypatch.setattr(download, "download", lambda *_: pytest.fail("nothing had to be downloaded"))
    assert main(["weights", "get", PUBLISHED, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["path"] == str(path)


def test_weights_get_downloads_what_has_changed(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = lay_down(folder)
    path.write_bytes(b"changed")

    def arrive(row_id: str, progress: download.DownloadProgress) -> checkpoints.Checkpoint:
        progress(3, 7)
        progress(7, 7)
        path.write_bytes(b"weights")
        return checkpoints.resolve(row_id, "published")

    monkeypatch.setattr(download, "download", arrive)
    assert main(["weights", "get", PUBLISHED]) == 0
    captured = capsys.readouterr()
    assert str(path) in captured.out
    assert hashlib.sha256(b"weights").hexdigest() in captured.out
    assert "Downloading" in captured.err


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["weights", "get", "no-such-row"], 2),
        (["weights", "get", ROW], 1),
        (["weights", "get"], 2),
        (["weights", "put"], 2),
    ],
)
def test_weights_get_refuses_in_one_line(
    arguments: list[str], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1


def test_a_failed_download_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise DownloadError("no internet")

    monkeypatch.setattr(download, "download", fail)
    assert main(["weights", "get", PUBLISHED]) == 1
    assert capsys.readouterr().err == "zoo: no internet\n"


def test_cache_tells_and_clears_only_what_is_ours(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lay_down(folder)
    (folder / "holiday.jpg").write_bytes(b"not ours")
    assert main(["cache", "--json"]) == 0
    weights, exports, quantized = json.loads(capsys.readouterr().out)
    assert (weights["files"], weights["bytes"], exports["files"], quantized["files"]) == (1, 7, 0, 0)
    assert main(["cache", "clear"]) == 0
    assert "1 files" in capsys.readouterr().out
    assert [path.name for path in folder.iterdir()] == ["holiday.jpg"]
    assert main(["cache", "clear"]) == 0  # clearing nothing is no failure


def test_weights_needs_no_torch() -> None:
    code = "import sys; from zoo.cli import main; main(['weights']); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three small photos in a folder, with a file that is none."""
    folder = tmp_path / "photos"
    folder.mkdir()
    noise = np.random.default_rng(3)
    for name in ("b.png", "a.jpg", "c.webp"):
        Image.fromarray(noise.integers(0, 256, (40, 60, 3), dtype=np.uint8)).save(folder / name)
    (folder / "notes.txt").write_text("no picture")
    return folder


def test_a_folder_of_images(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "masks"
    assert (
        main(["predict", ROW, str(photos), *SMALL, "--out", str(out), "--overlay", str(out), "--json"]) == 0
    )
    lines = json.loads(capsys.readouterr().out)
    assert [Path(line["image"]).name for line in lines] == ["a.jpg", "b.png", "c.webp"]
    names = sorted(path.name for path in out.iterdir())
    assert names == [f"{stem}{ending}.png" for stem in "abc" for ending in ("", "_overlay")]
    with Image.open(out / "a.png") as mask:
        assert (mask.mode, mask.size) == ("P", (60, 40))
        labels = np.array(mask)
        assert (mask.getpalette() or [])[:6] == [
            128,
            128,
            128,
            128,
            0,
            0,
        ]  # CamVid's sky and building
    assert labels.max() < 11
    counted = np.bincount(labels.ravel(), minlength=11) / 24
    assert list(lines[0]["shares"].values()) == pytest.approx(counted.tolist())
    with Image.open(out / "a_overlay.png") as overlay:
        assert (overlay.mode, overlay.size) == ("RGB", (60, 40))


def test_one_image_for_people(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mask = tmp_path / "mask.png"
    assert main(["predict", ROW, str(photos / "a.jpg"), *SMALL, "--out", str(mask)]) == 0
    captured = capsys.readouterr()
    assert "CamVid" in captured.out
    assert "personal and research use only" in captured.out
    assert captured.err == ""
    assert mask.exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["a.jpg", "b.png", "--out", "mask.png"], "give a folder"),
        (["a.jpg", "--out", "mask.jpg"], "a name in .png"),
        (["b.png", "--out", "."], "written over an image"),
        (["a.jpg", "--out", "same.png", "--overlay", "same.png"], "another result"),
        (["a.jpg", "./a.jpg", "--out", "masks"], "another result"),
        (["empty"], "no image in this folder"),
        (["a.jpg", "--weights", "absent.pth"], "no such file"),
        (["a.jpg", "--fit", "crop"], "crop"),
        (["a.jpg", "--runtime", "abacus"], "abacus"),
        ([], "IMAGE"),
    ],
)
def test_predict_refuses_in_one_line(
    arguments: list[str],
    reason: str,
    photos: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(photos)
    (photos / "empty").mkdir()
    before = sorted(path.read_bytes() for path in photos.iterdir() if path.is_file())
    assert main(["predict", ROW, *arguments]) == 2
    captured = capsys.readouterr()
    assert reason in captured.err
    assert captured.err.count("\n") == 1
    assert sorted(path.read_bytes() for path in photos.iterdir() if path.is_file()) == before


def test_predict_without_weights_names_the_ways(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", PUBLISHED, str(photos / "a.jpg")]) == 1
    assert f"weights get {PUBLISHED}" in capsys.readouterr().err
