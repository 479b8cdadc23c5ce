"""A closer look at one picture of an evaluation: its labels, its mask, and where they differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zoo.classes import LabelMap
from zoo.errors import InputError
from zoo.evaluation.result import Evaluation
from zoo.label_files import RawLabels, check_size, decode
from zoo.metrics import VOID
from zoo.prediction import Prediction


@dataclass(frozen=True)
class Look:
    """One picture with what is labelled and what was found, in the classes that are compared."""

    rgb: npt.NDArray[np.uint8]
    """(H, W, 3)."""
    labels: LabelMap
    """VOID where nothing is labelled."""
    found: LabelMap
    """VOID where the network says a class that the labels do not have."""
    differ: npt.NDArray[np.bool_]
    """Where a labelled pixel was found to be something else, (H, W)."""

    @property
    def words(self) -> str:
        """How many of the labelled pixels differ."""
        labelled = int((self.labels.labels != VOID).sum())
        wrong = int(self.differ.sum())
        share = f", {100 * wrong / labelled:.2f} % of those labelled" if labelled else ""
        return f"{wrong:,} pixels{share}"


def look(evaluation: Evaluation, raw: RawLabels, found: Prediction) -> Look:
    """Return a picture's labels and mask in the classes of an evaluation, with where they differ.

    `raw` is the picture's label file, `found` what the same network makes of it. Raises LabelError, and
    InputError for an evaluation that does not say how its labels are read.
    """
    if evaluation.reading is None:
        raise InputError("this evaluation does not say how its labels are read: evaluate once more.")
    values, fit = evaluation.reading
    check_size(raw, found.rgb)
    labels = fit.from_labels[decode(raw, values)]
    mask = fit.from_weights[found.labels]
    return Look(
        found.rgb,
        LabelMap(labels, fit.classes),
        LabelMap(mask, fit.classes),
        (labels != VOID) & (mask != labels),
    )


def worst_images(evaluation: Evaluation, most: int) -> list[int]:
    """Return the places of the pictures with the lowest mIoU among those counted, the worst first."""
    scores = np.array([score.miou for score in evaluation.scores])
    return [int(place) for place in np.argsort(scores, kind="stable")[:most] if np.isfinite(scores[place])]
