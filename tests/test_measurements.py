"""Files of measurements: kept whole, read with suspicion."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zoo import benchmark, limits
from zoo.errors import MeasurementError
from zoo.measurements import (
    Setup,
    keep,
    kept,
    merged,
    milliseconds,
    of_own,
    parse,
    setups,
    timings,
    together,
)
from zoo.sizes import Size

UNET = "cityscapes-mobilenetv2-unetlite-768x384"
FPN = "cityscapes-mobilenetv2-fpnlite-768x384"


def line(**changes: Any) -> dict[str, Any]:
    found = {
        "id": UNET,
        "file": None,
        "sha256": None,
        "runtime": "onnxruntime",
        "provider": "CPUExecutionProvider",
        "threads": 4,
        "precision": "float32",
        "width": 768,
        "height": 384,
        "weights": "random",
        "median_ms": 50.0,
        "p10_ms": 48.0,
        "p90_ms": 60.0,
        "min_ms": 47.5,
        "runs": 100,
        "warmup_runs": 10,
        "macs": 2_200_000_000,
        "peak_memory_bytes": 150_000_000,
        "base_memory_bytes": 50_000_000,
    }
    if "median_ms" in changes:
        found |= {"p10_ms": changes["median_ms"], "p90_ms": changes["median_ms"]}
    return {**found, **changes}


def document(*lines: dict[str, Any], name: str = "raspberry") -> dict[str, Any]:
    return benchmark.document(list(lines or [line()]), name=name)


def as_bytes(content: Any) -> bytes:
    return json.dumps(content).encode()


def test_a_boards_file_is_read_and_written_back() -> None:
    found = parse(as_bytes(document(line(), line(id=FPN, median_ms=55.0))), "board.json")
    assert found.name == "raspberry (imported)"
    assert found.notes == ()
    table = found.table()
    assert table["median_ms"].tolist() == [50.0, 55.0]
    assert table["gmacs_per_second"].tolist() == pytest.approx([44.0, 40.0])
    again = parse(found.as_json().encode(), "again.json")
    assert again == found


def test_milliseconds_never_mix_threads_and_prefer_the_rows_own_size() -> None:
    lines = [
        line(width=640, height=480, median_ms=70.0),
        line(),
        line(threads=1, median_ms=150.0),
        line(id=FPN, width=640, height=480, median_ms=90.0),
        line(id=None, file="mine.onnx"),
    ]
    table = parse(as_bytes(document(*lines)), "board.json").table()
    sizes = {UNET: Size(768, 384), FPN: Size(768, 384)}
    four = Setup("raspberry (imported)", "onnxruntime", "float32", 4)
    assert setups(table) == [four, four._replace(threads=1)]
    found = milliseconds(table, four, sizes)
    assert found.where == "raspberry (imported) (float32, onnxruntime, 4 threads)"
    assert found.table.loc[UNET].tolist() == [768, 384, 50.0]
    assert found.table.loc[FPN].tolist() == [640, 480, 90.0]
    assert milliseconds(table, four._replace(threads=1), sizes).table["milliseconds"].tolist() == [150.0]


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: d.update(format="other"), "not a file of measurements"),
        (lambda d: d.update(version=99), "version 99"),
        (lambda d: d["units"].update(latency="s"), "latency in ms"),
        (lambda d: d.pop("units"), "units nothing"),
        (lambda d: d["machine"].update(name="<img src=x onerror=alert(1)>"), "without markup"),
        (lambda d: d["machine"].update(name="a\nb"), "without markup"),
        (lambda d: d["machine"].update(name="x" * 200), "at most 120"),
        (lambda d: d["machine"].update(processor=7), "processor 7"),
        (lambda d: d.update(machine=[]), "on which machine"),
        (lambda d: d.update(measured_at="yesterday"), "measured_at"),
        (lambda d: d.update(measurements=[]), "1 to 2,000"),
        (lambda d: d.update(measurements=[line()] * 2001), "1 to 2,000"),
        (lambda d: d.update(measurements=["fast"]), "no measurement"),
        (lambda d: d["measurements"][0].update(median_ms="50"), "median_ms '50'"),
        (lambda d: d["measurements"][0].update(median_ms=-1), "median_ms -1"),
        (lambda d: d["measurements"][0].update(median_ms=10**400), "median_ms"),
        (lambda d: d["measurements"][0].update(median_ms=True), "median_ms True"),
        (
            lambda d: d["measurements"][0].update(median_ms=0.001, p10_ms=0.001, p90_ms=0.002),
            "no chip reaches",
        ),
        (lambda d: d["measurements"][0].update(median_ms=70.0), "not between"),
        (lambda d: d["measurements"][0].update(width=768.5), "width 768.5"),
        (lambda d: d["measurements"][0].update(width=9000), "whole number from 32 to 4096"),
        (lambda d: d["measurements"][0].update(id="../../etc/passwd"), "a row's id"),
        (lambda d: d["measurements"][0].update(id=None), "neither a row"),
        (lambda d: d["measurements"][0].update(file="<b>x</b>"), "without markup"),
    ],
)
def test_what_is_wrong_is_one_line(change: Change, reason: str) -> None:
    content = copy.deepcopy(document())
    content["units"] = dict(content["units"])
    change(content)
    with pytest.raises(MeasurementError, match=reason) as caught:
        parse(as_bytes(content), "board.json")
    assert str(caught.value).startswith("board.json")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"[" * 100_000, b'{"format": NaN}', b"[]", b"9" * 5000, b"<html></html>"],
)
def test_garbage_is_one_line(content: bytes) -> None:
    with pytest.raises(MeasurementError, match=r"board\.json") as caught:
        parse(content, "board.json")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_too_large_is_not_even_read() -> None:
    with pytest.raises(MeasurementError, match="larger than 2 MB"):
        parse(b" " * (limits.MEASUREMENTS_BYTES + 1), "board.json")


def test_a_file_that_bears_this_machines_name_is_kept_apart() -> None:
    forged = document(name=benchmark.machine()["name"])
    found = parse(as_bytes(forged), "board.json")
    assert found.name.endswith("(imported)")
    assert "not measured by this installation" in found.notes[0]


def test_what_is_measured_here_is_kept_and_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGSELECT_CACHE", str(tmp_path))
    assert kept() is None
    keep([line(), line(threads=1, median_ms=55.0)])
    keep([line(median_ms=49.0)])
    found = kept()
    assert found is not None
    assert not found.imported
    assert sorted(found.table()["median_ms"]) == [49.0, 55.0]
    (path,) = (tmp_path / "measurements").iterdir()
    path.write_bytes(path.read_bytes()[:-20])
    assert kept() is None
    assert not path.exists()


def test_two_machines_of_one_name_do_not_mix_and_two_files_of_one_machine_do() -> None:
    one, more, other = document(line()), document(line(id=FPN)), document(line(median_ms=5.0))
    other["machine"]["processor"] = "another"
    table = together([parse(as_bytes(found), "board.json") for found in (one, more, other)])
    assert table.groupby("machine")["median_ms"].apply(list).to_dict() == {
        "raspberry (imported)": [50.0, 50.0],
        "raspberry (imported) 2": [5.0],
    }
    assert setups(together([])) == []


def test_only_its_content_says_which_own_network_was_measured() -> None:
    digest = "a" * 64
    lines = [line(id=None, file="x.onnx", sha256=digest), line(id="own-mine-64x64"), line()]
    found = of_own(parse(as_bytes(document(*lines)), "board.json").table(), {digest: "own-mine-64x64"})
    assert list(found["id"]) == ["own-mine-64x64", UNET]


def test_a_visitors_measurements_are_joined_and_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEGSELECT_CACHE", str(tmp_path))
    keep([line()])
    found = merged(kept(), [line(id="own-mine-64x64", measured_at="2026-01-31T12:00:00Z")])
    assert [one["id"] for one in found.lines] == [UNET, "own-mine-64x64"]
    assert found.lines[1]["measured_at"] == "2026-01-31T12:00:00Z"
    here = kept()
    assert here is not None
    assert [one["id"] for one in here.lines] == [UNET]


def test_measurements_as_timings_name_their_setup() -> None:
    lines = [line(), line(threads=1, median_ms=45.0)]
    table = parse(as_bytes(document(*lines)), "board.json").table()
    assert timings(table).to_numpy().tolist() == [
        [UNET, 768, 384, "raspberry (imported) (float32, onnxruntime, 4 threads)", 50.0],
        [UNET, 768, 384, "raspberry (imported) (float32, onnxruntime, 1 thread)", 45.0],
    ]
    assert timings(together([])).empty
