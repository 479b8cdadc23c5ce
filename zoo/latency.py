"""Milliseconds beside MACs: as a cost to choose by, and what MACs promise of them.

Milliseconds are those of one machine, precision, runtime and thread count: a `Measured`, never a mix. numpy
and pandas only; what the traits of a row say is in data/traits.csv, written by `python -m zoo.complexity`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from zoo import schemas
from zoo.catalog import all_shipped
from zoo.costs import follows_formula, gmacs_at
from zoo.rows import Row
from zoo.sizes import Size
from zoo.tables import DATA, load_table
from zoo.words import Cost

COLUMN = "milliseconds"
TIMING = ("id", "width", "height", "where", COLUMN)
"""What is known of one latency: row, size, the machine and its setup in words, milliseconds."""
NEAR = 1.1
"""Two sizes whose pixels differ by at most this factor cost about the same."""
LEAST_ROWS = 4
"""Fewer rows than this have no rank correlation worth a number."""
FLOAT_BYTES = (4, 4)
BYTES = dict.fromkeys(("8bit", "w8a8", "int8", "uint8"), (1, 1))
BYTES |= {"w8a16": (2, 1), "fp16": (2, 2), "float16": (2, 2)}
"""Of an activation and of a weight, in each precision that is not 4 bytes for both."""
NOTICEABLE = 1.25
"""A row that takes this many times what its MACs promise is called slower, one below its inverse faster."""


@dataclass(frozen=True)
class Measured:
    """Latencies of rows on one machine, in one precision, runtime and thread count."""

    where: str
    """Machine, precision, runtime and threads, in words."""
    table: pd.DataFrame
    """width and height at which it was measured, and milliseconds, indexed by row id."""
    size: Size | None = None
    """The one input size of all of them; None where each row has its own."""
    precision: str = "float"
    """As its source calls it."""

    @property
    def cost(self) -> Cost:
        """Milliseconds as a cost to rank and to choose by, of a table that `with_milliseconds` gave."""
        return Cost(
            COLUMN,
            unit="ms",
            noun="milliseconds",
            basis=f"measured on {self.where}" + (f" at {self.size}" if self.size else ""),
            missing=f"nobody measured it on {self.where}" + (f" at {self.size}" if self.size else ""),
            size=self.size,
        )


def with_milliseconds(table: pd.DataFrame, measured: Measured) -> pd.DataFrame:
    """Return a table with `milliseconds` and `measured_at` ("WxH") added, missing where nobody measured."""
    found = measured.table.reindex(table.index)
    sizes = [
        None if math.isnan(width) else f"{width:.0f}x{height:.0f}"
        for width, height in zip(found["width"], found["height"], strict=True)
    ]
    return table.assign(**{COLUMN: found[COLUMN].astype(float), "measured_at": sizes})


def size_notes(table: pd.DataFrame) -> tuple[str, ...]:
    """Return a sentence for each row that was measured at another size than its own."""
    own = table["input_width"].astype(str) + "x" + table["input_height"].astype(str)
    other = table[table["measured_at"].notna() & (table["measured_at"] != own)]
    return tuple(
        f"{name}: its milliseconds were measured at {at}, its mIoU at {own_size}."
        for name, at, own_size in zip(other["name"], other["measured_at"], own[other.index], strict=True)
    )


def near_sizes(timings: pd.DataFrame, sizes: Mapping[str, Size]) -> pd.DataFrame:
    """Return what was measured of rows at these sizes, and where nobody did, at one of about as many pixels.

    `timings`: columns of TIMING. Returns id, where, measured_at ("WxH"), milliseconds; one line for a row on
    a setup, in the order of `sizes`, fastest first.
    """
    asked = pd.DataFrame([(row_id, *size) for row_id, size in sizes.items()], columns=["id", "w", "h"])
    found = asked.merge(timings, "inner", "id")
    pixels = (found["width"] * found["height"]) / (found["w"] * found["h"])
    away = np.abs(np.log(pixels.astype(float)))
    other = (found["width"] != found["w"]) | (found["height"] != found["h"])
    at = found["width"].astype(str) + "x" + found["height"].astype(str)
    found = found.assign(other=other, away=away, measured_at=at, order=found["id"].map(list(sizes).index))
    found = found[away <= math.log(NEAR)].sort_values(["other", "away"], kind="stable")
    found = found.drop_duplicates(["id", "where"]).sort_values(["order", COLUMN], kind="stable")
    return found[["id", "where", "measured_at", COLUMN]].reset_index(drop=True)


class Correlation(NamedTuple):
    """Spearman's rank correlation, and over how many rows; None where they are too few or all equal."""

    rho: float | None
    rows: int


