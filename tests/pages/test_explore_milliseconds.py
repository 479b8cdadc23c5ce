"""Explore with milliseconds of one setup as the cost."""

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.cards import sentences
from zoo.catalog import all_shipped
from zoo.chips import load_chips

ROOT = Path(__file__).resolve().parents[2]
SETUP = "Samsung Galaxy S25 (float, onnx)"


def opened(**link: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=60)
    app.query_params.update({"explore_cost": SETUP, "catalog": "published+recent", **link})
    app.run()
    assert not app.exception, [error.message for error in app.exception]
    return app


def measured() -> dict[str, float]:
    table = load_chips()
    asked = (table["device"] == "Samsung Galaxy S25") & (table["precision"] == "float")
    table = table[asked & (table["runtime"] == "onnx")].dropna(subset="row_id")
    return dict(zip(table["row_id"], table["milliseconds"], strict=True))


@pytest.mark.parametrize("budget", [20.0, 100.0])
def test_the_answer_is_the_most_accurate_measured_row_within_the_budget(budget: float) -> None:
    app = opened(explore_ms=str(budget))
    times = measured()
    rows = [row for row in all_shipped().rows if row.dataset == "Cityscapes" and row.miou and row.id in times]
    fits = [row for row in rows if times[row.id] <= budget]
    best = max(fits, key=lambda row: (row.miou, -times[row.id]))
    told = sentences(app)[0]
    assert told.startswith(f"Under {budget:g} ms on Cityscapes: {best.name} ({best.size})")
    assert f"measured on {SETUP}" in told
    chart = json.loads(app.get("plotly_chart")[0].proto.spec)
    points = {ids[0] for trace in chart["data"] for ids in trace.get("customdata", [])}
    assert points == {row.id for row in rows}


def test_rows_that_nobody_measured_there_are_excluded_with_that_reason() -> None:
    app = opened()
    reasons = next(table.value for table in app.dataframe if "reason" in table.value)
    of_erfnet = reasons.loc["cityscapes-erfnet-1024x512", "reason"]
    assert of_erfnet == f"nobody measured it on {SETUP}"


def test_a_data_set_of_which_nothing_was_measured_is_said() -> None:
    app = opened(dataset="VOC2012")
    assert any("no row has both milliseconds and an mIoU" in info.value for info in app.info)


def test_where_only_the_other_catalog_was_measured_its_rows_are_one_click_away() -> None:
    app = opened(catalog="published")
    assert any("no row has both milliseconds and an mIoU" in info.value for info in app.info)
    app.button(key="both_Cityscapes").click().run()
    assert not app.exception
    assert any(text.startswith("Under ") and SETUP in text for text in sentences(app))
    assert not [button for button in app.button if button.key == "both_Cityscapes"]
    assert not [button for button in opened(dataset="VOC2012").button if button.key == "both_VOC2012"]


def test_the_choice_is_in_the_link_and_the_macs_budget_stays() -> None:
    app = opened(budget="9", explore_ms="50")
    app.session_state["cost"] = True  # opens the menu
    app.run().selectbox(key="explore_cost").set_value("GigaMACs").run()
    assert not app.exception
    assert any(text.startswith("Under 9 GMACs") for text in sentences(app))
