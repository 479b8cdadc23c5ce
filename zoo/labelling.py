"""A network's raw output becomes a label map at the picture's own size."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from zoo.errors import InferenceError
from zoo.limits import MAX_CLASSES
from zoo.sizes import Size
from zoo.threads import in_threads, strips

FULL_PIXELS = 2_000_000
"""Logits are resized to the picture's own size up to here; beyond, labels are, by nearest neighbour."""

VOID = 255
"""The label of a map that means no class."""

_RESIZED_VALUES = 400_000
"""Logits resized at a time: what stays in the processor's cache."""

_MOST_UNEVEN = 0.25
"""The part of a strip up to which logits are resized pixel by pixel, not all."""

Kind = Literal["logits", "labels", "probability", "logit"]
"""What an output is: logits of each class, a label map, or one plane of a second class against the first."""

KINDS: tuple[Kind, ...] = ("logits", "labels", "probability", "logit")

Labels = npt.NDArray[np.uint8]


class Frame(NamedTuple):
    """How a picture lies in a network's input."""

    input_size: Size
    picture_size: Size
    part: tuple[float, float] = (1.0, 1.0)
    """The part of the input's width and height that the picture takes, from the top left; then padding."""
    ours: bool = False
    """It is a network of ours: its logits (1, C, h, w) may have to be brought to the input's size first."""


class Labelled(NamedTuple):
    """Labels at a picture's own size, and what is known of their classes."""

    labels: Labels
    """Class ids, (H, W)."""
    confidence: npt.NDArray[np.float32] | None
    """Softmax probability of the label, (H, W), where it was asked for and the network gives real logits."""
    kind: Kind
    class_count: int | None
    """None: a label map does not tell how many there are."""


def read_output(
    output: npt.NDArray[Any], input_size: Size, *, channels_first: bool = False
) -> tuple[npt.NDArray[Any], Kind]:
    """Return a raw output as logits (C, h, w), a label map uint8 (h, w), or a plane of real numbers (h, w).

    Takes logits in NCHW or NHWC at any stride, told apart by the shape of the input unless they are known to
    be `channels_first`, and single planes with
    or without axes of length one: whole numbers from 0 to 255 are labels, 255 void; real ones from 0 to 1 the
    probability of a second class, others its logit. Raises InferenceError for anything else.
    """
    shape = output.shape
    if output.ndim == 4 and shape[0] == 1 and shape[1] > 1 and (shape[3] > 1 or channels_first):
        channels_last = not channels_first and (
            _stretch(shape[1:3], input_size) < _stretch(shape[2:4], input_size)
        )
        logits = np.moveaxis(output[0], 2, 0) if channels_last else output[0]
        if len(logits) > MAX_CLASSES:
            raise InferenceError(
                f"its output has {len(logits)} classes, and at most {MAX_CLASSES} can be shown."
            )
        return logits, "logits"
    flat = output.reshape([side for side in shape if side != 1])
    if flat.ndim != 2:
        raise InferenceError(f"its output has shape {shape}: logits (1, C, H, W) or a label map are needed.")
    if not np.isfinite(flat).all():
        raise InferenceError("its output has values that are no numbers (NaN): use other weights.")
    if flat.dtype.kind != "f" or (flat == np.round(flat)).all():
        if flat.min() < 0 or flat.max() > VOID:
            raise InferenceError("its label map has values that are no class ids, 0 to 254, nor void, 255.")
        return flat.astype(np.uint8), "labels"
    return flat, "probability" if flat.min() >= 0 and flat.max() <= 1 else "logit"


def _stretch(shape: tuple[int, ...], size: Size) -> float:
    """Return how far an output of this height and width is from the input's aspect ratio; 0 is equal."""
    return abs(math.log((shape[0] / shape[1]) / (size.height / size.width)))


