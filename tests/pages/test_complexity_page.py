"""The Complexity page, run from the frame that visitors get: its values, not their presence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from zoo.catalog import all_shipped
from zoo.complexity import count
from zoo.costs import largest_size, macs_at

ROOT = Path(__file__).resolve().parents[2]
FPN = "cityscapes-mobilenetv2-fpnlite-768x384"
ERFNET = "cityscapes-erfnet-1024x512"


def opened(**link: str | list[str]) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120)
    for key, value in link.items():
        app.query_params[key] = value
    app.switch_page("complexity.py").run()
    assert not app.exception, [error.message for error in app.exception]
    return app


def figures(app: AppTest) -> list[dict]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def marks(app: AppTest) -> list[str]:
    """What stands behind the mark of each row."""
    return [line.proto.help for line in app.markdown if "check_circle" in line.value]


def test_the_answer_is_the_largest_size_within_the_budget() -> None:
    app = opened(rows=[FPN, ERFNET], budget="10")
    for metric, row_id in zip(app.metric, [FPN, ERFNET], strict=True):
        best = largest_size(row_id, 10, (16, 9), 32)
        assert metric.value == str(best)
        assert best.width > best.height
        gmacs = macs_at(*best)[row_id] / 1e9
        assert metric.delta.startswith(f"{gmacs:.4f}".rstrip("0"))
    app = opened(rows=FPN, budget="10", complexity_aspect="1:1", complexity_multiple="64")
    assert app.metric[0].value == str(largest_size(FPN, 10, (1, 1), 64))


def test_totals_follow_the_size_and_the_count_confirms_them() -> None:
    app = opened(rows=[FPN, ERFNET], size="1280x720")
    table, counted = app.dataframe[0].value, [count(row_id, 1280, 720) for row_id in (FPN, ERFNET)]
    assert list(table["title"]) == [all_shipped().row(row_id).title for row_id in (FPN, ERFNET)]
    assert list(table["size"]) == ["1280x720"] * 2
    assert list(table["gmacs"]) == [live.macs / 1e9 for live in counted]
    assert list(table["peak_8bit_mb"]) == [live.peak_activation_values / 1e6 for live in counted]
    assert list(table["weights_float_mb"]) == pytest.approx([live.params * 4 / 1e6 for live in counted])
    for said, live in zip(marks(app), counted, strict=True):
        assert f"{live.macs:,} MACs at 1280x720, counted live by ptflops {live.ptflops_version}" in said
        assert said.endswith("equal to the formula.")


def test_layers_are_of_the_network_that_the_link_names() -> None:
    app = opened(rows=[FPN, ERFNET], complexity_layers=ERFNET)
    layers = app.dataframe[1].value
    assert layers["macs"].sum() == macs_at(1024, 512)[ERFNET]
    assert layers["macs"].is_monotonic_decreasing
    bars, growth, tree = figures(app)
    assert {bar["name"] for bar in bars["data"]} >= {"stride 2", "stride 4", "stride 8"}
    assert [line["name"] for line in growth["data"] if line["mode"] == "lines"] == [
        "MobileNetV2+FPNLite · 768x384",
        "ERFNet · 1024x512",
    ]
    assert tree["data"][0]["type"] == "treemap"


def test_the_bars_are_for_one_size_and_it_is_named() -> None:
    app = opened(rows=[FPN, ERFNET])
    assert any(line.value.endswith("all at 768x384") for line in app.subheader)
    # Of both rows at 768x384, though ERFNet's own size is another.
    notes = [note["text"] for note in figures(app)[0]["layout"]["annotations"]]
    assert notes[1] == f"ERFNet · 1024x512: {macs_at(768, 384)[ERFNET] / 1e9:.4f}"


def test_without_chosen_rows_the_answer_is_shown() -> None:
    app = opened()
    assert len(app.dataframe[0].value) == 1
    assert any("answer under your budget" in line.value for line in app.caption)


def test_refused_size_is_one_line_and_the_other_row_stays() -> None:
    app = opened(rows=[ERFNET, FPN], size="1001x501")
    assert ["1001" in error.value for error in app.error] == [True]
    assert list(app.dataframe[0].value["title"]) == ["MobileNetV2+FPNLite · 768x384"]


def test_a_budget_that_nothing_fits_is_said_in_its_card() -> None:
    app = opened(rows="cityscapes-xception65-deeplab-769x769", budget="0.1", complexity_multiple="512")
    assert app.metric[0].value == "no size"
    assert "allow more" in app.metric[0].delta
