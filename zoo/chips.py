"""Latencies that others measured on chips: data/chips.csv and chips_other.csv (licence: data/chips.NOTICE).

A setup is a device, a precision and a runtime; latencies of two setups never share an axis. `float` is the
source's word for a float network, w8a8 and w8a16 are bits of weights and of activations. A latency in 8 bits
says nothing of the accuracy in 8 bits.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import pandas as pd

from zoo import schemas
from zoo.latency import COLUMN, TIMING, Measured, gmacs_of, rank_correlation
from zoo.limits import SIZE_MAX_SIDE
from zoo.tables import DATA, load_table
from zoo.words import unknown_name

FILES = ("chips.csv", "chips_other.csv")
NOT_STATED = "not stated"
"""For a precision or a runtime that the source does not give."""
FLOAT, EIGHT_BITS = "float", "w8a8"
NOTICE = (
    "Latencies from qai-hub-models 0.65.0, Copyright 2025 Qualcomm Technologies, Inc. and/or its "
    "subsidiaries (BSD-3-Clause), and from the documentation of three public projects; see data/chips.NOTICE."
)


class Setup(NamedTuple):
    """What a latency was measured on and with."""

    device: str
    precision: str
    runtime: str

    def __str__(self) -> str:
        return f"{self.device} ({self.precision}, {self.runtime})"


def load_chips() -> pd.DataFrame:
    """Return all latencies, in the files' order.

    network (as the source calls it), row_id (missing unless it is a catalog's row), input_width,
    input_height, classes, precision, runtime, device, compute_unit, milliseconds, peak_memory_mb,
    tool_versions, source.
    """
    return _chips().copy()


@cache
def _chips() -> pd.DataFrame:
    may_miss = ("row_id", "compute_unit", "tool_versions", "precision", "runtime")
    schema = schemas.schema(
        network=schemas.text(),
        row_id=schemas.text(nullable=True),
        input_width=schemas.whole_number(1, SIZE_MAX_SIDE),
        input_height=schemas.whole_number(1, SIZE_MAX_SIDE),
        classes=schemas.whole_number(1, 255),
        precision=schemas.text(nullable=True),
        runtime=schemas.text(nullable=True),
        device=schemas.text(),
        compute_unit=schemas.text(nullable=True),
        milliseconds=schemas.number(1e-6, 1e7),
        peak_memory_mb=schemas.number(0, 1e6),
        tool_versions=schemas.text(nullable=True),
        source=schemas.text(length=400),
    )
    table = pd.concat([load_table(DATA / name, schema) for name in FILES], ignore_index=True)
    return table.astype(dict.fromkeys(may_miss, "str")).fillna(dict.fromkeys(Setup._fields[1:], NOT_STATED))


def latencies(
    device: str | None = None, precision: str | None = None, runtime: str | None = None
) -> pd.DataFrame:
    """Return the latencies of a device, a precision, a runtime (None: of all).

    Raises UnknownIdError for a name that is not in the tables, or not together with the others.
    """
    table = _chips()
    for column, asked in zip(Setup._fields, (device, precision, runtime), strict=True):
        if asked is not None:
            known = table[column].unique()
            if asked not in known:
                raise unknown_name(column, asked, known, f"There is {', '.join(known)}.")
            table = table[table[column] == asked]
    return table.copy()


def setups(least_rows: int = 0) -> pd.DataFrame:
    """Return each setup on which at least that many rows of the catalogs were measured.

    device, precision, runtime, networks, rows, and rho: the rank correlation of MACs and milliseconds over
    these rows, missing where they are fewer than four.
    """
    lines = []
    for key, group in _chips().groupby(list(Setup._fields), sort=False):
        rows = group["row_id"].notna().sum()
        if rows >= least_rows:
            lines.append({**Setup(*key)._asdict(), "networks": len(group), "rows": rows})
    table = pd.DataFrame(lines)
    table["rho"] = [_rho(Setup(*key)) for key in zip(*(table[name] for name in Setup._fields), strict=True)]
    return table.astype({"rho": float})


@cache
def measured_setups(least_rows: int = 4) -> dict[str, Setup]:
    """Return the setups on which at least that many rows of the catalogs were measured, by name, in order."""
    table = _chips().dropna(subset="row_id").groupby(list(Setup._fields)).size()
    found = [Setup(*key) for key, rows in table.items() if rows >= least_rows]
    return {str(setup): setup for setup in found}


def _rho(setup: Setup) -> float | None:
    measured = milliseconds(setup)
    return rank_correlation(gmacs_of(measured), measured.table[COLUMN]).rho


def milliseconds(setup: Setup) -> Measured:
    """Return what the catalogs' rows take on a setup. Raises UnknownIdError."""
    table = latencies(*setup).dropna(subset="row_id").set_index("row_id").rename_axis("id")
    sizes = {"input_width": "width", "input_height": "height"}
    return Measured(str(setup), table[[*sizes, COLUMN]].rename(columns=sizes), precision=setup.precision)


def timings() -> pd.DataFrame:
    """Return every latency of the catalogs' rows as `zoo.latency.near_sizes` takes it."""
    return _timings().copy()


@cache
def _timings() -> pd.DataFrame:
    table = _chips().dropna(subset="row_id")
    where = [str(Setup(*key)) for key in table[list(Setup._fields)].itertuples(index=False)]
    names = {"row_id": "id", "input_width": "width", "input_height": "height"}
    return table.assign(where=where).rename(columns=names)[list(TIMING)]


def float_against_8_bits(device: str, runtime: str) -> pd.DataFrame:
    """Return each network that a device ran both in float and in 8 bits, best gain first.

    network, row_id, input_width, input_height, float_ms, w8a8_ms, gain (float_ms / w8a8_ms: below 1, 8 bits
    are slower). Raises UnknownIdError.
    """
    table = latencies(device, None, runtime)
    keys = ["network", "row_id", "input_width", "input_height"]
    wide = table.pivot_table(
        COLUMN, [name for name in keys if name != "row_id"], "precision", aggfunc="first", sort=False
    ).reindex(columns=[FLOAT, EIGHT_BITS])
    both = wide.dropna().reset_index()
    ids = table.drop_duplicates("network").set_index("network")["row_id"]
    both["row_id"] = both["network"].map(ids)
    both = both.rename(columns={FLOAT: "float_ms", EIGHT_BITS: "w8a8_ms"})
    both["gain"] = both["float_ms"] / both["w8a8_ms"]
    both = both[[*keys, "float_ms", "w8a8_ms", "gain"]].rename_axis(columns=None)
    return both.sort_values("gain", ascending=False, kind="stable", ignore_index=True)


def over_devices(network: str, precision: str, runtime: str) -> pd.DataFrame:
    """Return one network on every device that ran it so, fastest first. Raises UnknownIdError."""
    table = latencies(None, precision, runtime)
    if network not in table["network"].values:
        known = table["network"].unique()
        raise unknown_name("network", network, known, f"There is {', '.join(known)}.")
    return table[table["network"] == network].sort_values(COLUMN, kind="stable", ignore_index=True)
