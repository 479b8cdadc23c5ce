"""A label map as something to look at: colours, a blend with its picture, a legend, PNG files."""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from zoo.classes import Colour, LabelMap

Palette = Sequence[Colour]

_OKABE_ITO: Palette = (
    (0, 114, 178), (230, 159, 0), (0, 158, 115), (204, 121, 167),
    (86, 180, 233), (213, 94, 0), (240, 228, 66), (90, 90, 90),
)  # fmt: skip
_OUTLINE: Colour = (255, 255, 255)
MARK: Colour = (255, 0, 255)
"""The colour of what differs; no palette here has it."""


class LegendEntry(NamedTuple):
    """One class in a legend."""

    class_id: int
    name: str
    colour: Colour
    share: float
    """Percent of the pixels."""


def safe_palette(count: int) -> tuple[Colour, ...]:
    """Return colours that people with any common colour blindness tell apart.

    The eight of Okabe and Ito (Color Universal Design, 2008), then the same ones lighter and darker in turn:
    beyond eight classes no palette is safe by itself, and outlines or single classes help.
    """
    colours = []
    for class_id in range(count):
        lap, place = divmod(class_id, len(_OKABE_ITO))
        target, part = (255 if lap % 2 else 0), min(0.85, 0.45 * ((lap + 1) // 2))
        red, green, blue = (round(value + (target - value) * part) for value in _OKABE_ITO[place])
        colours.append((red, green, blue))
    return tuple(colours)


def indexed_mask(label_map: LabelMap) -> Image.Image:
    """Return the label map (H, W) as a palette image: pixels are class ids, the palette their colours."""
    mask = Image.fromarray(label_map.labels)
    mask.putpalette(np.asarray(label_map.classes.palette, np.uint8).ravel().tolist())
    return mask


def colour(label_map: LabelMap) -> npt.NDArray[np.uint8]:
    """Return the label map (H, W) in colours, RGB of shape (H, W, 3); ids beyond the palette are black."""
    return np.array(indexed_mask(label_map).convert("RGB"))


def blend(
    rgb: npt.NDArray[np.uint8],
    label_map: LabelMap,
    strength: float = 0.6,
    *,
    outlines: bool = False,
    only: Collection[int] | None = None,
) -> Image.Image:
    """Return the picture with its mask on it.

    `rgb` (H, W, 3) and the labels (H, W) have one size. `strength` is 0 (picture) to 1 (mask). `outlines`
    draws a line between regions; `only` names the class ids that are coloured. Raises ValueError for a
    strength out of range or two sizes.
    """
    labels = label_map.labels
    if not 0 <= strength <= 1:
        raise ValueError(f"strength {strength} cannot be used: give a number from 0 to 1.")
    if rgb.shape[:2] != labels.shape:
        raise ValueError(
            f"a picture of {rgb.shape[:2]} and a mask of {labels.shape} cannot be laid together."
        )
    picture = Image.fromarray(rgb)
    blended = Image.blend(picture, indexed_mask(label_map).convert("RGB"), strength)
    if only is not None:
        chosen = np.isin(np.arange(256), list(only)).astype(np.uint8) * 255
        blended = Image.composite(blended, picture, Image.fromarray(chosen[labels]))
    if outlines:
        blended.paste(_OUTLINE, mask=Image.fromarray(_borders(labels)))
    return blended


def _borders(labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return 255 where the label differs from the one to the right or below, else 0."""
    border = np.zeros(labels.shape, bool)
    border[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    border[:-1] |= labels[:-1] != labels[1:]
    return border.astype(np.uint8) * 255


def marked(rgb: npt.NDArray[np.uint8], mask: npt.NDArray[np.bool_]) -> Image.Image:
    """Return the picture (H, W, 3), pale, with the pixels of `mask` (H, W) in MARK."""
    pale = rgb // 3 + 150
    pale[mask] = MARK
    return Image.fromarray(pale.astype(np.uint8))


def legend(label_map: LabelMap) -> list[LegendEntry]:
    """Return the classes that are in the picture, the largest share first."""
    classes = label_map.classes
    entries = [
        LegendEntry(class_id, name, classes.palette[class_id], share)
        for class_id, (name, share) in enumerate(zip(classes.names, label_map.shares, strict=False))
        if share > 0
    ]
    return sorted(entries, key=lambda entry: (-entry.share, entry.class_id))


def indexed_png(label_map: LabelMap) -> bytes:
    """Return the indexed mask as the bytes of a PNG."""
    return _png(indexed_mask(label_map))


def overlay_png(
    rgb: npt.NDArray[np.uint8],
    label_map: LabelMap,
    strength: float = 0.6,
    *,
    outlines: bool = False,
    only: Collection[int] | None = None,
) -> bytes:
    """Return `blend` as the bytes of a PNG."""
    return _png(blend(rgb, label_map, strength, outlines=outlines, only=only))


def swatch_png(colour: Colour) -> bytes:
    """Return a small square of one colour, for a legend, as the bytes of a PNG."""
    return _png(Image.new("RGB", (16, 16), colour))


def jpeg(image: Image.Image) -> bytes:
    """Return a picture for the screen: a JPEG takes a sixth of what a PNG of a photograph does."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=88)
    return file.getvalue()


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)  # the smallest file would take ten times as long
    return file.getvalue()
