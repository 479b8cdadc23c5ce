"""What a rerun of a page costs the server: pytest benchmarks/test_pages.py."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

MAIN = Path(__file__).resolve().parents[1] / "pages" / "main.py"


def test_slider_move_on_explore(benchmark: pytest.FixtureRequest) -> None:
    app = AppTest.from_file(str(MAIN), default_timeout=60).run()
    budgets = iter(["4.1", "4.2"] * 10_000)
    benchmark(lambda: app.text_input(key="budget").set_value(next(budgets)).run())  # type: ignore[operator]


def test_catalog_rerun(benchmark: pytest.FixtureRequest) -> None:
    app = AppTest.from_file(str(MAIN), default_timeout=60).run().switch_page("catalog.py").run()
    benchmark(app.run)  # type: ignore[operator]
