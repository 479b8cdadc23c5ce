"""The catalog: the published rows as typed data, their data sets, families, classes, notes and references."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zoo.errors import SizeError, TableError, UnknownIdError, shown_name
from zoo.limits import SIZE_MAX_SIDE, SIZE_MIN_SIDE, Size, check_size
from zoo.tables import DATA, load_table

if TYPE_CHECKING:
    from pandera.pandas import DataFrameSchema

MAX_ID_LENGTH = 120


def load_catalog() -> pd.DataFrame:
    """Return the 35 published rows in the table's order, indexed by `id`.

    Sizes are int64 pixels; `gmacs` (billions of multiply-accumulates at the row's size) and `miou` (percent)
    are float64, missing where the page prints nothing; `available` and `qat` are bool. The frame is a copy.
    """
    return _catalog().copy()


def load_datasets() -> pd.DataFrame:
    """Return the data sets by name: title, num_classes, void (the label to ignore), description, source."""
    return _datasets().copy()


def load_families() -> pd.DataFrame:
    """Return the families, indexed by `family`: label, description, and what they ask of the input.

    `mean` and `std` are three numbers for R, G, B in 0..255, as text separated by blanks; both sides of the
    input must be multiples of `size_multiple` (1: any size).
    """
    return _families().copy()


def load_references() -> pd.DataFrame:
    """Return the eleven references of the page, indexed by `number`: authors, title, venue, year."""
    return _references().copy()


def load_notes() -> pd.DataFrame:
    """Return what the page's terms and footnotes mean, in our words, indexed by `term`."""
    return _notes().copy()


def load_audit() -> pd.DataFrame:
    """Return what is known of each published GigaMACs value, indexed by row `id`.

    `status` is explained, unexplained or missing, `explanation` its reason, and `published_at` the size
    ("WxH") at which the published number comes true where that is not the row's own.
    """
    return _audit().copy()


def load_classes(dataset: str) -> pd.DataFrame:
    """Return a data set's classes by class id: name, and red, green, blue of its usual palette."""
    check_dataset(dataset)
    return _classes(dataset).copy()


def read_catalog(path: Path | str) -> pd.DataFrame:
    """Return the rows of a catalog file, indexed by `id`, or raise TableError with one line."""
    return load_table(path, catalog_schema()).set_index("id")


def read_own_rows(path: Path | str) -> pd.DataFrame:
    """Return a user's own rows with the catalog's columns, or raise TableError with one line.

    Only id, dataset, model, input_width, input_height, gmacs and miou must be there, and the data set may be
    the user's own; what else the file leaves out is filled in as missing.
    """
    rows = load_table(path, catalog_schema(own=True)).set_index("id")
    taken = rows.index.intersection(_catalog().index)
    if len(taken):
        raise TableError(f"{shown_name(path)}: id {taken[0]} is a published row's; give your row another.")
    # astype before filling: a column that the file lacks must get the catalog's dtype too.
    rows = rows.reindex(columns=_catalog().columns)
    rows["section"] = rows["section"].astype("str").fillna("Own rows")
    rows["published_name"] = rows["published_name"].astype("str").fillna(rows["model"])
    rows[["available", "qat"]] = rows[["available", "qat"]].eq(True)
    return rows.astype(_catalog().dtypes.to_dict())


def get_row(row_id: object, catalog: pd.DataFrame | None = None) -> pd.Series:
    """Return the row of an id (from `catalog`, the published one if None), or raise UnknownIdError."""
    rows = _catalog() if catalog is None else catalog
    if not isinstance(row_id, str) or row_id not in rows.index:
        raise unknown_name("row", row_id, rows.index, "See all with: python -m zoo list")
    return rows.loc[[row_id]].iloc[0] if catalog is not None else _row(row_id).copy()


@cache
def _row(row_id: str) -> pd.Series:
    """Return a published row; cut out once, since a mask asks for it many times and pandas takes its time."""
    return _catalog().loc[[row_id]].iloc[0]


def check_row_size(row_id: object, width: object, height: object) -> Size:
    """Return the size if the row's network takes it, or raise SizeError that names the nearest it does."""
    row = get_row(row_id)
    size = check_size(width, height)
    multiple = int(_families()["size_multiple"][row["family"]])
    smaller = Size(*(side // multiple * multiple for side in size))
    larger = Size(*(-(-side // multiple) * multiple for side in size))
    if smaller != larger:
        raise SizeError(
            f"size {size} cannot be used by {row['model']}: both sides must be multiples of {multiple}, "
            f"such as {smaller} or {larger}."
        )
    return size


def check_dataset(dataset: object, known: Iterable[str] | None = None) -> str:
    """Return the data set's name if it is one of `known` (all of ours if None), or raise UnknownIdError."""
    names = list(_datasets().index if known is None else known)
    if not isinstance(dataset, str) or dataset not in names:
        raise unknown_name("data set", dataset, names, f"There are {', '.join(names)}.")
    return dataset


def unknown_name(kind: str, value: object, known: Iterable[str], next_step: str) -> UnknownIdError:
    """Return the one-line error for a name that does not exist, with the names that look most like it."""
    shown = (value if isinstance(value, str) else str(value))[:MAX_ID_LENGTH]
    by_lower_case = {name.lower(): name for name in known}
    near = [by_lower_case[name] for name in difflib.get_close_matches(shown.lower(), by_lower_case)]
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    return UnknownIdError(f"There is no {kind} {shown!r}.{meant} {next_step}")


def catalog_schema(*, own: bool = False) -> DataFrameSchema:
    """Return the schema of catalog.csv, or with `own` that of a user's rows, which may leave columns out."""
    import pandera.pandas as pa

    def listed(names: Iterable[str]) -> Any:
        known = list(names)
        return pa.Check.isin(known, error=f"one of {', '.join(known)}")

    optional: dict[str, Any] = {"required": not own}
    return _schema(
        id=_text(
            r"[a-z0-9]+(-[a-z0-9]+)*",
            "lower-case letters, digits and single hyphens",
            MAX_ID_LENGTH,
            unique=True,
        ),
        section=_text(nullable=own, **optional),
        group=_text(nullable=True, **optional),
        dataset=_text() if own else pa.Column(str, listed(_datasets().index)),
        model=_text(),
        published_name=_text(nullable=own, **optional),
        family=pa.Column(str, listed(_families().index), nullable=own, **optional),
        encoder=_text(nullable=own, **optional),
        decoder=_text(nullable=own, **optional),
        input_width=_whole(SIZE_MIN_SIDE, SIZE_MAX_SIDE),
        input_height=_whole(SIZE_MIN_SIDE, SIZE_MAX_SIDE),
        gmacs=_number(1e-6, 1e6),
        miou=_number(0, 100),
        available=pa.Column(bool, **optional),
        qat=pa.Column(bool, **optional),
        references=_text(r"\d+(,\d+)*", "numbers of references, such as 3,11", nullable=True, **optional),
        options=pa.Column(
            str,
            pa.Check(_is_json_object, element_wise=True, error="a JSON object"),
            nullable=True,
            **optional,
        ),
        notes=_text(length=1000, nullable=True, **optional),
    )


def _schema(**columns: Any) -> DataFrameSchema:
    import pandera.pandas as pa

    return pa.DataFrameSchema(columns, strict=True)


def _text(
    pattern: str = r"[^\x00-\x1f\x7f-\x9f]+",
    allowed: str = "one line of text",
    length: int = 300,
    **options: Any,
) -> Any:
    """Return a column of text: `pattern` holds for the whole cell."""
    import pandera.pandas as pa

    check = pa.Check.str_matches(
        rf"^(?=.{{1,{length}}}\Z)(?:{pattern})\Z", error=f"{allowed}, at most {length} characters"
    )
    return pa.Column(str, check, **options)


def _whole(least: int, most: int, **options: Any) -> Any:
    import pandera.pandas as pa

    return pa.Column("int64", pa.Check.in_range(least, most, error=f"{least} to {most}"), **options)


def _number(least: float, most: float) -> Any:
    import pandera.pandas as pa

    return pa.Column(
        "float64", pa.Check.in_range(least, most, error=f"{least:g} to {most:g}, or nothing"), nullable=True
    )


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


@cache
def _catalog() -> pd.DataFrame:
    return read_catalog(DATA / "catalog.csv")


@cache
def _datasets() -> pd.DataFrame:
    import pandera.pandas as pa

    schema = _schema(
        dataset=_text(unique=True),
        title=_text(),
        num_classes=_whole(1, 255),
        void=pa.Column("Int64", pa.Check.in_range(0, 255, error="0 to 255, or nothing"), nullable=True),
        description=_text(length=1000),
        source=_text(length=1000),
    )
    return load_table(DATA / "datasets.csv", schema).set_index("dataset")


@cache
def _families() -> pd.DataFrame:
    import pandera.pandas as pa

    number = r"\d+(\.\d+)?"
    three = rf"{number} {number} {number}"
    schema = _schema(
        family=_text(unique=True),
        label=_text(),
        mean=_text(three, "three numbers separated by blanks"),
        std=_text(three, "three numbers separated by blanks"),
        # Powers of two, so that the limits of a side are multiples too.
        size_multiple=pa.Column("int64", pa.Check.isin([1, 2, 4, 8, 16, 32], error="1, 2, 4, 8, 16 or 32")),
        description=_text(length=1000),
    )
    return load_table(DATA / "families.csv", schema).set_index("family")


@cache
def _references() -> pd.DataFrame:
    schema = _schema(
        number=_whole(1, 99, unique=True),
        authors=_text(),
        title=_text(),
        venue=_text(),
        year=_whole(1900, 2100),
    )
    return load_table(DATA / "references.csv", schema).set_index("number")


@cache
def _notes() -> pd.DataFrame:
    return load_table(
        DATA / "notes.csv", _schema(term=_text(unique=True), note=_text(length=1000))
    ).set_index("term")


@cache
def _audit() -> pd.DataFrame:
    import pandera.pandas as pa

    status = pa.Check.isin(["explained", "unexplained"], error="explained, unexplained or nothing")
    schema = _schema(
        id=_text(unique=True),
        status=pa.Column(str, status, nullable=True),
        explanation=_text(length=1000, nullable=True),
        published_at=_text(r"\d+x\d+", "a size such as 2049x1025", nullable=True),
    )
    return load_table(DATA / "audit.csv", schema).set_index("id")


@cache
def _classes(dataset: str) -> pd.DataFrame:
    import pandera.pandas as pa

    counted = pa.Check(lambda ids: ids == np.arange(len(ids)), error="the classes numbered from 0 in order")
    schema = _schema(
        id=pa.Column("int64", counted),
        name=_text(unique=True),
        red=_whole(0, 255),
        green=_whole(0, 255),
        blue=_whole(0, 255),
    )
    return load_table(DATA / "classes" / f"{dataset}.csv", schema).set_index("id")
