"""From a picture to what a network takes."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from zoo.runtimes.runtime import InputSpec
from zoo.sizes import Size
from zoo.threads import in_threads, strips

FITS = ("stretch", "pad")

Picture8 = npt.NDArray[np.uint8]


def fit_picture(
    rgb: Picture8, size: Size, fit: str, mean: tuple[float, float, float]
) -> tuple[Picture8, tuple[float, float]]:
    """Return the picture at an input's size, and the part of width and height that it fills.

    `fit` "stretch" resizes uint8 RGB (H, W, 3) to it; "pad" keeps its proportions, puts it in the top left
    and fills up with the mean colour.
    """
    height, width = rgb.shape[:2]
    content = size
    if fit == "pad":
        scale = min(size.width / width, size.height / height)
        content = Size(max(1, round(width * scale)), max(1, round(height * scale)))
    if content != (width, height):
        # Pillow's bilinear averages over what it shrinks: the antialiasing that networks know from training.
        rgb = np.asarray(Image.fromarray(rgb).resize(content, Image.Resampling.BILINEAR))
    if content != size:
        canvas = np.empty((size.height, size.width, 3), np.uint8)
        canvas[:] = np.round(mean)
        canvas[: content.height, : content.width] = rgb
        rgb = canvas
    return rgb, (content.width / size.width, content.height / size.height)


def normalise(
    rgb: Picture8,
    spec: InputSpec,
    mean: tuple[float, float, float],
    std: tuple[float, float, float],
    threads: int | None = None,
) -> npt.NDArray[Any]:
    """Return uint8 RGB (H, W, 3) as a batch of one that `spec` describes.

    Floats are (x - mean) / std, with x, mean and std in 0..255; bytes are x, or x - 128 if signed. `threads`
    as `zoo.threads.in_threads` takes it.
    """
    if spec.dtype in ("uint8", "int8"):
        raw = rgb if spec.dtype == "uint8" else (rgb ^ 0x80).view(np.int8)  # x - 128
        return np.ascontiguousarray(raw.transpose(2, 0, 1) if spec.layout == "NCHW" else raw)[None]
    height, width = rgb.shape[:2]
    values = np.empty((3, height, width), np.float32)

    def fill(rows: slice) -> None:
        planes = np.ascontiguousarray(rgb[rows].transpose(2, 0, 1))  # plane by plane takes a third longer
        for channel, plane in enumerate(planes):
            np.multiply(plane, np.float32(1 / std[channel]), out=values[channel, rows])
            values[channel, rows] -= np.float32(mean[channel] / std[channel])

    in_threads((partial(fill, rows) for rows in strips(slice(0, height), width)), threads)
    arranged = values if spec.layout == "NCHW" else values.transpose(1, 2, 0)
    return np.ascontiguousarray(arranged, dtype=spec.dtype)[None]
