"""The masks of a report: a picture as several rows see it, and where they disagree."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from zoo.catalog import check_row_size
from zoo.comparison import LEAST, Disagreement, disagreement
from zoo.errors import InputError, SizeError, WeightsMissingError
from zoo.images import Picture
from zoo.overlay import LegendEntry, blend, legend, marked
from zoo.prediction import Prediction, predict
from zoo.rows import Row
from zoo.sizes import Size

_QUALITY = 82


@dataclass(frozen=True)
class Shown:
    """A picture of the report."""

    title: str
    words: str
    data: str
    """A data address."""
    width: int
    height: int
    legend: tuple[LegendEntry, ...] = ()


@dataclass(frozen=True)
class Masks:
    """What rows made of a picture."""

    picture: Picture
    predictions: tuple[tuple[str, Prediction], ...]
    """Each with the name of what made it."""
    missing: tuple[str, ...] = ()
    """A sentence for each row without weights."""
    differ: Disagreement | None = None
    """None for a single mask, or without a class in common."""

    @classmethod
    def of(
        cls, picture: Picture, predictions: Sequence[tuple[str, Prediction]], missing: Sequence[str] = ()
    ) -> Masks:
        """Return what was made of a picture, with where it differs."""
        reasons, differ = list(missing), None
        if len(predictions) >= LEAST:
            try:
                differ = disagreement([found.label_map for _, found in predictions])
            except InputError as error:
                reasons.append(str(error))
        return cls(picture, tuple(predictions), tuple(reasons), differ)

    def shown(self, side: int) -> dict[str, object]:
        """Return everything as the template takes it, the images at most `side` pixels a side."""
        pictures = [
            _shown("The picture", "; ".join(self.picture.changes), Image.fromarray(self.picture.rgb), side)
        ]
        for title, found in self.predictions:
            label_map = (
                found.label_map if self.differ is None else self.differ.shared.in_colours(found.label_map)
            )
            image = blend(found.rgb, label_map, outlines=True)
            words = f"Input {found.size}, {found.seconds:.2f} s in {found.runtime}. "
            words += f"Weights: {found.weights.label}."
            pictures.append(_shown(title, words, image, side, tuple(legend(label_map))))
        if self.differ is not None:
            pictures.append(self._differences(self.differ, side))
        notices = dict.fromkeys(found.weights.notice for _, found in self.predictions)
        return {
            "name": self.picture.name,
            "pictures": pictures,
            "missing": self.missing,
            "notices": list(notices),
        }

    def _differences(self, differ: Disagreement, side: int) -> Shown:
        image = marked(self.picture.rgb, differ.mask)
        return _shown("Where the masks disagree", differ.words, image, side)


def make_masks(rows: Sequence[Row], picture: Picture, size: Size | None) -> Masks:
    """Return the masks of a picture by each row that has weights, at `size` where a row can take it."""
    predictions, missing = [], []
    for row in rows:
        try:
            predictions.append((row.title, predict(row, picture, size=_taken(row, size))))
        except WeightsMissingError as error:
            missing.append(str(error))
    return Masks.of(picture, predictions, missing)


def _taken(row: Row, size: Size | None) -> Size | None:
    """Return the size if the row can take it, else None, its own."""
    try:
        return None if size is None else check_row_size(row, *size)
    except SizeError:
        return None


def _shown(
    title: str, words: str, image: Image.Image, side: int, entries: tuple[LegendEntry, ...] = ()
) -> Shown:
    small = image.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    small.save(file, "JPEG", quality=_QUALITY, optimize=True)
    data = "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
    return Shown(title, words, data, small.width, small.height, entries)
