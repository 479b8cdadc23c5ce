"""What the commands share: one way to print JSON, one to print a table, and the options that several take."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import pandas as pd

from zoo.catalog import PUBLISHED, Catalog, all_shipped, catalog_named
from zoo.errors import ImageError, shown_name
from zoo.pairs import IMAGE_SUFFIXES
from zoo.sizes import Size, parse_size

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document and nothing else."
)
precision_option = click.option(
    "--precision",
    type=click.Choice(["float", "8bit"]),
    help="What the network computes in; float if left out, 8bit on QAT rows with bundled weights.",
)
BOTH = "both"
"""On the command line, every catalog that ships."""


class CatalogType(click.ParamType[Catalog]):
    """An option such as recent, both or own.csv; the command gets a Catalog."""

    name = "NAME|F.csv"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Catalog:
        if isinstance(value, Catalog):
            return value
        if value == BOTH:
            return all_shipped()
        if value.lower().endswith(".csv"):
            return catalog_named(PUBLISHED).with_own(Path(value))
        return catalog_named(value)


catalog_option = click.option(
    "--catalog",
    type=CatalogType(),
    help="published, recent or another, both for all; or a CSV of own rows, which join the published ones.",
)


class SizeType(click.ParamType[Size]):
    """An option or argument such as 768x384; the command gets a Size."""

    name = "WxH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Size:
        return value if isinstance(value, Size) else parse_size(value)


SIZE = SizeType()


def records(table: pd.DataFrame, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Return a table's rows as mappings of `columns`; `id` is the table's index."""
    return table.rename_axis(index="id").reset_index()[list(columns)].to_dict("records")


def print_json(document: Any) -> None:
    """Print one JSON document; a missing value is null, numbers of numpy and pandas are plain numbers."""
    click.echo(json.dumps(_plain(document), indent=2, allow_nan=False))


def print_fields(fields: Mapping[str, Any]) -> None:
    """Print one line a field, its name in front; values are shown as in `print_table`."""
    width = max(map(len, fields))
    for name, value in fields.items():
        click.echo(f"{name:<{width}}  {_cell(value)}")


def print_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print mappings with the same keys as aligned columns under the keys, columns of numbers flush right.

    Values are printed as `str` gives them, a missing value as "-", a truth value as yes or no.
    """
    if not rows:
        return
    header = list(rows[0])
    lines = [header, *([_cell(row[key]) for key in header] for row in rows)]
    columns = list(zip(*lines, strict=True))
    widths = [max(map(len, column)) for column in columns]
    flush_right = [all(map(_is_number, column[1:])) for column in columns]
    for line in lines:
        cells = zip(line, widths, flush_right, strict=True)
        padded = (cell.rjust(width) if right else cell.ljust(width) for cell, width, right in cells)
        click.echo("  ".join(padded).rstrip())


def _cell(value: Any) -> str:
    plain = _plain(value)
    if plain is None:
        return "-"
    return ("no", "yes")[plain] if isinstance(plain, bool) else str(plain)


def _is_number(cell: str) -> bool:
    return cell == "-" or cell.replace(",", "").replace(".", "", 1).isdecimal()


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


def find_images(given: Sequence[Path]) -> list[Path]:
    """Return the images, folders replaced by the images in them, in the order of their names."""
    paths: list[Path] = []
    for path in given:
        if not path.is_dir():
            paths.append(path)
            continue
        inside = sorted(file for file in path.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES)
        if not inside:
            raise ImageError(
                f"{shown_name(path)}: there is no image in this folder; "
                f"files that end in {', '.join(sorted(IMAGE_SUFFIXES))} count as images."
            )
        paths += inside
    return paths
