"""What a run takes of the machine's memory: told before, refused where it is too much, given back after."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import psutil

from zoo.costs import REDUCED_TO, TERMS, costs_of
from zoo.errors import NotNowError
from zoo.families import families
from zoo.limits import SESSION_MEMORY_BYTES
from zoo.rows import Row
from zoo.sizes import Size

# Measured with onnxruntime on one network of each family and decoder, at 1024x512 to 2048x1280.
_COPIES = 1.15
"""Of the counted peak activation: what the runtime turns into blocks and back is there twice."""
_BLOCK = 8
"""Channels that the runtime's convolutions, and what enlarges their result bilinearly, keep together."""
_PICTURE_BYTES = 3 * 4 + 3
"""A pixel of the input, and of the resized picture that it was made of: both are there during a run."""
_SCORES = 1.42
"""Attention's scores, which the counted peak holds twice, and what is alive beside them."""
_ARENA, _ARENA_MOST = 1.2, 1.5
"""What an arena takes for a run, of what is alive, and what it may come to hold: it grows in steps."""
_MAPPED_FROM_BYTES = 4 << 20
"""What is mapped comes page by page, 3 ms for the 3 MB of an input; from here numpy asks for huge pages."""
_WEIGHTS_MAPPED_FROM_BYTES = 1 << 20
"""While a network is loaded: what it frees would leave holes in the heap, which a run fills one by one."""
_KEPT_BYTES = 8 << 20
"""Of smaller blocks, what is held on to for the next ones."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


def needed_bytes(row: Row, size: Size, *, whole: bool = False) -> int:
    """Return what one run of the row's network at an input size takes beyond its weights, in float.

    `whole`: with a last bilinear resize, which masks leave to who makes labels.
    """
    alive = _alive_bytes(row, size, whole)
    return int(alive * _ARENA) if keeps_memory(row, size) else alive


def keeps_memory(row: Row, size: Size) -> bool:
    """Return whether a session of that size holds on to what a run takes: faster, and little."""
    return _alive_bytes(row, size) * _ARENA_MOST <= SESSION_MEMORY_BYTES


def _alive_bytes(row: Row, size: Size, whole: bool = False) -> int:
    """Return the most that is alive at once beside the picture: features, attention's scores, or logits."""
    costs = costs_of(row)
    counted_at, values = next(iter(costs.run_peak_values.items()))
    attends = costs.formula[TERMS.index("attention_4")] > 0
    growth = size.width * size.height / (counted_at.width * counted_at.height)
    features = (values - (_scores(counted_at) if attends else 0)) * growth * _COPIES
    pixels = size.width * size.height
    scores = _scores(size) * _SCORES if attends else 0
    return int(4 * max(features, _logits(row, whole) * pixels, scores) + _PICTURE_BYTES * pixels)


def _logits(row: Row, whole: bool) -> int:
    """Return the values a pixel that are alive at the end: logits, and those that they are made of."""
    last_resize = families()[row.built.family].last_resize
    classes = row.num_classes or 0
    if last_resize == "bilinear" and not whole:
        return 0
    return classes + (-(-classes // _BLOCK) * _BLOCK if last_resize != "bicubic" else 0)


def _scores(size: Size) -> int:
    """Return the scores of SegFormer's attention at stride 4, whose one head reads the grid of stride 32."""
    positions = -(-size.width // 4) * -(-size.height // 4)
    return positions * (size.width // REDUCED_TO) * (size.height // REDUCED_TO)


def check_memory(row: Row, size: Size, *, whole: bool = False) -> int:
    """Return `needed_bytes`, or raise NotNowError for a job that would push everything else out of memory."""
    needed = needed_bytes(row, size, whole=whole)
    free = psutil.virtual_memory().available
    if needed > free / 2:
        raise NotNowError(
            f"{row.id} at {size} needs about {needed / 1e9:.1f} GB, and half of the free memory is "
            f"{free / 2e9:.1f} GB: use a smaller size."
        )
    return needed


def fitting_at_once(row: Row, size: Size) -> int:
    """Return how many runs side by side take at most half of the free memory; 1 where none does."""
    return max(1, psutil.virtual_memory().available // 2 // needed_bytes(row, size))


def map_large_blocks() -> None:
    """Have every large block mapped on its own, so that it goes back to the system as soon as it is freed.

    glibc by itself raises the bound to 32 MB as it sees such blocks, and keeps what lies below.
    """
    if (mallopt := _libc("mallopt")) is not None:
        mallopt(_M_MMAP_THRESHOLD, _MAPPED_FROM_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)


@contextmanager
def weights_mapped() -> Iterator[None]:
    """Have also the blocks of weights mapped, while a network is loaded."""
    mallopt = _libc("mallopt")
    if mallopt is None:
        yield
        return
    mallopt(_M_MMAP_THRESHOLD, _WEIGHTS_MAPPED_FROM_BYTES)
    try:
        yield
    finally:
        mallopt(_M_MMAP_THRESHOLD, _MAPPED_FROM_BYTES)


def give_back() -> None:
    """Return to the system what the process has freed: glibc would keep it for later."""
    if (trim := _libc("malloc_trim")) is not None:
        trim(0)


@cache
def _libc(name: str) -> ctypes._NamedFuncPointer | None:
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), name, None)  # musl has none of them
