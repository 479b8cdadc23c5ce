"""The Latency page, run from the frame that visitors get."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from streamlit.testing.v1 import AppTest

from pages.shared.own import Own, escaped
from zoo.benchmark import document, machine
from zoo.chips import Setup, milliseconds
from zoo.chips import timings as chip_timings
from zoo.complexity import count
from zoo.measurements import keep, kept
from zoo.roofline import Chip, find_chip, roofline
from zoo.sizes import Size

ROOT = Path(__file__).resolve().parents[2]
UNET = "cityscapes-mobilenetv2-unetlite-768x384"
DDRNET = "cityscapes-ddrnet-23-slim-2048x1024"


def opened(own: Own | None = None, **link: str | list[str]) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=300)
    if own is not None:
        app.session_state["own"] = own
    for key, value in link.items():
        app.query_params[key] = value
    app.switch_page("latency.py").run()
    assert not app.exception, [error.message for error in app.exception]
    return app


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGSELECT_CACHE", str(tmp_path))


def test_the_link_names_the_setup_and_its_numbers_are_shown() -> None:
    app = opened(latency_setup="Samsung Galaxy S24 (float, qnn_dlc)")
    table = app.dataframe[0].value
    expected = milliseconds(Setup("Samsung Galaxy S24", "float", "qnn_dlc")).table["milliseconds"]
    assert sorted(table["milliseconds"]) == sorted(expected)
    assert any("rank correlation of MACs and milliseconds" in line.value for line in app.markdown)
    assert any("Slower in 8 bits" in line.value for line in app.caption)
    assert any("Copyright 2025 Qualcomm" in line.value for line in app.caption)


def test_nothing_measured_here_says_what_to_do() -> None:
    app = opened(latency_view="here")
    assert any("Nothing is measured yet" in line.value for line in app.info)


def test_the_least_time_on_a_chip() -> None:
    app = opened(latency_view="roofline", rows=UNET, latency_chip="NVIDIA T4", latency_bits="16")
    bound = roofline(count(UNET, 768, 384).layers, find_chip("NVIDIA T4"), 16)
    assert app.dataframe[0].value["Least ms a frame"].tolist() == [round(bound.least_ms, 3)]
    assert any("bound, not a forecast" in line.value for line in app.caption)


def test_a_precision_that_a_chip_lacks_is_one_line() -> None:
    app = opened(latency_view="roofline", rows=UNET, latency_bits="16")
    assert ["no peak at 16 bits" in error.value for error in app.error] == [True]


def test_layers_are_read_by_people_and_sum_to_the_bound() -> None:
    app = opened(latency_view="roofline", rows=UNET, latency_chip="NVIDIA T4")
    bound = roofline(count(UNET, 768, 384).layers, find_chip("NVIDIA T4"), 8)
    layers = app.dataframe[1].value
    assert layers["least_ms"].sum() == pytest.approx(bound.least_ms)
    assert layers["least_ms"].is_monotonic_decreasing
    shown = app.dataframe[1].proto.columns
    assert all(words in shown for words in ("Least ms", "Memory traffic (ms)", "Input and output (bytes)"))


def test_the_uploader_says_its_real_limit() -> None:
    assert opened(latency_view="here").get("file_uploader")[0].proto.max_upload_size_mb == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"format": "<script>alert(1)</script>"}', "not a file of measurements"),
        (b"not json", "not a JSON file"),
    ],
)
def test_a_bad_file_is_one_line_and_loses_nothing(content: bytes, reason: str) -> None:
    app = opened(latency_view="here", rows=UNET)
    app.get("file_uploader")[0].set_value([("<b>board</b>.json", content, "application/json")]).run()
    assert not app.exception, [error.message for error in app.exception]
    (error,) = app.error
    assert reason in error.value
    assert "\n" not in error.value
    assert app.query_params["rows"] in (UNET, [UNET])


def saved_network() -> bytes:
    """Return an .onnx of one convolution to 5 classes: 15 MACs a pixel."""
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"])],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, "h", "w"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.ones((5, 3, 1, 1), np.float32), "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def test_an_own_network_is_timed_and_stands_on_the_chart(tmp_path: Path) -> None:
    mine = Own()
    row_id = mine.take_network(saved_network(), "<b>Mine.onnx", Size(128, 64))
    app = opened(mine, latency_view="here", rows=row_id)
    next(button for button in app.button if button.label == "Time the chosen row").click().run()
    assert not app.exception, [error.message for error in app.exception]
    assert not app.warning
    (line,) = app.dataframe[0].value.to_dict("records")
    assert (line["title"], line["measured_at"]) == (mine.networks[row_id].title, "128x64")
    assert line["gmacs"] == pytest.approx(15 * 128 * 64 / 1e9)
    assert line["depthwise_share"] == 0
    points = [trace for trace in json.loads(app.get("plotly_chart")[0].proto.spec)["data"] if "text" in trace]
    assert next(card for trace in points for card in trace["text"]).startswith("<b>&lt;b&gt;Mine.onnx (own)")
    assert kept() is None
    assert list(tmp_path.rglob("*.json")) == []


def test_a_board_names_an_own_network_by_its_content_alone() -> None:
    mine = Own()
    row_id = mine.take_network(saved_network(), "mine.onnx", Size(128, 64))
    digest = mine.file_of(row_id).sha256
    lines = [board_line(id=None, file="any.onnx", sha256=digest), board_line(id=row_id, median_ms=1.0)]
    app = opened(mine, latency_view="here")
    upload(app, document(lines, name="pi"))
    (line,) = app.dataframe[0].value.to_dict("records")
    assert (line["title"], line["milliseconds"]) == ("mine.onnx (own) · 128x64", 50.0)


def board_line(**changes: object) -> dict[str, object]:
    found = {"id": UNET, "file": None, "sha256": None, "runtime": "onnxruntime", "provider": None}
    found |= {"threads": 4, "precision": "float32", "width": 128, "height": 64, "weights": "random"}
    found |= {"median_ms": 50.0, "p10_ms": 0.5, "p90_ms": 60.0, "min_ms": 0.4, "runs": 9, "warmup_runs": 3}
    return {**found, "macs": None, "peak_memory_bytes": None, "base_memory_bytes": None, **changes}


def upload(app: AppTest, *documents: dict[str, object]) -> None:
    files = [
        (f"board-{number}.json", json.dumps(found).encode(), "application/json")
        for number, found in enumerate(documents)
    ]
    app.get("file_uploader")[0].set_value(files).run()
    assert not app.exception, [error.message for error in app.exception]


def test_the_bound_at_the_visitors_size_stands_beside_what_a_board_measured_there() -> None:
    app = opened(latency_view="here", rows=UNET, size="128x64")
    upload(app, document([board_line(), board_line(width=768, height=384, median_ms=44.0)], name="pi"))
    app.session_state["settings"].values["latency_view"] = "roofline"
    app.run()
    assert not app.exception, [error.message for error in app.exception]
    bound = roofline(count(UNET, 128, 64).layers, find_chip("Google Coral Edge TPU (PCIe x1)"), 8)
    assert app.dataframe[0].value["Least ms a frame"].tolist() == [round(bound.least_ms, 3)]
    assert app.dataframe[0].value["Network"].tolist()[0].endswith(" · 128x64")
    (line,) = app.dataframe[1].value.to_dict("records")
    assert line["least_ms"] == pytest.approx(bound.least_ms)
    assert line["milliseconds"] == 50.0
    assert line["times"] == pytest.approx(50.0 / bound.least_ms)
    assert line["measured_at"] == "128x64"
    assert line["where"] == "pi (imported) (float32, onnxruntime, 4 threads)"


def test_the_bound_of_an_own_chip_is_held_against_the_device_that_is_chosen() -> None:
    keep([{**board_line(id=DDRNET, width=2048, height=1056, median_ms=77.0), "p90_ms": 80.0}])
    own_chip = {"latency_chip": "my own numbers", "latency_peak": "1000", "latency_bandwidth": "10"}
    own_chip |= {"latency_view": "roofline", "catalog": "published+recent", "latency_on_chip": "0"}
    app = opened(rows=[DDRNET, UNET], **own_chip)
    chip = Chip("my own numbers", 1000, 1000, 10, 0)
    bound = roofline(count(DDRNET, 2048, 1024).layers, chip, 8).least_ms
    everywhere = app.dataframe[1].value
    assert len(everywhere) == 1 + (chip_timings()["id"] == DDRNET).sum()
    assert everywhere["least_ms"].tolist() == pytest.approx([bound] * len(everywhere))

    here = f"{machine()['name']} (float32, onnxruntime, 4 threads)"
    (choice,) = [box for box in app.selectbox if box.label == "Measured on"]
    choice.set_value(here).run()
    (line,) = app.dataframe[1].value.to_dict("records")
    assert (line["where"], line["measured_at"], line["milliseconds"]) == (here, "2048x1056", 77.0)
    assert line["times"] == pytest.approx(77.0 / bound)
    assert app.query_params["latency_against"] in (here, [here])

    s25 = "Samsung Galaxy S25 (w8a8, onnx)"
    app = opened(rows=[DDRNET], latency_against=s25, **own_chip)
    (line,) = app.dataframe[1].value.to_dict("records")
    assert (line["where"], line["measured_at"]) == (s25, "2048x1024")
    assert line["milliseconds"] == pytest.approx(37.4, abs=0.1)


def test_the_link_names_the_row_whose_layers_are_shown() -> None:
    fpn = "cityscapes-mobilenetv2-fpnlite-768x384"
    app = opened(latency_view="roofline", rows=[UNET, fpn], latency_layers=fpn, size="128x64")
    layers = app.dataframe[1].value
    assert layers["macs"].sum() == count(fpn, 128, 64).macs
    assert app.query_params["latency_layers"] in (fpn, [fpn])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"units": {"latency": "s", "memory": "bytes", "throughput": "GMAC/s"}}, "has units"),
        ({"machine": {**machine(), "name": "<img src=x onerror=alert(1)>"}}, "machine: name"),
        ({"machine": {**machine(), "processor": "**bold** :red[x]"}}, "machine: processor"),
        ({"measurements": [{"id": "<script>alert(1)</script>"}]}, "measurement 1: id"),
    ],
)
def test_a_refused_file_is_one_escaped_line_and_the_good_one_stays(
    changes: dict[str, object], reason: str
) -> None:
    app = opened(latency_view="here", rows=UNET)
    upload(app, document([board_line()], name="pi"), {**document([board_line()], name="pi"), **changes})
    (error,) = app.error
    assert escaped(reason) in error.value
    assert "\n" not in error.value
    assert not re.search(r"(?<!\\)[<>*\[]", error.value), error.value
    (line,) = app.dataframe[0].value.to_dict("records")
    assert line["milliseconds"] == 50.0
    assert app.query_params["rows"] in (UNET, [UNET])


def test_a_file_that_takes_this_machines_name_is_kept_apart() -> None:
    keep([{**board_line(median_ms=20.0), "p10_ms": 19.0}])
    app = opened(latency_view="here")
    name = machine()["name"]
    upload(app, document([board_line(median_ms=1.0)], name=name))
    (choice,) = [box for box in app.selectbox if box.label == "Measured with"]
    assert choice.options == [
        f"{name} (float32, onnxruntime, 4 threads)",
        f"{name} (imported) (float32, onnxruntime, 4 threads)",
    ]
    assert app.dataframe[0].value["milliseconds"].tolist() == [20.0]
    assert any("was not measured by this installation" in line.value for line in app.caption)
    choice.set_value(choice.options[1]).run()
    assert app.dataframe[0].value["milliseconds"].tolist() == [1.0]
    here = kept()
    assert here is not None
    assert [line["median_ms"] for line in here.lines] == [20.0]
