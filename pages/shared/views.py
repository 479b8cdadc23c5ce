"""Pictures for the screen: a mask over its picture, or beside it along a line, as JPEG."""

import base64
import io
import math
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from zoo.classes import Colour, LabelMap
from zoo.overlay import blend, jpeg, swatch_png

SCREEN_SIDE = 1600
"""Most pixels a side that are sent: a wide screen shows no more."""


def masked(rgb: npt.NDArray[np.uint8], label_map: LabelMap, strength: float, **options: Any) -> bytes:
    """Return the picture with its mask, reduced to what a screen shows; options as `blend`'s."""
    step = max(1, math.ceil(max(rgb.shape[:2]) / SCREEN_SIDE))
    small = np.ascontiguousarray(rgb[::step, ::step])
    labels = np.ascontiguousarray(label_map.labels[::step, ::step])
    return jpeg(blend(small, label_map._replace(labels=labels), strength, **options))


def wiped(rgb: npt.NDArray[np.uint8], mask: bytes, part: float) -> bytes:
    """Return the picture left of a line at that part of the width, and its mask (a JPEG) right of it."""
    right = np.array(Image.open(io.BytesIO(mask)).convert("RGB"))
    step = max(1, math.ceil(max(rgb.shape[:2]) / SCREEN_SIDE))
    line = round(right.shape[1] * part)
    right[:, :line] = rgb[::step, ::step][:, :line]
    right[:, max(0, line - 1) : line + 1] = 255
    return jpeg(Image.fromarray(right))


def reduced(image: Image.Image) -> bytes:
    """Return a picture with at most SCREEN_SIDE pixels a side, as JPEG."""
    image.thumbnail((SCREEN_SIDE, SCREEN_SIDE), Image.Resampling.NEAREST)
    return jpeg(image)


@cache
def swatch(colour: Colour) -> str:
    """Return a plain tile of a colour as a data address."""
    return f"data:image/png;base64,{base64.b64encode(swatch_png(colour)).decode()}"
