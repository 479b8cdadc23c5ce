"""The Catalog page, run by Streamlit's own test runner."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from zoo.audit import audit
from zoo.catalog import catalog_named

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def page() -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=60)
    app.run().switch_page("catalog.py").run()
    assert not app.exception
    return app


def test_all_rows_in_the_tables_order(page: AppTest) -> None:
    table = catalog_named("published").table
    shown = page.dataframe[0].value
    assert list(shown["name"]) == list(table["name"])
    assert list(shown["gmacs"].dropna()) == list(table["gmacs"].dropna())
    assert list(shown["miou"].dropna()) == list(table["miou"].dropna())


def test_search_finds_every_word(page: AppTest) -> None:
    page.text_input(key="catalog_search").set_value("fpnlite 1536x768").run()
    found = [name for table in page.dataframe for name in table.value["name"]]
    assert found == ["MobileNetV2+FPNLite", "RegNetX3.2GF+FPNLite", "RegNetX400MF+FPNLite"]


def test_search_without_a_match_says_so(page: AppTest) -> None:
    page.text_input(key="catalog_search").set_value("zzz").run()
    assert "No row matches" in page.info[0].value


def test_all_references_and_data_sets_are_shown(page: AppTest) -> None:
    text = "\n".join(element.value for element in page.markdown)
    assert all(f"[{number}]" in text for number in range(1, 12))
    for name in ("ADE20K32", "COCOSeg21", "Cityscapes", "VOC2012"):
        assert f"**{name}**" in text


def test_the_recent_catalog_names_its_sources() -> None:
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=60)
    app.query_params["catalog"] = "recent"
    app.run().switch_page("catalog.py").run()
    assert not app.exception
    shown = [name for table in app.dataframe for name in table.value["name"]]
    assert shown == [row.name for row in catalog_named("recent").rows]
    text = "\n".join(element.value for element in app.markdown)
    assert "[20] Guo, M.-H." in text
    assert "[What was read](https://github.com/Visual-Attention-Network/SegNeXt/blob/" in text
    assert "**ADE20K** (150 classes)" in text
    assert "**ADE20K32**" not in text


def test_grouping_shows_every_row_once_and_repeats_no_data_set(page: AppTest) -> None:
    page.segmented_control(key="catalog_view").set_value("Grouped").run()
    names = [name for table in page.dataframe for name in table.value["name"]]
    assert names == list(catalog_named("published").table["name"])
    assert all(table.value["dataset"].nunique() > 1 for table in page.dataframe if "dataset" in table.value)


def test_audit_columns_are_behind_a_switch(page: AppTest) -> None:
    assert "verdict" not in page.dataframe[0].value
    page.toggle(key="catalog_audit").set_value(True).run()
    shown = page.dataframe[0].value
    assert shown["verdict"].value_counts()["equal"] == (audit()["verdict"] == "equal").sum()
