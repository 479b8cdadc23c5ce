"""Tables from outside: every fault is one line with file, line, column, value and what is allowed."""

import re
from pathlib import Path

import pandas as pd
import pytest

from zoo import limits
from zoo.catalog import CATALOGS, catalog_schema, read_own_rows
from zoo.errors import TableError
from zoo.tables import load_table, parse_table

PUBLISHED = (CATALOGS / "published" / "catalog.csv").read_bytes()
FIRST_ROW = 2
"""The line of the first row, ade20k32-mobilenetv2s16-deeplabv3lite-512x512."""


def refusal(data: bytes) -> str:
    with pytest.raises(TableError) as refused:
        parse_table(data, catalog_schema(), "t.csv")
    message = str(refused.value)
    assert "\n" not in message
    assert message.startswith("t.csv")
    assert len(message) < 600
    return message


def with_cell(line: int, column: str, value: str) -> bytes:
    """Return the published catalog with one cell replaced, written by pandas."""
    table = pd.read_csv(CATALOGS / "published" / "catalog.csv", dtype=str, keep_default_na=False)
    table.loc[line - 2, column] = value
    return table.to_csv(index=False).encode()


@pytest.mark.parametrize(
    ("column", "value", "allowed"),
    [
        ("input_width", "0", "32 to 4096"),
        ("input_width", "4097", "32 to 4096"),
        ("input_width", "512.5", "a whole number"),
        ("input_height", "tall", "a whole number"),
        ("input_height", "9" * 5000, "a whole number"),
        ("gmacs", "-1", "1e-06 to 1e+06, or nothing"),
        ("gmacs", "0", "1e-06 to 1e+06, or nothing"),
        ("gmacs", "inf", "a number, such as 3.84"),
        ("gmacs", "nan", "a number, such as 3.84"),
        ("gmacs", "3,28", "a number, such as 3.84"),
        ("gmacs", "1e999", "1e-06 to 1e+06, or nothing"),
        ("gmacs", "9" * 5000, "a number, such as 3.84"),
        ("miou", "100.01", "0 to 100, or nothing"),
        ("miou", "51.01 %", "a number, such as 3.84"),
        ("available", "yes", "Y or an empty cell"),
        ("qat", "1", "Y or an empty cell"),
        ("dataset", "Cityscape", "one of ADE20K32, COCOSeg21, Cityscapes, VOC2012, CamVid"),
        ("family", "unet", "one of edgeailite, deeplab"),
        ("id", "Has Blanks", "lower-case letters, digits and single hyphens"),
        ("id", "a" * 121, "at most 120 characters"),
        ("references", "3;11", "numbers of references"),
        ("options", "[1]", "a JSON object"),
        ("options", "[" * 100_000, "a JSON object"),
        ("options", "{", "a JSON object"),
        ("model", "a\tb", "one line of text"),
        ("model", "x" * 301, "at most 300 characters"),
    ],
)
def test_a_wrong_value(column: str, value: str, allowed: str) -> None:
    message = refusal(with_cell(FIRST_ROW, column, value))
    assert message.startswith(f"t.csv, line {FIRST_ROW}, column {column}: ")
    shown = value if len(value) <= 60 else value[:57]
    assert repr(shown)[:-1] in message
    assert f"allowed is {allowed}" in message or message.endswith(f"{allowed}.")


@pytest.mark.parametrize(
    ("column", "allowed"), [("id", "text"), ("input_width", "a whole number"), ("family", "text")]
)
def test_a_missing_value(column: str, allowed: str) -> None:
    where = f"t.csv, line 5, column {column}"
    expected = f"{where}: an empty cell cannot be used; allowed is {allowed}, never nothing."
    assert refusal(with_cell(5, column, "")) == expected


def test_a_doubled_id() -> None:
    message = refusal(with_cell(4, "id", "ade20k32-mobilenetv2s16-deeplabv3lite-512x512"))
    assert re.match(
        r"t\.csv, line [24], column id: 'ade20k32-.*; allowed is a value that no other row has\.$", message
    )


def test_the_line_is_the_file_s_even_below_a_cell_of_several_lines() -> None:
    text = with_cell(FIRST_ROW, "notes", "one\ntwo\nthree")
    assert refusal(text).startswith("t.csv, line 2, column notes")
    assert refusal(text.replace(b"2.427", b"few")).startswith("t.csv, line 5, column gmacs: 'few'")
    header, *rows = PUBLISHED.decode().splitlines()
    below = "\r\n".join([header, "", rows[0], "", *rows[1:]]).replace("2.427", "few")
    assert refusal(below.encode()).startswith("t.csv, line 5, column gmacs: 'few'")


def test_the_first_fault_is_named() -> None:
    data = with_cell(9, "miou", "101").replace(b"49.95", b"-4")
    assert refusal(data).startswith("t.csv, line 3, column miou: '-4'")


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"id,section\n", "column 'group' is missing"),
        (PUBLISHED.replace(b",gmacs,", b",gmac,", 1), "column 'gmac' is not one of this table"),
        (PUBLISHED.replace(b",gmacs,", b",miou,", 1), "column 'miou' stands there twice"),
        (PUBLISHED.replace(b",", b";"), "separated by commas"),
        (PUBLISHED + b"a,b\n", "line 37: 2 cells, where the header names 18 columns"),
        (PUBLISHED + b'"open', "line 37: cannot be read as CSV"),
        ("größe".encode("latin-1"), "is not a CSV table in UTF-8"),
        (bytes(range(256)), "is not a CSV table in UTF-8"),
        (b"\xff\xfeI\x00", "is not a CSV table in UTF-8"),
        (b"x" * (limits.TABLE_BYTES + 1), "larger than 2 MB"),
        (b"id\n" + b"a\n" * (limits.TABLE_ROWS + 1), "more than 2,000 rows"),
        (b"id\n" + b"a" * 200_000, "cannot be read as CSV"),
    ],
)
def test_a_file_that_is_no_such_table(data: bytes, cause: str) -> None:
    assert cause in refusal(data)


def test_the_marks_of_a_spreadsheet_are_taken() -> None:
    windows = b"\xef\xbb\xbf" + PUBLISHED.replace(b"\n", b"\r\n")
    pd.testing.assert_frame_equal(
        parse_table(windows, catalog_schema(), "t.csv"), parse_table(PUBLISHED, catalog_schema(), "t.csv")
    )


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"^nowhere\.csv cannot be read: No such file"):
        read_own_rows(tmp_path / "nowhere.csv")
    with pytest.raises(TableError, match="cannot be read"):
        load_table(tmp_path, catalog_schema())
    with pytest.raises(TableError, match="cannot be read"):
        load_table("a\0b.csv", catalog_schema())
