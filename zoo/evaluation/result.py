"""What an evaluation gives: counts, the measures made from them, and the rules by which they were made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from zoo.class_mapping import ClassFit
from zoo.classes import ClassList
from zoo.label_files import LabelValues
from zoo.metrics import (
    RESAMPLES,
    SEED,
    Counts,
    Floats,
    Tally,
    iou,
    mean_accuracy,
    mean_iou,
    mean_over_images,
    pixel_accuracy,
    resampled_interval,
)
from zoo.rows import Row
from zoo.sizes import Size


class ImageScore(NamedTuple):
    """How one picture came out."""

    name: str
    miou: float
    """Percent, over the classes that are in it."""
    accuracy: float
    """Percent of its labelled pixels."""
    number: int = 0
    """Its place among the pictures that were given."""


class Refusal(NamedTuple):
    """A picture that was left out."""

    name: str
    reason: str


class Reading(NamedTuple):
    """How label files become the classes that are compared, and predictions with them."""

    values: LabelValues
    fit: ClassFit


@dataclass(frozen=True)
class Evaluation:
    """What a row's network gave on labelled pictures; every measure in percent."""

    row: Row
    weights: str
    """Whose weights, and which class list."""
    num_classes: int
    """How many classes the network has that ran."""
    size: Size
    """The network's input."""
    runtime: str
    classes: ClassList
    """The classes compared."""
    confusion: Counts
    """Pixels, int64 (C, C): true classes in rows, predicted ones in columns."""
    elsewhere: Counts
    """Pixels of each true class that were predicted as a class that the labels do not have, int64 (C,)."""
    tallies: Tally
    """Of each picture."""
    scores: tuple[ImageScore, ...]
    """Of each picture, in the order in which they were given."""
    total: int
    """How many pictures were given."""
    refused: tuple[Refusal, ...]
    conditions: dict[str, str] = field(default_factory=dict)
    """How labels were read and classes put together, in words."""
    precision: str = "float"
    """float or 8bit."""
    reading: Reading | None = field(default=None, repr=False)
    """How the label files are read; None where nobody wants to look at one again."""

    @property
    def images(self) -> int:
        """How many pictures are in the numbers."""
        return len(self.scores)

    @property
    def complete(self) -> bool:
        """Whether every picture that was given has been looked at."""
        return self.images + len(self.refused) == self.total

    @property
    def tally(self) -> Tally:
        """What IoU needs, over all pictures."""
        return Tally(*(part.sum(0) for part in self.tallies))

    @property
    def iou(self) -> Floats:
        """IoU by class, NaN for an absent one."""
        return iou(self.tally)

    @property
    def miou(self) -> float:
        """Mean over the classes with TP + FP + FN > 0."""
        return float(mean_iou(self.tally))

    @property
    def accuracy(self) -> float:
        """Share of the labelled pixels that were found."""
        return pixel_accuracy(self.tally)

    @property
    def mean_accuracy(self) -> float:
        """Mean over the labelled classes of the share of their pixels that was found."""
        return mean_accuracy(self.tally)

    @property
    def miou_per_image(self) -> float:
        """Mean of the pictures' own mIoU."""
        return mean_over_images(self.tallies)

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the mIoU by resampling pictures; NaN for fewer than two."""
        low, high = resampled_interval(self.tallies)
        return float(low), float(high)

    @property
    def absent(self) -> tuple[str, ...]:
        """Classes that are neither labelled nor predicted anywhere."""
        return tuple(
            name for name, union in zip(self.classes.names, self.tally.union, strict=True) if not union
        )

    @property
    def rules(self) -> dict[str, str]:
        """By which rules the numbers were made, in words."""
        precision = " in 8 bits" if self.precision == "8bit" else ""
        left_out = f"{len(self.refused)} of {self.total} were refused" if self.refused else "none was refused"
        return {
            "miou": "mean over the classes with TP + FP + FN > 0, from one confusion matrix over all pixels "
            "of all images",
            "void": "pixels labelled void are left out",
            "absent": ", ".join(self.absent) or "none",
            **self.conditions,
            "input": f"each image stretched to {self.size}, run{precision} in {self.runtime}; logits resized "
            "bilinearly to the image's own size, then compared",
            "miou_per_image": "mean of the images' own mIoU",
            "interval": f"95 % percentile interval of the mIoU over {RESAMPLES} bootstrap resamples of the "
            f"images, drawn with replacement (seed {SEED})",
            "images": left_out
            if self.complete
            else f"stopped: {self.images} of {self.total} images, {left_out}",
        }
