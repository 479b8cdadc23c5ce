"""A network's raw output becomes a label map at the picture's own size."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from zoo.classes import ClassList, LabelMap
from zoo.errors import InferenceError
from zoo.sizes import Size

FULL_PIXELS = 2_000_000
"""Logits are resized to the picture's own size up to here; beyond, labels are, by nearest neighbour."""

_STRIP_VALUES = 400_000
"""Logits worked on at a time: what stays in the processor's cache."""


def as_planes(output: npt.NDArray[Any], input_size: Size) -> npt.NDArray[Any]:
    """Return a raw output as logits (C, h, w), or as a label map (h, w).

    Takes logits in NCHW or NHWC at any stride, told apart by the shape of the input, and label maps with or
    without axes of length one. Raises InferenceError for anything else.
    """
    shape = output.shape
    if output.ndim == 4 and shape[0] == 1 and shape[1] > 1 and shape[3] > 1:
        channels_last = _stretch(shape[1:3], input_size) < _stretch(shape[2:4], input_size)
        planes = np.moveaxis(output[0], 2, 0) if channels_last else output[0]
        if len(planes) > 255:
            raise InferenceError(f"its output has {len(planes)} classes, and at most 255 can be shown.")
        return planes
    flat = np.squeeze(output)
    if flat.ndim != 2:
        raise InferenceError(f"its output has shape {shape}: logits (1, C, H, W) or a label map are needed.")
    if not np.isfinite(flat).all() or flat.min() < 0 or flat.max() > 255:
        raise InferenceError("its label map has values that are no class ids, 0 to 255.")
    return flat.astype(np.uint8)


def _stretch(shape: tuple[int, ...], size: Size) -> float:
    """Return how far an output of this height and width is from the input's aspect ratio; 0 is equal."""
    return abs(math.log((shape[0] / shape[1]) / (size.height / size.width)))


def label(
    planes: npt.NDArray[Any],
    size: Size,
    classes: ClassList,
    *,
    used: tuple[float, float] = (1.0, 1.0),
    confidence: bool = False,
) -> LabelMap:
    """Turn `as_planes`' result into labels of `size`, the picture's own, which mean `classes`.

    `used` is the part of width and height that the picture takes, from the top left; the rest is padding.
    Logits are resized bilinearly (pixel centres at halves, as torch's align_corners=False) and then compared;
    beyond FULL_PIXELS they are resized to about that many, and the labels from there by nearest neighbour.
    Raises InferenceError for logits that are NaN.
    """
    scale = min(1.0, math.sqrt(FULL_PIXELS / (size.width * size.height)))
    work = Size(max(1, round(size.width * scale)), max(1, round(size.height * scale)))
    if planes.ndim == 2:
        rows = _nearest(planes.shape[0] * used[1], size.height)
        columns = _nearest(planes.shape[1] * used[0], size.width)
        return LabelMap(planes[rows][:, columns], classes)
    labels = np.empty((work.height, work.width), np.uint8)
    chances = np.empty(labels.shape, np.float32) if confidence and planes.dtype.kind == "f" else None
    step = max(1, _STRIP_VALUES // (len(planes) * work.width))
    resized = _Bilinear(planes.astype(np.float32, copy=False), work, used)
    for start in range(0, work.height, step):
        rows_now = slice(start, min(start + step, work.height))
        logits = resized.rows(rows_now)
        best = _argmax(logits, labels[rows_now])
        if np.isnan(best).any():
            raise InferenceError("its output has values that are no numbers (NaN): use other weights.")
        if chances is not None:
            chances[rows_now] = 1 / np.exp(logits - best).sum(0)
    if work != size:
        rows, columns = _nearest(work.height, size.height), _nearest(work.width, size.width)
        labels = labels[rows][:, columns]
        chances = chances[rows][:, columns] if chances is not None else None
    return LabelMap(labels, classes, chances)


def _argmax(logits: npt.NDArray[np.float32], labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Write the class of the largest logit to `labels`, the lowest of equals, and return that logit.

    A running maximum over whole planes: numpy's argmax over the first axis takes five times as long.
    """
    best = logits[0].copy()
    better = np.empty(best.shape, bool)
    labels[:] = 0
    for class_id in range(1, len(logits)):
        np.greater(logits[class_id], best, out=better)
        np.maximum(best, logits[class_id], out=best)
        # Ids grow, so the last class that was better has the largest one.
        np.maximum(labels, better.view(np.uint8) * np.uint8(class_id), out=labels)
    return best


class _Bilinear:
    """Logits (C, h, w) resized to `size`, some rows at a time."""

    def __init__(self, logits: npt.NDArray[np.float32], size: Size, used: tuple[float, float]) -> None:
        height, width = logits.shape[1:]
        self._logits = logits
        self._same = used == (1.0, 1.0) and (height, width) == (size.height, size.width)
        self._top, self._bottom, self._down = _neighbours(height, height * used[1], size.height)
        self._left, self._right, self._along = _neighbours(width, width * used[0], size.width)

    def rows(self, rows: slice) -> npt.NDArray[np.float32]:
        """Return rows of the result, (C, rows, W)."""
        if self._same:
            return self._logits[:, rows]
        # Only the source rows in reach, each widened once; then mixed downwards.
        first, last = self._top[rows][0], self._bottom[rows][-1]
        source = self._logits[:, first : last + 1]
        wide = np.take(source, self._right, axis=2)
        left = np.take(source, self._left, axis=2)
        wide -= left
        wide *= self._along
        wide += left
        upper = np.take(wide, self._top[rows] - first, axis=1)
        mixed = np.take(wide, self._bottom[rows] - first, axis=1)
        mixed -= upper
        mixed *= self._down[rows, None]
        mixed += upper
        return mixed


def _neighbours(
    length: int, used: float, wanted: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.float32]]:
    """Return, for each wanted position, the two source positions around it and the weight of the second."""
    last = max(0, math.ceil(used) - 1)
    place = np.clip((np.arange(wanted) + 0.5) * (used / wanted) - 0.5, 0, min(last, length - 1))
    first = np.floor(place).astype(np.intp)
    return first, np.minimum(first + 1, last), (place - first).astype(np.float32)


def _nearest(used: float, wanted: int) -> npt.NDArray[np.intp]:
    """Return, for each wanted position, the source position whose pixel it lies in."""
    return np.floor((np.arange(wanted) + 0.5) * (used / wanted)).astype(np.intp)
