"""Every limit on what comes from outside, in one place: pages, command line and library share them."""

import re
from typing import NamedTuple

from zoo.errors import SizeError

MEGABYTE = 1_000_000

IMAGE_BYTES = 20 * MEGABYTE
IMAGE_PIXELS = 40_000_000
IMAGE_MIN_SIDE = 16
IMAGE_MAX_SIDE = 16_384
IMAGE_MAX_ASPECT = 20
# Named to Pillow one by one: a format that is not here is never even tried.
# A phone's MPO is opened as a JPEG: Pillow knows no format of that name to open.
IMAGE_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")

MODEL_BYTES = 500 * MEGABYTE
MODEL_TENSORS = 20_000

TABLE_BYTES = 2 * MEGABYTE
TABLE_ROWS = 2_000

ZIP_BYTES = 500 * MEGABYTE
ZIP_UNPACKED_BYTES = 2_000 * MEGABYTE
ZIP_ENTRIES = 20_000
ZIP_DIRECTORY_BYTES = 20 * MEGABYTE
"""A zip's own list of its entries, read before anything else: a thousand bytes for each."""

SIZE_MIN_SIDE = 32
SIZE_MAX_SIDE = 4096

QUEUE_WAITING = 8
"""Visitors who may wait for a mask while one is being made."""

SANDBOX_BYTES = 4_000 * MEGABYTE
SANDBOX_SECONDS = 60
"""What the process that runs a visitor's own model may take."""


class Size(NamedTuple):
    """An input size in pixels, width first as everywhere in the product."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


def check_size(width: object, height: object) -> Size:
    """Return the size, or raise SizeError unless both sides are whole numbers in range."""
    for name, side in (("width", width), ("height", height)):
        whole = isinstance(side, int) and not isinstance(side, bool)
        if not whole and hasattr(side, "__index__") and not isinstance(side, bool):
            whole = True  # numpy integers
        if not whole or not SIZE_MIN_SIDE <= int(side) <= SIZE_MAX_SIDE:  # type: ignore[call-overload]
            raise SizeError(
                f"{name} {side!r} cannot be used: give a whole number of pixels "
                f"from {SIZE_MIN_SIDE} to {SIZE_MAX_SIDE}, such as 768x384."
            )
    return Size(int(width), int(height))  # type: ignore[call-overload]


def parse_size(text: str) -> Size:
    """Read "768x384" (width x height), or raise SizeError."""
    match = re.fullmatch(r"\s*(-?\d{1,9})\s*[xX×]\s*(-?\d{1,9})\s*", text, re.ASCII)
    if match is None:
        raise SizeError(f"size {text[:40]!r} cannot be read: write width x height, such as 768x384.")
    return check_size(int(match[1]), int(match[2]))
