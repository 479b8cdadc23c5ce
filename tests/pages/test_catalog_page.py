"""The Catalog page, run by Streamlit's own test runner."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import zoo
from zoo.catalog import catalog_named

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def page() -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=60)
    app.run().switch_page("catalog.py").run()
    assert not app.exception
    return app


def test_all_rows_in_the_tables_order(page: AppTest) -> None:
    printed = [name for table in page.dataframe for name in table.value["published_name"]]
    assert printed == list(zoo.load_catalog()["published_name"])


def test_search_finds_every_word(page: AppTest) -> None:
    page.text_input(key="catalog_search").set_value("fpnlite -1536x768").run()
    found = [name for table in page.dataframe for name in table.value["published_name"]]
    assert found == ["MobileNetV2+FPNLite", "RegNetX3.2FF+FPNLite", "RegNetX400MF+FPNLite"]


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
    shown = [name for table in app.dataframe for name in table.value["published_name"]]
    assert shown == [row.published_name for row in catalog_named("recent").rows]
    text = "\n".join(element.value for element in app.markdown)
    assert "[20] Guo, M.-H." in text
    assert "[What was read](https://github.com/Visual-Attention-Network/SegNeXt/blob/" in text
    assert "**ADE20K** (150 classes)" in text
    assert "**ADE20K32**" not in text
