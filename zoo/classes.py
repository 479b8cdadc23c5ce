"""Class lists: what each label of a map means, and the colours in which people know it."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from zoo.datasets import check_dataset, load_datasets
from zoo.schemas import text, whole_number
from zoo.tables import DATA, load_table

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class ClassList:
    """Classes in id order."""

    names: tuple[str, ...]
    palette: tuple[Colour, ...]
    """RGB, 0..255, one for each name."""
    words: str
    """Whose class list it is, in words."""
    void: int | None = None
    """The label that is no class and is left out of every measure."""

    def __len__(self) -> int:
        return len(self.names)

    def with_extra(self, name: str) -> ClassList:
        """Return the list with one more class behind it, in black."""
        return ClassList(
            (*self.names, name), (*self.palette, (0, 0, 0)), f"{self.words} and {name}", self.void
        )


class LabelMap(NamedTuple):
    """Labels with what they mean, wherever they come from: a network, a file, a comparison."""

    labels: npt.NDArray[np.uint8]
    """Class ids, (H, W)."""
    classes: ClassList
    confidence: npt.NDArray[np.float32] | None = None
    """Softmax probability of the label, (H, W), where it is known."""

    def in_colours(self, palette: tuple[Colour, ...]) -> LabelMap:
        """Return the same labels in other colours."""
        return self._replace(classes=replace(self.classes, palette=palette))

    @property
    def shares(self) -> tuple[float, ...]:
        """Percent of the pixels, in id order; what is no class makes up the rest."""
        counts = np.bincount(self.labels.ravel(), minlength=len(self.classes))[: len(self.classes)]
        return tuple((counts * (100 / self.labels.size)).tolist())


def dataset_classes(dataset: str) -> ClassList:
    """Return the classes of a data set of ours, or raise UnknownIdError."""
    return _dataset_classes(check_dataset(dataset))


def numbered_classes(count: int) -> ClassList:
    """Return `count` classes that have no names: "class 0", "class 1", ..."""
    # Hues a golden ratio apart stay distinct however many there are.
    hues = ((place * 0.618034) % 1 for place in range(count))
    colours = (colorsys.hsv_to_rgb(hue, 0.65, 0.9) for hue in hues)
    palette = tuple((round(255 * red), round(255 * green), round(255 * blue)) for red, green, blue in colours)
    names = tuple(f"class {place}" for place in range(count))
    return ClassList(names, palette, f"{count} classes without names")


@cache
def _dataset_classes(dataset: str) -> ClassList:
    table = _table(dataset)
    palette: list[Colour] = [
        (int(red), int(green), int(blue)) for red, green, blue in table[["red", "green", "blue"]].to_numpy()
    ]
    void = load_datasets()["void"][dataset]
    return ClassList(
        tuple(table["name"]),
        tuple(palette),
        f"the {len(table)} classes of {dataset}",
        None if pd.isna(void) else int(void),
    )


def _table(dataset: str) -> pd.DataFrame:
    import pandera.pandas as pa

    counted = pa.Check(lambda ids: ids == np.arange(len(ids)), error="the classes numbered from 0 in order")
    schema = pa.DataFrameSchema(
        {
            "id": pa.Column("int64", counted),
            "name": text(unique=True),
            **{channel: whole_number(0, 255) for channel in ("red", "green", "blue")},
        },
        strict=True,
    )
    return load_table(DATA / "classes" / f"{dataset}.csv", schema).set_index("id")
