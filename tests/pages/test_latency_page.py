"""The Latency page, run from the frame that visitors get."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from zoo.chips import Setup, milliseconds
from zoo.complexity import count
from zoo.roofline import find_chip, roofline

ROOT = Path(__file__).resolve().parents[2]
UNET = "cityscapes-mobilenetv2-unetlite-768x384"


def opened(**link: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=300)
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
