"""The catalog: the published rows as typed data, their data sets, families, classes, notes and references."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from zoo.errors import UnknownIdError
from zoo.tables import DATA, load_table

ID_PATTERN = r"[a-z0-9]+(-[a-z0-9]+)*"


def catalog_schema() -> Any:
    """Return the pandera schema of catalog.csv."""
    import pandera.pandas as pa

    def text(**options: Any) -> Any:
        return pa.Column(str, pa.Check.str_length(1, 200), **options)

    def listed_json(value: str) -> bool:
        try:
            return isinstance(json.loads(value), dict)
        except ValueError:
            return False

    side = pa.Check.in_range(32, 4096)
    return pa.DataFrameSchema(
        {
            "id": pa.Column(str, pa.Check.str_matches(rf"^{ID_PATTERN}$"), unique=True),
            "section": text(),
            "group": text(nullable=True),
            "dataset": pa.Column(str, pa.Check.isin(list(load_datasets().index))),
            "model": text(),
            "published_name": text(),
            "family": pa.Column(str, pa.Check.isin(list(load_families().index))),
            "encoder": text(),
            "decoder": text(),
            "input_width": pa.Column("int64", side),
            "input_height": pa.Column("int64", side),
            "gmacs": pa.Column("float64", pa.Check.in_range(0, 1e6, include_min=False), nullable=True),
            "miou": pa.Column("float64", pa.Check.in_range(0, 100), nullable=True),
            "available": pa.Column(bool),
            "qat": pa.Column(bool),
            "references": pa.Column(str, pa.Check.str_matches(r"^\d+(,\d+)*$"), nullable=True),
            "options": pa.Column(str, pa.Check(listed_json, element_wise=True, error="a JSON object"), nullable=True),
            "notes": pa.Column(str, pa.Check.str_length(1, 1000), nullable=True),
        },
        strict=True,
        ordered=True,
    )


def read_catalog(path: Path) -> pd.DataFrame:
    """Return the rows of a catalog file, indexed by `id`, or raise TableError with one line."""
    return load_table(path, catalog_schema()).set_index("id", verify_integrity=True)


@cache
def _catalog() -> pd.DataFrame:
    return read_catalog(DATA / "catalog.csv")


def load_catalog() -> pd.DataFrame:
    """Return the 35 published rows in the table's order, indexed by `id` (a fresh copy)."""
    return _catalog().copy()
