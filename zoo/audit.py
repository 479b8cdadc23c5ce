"""Published against counted, at the published size."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from zoo.catalog import PUBLISHED, Catalog, catalog_named
from zoo.costs import counted_gmacs, macs_over

EQUAL_PCT = 0.5
"""A count this close to the published number is called equal; so is one that rounds to what was printed."""


def audit(catalog: Catalog | None = None) -> pd.DataFrame:
    """Return published against counted for every row of a catalog (the published table if None).

    Columns: published_gmacs, counted_gmacs, error_pct, verdict, explanation, published_at (a size, where the
    published number comes true at another) and gmacs_there. The frame is a copy.
    """
    return _audit(catalog or catalog_named(PUBLISHED)).copy()


@lru_cache(maxsize=64)
def _audit(catalog: Catalog) -> pd.DataFrame:
    rows, reasons = catalog.table, catalog.audit.reindex(catalog.table.index)
    published = rows["gmacs"].where([row.own is None for row in catalog.rows])  # an own file's are counted
    table = pd.DataFrame({"published_gmacs": published, "counted_gmacs": counted_gmacs(catalog)})
    table["error_pct"] = 100 * (table["counted_gmacs"] / table["published_gmacs"] - 1)
    equal = (table["error_pct"].abs() <= EQUAL_PCT) | _rounds_to(
        table["counted_gmacs"], rows["gmacs_printed"], table["published_gmacs"]
    )
    verdict = reasons["status"].fillna("unexplained").where(~equal, "equal")
    verdict = verdict.where(table["counted_gmacs"].notna(), "not counted")
    table["verdict"] = verdict.where(table["published_gmacs"].notna(), "not published")
    table["explanation"], table["published_at"] = reasons["explanation"], rows["published_at"]
    table["gmacs_there"] = [
        np.nan if row.published_at is None else _gmacs(row.id, catalog) for row in catalog.rows
    ]
    return table


def _gmacs(row_id: str, catalog: Catalog) -> float:
    row = catalog.row(row_id)
    width, height = row.published_at or row.size
    return int(macs_over(row, [width], [height])[0]) / 1e9


def _rounds_to(counted: pd.Series, printed: pd.Series, published: pd.Series) -> npt.NDArray[np.bool_]:
    """Return whether each count, rounded to the digits that were printed, is the printed number."""
    rounds = [
        isinstance(text, str) and bool(np.isfinite(count)) and round(count, _decimals(text)) == number
        for count, text, number in zip(counted, printed, published, strict=True)
    ]
    return np.array(rounds, bool)


def _decimals(printed: str) -> int:
    exponent = Decimal(printed).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
