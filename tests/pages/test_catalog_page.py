"""The Catalog page, run by Streamlit's own test runner."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import zoo

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
