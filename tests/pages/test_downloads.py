"""What the Catalog's downloads hold."""

import io
import json

import pandas as pd

from pages.shared.downloads import as_json, as_markdown, downloaded
from zoo.audit import audit
from zoo.catalog import catalog_named
from zoo.costs import load_costs


def rows() -> pd.DataFrame:
    table = catalog_named("published").table
    costs = load_costs().reindex(table.index)
    found = audit()
    return table.assign(
        counted_gmacs=found["counted_gmacs"],
        error_pct=found["error_pct"],
        verdict=found["verdict"],
        params=costs["params"],
        peak_activation_values=costs["peak_activation_values"],
        weights="mask now",
    )


def test_numbers_keep_their_digits_and_counts_are_there() -> None:
    text = as_json(downloaded(rows(), ["name", "weights"]))
    assert '"miou": 51.01,' in text
    assert '"gmacs": 3.1526,' in text
    read = json.loads(text)
    assert [row["id"] for row in read] == list(rows().index)
    assert [row["counted_gmacs"] for row in read] == list(audit()["counted_gmacs"])
    assert read[8]["miou"] is None
    assert {row["weights"] for row in read} == {"mask now"}


def test_csv_and_markdown_hold_the_same_rows() -> None:
    table = downloaded(rows()[2:5], ["name"])
    again = pd.read_csv(io.StringIO(table.to_csv(index=False)))
    assert list(again["gmacs"]) == list(table["gmacs"]) == [3.481, 6.646, 3.1526]
    lines = as_markdown(table).splitlines()
    assert len(lines) == 2 + 3
    assert "3.1526" in lines[-1]