def find_labels(
    output: npt.NDArray[Any], frame: Frame, *, confidence: bool = False, threads: int | None = None
) -> Labelled:
    """Turn a network's raw output into the labels of a picture, at the picture's own size.

    Logits are resized bilinearly (pixel centres at halves, as torch's align_corners=False) and then compared:
    those of a network of ours by way of the input's size, as it does it itself. Beyond FULL_PIXELS they are
    resized to about that many, and the labels from there by nearest neighbour. A second class wins where its
    probability is above 0.5, or its logit above 0. It is done in `threads`, by default in as many as the
    processor has.
    Raises InferenceError for an output that `read_output` refuses, and for NaN.
    """
    found, kind = read_output(output, frame.input_size, channels_first=frame.ours)
    size, (across, down) = frame.picture_size, frame.part
    if kind == "labels":
        rows, columns = (
            _nearest(len(found) * down, size.height),
            _nearest(found.shape[1] * across, size.width),
        )
        return Labelled(found[rows][:, columns], None, kind, None)
    certain: _Certainty = _softmax
    if kind == "probability":
        found, certain = found - 0.5, _of_probability
    if kind != "logits":
        found = np.stack([np.zeros_like(found), found])
    work = _work_size(size)
    logits: _Logits | _Bilinear = _Logits(found.astype(np.float32, copy=False))
    if frame.ours and logits.size != frame.input_size:
        logits = _Bilinear(logits, frame.input_size)
    if frame.part != (1.0, 1.0) or logits.size != work:
        logits = _Bilinear(logits, work, frame.part)
    if confidence and output.dtype.kind == "f":
        labels, chances = _label_surely(logits, certain, threads)
    else:
        labels, chances = logits.labels(threads), None
    if work != size:
        rows, columns = _nearest(work.height, size.height), _nearest(work.width, size.width)
        labels = labels[rows][:, columns]
        chances = chances[rows][:, columns] if chances is not None else None
    return Labelled(labels, chances, kind, len(found))


def _label_surely(
    logits: _Logits | _Bilinear, certain: _Certainty, threads: int | None
) -> tuple[Labels, npt.NDArray[np.float32]]:
    """Return the labels of logits (C, h, w) and how sure each is, (h, w)."""
    width, height = logits.size
    labels, chances = np.empty((height, width), np.uint8), np.empty((height, width), np.float32)

    def make_strip(rows: slice) -> None:
        values = logits.rows(rows)
        chances[rows] = certain(values, _argmax(values, labels[rows]))

    parts = strips(slice(0, height), logits.classes * width, _RESIZED_VALUES)
    in_threads((partial(make_strip, rows) for rows in parts), threads)
    return labels, chances


def _work_size(size: Size) -> Size:
    """Return the size at which logits are compared: the picture's own, or about FULL_PIXELS."""
    scale = min(1.0, math.sqrt(FULL_PIXELS / (size.width * size.height)))
    return Size(max(1, round(size.width * scale)), max(1, round(size.height * scale)))


_Certainty = Callable[[npt.NDArray[np.float32], npt.NDArray[np.float32]], npt.NDArray[np.float32]]


