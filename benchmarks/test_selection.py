"""How long loading and choosing take: `python -m pytest benchmarks/test_selection.py` prints the times."""

import numpy as np
import pandas as pd
import pytest

import zoo
from zoo.catalog import read_catalog
from zoo.selection import answer, frontier
from zoo.tables import DATA

ROWS = 1_000_000


@pytest.fixture(scope="module")
def million_rows() -> pd.DataFrame:
    chance = np.random.default_rng(0)
    columns = {
        "dataset": chance.choice(list("abcd"), ROWS),
        "gmacs": chance.random(ROWS),
        "miou": chance.random(ROWS),
    }
    return pd.DataFrame(columns).assign(model="Net", qat=False, input_width=64, input_height=64)


def test_frontier_of_a_million_rows(benchmark, million_rows: pd.DataFrame) -> None:
    assert benchmark(frontier, million_rows).any()


def test_frontier_of_a_million_equal_rows(benchmark, million_rows: pd.DataFrame) -> None:
    assert benchmark(frontier, million_rows.assign(gmacs=1.0, miou=1.0)).all()


def test_answer_for_a_million_rows(benchmark, million_rows: pd.DataFrame) -> None:
    assert benchmark(answer, million_rows, "a", max_gmacs=0.5).chosen is not None


def test_answer_for_the_catalog(benchmark) -> None:
    table = zoo.load_catalog()
    assert benchmark(answer, table, "Cityscapes", max_gmacs=4).chosen is not None


def test_reading_the_catalog(benchmark) -> None:
    assert len(benchmark(read_catalog, DATA / "catalog.csv")) == 35
