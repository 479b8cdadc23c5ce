"""Each filter of Explore against its definition over the catalog's own columns."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from zoo import load_catalog
from zoo.costs import load_costs

ROOT = Path(__file__).resolve().parents[2]
Link = dict[str, str | list[str]]
Passes = Callable[[pd.DataFrame], pd.Series]


def size(rows: pd.DataFrame) -> pd.Series:
    return rows["input_width"].astype(str) + "x" + rows["input_height"].astype(str)


@pytest.mark.parametrize(
    ("link", "passes"),
    [
        ({}, lambda rows: rows["miou"] > 0),
        ({"explore_qat": "Only QAT"}, lambda rows: rows["qat"]),
        ({"explore_qat": "Without QAT"}, lambda rows: ~rows["qat"]),
        (
            {"explore_family": ["ERFNet", "SwiftNet"]},
            lambda rows: rows["family"].isin(["erfnet", "swiftnet"]),
        ),
        ({"explore_input": ["768x384", "1024x512"]}, lambda rows: size(rows).isin(["768x384", "1024x512"])),
        ({"explore_params": "3"}, lambda rows: rows["params"] <= 3_000_000),
        ({"explore_activation": "20"}, lambda rows: rows["peak_activation_values"] <= 20_000_000),
        (
            {"explore_qat": "Without QAT", "explore_input": "768x384", "explore_params": "3"},
            lambda rows: ~rows["qat"] & (size(rows) == "768x384") & (rows["params"] <= 3_000_000),
        ),
        ({"explore_qat": "Only QAT", "explore_family": "ERFNet"}, lambda rows: rows["miou"] < 0),
    ],
)
def test_a_filter_leaves_the_rows_of_its_definition(link: Link, passes: Passes) -> None:
    costs = load_costs()[["params", "peak_activation_values"]]
    rows = load_catalog().join(costs)
    rows = rows[rows["dataset"] == "Cityscapes"].dropna(subset=["gmacs", "miou"])
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=60)
    app.query_params.update(link)
    app.run()
    assert not app.exception
    shown = [table.value.index for table in app.dataframe if "weights" in table.value]
    assert sorted(row_id for part in shown for row_id in part) == sorted(rows.index[passes(rows)])