def _softmax(logits: npt.NDArray[np.float32], best: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the softmax probability of the largest logit."""
    return np.reciprocal(np.exp(logits - best).sum(0))


def _of_probability(
    planes: npt.NDArray[np.float32], _best: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Return the probability of the label, for planes 0 and p - 0.5."""
    return np.abs(planes[1]) + np.float32(0.5)


def _argmax(logits: npt.NDArray[np.float32], labels: Labels) -> npt.NDArray[np.float32]:
    """Write the class of the largest of logits (C, ...) to `labels` (...), and return that logit.

    The lowest class of equals. A running maximum over whole planes: numpy's argmax over the first axis takes
    five times as long. Raises InferenceError for NaN.
    """
    best = logits[0].copy()
    better = np.empty(best.shape, bool)
    labels[:] = 0
    for class_id in range(1, len(logits)):
        np.greater(logits[class_id], best, out=better)
        np.maximum(best, logits[class_id], out=best)
        # Ids grow, so the last class that was better has the largest one.
        np.maximum(labels, better.view(np.uint8) * np.uint8(class_id), out=labels)
    if np.isnan(best.max(initial=-np.inf)):  # a maximum passes NaN on
        raise InferenceError("its output has values that are no numbers (NaN): use other weights.")
    return best


class _Logits:
    """A network's logits (C, h, w) as they are."""

    def __init__(self, values: npt.NDArray[np.float32]) -> None:
        self._values = np.ascontiguousarray(values)
        self.classes = len(values)
        self.size = Size(values.shape[2], values.shape[1])

    def rows(self, rows: slice | npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
        """Return some rows, (C, rows, w)."""
        return self._values[:, rows]

    def at(self, places: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
        """Return single places, numbered row by row, (C, N)."""
        return self._values.reshape(self.classes, -1).take(places, axis=1)

    def labels(self, threads: int | None) -> Labels:
        """Return the class of the largest logit at each place, (h, w)."""
        labels = np.empty((self.size.height, self.size.width), np.uint8)
        parts = strips(slice(0, self.size.height), self.size.width)
        in_threads((partial(_argmax, self.rows(rows), labels[rows]) for rows in parts), threads)
        return labels


class _Bilinear:
    """Logits (C, H, W) of another size, from the `part` that is used: resized where they are asked for."""

    def __init__(
        self, source: _Logits | _Bilinear, size: Size, part: tuple[float, float] = (1.0, 1.0)
    ) -> None:
        self._source = source
        self.classes: int = source.classes
        self.size = size
        width, height = source.size
        self.top, self.bottom, self._down = _neighbours(height, height * part[1], size.height)
        self.left, self.right, self._along = _neighbours(width, width * part[0], size.width)

    def rows(self, rows: slice | npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
        """Return some rows, (C, rows, W)."""
        # Only the source rows in reach, each widened once; then mixed downwards.
        reach = np.union1d(self.top[rows], self.bottom[rows])
        source = self._source.rows(reach)
        wide = _mix(source.take(self.left, axis=2), source.take(self.right, axis=2), self._along)
        upper, lower = (np.searchsorted(reach, near[rows]) for near in (self.top, self.bottom))
        return _mix(wide.take(upper, axis=1), wide.take(lower, axis=1), self._down[rows, None])

    def at(self, places: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
        """Return single places, numbered row by row, (C, N), to the last digit as `rows` gives them."""
        row, column = np.divmod(places, self.size.width)
        top, bottom = self.top[row] * self._source.size.width, self.bottom[row] * self._source.size.width
        left, right, along = self.left[column], self.right[column], self._along[column]
        source, corners = self._source, [top + left, top + right, bottom + left, bottom + right]
        if isinstance(source, _Bilinear):
            source, corners = _each_once(source, corners)
        upper = _mix(source.at(corners[0]), source.at(corners[1]), along)
        lower = _mix(source.at(corners[2]), source.at(corners[3]), along)
        return _mix(upper, lower, self._down[row])

    def labels(self, threads: int | None) -> Labels:
        """Return the class of the largest logit at each place, (H, W)."""
        corners = _Corners(self, self._source.labels(threads))
        labels = np.empty((self.size.height, self.size.width), np.uint8)

        def make_strip(rows: slice) -> None:
            if not corners.label(rows, labels[rows]):
                for few in strips(rows, self.classes * self.size.width, _RESIZED_VALUES):
                    _argmax(self.rows(few), labels[few])

        parts = strips(slice(0, self.size.height), self.size.width)
        in_threads((partial(make_strip, rows) for rows in parts), threads)
        return labels


def _mix(
    one: npt.NDArray[np.float32], other: npt.NDArray[np.float32], part: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Return what lies between one and the other, in the place of the other."""
    other -= one
    other *= part
    other += one
    return other


def _each_once(
    source: _Bilinear, corners: list[npt.NDArray[np.intp]]
) -> tuple[_Logits, list[npt.NDArray[np.intp]]]:
    """Return a source that has the four corners of some places (each (N,)) resized once, numbered anew.

    Neighbours share corners, and each of these takes four places of the source's own source.
    """
    first = corners[0].min()
    needed = np.zeros(corners[-1].max() + 1 - first, bool)
    for places in corners:
        needed[places - first] = True
    once = np.flatnonzero(needed)
    number = np.empty(len(needed), np.intp)
    number[once] = np.arange(len(once))
    return _Logits(source.at(once + first)[:, None]), [number[places - first] for places in corners]


class _Corners:
    """Labels without resizing most logits: a class that wins at all four corners wins between them."""

    def __init__(self, resized: _Bilinear, labels: Labels) -> None:
        """`labels` (h, w) are those of the logits before they are resized."""
        self._resized = resized
        self._left = labels.take(resized.left, axis=1)
        self._even = self._left == labels.take(resized.right, axis=1)

    def label(self, rows: slice, labels: Labels) -> bool:
        """Write the labels of rows of the result, or return False where too many corners differ."""
        top, bottom = self._resized.top[rows], self._resized.bottom[rows]
        self._left.take(top, axis=0, out=labels)
        even = self._even[top] & self._even[bottom] & (labels == self._left[bottom])
        uneven = np.flatnonzero(~even)
        if len(uneven) > _MOST_UNEVEN * even.size:
            return False
        for few in strips(slice(0, len(uneven)), self._resized.classes, _RESIZED_VALUES):
            found = np.empty(len(uneven[few]), np.uint8)
            _argmax(self._resized.at(uneven[few] + rows.start * self._resized.size.width), found)
            labels.reshape(-1)[uneven[few]] = found
        return True


def _neighbours(
    length: int, used: float, wanted: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.float32]]:
    """Return, for each wanted position, the two source positions around it and the weight of the second."""
    last = max(0, math.ceil(used - 1e-6) - 1)  # 30.000000001 rows are 30
    place = np.clip((np.arange(wanted) + 0.5) * (used / wanted) - 0.5, 0, min(last, length - 1))
    first = np.floor(place).astype(np.intp)
    return first, np.minimum(first + 1, last), (place - first).astype(np.float32)


def _nearest(used: float, wanted: int) -> npt.NDArray[np.intp]:
    """Return, for each wanted position, the source position whose pixel it lies in."""
    return np.floor((np.arange(wanted) + 0.5) * (used / wanted)).astype(np.intp)
