"""Published weights: which are listed in data/checkpoints.csv, and which of them lie in the cache folder."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd

from zoo import schemas
from zoo.cache import weights_dir
from zoo.catalog import all_shipped
from zoo.tables import DATA, load_table


@cache
def published_list() -> pd.DataFrame:
    """Return data/checkpoints.csv, indexed by row id; what nobody states of a file is missing."""
    line = schemas.text(length=500, nullable=True)
    schema = schemas.schema(
        id=schemas.one_of([row.id for row in all_shipped().rows], unique=True),
        format=schemas.one_of(["pth", "safetensors", "onnx", "tflite"]),
        url=schemas.text(r"https?://[!-~]{1,400}", "an http or https address", 410),
        mean=schemas.three_numbers(),
        std=schemas.three_numbers(),
        extra_class=line,
        licence=line,
        sha256=schemas.text(r"[0-9a-f]{64}", "64 hex digits", nullable=True),
        sha256_prefix=schemas.text(r"[0-9a-f]{8}", "8 hex digits", nullable=True),
        notes=line,
    )
    return load_table(DATA / "checkpoints.csv", schema).set_index("id")


def downloaded_path(row_id: str) -> Path | None:
    """Return where the row's downloaded weights lie, or None. Their contents are not looked at.

    The name is ID.SHA256.FORMAT: a file carries the hash that it had when it came.
    """
    listed = published_list()
    if row_id not in listed.index:
        return None
    ending = str(listed.at[row_id, "format"])
    files = weights_dir().glob(f"{row_id}.{'[0-9a-f]' * 64}.{ending}")
    return max(files, key=lambda path: path.stat().st_mtime_ns, default=None)


def is_verifiable(row_id: str) -> bool:
    """Return whether data/checkpoints.csv has a hash, in full or the first digits, of the row's weights."""
    return bool(published_list().loc[row_id, ["sha256", "sha256_prefix"]].notna().any())


def extra_class(row_id: str) -> str | None:
    """Return the class that a row's published weights have beyond its data set's, such as ERFNet's void."""
    extra = published_list()["extra_class"].get(row_id)
    return extra if isinstance(extra, str) else None
