"""What the commands share: one way to print JSON, one to print a table, and the options that several take."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import pandas as pd

from zoo.limits import Size, parse_size

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document and nothing else."
)
catalog_option = click.option(
    "--catalog",
    "own_rows",
    type=click.Path(path_type=Path),
    metavar="F.csv",
    help="Add own rows from a CSV with the catalog's columns.",
)


class SizeType(click.ParamType):
    """An option or argument such as 768x384; the command gets a Size."""

    name = "WxH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Size:
        return value if isinstance(value, Size) else parse_size(value)


SIZE = SizeType()


def records(table: pd.DataFrame, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Return a table's rows as mappings of `columns`; `id` is the table's index."""
    return table.rename_axis(index="id").reset_index()[list(columns)].to_dict("records")  # type: ignore[return-value]


def print_json(document: Any) -> None:
    """Print one JSON document; a missing value is null, numbers of numpy and pandas are plain numbers."""
    click.echo(json.dumps(_plain(document), indent=2, allow_nan=False))


def print_table(rows: Sequence[Mapping[str, Any]], right: Sequence[str] = ()) -> None:
    """Print mappings with the same keys as aligned columns under the keys; the columns in `right` end flush.

    Values are printed as `str` gives them, a missing value as "-".
    """
    if not rows:
        return
    header = list(rows[0])
    lines = [header, *([_cell(row[key]) for key in header] for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(header))]
    for line in lines:
        cells = zip(header, line, widths, strict=True)
        padded = (cell.rjust(width) if key in right else cell.ljust(width) for key, cell, width in cells)
        click.echo("  ".join(padded).rstrip())


def _cell(value: Any) -> str:
    return "-" if _plain(value) is None else str(value)


def _plain(value: Any) -> Any:
    """Return a value as JSON knows it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is pd.NA or value is pd.NaT:
        return None
    if hasattr(value, "tolist"):  # numpy's numbers and arrays
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
