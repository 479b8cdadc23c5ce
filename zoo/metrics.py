"""Numbers from label maps and ground truth: one confusion matrix, intersection over union, an interval.

True classes are rows, predicted ones columns; one column more counts what was predicted as none of the
classes. A class takes part in a mean over classes where it is labelled
or predicted somewhere (TP + FP + FN > 0); an IoU that nothing defines is NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

VOID = 255
"""The label that is no class: left out of every number; as a prediction it is wrong."""

RESAMPLES = 1000
SEED = 0
SAME = np.arange(256, dtype=np.uint8)
_STRIP_PIXELS = 1 << 16
"""Pixels counted at a time: bincount takes eight bytes for each, and this many stay in the cache."""

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def confusion(
    truth: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.uint8],
    classes: int,
    truth_as: npt.NDArray[np.uint8] = SAME,
    labels_as: npt.NDArray[np.uint8] = SAME,
) -> Counts:
    """Return the confusion matrix, int64 (classes, classes + 1), of two label maps (H, W) of one size.

    The last column is what `labels` has as VOID. Pixels that are VOID in `truth` are left out. `truth_as` and
    `labels_as` say what class each of 256 values stands for, by default the value itself. Raises
    ValueError for two sizes, and for class ids beyond `classes` in either.
    """
    if truth.shape != labels.shape:
        raise ValueError(f"label maps of {truth.shape} and {labels.shape} cannot be compared.")
    counted = np.zeros(1 << 16, np.int64)
    flat, found = truth.ravel(), labels.ravel()
    for start in range(0, len(flat), _STRIP_PIXELS):
        strip = slice(start, start + _STRIP_PIXELS)
        counted += np.bincount((flat[strip].astype(np.uint16) << 8) | found[strip], minlength=1 << 16)
    # Classes are looked up for pairs of values, few as they are, not for pixels.
    pairs = np.flatnonzero(counted)
    matrix = np.zeros((256, 256), np.int64)
    np.add.at(matrix, (truth_as[pairs >> 8], labels_as[pairs & 255]), counted[pairs])
    if matrix[classes:VOID].any() or matrix[:VOID, classes:VOID].any():
        raise ValueError(f"there are class ids beyond the {classes} classes that were to be counted.")
    return matrix[:classes, [*range(classes), VOID]]


class Tally(NamedTuple):
    """What IoU needs of a confusion matrix; each int64 (..., C), so that many images lie in one."""

    hits: Counts
    """Pixels of a class that were found."""
    labelled: Counts
    """Pixels that are labelled so."""
    predicted: Counts
    """Pixels that were predicted so."""

    @classmethod
    def of(cls, matrix: Counts) -> Tally:
        """Return the tally of a confusion matrix, with or without the column of what is no class."""
        return cls(np.diag(matrix).copy(), matrix.sum(1), matrix.sum(0)[: len(matrix)])

    @classmethod
    def stacked(cls, tallies: Sequence[Tally]) -> Tally:
        """Return tallies as one, with an axis for them in front."""
        return cls(*(np.stack(part) for part in zip(*tallies, strict=True)))

    @property
    def union(self) -> Counts:
        """TP + FP + FN."""
        return self.labelled + self.predicted - self.hits


def iou(tally: Tally) -> Floats:
    """Return the IoU of each class in percent, NaN where there is nothing of it."""
    return _percent(tally.hits, tally.union)


def mean_iou(tally: Tally) -> Floats:
    """Return the mean IoU in percent over the last axis, NaN where no class has a pixel."""
    present = (tally.union > 0).sum(-1)
    return _percent(np.nansum(iou(tally), -1) / 100, present)


def pixel_accuracy(tally: Tally) -> float:
    """Return the share of labelled pixels that were found, in percent."""
    return float(_percent(tally.hits.sum(-1), tally.labelled.sum(-1)))


def mean_accuracy(tally: Tally) -> float:
    """Return the mean over the labelled classes of the share of their pixels that was found, in percent."""
    found = _percent(tally.hits, tally.labelled)
    return float(_percent(np.nansum(found, -1) / 100, (tally.labelled > 0).sum(-1)))


def mean_over_images(images: Tally) -> float:
    """Return the mean of the images' own mIoU in percent; `images` has an axis of images in front."""
    each = mean_iou(images)
    return float(np.nanmean(each)) if np.isfinite(each).any() else float("nan")


def resampled_interval(images: Tally, *, resamples: int = RESAMPLES, seed: int = SEED) -> Floats:
    """Return the 2.5th and the 97.5th percentile of the mIoU over images drawn again with replacement.

    `images` has an axis of images in front. Each resample draws as many images as there are and adds up
    their pixels before the IoU is taken, as for the images themselves (the bootstrap of Efron, Annals of
    Statistics 1979, with its percentile interval). NaN for fewer than two images.
    """
    count = len(images.hits)
    if count < 2:
        return np.full(2, np.nan)
    generator = np.random.default_rng(seed)
    # Pixel counts are whole numbers far below 2**53: sums of them are exact in floats, and products fast.
    stacked = np.stack(images, 1).reshape(count, -1).astype(np.float64)
    means = np.empty(resamples)
    step = max(1, 4_000_000 // count)
    for start in range(0, resamples, step):
        drawn = generator.multinomial(count, np.full(count, 1 / count), min(step, resamples - start))
        sums = (drawn.astype(np.float64) @ stacked).astype(np.int64).reshape(len(drawn), 3, -1)
        means[start : start + len(drawn)] = mean_iou(Tally(sums[:, 0], sums[:, 1], sums[:, 2]))
    return np.nanpercentile(means, [2.5, 97.5]) if np.isfinite(means).any() else np.full(2, np.nan)


def _percent(part: npt.NDArray[np.generic], whole: Counts) -> Floats:
    shares = np.full(np.shape(whole), np.nan)
    np.divide(100.0 * np.asarray(part, np.float64), whole, out=shares, where=np.asarray(whole) > 0)
    return shares
