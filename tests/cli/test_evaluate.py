"""`evaluate` as a person calls it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoo.cli import main
from zoo.evaluation import evaluate
from zoo.prediction import predict

ROW = "cityscapes-mobilenetv2-unetlite-768x384"
OTHER = "ade20k32-mobilenetv2-unetlite-512x512"  # the same network with other published classes
SMALL = ("--size", "96x64", "--weights", "bundled")
HOME = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def labelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with four images, their labels, and an image without."""
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    noise = np.random.default_rng(6)
    for number in range(4):
        picture = Image.fromarray(noise.integers(0, 256, (5, 8, 3), dtype=np.uint8)).resize((80, 50))
        picture.save(tmp_path / "images" / f"{number}.png")
        labels = predict(ROW, picture, weights="bundled", size=(96, 64)).labels.copy()
        labels[:10] = 3
        Image.fromarray(labels).save(tmp_path / "labels" / f"{number}.png")
    (tmp_path / "images" / "alone.png").write_bytes(b"never read")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_json_has_the_agreed_fields(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", ROW, "--images", "images", "--labels", "labels", *SMALL, "--json"]) == 0
    captured = capsys.readouterr()
    record = json.loads(captured.out)
    wanted = evaluate(ROW, "images", "labels", weights="bundled", size=(96, 64))
    assert list(record)[:7] == ["id", "weights", "miou", "accuracy", "classes", "images", "rules"]
    assert (record["id"], record["images"], record["miou"]) == (ROW, 4, wanted.miou)
    assert [line["iou"] for line in record["classes"]] == [
        None if np.isnan(value) else value for value in wanted.iou
    ]
    assert "alone.png" in captured.err


def test_people_get_means_classes_and_rules(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", ROW, OTHER, "--images", "images", "--labels", "labels", *SMALL]) == 0
    out = capsys.readouterr().out
    wanted = evaluate(ROW, "images", "labels", weights="bundled", size=(96, 64))
    assert out.count(f"{wanted.miou:.2f}") >= 2
    for part in ("IoU % " + ROW, "IoU % " + OTHER, "sign symbol", "void:", "interval:", "CamVid class ids"):
        assert part in out


def test_several_rows_are_an_array(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["evaluate", ROW, OTHER, "--images", "images", "--labels", "labels", *SMALL, "--json"]
    assert main(command) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert (first["id"], second["id"]) == (ROW, OTHER)
    assert first["miou"] == second["miou"]


def test_one_zip_with_both(labelled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with zipfile.ZipFile("both.zip", "w") as archive:
        for path in [*labelled.glob("images/[0-9].png"), *labelled.glob("labels/*.png")]:
            archive.write(path, path.relative_to(labelled).as_posix())
    assert main(["evaluate", ROW, "--images", "both.zip", *SMALL, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["images"] == 4


def test_an_image_that_is_refused_is_named_and_the_rest_counts(capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(np.zeros((50, 79), np.uint8)).save("labels/1.png")
    assert main(["evaluate", ROW, "--images", "images", "--labels", "labels", *SMALL, "--json"]) == 1
    captured = capsys.readouterr()
    record = json.loads(captured.out)
    assert (record["images"], record["total"]) == (3, 4)
    assert "1.png is 79x50, and its picture 80x50" in captured.err
    assert record["refused"][0]["image"] == "1.png"


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
        (["no-such-row", "--images", "images", "--labels", "labels"], 2, "no-such-row"),
        ([ROW, ROW, "--images", "images", "--labels", "labels"], 2, "given twice"),
        ([ROW, "--images", "images"], 2, "--labels"),
        ([ROW, "--labels", "labels"], 2, "--images"),
        ([ROW, "--images", "absent", "--labels", "labels"], 2, "absent is not a folder"),
        ([ROW, "--images", "images", "--labels", "labels", "--size", "8x8"], 2, "8x8|width 8"),
        ([ROW, "--images", "images", "--labels", "labels", "--mapping", "absent.csv"], 2, "absent.csv"),
        ([ROW, "--images", "images", "--labels", "labels", "--labels-of", "Cityscapes"], 2, "give a mapping"),
        ([ROW, "--images", "images", "--labels", "labels", "--weights", "published"], 1, "published weights"),
        ([ROW, "--images", "bad.zip"], 2, "leaves the zip"),
        ([ROW, "--images", "images", "--labels", "unrelated"], 2, "no label file has the name of an image"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    arguments: list[str], status: int, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with zipfile.ZipFile("bad.zip", "w") as archive:
        archive.writestr("../a.png", b"")
    Path("unrelated").mkdir()
    Path("unrelated/x.png").write_bytes(b"")
    assert main(["evaluate", *arguments]) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    error = [line for line in captured.err.splitlines() if not line.startswith("zoo: Not matched")]
    assert len([line for line in error if line.startswith("zoo:")]) == 1
    assert any(part in captured.err for part in reason.split("|"))


def test_ctrl_c_gives_the_result_so_far(labelled: Path) -> None:
    for number in range(4, 100):
        for folder in ("images", "labels"):
            os.link(f"{folder}/{number % 4}.png", f"{folder}/{number}.png")
    command = [sys.executable, "-m", "zoo", "evaluate", ROW, "--images", str(labelled / "images")]
    command += ["--labels", str(labelled / "labels"), "--size", "480x352", "--weights", "bundled", "--json"]
    process = subprocess.Popen(
        command,
        cwd=HOME,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stderr is not None
    assert b"alone.png" in process.stderr.readline()
    assert process.stderr.read(1)  # the bar begins when Ctrl-C is listened to, before the first image
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    record = json.loads(out)
    assert process.returncode == 1
    assert 0 < record["images"] < record["total"] == 100
    assert "result so far" in err.decode()
    assert record["rules"]["images"].startswith(f"stopped: {record['images']} of 100 images")
