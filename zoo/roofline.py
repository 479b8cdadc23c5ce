"""What bounds a network on a chip: the roofline of each layer, from its MACs and the bytes it must move.

A layer takes at least as long as its MACs at the chip's peak, and at least as long as the bytes that it moves
at the memory's bandwidth; the larger of the two bounds it. The rule for bytes:

- a layer's weights are read once a frame;
- its input is read and its output written once, unless both together fit the on-chip memory: then they stay
  there and move nothing.

Layers run one after the other, and only those with MACs are looked at: norms and activations cost nothing,
resizes and additions are left out. So the sum is a bound, not a forecast: a chip that runs layer by layer is
slower than this, never faster; a compiler that fuses layers in tiles saves traffic and can come below it.

Source: Williams, Waterman, Patterson: Roofline: An Insightful Visual Performance Model for Multicore
Architectures, Communications of the ACM 52(4), 2009.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from numbers import Real

import numpy as np
import numpy.typing as npt
import pandas as pd

from zoo.errors import BudgetError, InputError
from zoo.schemas import number, schema, text
from zoo.tables import DATA, load_table
from zoo.words import unknown_name

PRECISIONS = (8, 16)
"""Bits of a weight and of an activation."""
RULE = (
    "A layer takes at least its MACs at the chip's peak, and at least its bytes at the memory's bandwidth. "
    "Weights are read once a frame; a layer's input and output move too, unless both together fit the "
    "on-chip memory. This is a bound, not a forecast: running layer by layer is slower than this, never "
    "faster; fusing layers in tiles can come below it."
)


@dataclass(frozen=True)
class Chip:
    """A chip as a roofline sees it; on-chip memory is in 10^6 bytes."""

    name: str
    gmacs_8bit: float | None
    gmacs_16bit: float | None
    bandwidth_gb_s: float
    on_chip_mb: float
    source: str = "your own numbers"

    def __post_init__(self) -> None:
        """Raise BudgetError for a figure that is none."""
        for field, value in (("gmacs_8bit", self.gmacs_8bit), ("gmacs_16bit", self.gmacs_16bit)):
            if value is not None:
                _check(field, value, 0, exclusive=True)
        _check("bandwidth_gb_s", self.bandwidth_gb_s, 0, exclusive=True)
        _check("on_chip_mb", self.on_chip_mb, 0, exclusive=False)

    @property
    def precisions(self) -> tuple[int, ...]:
        """The bits at which its peak is known."""
        return tuple(
            bits
            for bits, peak in zip(PRECISIONS, (self.gmacs_8bit, self.gmacs_16bit), strict=True)
            if peak is not None
        )

    def macs_per_second(self, bits: int) -> float:
        """Return the peak at 8 or 16 bits. Raises InputError where none is known."""
        peak = {8: self.gmacs_8bit, 16: self.gmacs_16bit}.get(bits)
        if peak is None:
            known = " or ".join(map(str, self.precisions)) or "no"
            raise InputError(f"{self.name} has no peak at {bits!r} bits: use {known} bits.")
        return peak * 1e9


@dataclass(frozen=True)
class Roofline:
    """The bound of a network on a chip, layer by layer."""

    chip: Chip
    bits: int
    layers: pd.DataFrame
    """name, kind, macs; weight_, activation_ and moved_bytes; compute_, traffic_ and least_ms; bound_by."""

    @property
    def least_ms(self) -> float:
        """The least time a frame can take."""
        return float(self.layers["least_ms"].sum())

    @property
    def frames_per_second(self) -> float:
        """At most as many frames a second, one after the other."""
        return 1000 / self.least_ms

    @property
    def memory_share(self) -> float:
        """The share of the least time, in percent, in which memory bounds it."""
        by_memory = self.layers.loc[self.layers["bound_by"] == "memory", "least_ms"].sum()
        return float(100 * by_memory / self.least_ms)

    @property
    def moved_bytes(self) -> int:
        """What a frame moves to and from memory."""
        return int(self.layers["moved_bytes"].sum())


def known_chips() -> dict[str, Chip]:
    """Return the chips of data/peaks.csv by name."""
    return dict(_known_chips())


@cache
def _known_chips() -> dict[str, Chip]:
    figures = schema(
        chip=text(unique=True),
        gmacs_8bit=number(1e-3, 1e9),
        gmacs_16bit=number(1e-3, 1e9),
        bandwidth_gb_s=number(1e-3, 1e6),
        on_chip_mb=number(0, 1e6),
        source=text(length=600),
    )
    table = load_table(DATA / "peaks.csv", figures)
    return {
        str(line.chip): Chip(
            str(line.chip),
            _or_none(line.gmacs_8bit),
            _or_none(line.gmacs_16bit),
            float(line.bandwidth_gb_s),
            float(line.on_chip_mb),
            str(line.source),
        )
        for line in table.itertuples()
    }


def find_chip(name: str) -> Chip:
    """Return a chip of data/peaks.csv. Raises UnknownIdError."""
    known = _known_chips()
    if name not in known:
        raise unknown_name("chip", name, known, f"There are: {', '.join(known)}.")
    return known[name]


def roofline(layers: pd.DataFrame, chip: Chip, bits: int = 8) -> Roofline:
    """Return the bound of a network on a chip at 8 or 16 bits.

    `layers`: the live count's layer table (name, kind, input_shape, output_shape, macs, params), for batch 1.
    Raises InputError where the chip has no peak at these bits.
    """
    peak, size = chip.macs_per_second(bits), bits // 8
    table = layers[["name", "kind", "macs"]].reset_index(drop=True)
    table["weight_bytes"] = size * layers["params"].to_numpy(np.int64)
    table["activation_bytes"] = size * activation_values(layers)
    fits = table["activation_bytes"] <= chip.on_chip_mb * 1e6
    table["moved_bytes"] = table["weight_bytes"] + table["activation_bytes"].where(~fits, 0)
    table["compute_ms"] = table["macs"] / peak * 1000
    table["traffic_ms"] = table["moved_bytes"] / (chip.bandwidth_gb_s * 1e9) * 1000
    table["least_ms"] = table[["compute_ms", "traffic_ms"]].max(axis=1)
    table["bound_by"] = np.where(table["compute_ms"] >= table["traffic_ms"], "compute", "memory")
    return Roofline(chip, bits, table)


def activation_values(layers: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Return how many values each layer reads and writes, its weights aside."""
    parts = (layers[part] for part in ("input_shape", "output_shape", "macs", "params"))
    return np.array([_values(*layer) for layer in zip(*parts, strict=True)], np.int64)


def _values(inputs: tuple[int, ...], outputs: tuple[int, ...], macs: int, params: int) -> int:
    # A layer without weights multiplies two activations: the second has macs / rows of the first values.
    second = macs // inputs[-2] if params == 0 else 0
    return math.prod(inputs) + second + math.prod(outputs)


def _or_none(value: object) -> float | None:
    return None if pd.isna(value) else float(value)  # type: ignore[arg-type]


def _check(field: str, value: object, least: float, *, exclusive: bool) -> None:
    usable = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    if not usable or (float(value) <= least if exclusive else float(value) < least):  # type: ignore[arg-type]
        allowed = f"above {least:g}" if exclusive else f"{least:g} or more"
        raise BudgetError(f"{field} {str(value)[:40]!r} cannot be used: give a number {allowed}.")
