"""Rows and files timed here: own processes, kept results, reasons."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from zoo import measuring
from zoo.catalog import catalog_named
from zoo.cli import main
from zoo.costs import macs_at
from zoo.errors import BudgetError, InputError, ModelFileError, NotNowError, SizeError
from zoo.measurements import kept, parse
from zoo.measuring import measure_file, measure_own, measure_rows
from zoo.own import own_row, read_own_network
from zoo.rows import Row
from zoo.sizes import Size

UNET = "cityscapes-mobilenetv2-unetlite-768x384"
ERFNET = "cityscapes-erfnet-1024x512"
SMALL = Size(64, 64)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEGSELECT_CACHE", str(tmp_path))
    return tmp_path


def test_rows_are_timed_kept_and_leave_nothing_behind(cache: Path) -> None:
    good, refused = measure_rows([UNET, ERFNET], Size(64, 66), threads=1, seconds=0.1)
    assert refused.measurement is None
    assert "multiples of 8" in str(refused.reason)
    found = good.measurement
    assert found is not None
    assert (found["id"], found["width"], found["height"], found["threads"]) == (UNET, 64, 66, 1)
    assert found["macs"] == macs_at(64, 66)[UNET]
    assert found["gmacs_per_second"] == pytest.approx(found["macs"] / found["median_ms"] / 1e6)
    assert found["weights"] == "random"
    assert 15e6 < found["base_memory_bytes"] <= found["peak_memory_bytes"] < 500e6
    here = kept()
    assert here is not None
    assert [line["id"] for line in here.lines] == [UNET]
    assert list((cache / "benchmarks").iterdir()) == []


def timed_line(row: Row, size: Size) -> dict[str, object]:
    return {
        "id": row.id, "file": None, "runtime": "onnxruntime", "provider": None, "threads": 1,
        "precision": "float32", "width": size.width, "height": size.height, "weights": "random",
        "median_ms": 2.0, "p10_ms": 1.0, "p90_ms": 3.0, "min_ms": 1.0, "runs": 5, "warmup_runs": 3,
        "macs": 1000, "peak_memory_bytes": 2000, "base_memory_bytes": 1000, "gmacs_per_second": 0.0005,
    }  # fmt: skip


def test_whoever_stops_asking_stops_the_work_and_keeps_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def fake(row: measuring.Row, size: Size, **_: object) -> dict[str, object]:
        asked.append(row.id)
        return timed_line(row, size)

    monkeypatch.setattr(measuring, "measure_row", fake)
    running = measure_rows([UNET, ERFNET], SMALL, threads=1)
    next(running)
    running.close()
    assert asked == [UNET]
    here = kept()
    assert here is not None
    assert len(here.lines) == 1


def test_a_stopped_table_is_written_and_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def fake(row: Row, size: Size, **_: object) -> dict[str, object]:
        asked.append(row.id)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return timed_line(row, size)

    monkeypatch.setattr(measuring, "measure_row", fake)
    rows = [row for row in catalog_named("published").rows if row.network]
    out = tmp_path / "here.json"
    command = ["bench", "--all", "--threads", "1", "--out", str(out)]
    assert main(command) == 1
    assert f"stopped: 2 of {len(rows)} are timed; --resume goes on" in capsys.readouterr().err
    assert [line["id"] for line in json.loads(out.read_text())["measurements"]] == asked[:2]

    first = asked[:2]
    asked[:] = ["", "", ""]
    assert main([*command, "--resume"]) == 0
    assert first + asked[3:] == [row.id for row in rows]
    whole = parse(out.read_bytes(), "here.json").lines
    assert [line["id"] for line in whole] == [row.id for row in rows]
    asked[:] = ["", "", ""]
    assert main(["bench", "--all", "--threads", "2", "--resume"]) == 0
    assert len(asked) == 3 + len(rows)  # with other threads nothing was timed before


def test_a_row_too_large_for_the_memory_is_skipped_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(row: measuring.Row, size: Size, *, whole: bool) -> int:
        assert whole  # what is timed has its last resize
        raise NotNowError(f"{row.id} at {size} needs about 90 GB: use a smaller size.")

    monkeypatch.setattr(measuring, "check_memory", full)
    (skipped,) = measure_rows([UNET], SMALL)
    assert skipped.measurement is None
    assert skipped.reason == f"{UNET} at 64x64 needs about 90 GB: use a smaller size."


def test_what_is_asked_wrongly() -> None:
    with pytest.raises(InputError, match="onnxruntime"):
        next(measure_rows([UNET], SMALL, runtime="abacus"))
    with pytest.raises(BudgetError, match="1 to 1024"):
        next(measure_rows([UNET], SMALL, threads=0))
    with pytest.raises(SizeError):
        measuring.measure_row(measuring.find_row(ERFNET), Size(65, 64), threads=1)


def saved(path: Path, *, external: bool = False) -> Path:
    weight = numpy_helper.from_array(np.ones((4, 3, 1, 1), np.float32), "w")
    if external:
        weight.ClearField("raw_data")
        weight.data_location = TensorProto.EXTERNAL
        weight.external_data.add(key="location", value="secret.txt")
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"])],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, "h", "w_"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [weight],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def test_an_own_file_is_timed_in_isolation(tmp_path: Path) -> None:
    found = measure_file(saved(tmp_path / "own.onnx"), SMALL, threads=1, macs=12 * 64 * 64)
    assert (found["file"], found["id"], found["width"]) == ("own.onnx", None, 64)
    assert found["gmacs_per_second"] == pytest.approx(12 * 64 * 64 / found["median_ms"] / 1e6)
    with pytest.raises(ModelFileError, match="give --size"):
        measure_file(saved(tmp_path / "own.onnx"), threads=1)


def test_a_hostile_file_is_refused_in_one_line(tmp_path: Path) -> None:
    for path in (saved(tmp_path / "bad.onnx", external=True), tmp_path / "garbage.onnx"):
        if path.name == "garbage.onnx":
            path.write_bytes(b"garbage" * 100)
        with pytest.raises(ModelFileError) as caught:
            measure_file(path, SMALL)
        assert path.name in str(caught.value)
        assert "\n" not in str(caught.value)


def test_an_own_row_is_timed_under_its_id_and_not_kept(tmp_path: Path) -> None:
    mine = own_row(replace(read_own_network(saved(tmp_path / "0123.onnx"), SMALL), name="Mine.onnx"))
    found = measure_own(mine, threads=1)
    assert (found["id"], found["file"], found["width"], found["height"]) == (mine.id, None, 64, 64)
    assert found["macs"] == 12 * 64 * 64
    assert found["sha256"] == hashlib.sha256((tmp_path / "0123.onnx").read_bytes()).hexdigest()
    assert kept() is None
    (tmp_path / "0123.onnx").write_bytes(b"garbage" * 100)
    with pytest.raises(ModelFileError, match=r"^Mine\.onnx") as caught:
        measure_own(mine, threads=1)
    assert "0123" not in str(caught.value)


def test_a_row_that_names_a_network_of_ours_is_timed_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from zoo.catalog import all_shipped

    network = all_shipped().row(UNET).network
    mine = Row("mine", "Orchard", "Mine", SMALL, network=network, num_classes=3)
    monkeypatch.setattr(measuring, "measure_row", lambda row, size, **_: {"id": row.id, "size": size})
    found = measure_own(mine, threads=1)
    assert (found["id"], found["size"]) == ("mine", SMALL)
    assert found["sha256"] != measure_own(replace(mine, num_classes=4), threads=1)["sha256"]
    assert kept() is None
