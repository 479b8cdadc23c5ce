"""The Complexity page, run from the frame that visitors get."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[2]


def test_totals_and_live_count_agree() -> None:
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=60)
    app.query_params["rows"] = "cityscapes-erfnet-1024x512"
    app.run()
    app.switch_page("complexity.py").run()
    assert not app.exception, [error.message for error in app.exception]
    assert list(app.dataframe[0].value["id"]) == ["cityscapes-erfnet-1024x512"]
    app.button(key="confirm").click().run()
    assert not app.exception, [error.message for error in app.exception]
    assert any("cityscapes-erfnet-1024x512: equal, ptflops" in line.value for line in app.markdown)


def test_without_chosen_rows_the_answer_is_shown() -> None:
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=60).run()
    app.switch_page("complexity.py").run()
    assert not app.exception, [error.message for error in app.exception]
    assert len(app.dataframe[0].value) == 1
    assert any("answer under your budget" in line.value for line in app.caption)
