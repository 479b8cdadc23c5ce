"""Colours, blends and legends, against pixel-by-pixel definitions."""

import io
import itertools

import numpy as np
import pytest
from PIL import Image

from zoo import overlay
from zoo.classes import ClassList, LabelMap

rng = np.random.default_rng(2)
PALETTE = ((10, 20, 30), (200, 0, 0), (0, 250, 1))
LABELS = rng.integers(0, 3, (20, 30)).astype(np.uint8)
LABEL_MAP = LabelMap(LABELS, ClassList(("a", "b", "c"), PALETTE, "three classes"))
RGB = rng.integers(0, 256, (20, 30, 3)).astype(np.uint8)
EVERY_PIXEL = list(itertools.product(range(20), range(30)))


def test_colours_are_the_palette() -> None:
    coloured = overlay.colour(LABEL_MAP)
    assert all(tuple(coloured[p]) == PALETTE[LABELS[p]] for p in EVERY_PIXEL)


def test_a_mask_file_holds_class_ids_and_their_colours() -> None:
    mask = Image.open(io.BytesIO(overlay.indexed_png(LABEL_MAP)))
    assert mask.mode == "P"
    assert (np.asarray(mask) == LABELS).all()
    assert np.asarray(mask.convert("RGB")).tolist() == overlay.colour(LABEL_MAP).tolist()


@pytest.mark.parametrize("strength", [0, 0.3, 1])
def test_blend_mixes_by_strength(strength: float) -> None:
    mixed = np.asarray(overlay.blend(RGB, LABEL_MAP, strength)).astype(float)
    for pixel in EVERY_PIXEL:
        wanted = (1 - strength) * RGB[pixel] + strength * np.array(PALETTE[LABELS[pixel]])
        assert np.abs(mixed[pixel] - wanted).max() <= 1


def test_only_the_chosen_classes_are_coloured() -> None:
    mixed = np.asarray(overlay.blend(RGB, LABEL_MAP, 1, only={1}))
    for pixel in EVERY_PIXEL:
        assert tuple(mixed[pixel]) == (PALETTE[1] if LABELS[pixel] == 1 else tuple(RGB[pixel]))


def test_outlines_lie_between_regions() -> None:
    labels = np.zeros((20, 30), np.uint8)
    labels[:, 10:] = 1
    mixed = np.asarray(overlay.blend(RGB, LABEL_MAP._replace(labels=labels), 1, outlines=True))
    assert (mixed[:, 9] == 255).all()
    assert (mixed[:, 10] == PALETTE[1]).all()


def test_an_overlay_file_is_the_blend() -> None:
    saved = Image.open(io.BytesIO(overlay.overlay_png(RGB, LABEL_MAP, 0.5)))
    assert np.asarray(saved).tolist() == np.asarray(overlay.blend(RGB, LABEL_MAP, 0.5)).tolist()


def test_legend_is_sorted_by_share_without_what_is_absent() -> None:
    labels = np.repeat(np.array([0, 2], np.uint8), [30, 70]).reshape(10, 10)
    entries = overlay.legend(LABEL_MAP._replace(labels=labels))
    assert [(entry.name, entry.class_id, entry.colour) for entry in entries] == [
        ("c", 2, PALETTE[2]),
        ("a", 0, PALETTE[0]),
    ]


def test_what_cannot_be_laid_together_is_refused() -> None:
    with pytest.raises(ValueError, match="0 to 1"):
        overlay.blend(RGB, LABEL_MAP, 1.5)
    with pytest.raises(ValueError, match="cannot be laid together"):
        overlay.blend(RGB[:5], LABEL_MAP)


def test_safe_palette_has_no_colour_twice() -> None:
    assert len(set(overlay.safe_palette(32))) == 32
