"""What the Catalog lists, kept for all visitors; do not change what comes from here."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import pandas as pd

from pages.shared.loaders import Words, listed, weights_of
from pages.shared.tables import Lines, lines_of
from zoo.catalog import Catalog
from zoo.sizes import Size
from zoo.words import size_warnings


class Asked(NamedTuple):
    """What a visitor asks the Catalog for: the key of what is kept."""

    catalog: Catalog
    size: Size | None
    words: tuple[str, ...]
    """Of which each must be among a row's."""
    grouped: bool
    columns: tuple[str, ...]


class Listing(NamedTuple):
    """What there is to show."""

    total: int
    tables: dict[str, Lines]
    """By heading; without groups one table, which has none."""
    warnings: tuple[str, ...]


def matching(asked: Asked, weights: Words) -> pd.DataFrame:
    """Return the rows that match, with all that is known of them and `weights`, of `weights_words`."""
    table = listed(asked.catalog, asked.size)
    rows = table[[all(word in text for word in asked.words) for text in table["searched"]]]
    return rows.assign(weights=weights_of(rows, weights))


@lru_cache(maxsize=128)
def listing(asked: Asked, weights: Words) -> Listing:
    """Return the rows that match, in tables as they are shown."""
    rows = matching(asked, weights)
    tables = {"": lines_of(rows, list(asked.columns))}
    if asked.grouped:
        parts = rows.fillna({"group": ""}).groupby(["section", "group"], sort=False)
        tables = {
            f"{section}: {group}" if group else str(section): _group(part, asked.columns)
            for (section, group), part in parts
        }
    return Listing(len(rows), tables, size_warnings(rows))


def _group(part: pd.DataFrame, columns: tuple[str, ...]) -> Lines:
    repeated = part["dataset"].nunique() == 1
    return lines_of(part, [column for column in columns if not (repeated and column == "dataset")])
