"""The Complexity page, run from the frame that visitors get."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

import zoo

ROOT = Path(__file__).resolve().parents[2]


def test_totals_and_live_count_agree() -> None:
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120)
    app.query_params["rows"] = "cityscapes-erfnet-1024x512"
    app.run()
    app.switch_page("complexity.py").run()
    assert not app.exception, [error.message for error in app.exception]
    assert list(app.dataframe[0].value["id"]) == ["cityscapes-erfnet-1024x512"]
    assert list(app.dataframe[0].value["equal"]) == ["equal"]
    assert any("Confirmed live by ptflops" in line.value for line in app.caption)
    layers = next(table.value for table in app.dataframe if "output_shape" in table.value)
    assert layers["macs"].sum() == zoo.macs_at(1024, 512)["cityscapes-erfnet-1024x512"]


def test_without_chosen_rows_the_answer_is_shown() -> None:
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120).run()
    app.switch_page("complexity.py").run()
    assert not app.exception, [error.message for error in app.exception]
    assert len(app.dataframe[0].value) == 1
    assert any("answer under your budget" in line.value for line in app.caption)


def test_refused_size_is_one_line_and_the_other_row_stays() -> None:
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120)
    app.query_params["rows"] = ["cityscapes-erfnet-1024x512", "cityscapes-mobilenetv2-fpnlite-768x384"]
    app.query_params["size"] = "1001x501"
    app.run()
    app.switch_page("complexity.py").run()
    assert not app.exception, [error.message for error in app.exception]
    assert ["1001" in error.value for error in app.error] == [True]
    assert list(app.dataframe[0].value["id"]) == ["cityscapes-mobilenetv2-fpnlite-768x384"]
