"""Input sizes: what a size is, and what a text or a pair of numbers must be to become one."""

from __future__ import annotations

import re
from typing import NamedTuple

from zoo.checks import is_whole
from zoo.errors import SizeError
from zoo.limits import SIZE_MAX_SIDE, SIZE_MIN_SIDE


class Size(NamedTuple):
    """An input size in pixels, width first as everywhere in the product."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


def check_size(width: object, height: object) -> Size:
    """Return the size, or raise SizeError unless both sides are whole numbers in range."""
    sides = []
    for name, side in (("width", width), ("height", height)):
        if not is_whole(side) or not SIZE_MIN_SIDE <= int(side) <= SIZE_MAX_SIDE:
            raise SizeError(
                f"{name} {str(side)[:40]} cannot be used: give a whole number of pixels "
                f"from {SIZE_MIN_SIDE} to {SIZE_MAX_SIDE}, such as 768x384."
            )
        sides.append(int(side))
    return Size(*sides)


def parse_size(text: str) -> Size:
    """Read "768x384" (width x height), or raise SizeError."""
    match = re.fullmatch(r"\s*(-?\d{1,9})\s*[xX×]\s*(-?\d{1,9})\s*", text, re.ASCII)
    if match is None:
        raise SizeError(f"size {text[:40]!r} cannot be read: write width x height, such as 768x384.")
    return check_size(int(match[1]), int(match[2]))
