"""The data sets on which rows and weights were measured."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import pandas as pd

from zoo import schemas
from zoo.tables import DATA, load_table
from zoo.words import unknown_name


def load_datasets() -> pd.DataFrame:
    """Return the data sets by name: title, num_classes, void (the label to ignore), description, source."""
    return _datasets().copy()


def check_dataset(dataset: object, known: Iterable[str] | None = None) -> str:
    """Return the data set's name if it is one of `known` (all of ours if None), or raise UnknownIdError."""
    names = list(_datasets().index if known is None else known)
    if not isinstance(dataset, str) or dataset not in names:
        raise unknown_name("data set", dataset, names, f"There are {', '.join(names)}.")
    return dataset


@cache
def _datasets() -> pd.DataFrame:
    import pandera.pandas as pa

    schema = schemas.schema(
        dataset=schemas.text(unique=True),
        title=schemas.text(),
        num_classes=schemas.whole_number(1, 255),
        void=pa.Column("Int64", pa.Check.in_range(0, 255, error="0 to 255, or nothing"), nullable=True),
        description=schemas.text(length=1000),
        source=schemas.text(length=1000),
    )
    return load_table(DATA / "datasets.csv", schema).set_index("dataset")
