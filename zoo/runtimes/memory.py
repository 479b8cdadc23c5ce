"""What a run takes of the machine's memory: told before, refused where it is too much, given back after."""

from __future__ import annotations

import ctypes
import sys
from functools import cache

import psutil

from zoo.costs import costs_of
from zoo.errors import NotNowError
from zoo.rows import Row
from zoo.sizes import Size

_OVERHEAD = 1.5
_FIXED_BYTES = 30_000_000
"""Beyond the peak activation: what onnxruntime reorders and aligns, and threads' own heaps. Measured."""


def needed_bytes(row: Row, size: Size) -> int:
    """Return what one run of the row's network at an input size takes beyond its weights.

    It is the peak activation of data/costs.csv, which grows with the input's area, and what the runtime adds.
    """
    counted_at, values = next(iter(costs_of(row).peak_activation_values.items()))
    growth = size.width * size.height / (counted_at.width * counted_at.height)
    return int(values * 4 * growth * _OVERHEAD) + _FIXED_BYTES


def check_memory(row: Row, size: Size) -> int:
    """Return `needed_bytes`, or raise NotNowError for a job that would push everything else out of memory."""
    needed = needed_bytes(row, size)
    free = psutil.virtual_memory().available
    if needed > free / 2:
        raise NotNowError(
            f"{row.id} at {size} needs about {needed / 1e9:.1f} GB, and half of the free memory is "
            f"{free / 2e9:.1f} GB: use a smaller size."
        )
    return needed


def give_back() -> None:
    """Return to the system what the process has freed: glibc would keep it for later."""
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> ctypes._NamedFuncPointer | None:
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
