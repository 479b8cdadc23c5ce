"""Builders of the schemas that tables are held against; their errors say what is allowed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandera.pandas as pa

LINE = r"[^\x00-\x1f\x7f-\x9f]+"
THREE_NUMBERS = r"\d+(\.\d+)?( \d+(\.\d+)?){2}"


def schema(**columns: pa.Column) -> pa.DataFrameSchema:
    """Return the schema of a table that has these columns and no others."""
    import pandera.pandas as pa

    return pa.DataFrameSchema(columns, strict=True)


def text(
    pattern: str = LINE, allowed: str = "one line of text", length: int = 300, **options: Any
) -> pa.Column:
    """Return a column of text: `pattern` holds for the whole cell."""
    import pandera.pandas as pa

    check = pa.Check.str_matches(
        rf"^(?=.{{1,{length}}}\Z)(?:{pattern})\Z", error=f"{allowed}, at most {length} characters"
    )
    return pa.Column(str, check, **options)


def three_numbers(**options: Any) -> pa.Column:
    """Return a column of three numbers, one for each of R, G and B."""
    return text(THREE_NUMBERS, "three numbers separated by blanks", **options)


def size(**options: Any) -> pa.Column:
    """Return a column of sizes, width x height."""
    return text(r"\d+x\d+", "a size such as 2049x1025", **options)


def one_of(names: Iterable[str], **options: Any) -> pa.Column:
    """Return a column whose cells are among these names."""
    import pandera.pandas as pa

    known = list(names)
    return pa.Column(str, pa.Check.isin(known, error=f"one of {', '.join(known)}"), **options)


def whole_number(least: int, most: int | None = None, **options: Any) -> pa.Column:
    """Return a column of whole numbers from `least` to `most`."""
    import pandera.pandas as pa

    if most is None:
        return pa.Column("int64", pa.Check.ge(least, error=f"{least} or more"), **options)
    return pa.Column("int64", pa.Check.in_range(least, most, error=f"{least} to {most}"), **options)


def number(least: float, most: float, **options: Any) -> pa.Column:
    """Return a column of numbers from `least` to `most`, or nothing."""
    import pandera.pandas as pa

    check = pa.Check.in_range(least, most, error=f"{least:g} to {most:g}, or nothing")
    return pa.Column("float64", check, nullable=True, **options)


def truth(**options: Any) -> pa.Column:
    """Return a column of Y or nothing."""
    import pandera.pandas as pa

    return pa.Column(bool, **options)


def json_object(**options: Any) -> pa.Column:
    """Return a column of JSON objects, or nothing."""
    import pandera.pandas as pa

    check = pa.Check(_is_json_object, element_wise=True, error="a JSON object")
    return pa.Column(str, check, nullable=True, **options)


def _is_json_object(cell: str) -> bool:
    try:
        return isinstance(json.loads(cell), dict)
    except (ValueError, RecursionError):
        return False
