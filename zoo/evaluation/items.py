"""Pictures with their labels, not read yet: from folders, zips or uploads by name, or from two lists."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from zoo.errors import InputError
from zoo.images import ImageSource, Picture, read_image
from zoo.label_files import LabelSource, RawLabels, read_raw
from zoo.pairs import Pair, Pairing, pair_folders, values_named

Pictures = str | os.PathLike[str] | Sequence[ImageSource]
Labels = str | os.PathLike[str] | Sequence[LabelSource]


class Item(NamedTuple):
    """A picture and its labels, not read yet."""

    name: str
    read_picture: Callable[[], Picture]
    read_labels: Callable[[], RawLabels]


@dataclass(frozen=True)
class Items:
    """Pictures with labels, and what is known of them as a whole."""

    items: tuple[Item, ...]
    kind: str | None = None
    """What the names of the label files say that they hold."""
    unmatched: str = ""
    """What was left over, in one sentence."""


def items_of(images: Pictures, labels: Labels) -> Items:
    """Return pictures and labels matched: two folders or zips by name, two sequences by place."""
    if isinstance(images, (str, os.PathLike)) and isinstance(labels, (str, os.PathLike)):
        return items_from(pair_folders(Path(images), Path(labels)))
    if isinstance(images, (str, os.PathLike)) or isinstance(labels, (str, os.PathLike)):
        raise InputError("images and labels must both be folders, or both be lists.")
    if len(images) != len(labels) or not len(images):
        raise InputError(f"{len(images)} images and {len(labels)} labels cannot be matched: give as many.")
    return Items(tuple(map(_item_of, range(1, len(images) + 1), images, labels)))


def _item_of(number: int, image: ImageSource, labels: LabelSource) -> Item:
    name = Path(image).name if isinstance(image, (str, os.PathLike)) else f"image {number}"
    label_name = Path(labels).name if isinstance(labels, (str, os.PathLike)) else f"label {number}"
    return Item(name, lambda: read_image(image, name), lambda: read_raw(labels, label_name))


def items_from(pairing: Pairing) -> Items:
    """Return matched files as what `evaluate_all` takes."""

    def item(pair: Pair) -> Item:
        return Item(
            pair.name,
            lambda: read_image(pair.image.read(), pair.image.name),
            lambda: read_raw(pair.labels.read(), pair.labels.name),
        )

    kind = values_named([pair.labels for pair in pairing.pairs])
    return Items(tuple(map(item, pairing.pairs)), kind, pairing.unmatched())
