"""Write data/traits.csv anew from the networks: python -m zoo.traits."""

from __future__ import annotations

import pandas as pd

from zoo.catalog import all_shipped
from zoo.complexity import count
from zoo.latency import traits
from zoo.tables import DATA


def traits_table() -> pd.DataFrame:
    """Return all of traits.csv: what the layers of each row are like, counted live at its own size."""
    rows = [row for row in all_shipped().rows if row.network is not None]
    return pd.DataFrame([{"id": row.id, **traits(count(row, *row.size).layers)} for row in rows])


if __name__ == "__main__":
    traits_table().to_csv(DATA / "traits.csv", index=False, lineterminator="\n")
