"""The door for tables: a CSV is read as text, held against its schema, and refused with one line.

Reading everything as text first is what lets an error name the value exactly as it stands in the file.
The same bounds hold for our own tables and for a visitor's.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from zoo import limits
from zoo.errors import TableError, shown_name

if TYPE_CHECKING:
    from pandera.pandas import DataFrameSchema

_PACKAGE = Path(__file__).resolve().parent
# Beside the code in an installed package, beside the package in a checkout.
DATA = _PACKAGE / "data" if (_PACKAGE / "data").is_dir() else _PACKAGE.parent / "data"

# What the text of a cell must look like before it becomes a value, by the column's dtype.
_WHOLE = (r"[+-]?\d{1,18}", "a whole number")
_NUMBER = (r"[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,3})?", "a number, such as 3.84")
_SPELLING = {"int64": _WHOLE, "Int64": _WHOLE, "float64": _NUMBER, "bool": (r"Y?", "Y or an empty cell")}


class _Text(NamedTuple):
    """A CSV as text: a frame of strings (None for an empty cell) and each row's line in the file."""

    name: str
    cells: pd.DataFrame
    lines: list[int]

    def refuse(self, row: int, column: str, allowed: str) -> TableError:
        value: Any = self.cells.at[row, column]
        shown = "an empty cell" if value is None else repr(_short(value))
        where = f"{self.name}, line {self.lines[row]}, column {column}"
        return TableError(f"{where}: {shown} cannot be used; allowed is {allowed}.")


LINE = "line"
"""The column that `parse_table` adds where it is asked for: each row's line in the file."""
FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


def load_table(
    path: Path | str, schema: DataFrameSchema, *, printed: Sequence[str] = (), lines: bool = False
) -> pd.DataFrame:
    """Return the table in a CSV file, typed as `schema` says, or raise TableError with one line.

    For each column named in `printed`, a column NAME_printed holds the text that stands in the file; with
    `lines` a column `line` holds each row's line in it.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(limits.TABLE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise TableError(f"{shown_name(path)} cannot be read: {reason}.") from error
    return parse_table(data, schema, path.name, printed=printed, lines=lines)


def parse_table(
    data: bytes, schema: DataFrameSchema, name: str, *, printed: Sequence[str] = (), lines: bool = False
) -> pd.DataFrame:
    """Return the table in the bytes of a CSV, typed as `schema` says.

    Columns come in the schema's order; those that it does not require may be absent. An empty cell is
    a missing value, in a bool column it is False and `Y` is True. TableError names the file (as `name`),
    the line in it (the header is line 1), the column, the value and what is allowed.
    """
    text = _read_text(data, shown_name(name))
    _check_header(text, schema)
    columns = [column for column in schema.columns if column in text.cells.columns]
    typed = pd.DataFrame({column: _typed(text, column, schema) for column in columns})
    added: dict[str, Any] = {f"{column}_printed": text.cells[column] for column in printed}
    return _validated(typed, text, schema).assign(**added, **({LINE: text.lines} if lines else {}))


def as_text(cell: object) -> object:
    """Return a cell as a spreadsheet may open it: text that begins like a formula is kept as text."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULAS) else cell


def safe_cells(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table that a spreadsheet may open: see `as_text`."""
    columns = table.select_dtypes(include=["object", "str"]).columns
    return table.assign(**{name: table[name].map(as_text) for name in columns})


def to_csv(table: pd.DataFrame) -> str:
    """Return a table as CSV without its index, safe to open in a spreadsheet."""
    return safe_cells(table).to_csv(index=False)


def _read_text(data: bytes, name: str) -> _Text:
    if len(data) > limits.TABLE_BYTES:
        raise TableError(
            f"{name} is larger than {limits.TABLE_BYTES // limits.MEGABYTE} MB, the most a table may have."
        )
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        # utf-8-sig: spreadsheets put a byte order mark in front.
        reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        last_line = 0
        for row in reader:
            if row:  # a blank line is none
                rows.append(row)
                lines.append(last_line + 1)
            last_line = reader.line_num
            if len(rows) > limits.TABLE_ROWS + 1:
                raise TableError(
                    f"{name} has more than {limits.TABLE_ROWS:,} rows, the most a table may have."
                )
    except UnicodeDecodeError as error:
        raise TableError(
            f"{name} is not a CSV table in UTF-8: save it as text with that encoding."
        ) from error
    except csv.Error as error:
        raise TableError(f"{name}, line {last_line + 1}: cannot be read as CSV ({error}).") from error
    if not rows:
        raise TableError(f"{name} is empty: its first line must name the columns.")
    header, *body = rows
    for row, line in zip(body, lines[1:], strict=True):
        if len(row) != len(header):
            raise TableError(
                f"{name}, line {line}: {len(row)} cells, where the header names {len(header)} columns."
            )
    cells = pd.DataFrame([[cell or None for cell in row] for row in body], columns=header, dtype=object)
    return _Text(name, cells, lines[1:])


def _check_header(text: _Text, schema: DataFrameSchema) -> None:
    header, known = list(text.cells.columns), list(schema.columns)
    wanted = f"the columns are {', '.join(known)}, separated by commas."
    for column in header:
        if column not in known:
            raise TableError(
                f"{text.name}, line 1: column {_short(column)!r} is not one of this table; {wanted}"
            )
        if header.count(column) > 1:
            raise TableError(f"{text.name}, line 1: column {_short(column)!r} stands there twice; {wanted}")
    for column in known:
        if schema.columns[column].required and column not in header:
            raise TableError(f"{text.name}, line 1: column {column!r} is missing; {wanted}")


def _typed(text: _Text, column: str, schema: DataFrameSchema) -> pd.Series:
    """Return one column with its schema's dtype, or raise TableError at the first cell that has another."""
    wanted = schema.columns[column]
    dtype = str(wanted.dtype)
    cells = text.cells[column]
    pattern, allowed = _SPELLING.get(dtype, (r"[\s\S]*", "text"))
    for row, cell in enumerate(cells):
        if cell is None and not wanted.nullable and dtype != "bool":
            raise text.refuse(row, column, f"{allowed}, never nothing")
        if cell is not None and not re.fullmatch(pattern, cell, re.ASCII):
            raise text.refuse(row, column, allowed)
    if dtype == "bool":
        return cells.notna()
    if dtype in ("float64", "Int64", "int64"):
        return pd.Series(pd.to_numeric(cells), dtype=dtype)
    return cells.astype("str")


def _validated(typed: pd.DataFrame, text: _Text, schema: DataFrameSchema) -> pd.DataFrame:
    from pandera.errors import SchemaErrors

    try:
        return schema.validate(typed, lazy=True)
    except SchemaErrors as error:
        first = error.failure_cases.sort_values("index", kind="stable").iloc[0]
        allowed = (
            "a value that no other row has" if first["check"] == "field_uniqueness" else str(first["check"])
        )
        raise text.refuse(int(first["index"]), str(first["column"]), allowed) from error


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
