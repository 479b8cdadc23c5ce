"""The range of every tensor over many pictures, from histograms that grow with what comes.

One pass and a fixed number of bytes a tensor: a histogram covers -limit to limit with bins of one width, and
when a value lies beyond it, the limit is doubled and bins are merged by two, which loses nothing but
resolution. Ranges are as fine as a bin: a 16,384th of a power of two above the largest magnitude.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Method = Literal["percentile", "minmax", "entropy"]
METHODS: tuple[Method, ...] = ("percentile", "minmax", "entropy")

PERCENT_CUT = 0.01
"""What `percentile` leaves out at either end, in percent of the values."""

LEVELS = 256
_HALF = 1 << 14
"""Bins on either side of zero."""
_ENTROPY_BINS = 2048
"""Bins on either side that `entropy` compares: its cost grows with their square."""
_ENTROPY_STEP = 8
"""Every so many of them is a candidate."""
_SMOOTHING = 1e-4
_STRIP_VALUES = 1 << 16
"""Values sorted into bins at a time: what stays in the processor's cache."""


class Range(NamedTuple):
    """What 8 bits are spread over; it always holds 0."""

    low: float
    high: float


class Histogram:
    """How often values occurred in a tensor, over all that `add` was given."""

    def __init__(self) -> None:
        self.low, self.high = 0.0, 0.0
        self.limit = 0.0
        self.counts: npt.NDArray[np.int64] = np.zeros(2 * _HALF, np.int64)
        """By bin, from -limit to limit."""

    def add(self, values: npt.NDArray[np.float32]) -> None:
        """Count finite values of any shape. Raises ValueError for others."""
        low, high = float(values.min()), float(values.max())
        if not (math.isfinite(low) and math.isfinite(high)):
            raise ValueError("values that are no numbers")
        self.low, self.high = min(self.low, low), max(self.high, high)
        self._widen(max(-low, high))
        if self.limit == 0:  # nothing but zeros yet: whatever the limit will be, they lie in the middle bin
            self.counts[_HALF] += values.size
            return
        flat = values.ravel()
        scale = np.float32(_HALF / self.limit)
        for start in range(0, flat.size, _STRIP_VALUES):
            places = flat[start : start + _STRIP_VALUES] * scale
            places += np.float32(_HALF)
            bins = places.astype(np.int32)
            np.minimum(bins, 2 * _HALF - 1, out=bins)
            self.counts += np.bincount(bins, minlength=2 * _HALF)

    def _widen(self, largest: float) -> None:
        if largest <= self.limit:
            return
        limit = 2.0 ** math.ceil(math.log2(max(largest, 1e-30)))
        if self.limit:
            doublings = min(round(math.log2(limit / self.limit)), _HALF.bit_length() - 1)
            side = _HALF >> doublings
            merged = np.zeros_like(self.counts)
            merged[_HALF - side : _HALF + side] = self.counts.reshape(2 * side, -1).sum(1)
            self.counts = merged
        self.limit = limit

    def find(self, method: Method) -> Range:
        """Return the range by a method.

        "minmax" is from the smallest to the largest value; "percentile" leaves out PERCENT_CUT at either end,
        but nothing below zero where no value is; "entropy" cuts both ends at the one magnitude that keeps the
        Kullback-Leibler divergence of the distribution in 8 bits from the true one smallest.
        """
        if method == "minmax" or self.limit == 0:
            return Range(self.low, self.high)
        if method == "percentile":
            return self._percentile()
        return self._entropy()

    def _percentile(self) -> Range:
        width = self.limit / _HALF
        below = np.cumsum(self.counts)
        cut = below[-1] * PERCENT_CUT / 100
        first = int(np.searchsorted(below, cut, side="right"))
        last = int(np.searchsorted(below, below[-1] - cut))
        return Range(
            max(self.low, min(0.0, (first - _HALF) * width)),
            min(self.high, max(0.0, (last + 1 - _HALF) * width)),
        )

    def _entropy(self) -> Range:
        counts = self.counts.reshape(2 * _ENTROPY_BINS, -1).sum(1).astype(np.float64)
        one_sided = self.low == 0
        kept = entropy_bins(counts[_ENTROPY_BINS:] if one_sided else counts, one_sided)
        threshold = kept * self.limit / _ENTROPY_BINS
        return Range(max(self.low, -threshold), min(self.high, threshold))


def entropy_bins(counts: npt.NDArray[np.float64], one_sided: bool, step: int = _ENTROPY_STEP) -> int:
    """Return how many bins from zero outwards to keep, for the smallest divergence in LEVELS levels.

    `counts` by bin from zero up if `one_sided`, else with zero in the middle. The candidate distribution has
    one level for equally many bins, spread evenly over those of them that are not empty; what is cut off is
    added to the outermost bins of the true one. Source: S. Migacz, 8-bit inference with TensorRT (2017).
    """
    sides = 1 if one_sided else 2
    middle = 0 if one_sided else counts.size // 2
    best, kept = math.inf, counts.size // sides
    for bins in range(LEVELS // sides, counts.size // sides + 1, step):
        start, end = middle - (sides - 1) * bins, middle + bins
        inside = counts[start:end]
        true = inside.copy()
        true[0] += counts[:start].sum()
        true[-1] += counts[end:].sum()
        divergence = _divergence(true, _in_levels(inside, true > 0))
        if divergence < best:
            best, kept = divergence, bins
    return kept


def _in_levels(inside: npt.NDArray[np.float64], filled: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Return the bins after LEVELS levels have been made of them; bins that were empty stay so."""
    level = np.arange(inside.size) * LEVELS // inside.size
    total = np.bincount(level, inside, LEVELS)
    used = np.bincount(level, filled, LEVELS)
    return np.where(filled, (total / np.maximum(used, 1))[level], 0.0)


def _divergence(true: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    """Return the Kullback-Leibler divergence of two histograms, each smoothed where it is empty."""
    if not other.any():
        return math.inf
    smooth = []
    for counts in (true, other):
        empty = counts == 0
        taken = _SMOOTHING * empty.sum() / (~empty).sum()
        chances = np.where(empty, _SMOOTHING, counts - taken)
        if chances.min() <= 0:
            return math.inf
        smooth.append(chances / chances.sum())
    return float(np.sum(smooth[0] * np.log(smooth[0] / smooth[1])))