def rank_correlation(one: pd.Series, other: pd.Series) -> Correlation:
    """Return how far two columns put the same rows in the same order: 1 in all of it, -1 in none."""
    both = pd.DataFrame({"one": one.astype(float), "other": other.astype(float)}).dropna()
    if len(both) < LEAST_ROWS or both.nunique().min() < 2:
        return Correlation(None, len(both))
    ranks = both.rank()
    return Correlation(float(ranks["one"].corr(ranks["other"])), len(both))


def gmacs_of(measured: Measured, own: Iterable[Row] = ()) -> pd.Series:
    """Return the GigaMACs of the measured rows, by the formula, at the size at which each was measured.

    `own`: a visitor's rows that may be among them. Rows that cannot be counted there are left out.
    """
    rows = {row.id: row for row in (*all_shipped().rows, *own) if row.network or row.own}
    table = measured.table
    sizes = {
        str(row_id): Size(int(width), int(height))
        for row_id, width, height in zip(table.index, table["width"], table["height"], strict=True)
    }
    return pd.Series(
        {
            row_id: _gmacs(rows[row_id], size)
            for row_id, size in sizes.items()
            if row_id in rows and follows_formula(rows[row_id], size)
        },
        dtype=float,
        name="gmacs",
    )


_gmacs = lru_cache(maxsize=4096)(gmacs_at)


def against_macs(measured: Measured, own: Mapping[Row, Mapping[str, int]] | None = None) -> pd.DataFrame:
    """Return what MACs promise of each measured row and what it took, indexed by row id, slowest first.

    `own`: a visitor's rows that may be among them, with the `traits` of their layers.

    width, height, milliseconds, gmacs (counted at that size), gmacs_per_second, promised_ms (its MACs at the
    median rate of these rows), times (milliseconds / promised_ms), depthwise_share (%), bytes_per_mac.
    """
    mine = own or {}
    table = measured.table.join(gmacs_of(measured, mine), how="inner")
    table["gmacs_per_second"] = table["gmacs"] / table[COLUMN] * 1000
    table["promised_ms"] = table["gmacs"] / table["gmacs_per_second"].median() * 1000
    table["times"] = table[COLUMN] / table["promised_ms"]
    traits_of_own = pd.DataFrame({row.id: dict(counts) for row, counts in mine.items()}).T
    known = row_traits(measured.precision)
    if mine:
        known = pd.concat([known, _shares(traits_of_own, measured.precision)])
    return table.join(known).sort_values("times", ascending=False, kind="stable")


def why(table: pd.DataFrame) -> tuple[str, ...]:
    """Return what the slower and the faster rows of `against_macs` have in common, one sentence a trait."""
    return tuple(
        sentence
        for column, words in (
            ("depthwise_share", "spend more of their MACs in depthwise convolutions"),
            ("bytes_per_mac", "move more bytes a MAC"),
        )
        if (sentence := _tendency(table, column, words))
    )


def _tendency(table: pd.DataFrame, column: str, words: str) -> str:
    found = rank_correlation(table["times"], table[column])
    if found.rho is None:
        return ""
    tells = "no clear link" if abs(found.rho) < 0.3 else "slower rows" if found.rho > 0 else "faster rows"
    number = f"rank correlation {found.rho:+.2f} over {found.rows} rows"
    if tells == "no clear link":
        return f"No clear link with rows that {words} ({number})."
    return f"The {tells} {words} ({number})."


def row_traits(precision: str = "float") -> pd.DataFrame:
    """Return depthwise_share (% of MACs) and bytes_per_mac in a precision of each row, indexed by id.

    Bytes are a layer's input, output and weights, as if it ran alone; counted at the row's own size.
    """
    return _shares(_traits(), precision)


def _shares(table: pd.DataFrame, precision: str) -> pd.DataFrame:
    activation, weight = BYTES.get(precision, FLOAT_BYTES)
    moved = activation * table["activation_values"] + weight * table["weight_values"]
    return pd.DataFrame(
        {
            "depthwise_share": 100 * table["depthwise_macs"] / table["macs"],
            "bytes_per_mac": moved / table["macs"],
        }
    )


@cache
def _traits() -> pd.DataFrame:
    counts = ("depthwise_macs", "activation_values", "weight_values")
    columns = {"id": schemas.text(unique=True), "macs": schemas.whole_number(1)}
    columns |= {name: schemas.whole_number(0) for name in counts}
    return load_table(DATA / "traits.csv", schemas.schema(**columns)).set_index("id")


def traits(layers: pd.DataFrame) -> dict[str, int]:
    """Return macs, depthwise_macs, activation_values and weight_values of a network's layer table."""
    from zoo.roofline import activation_values

    depthwise = layers["kind"].str.startswith("depthwise")
    return {
        "macs": int(layers["macs"].sum()),
        "depthwise_macs": int(layers.loc[depthwise, "macs"].sum()),
        "activation_values": int(np.sum(activation_values(layers))),
        "weight_values": int(layers["params"].sum()),
    }
