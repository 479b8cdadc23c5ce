"""The door for data files: a CSV is read as text, held against its schema, and refused with one line.

Reading everything as text first is what lets the error name the value exactly as it stands in the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from zoo.errors import TableError

if TYPE_CHECKING:
    from pandera.pandas import DataFrameSchema

DATA = Path(__file__).resolve().parent.parent / "data"


def read_text_table(path: Path) -> pd.DataFrame:
    """Return a CSV as text columns (empty cells are missing values), or raise TableError."""
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""], encoding="utf-8")
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        reason = str(error).splitlines()[0]
        raise TableError(f"{path.name} cannot be read as a CSV table: {reason}") from error
