"""`weights`, `cache` and `predict` as a person calls them."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from zoo.cli import main
from zoo.errors import DownloadError
from zoo.weights import checkpoints, download

ROW = "cityscapes-mobilenetv2-unetlite-768x384"
PUBLISHED = "cityscapes-erfnet-1024x512"
SMALL = ("--size", "128x96")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(checkpoints.CACHE_VARIABLE, str(tmp_path / "cache"))
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

    def arrive(row_id: str, progress: download.Progress) -> checkpoints.Checkpoint:
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
    weights, exports = json.loads(capsys.readouterr().out)
    assert (weights["files"], weights["bytes"], exports["files"]) == (1, 7, 0)
    assert main(["cache", "clear"]) == 0
    assert "1 files" in capsys.readouterr().out
    assert [path.name for path in folder.iterdir()] == ["holiday.jpg"]
    assert main(["cache", "clear"]) == 0  # clearing nothing is no failure


def test_weights_needs_no_torch() -> None:
    code = "import sys; from zoo.cli import main; main(['weights']); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0
