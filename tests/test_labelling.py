"""Logits to labels, against torch's own resize and softmax."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from zoo.classes import numbered_classes
from zoo.errors import InferenceError
from zoo.labelling import FULL_PIXELS, as_planes, label
from zoo.sizes import Size

rng = np.random.default_rng(4)


CLASSES = numbered_classes(3)


def logits(classes: int, height: int, width: int) -> np.ndarray:
    return rng.normal(size=(classes, height, width)).astype(np.float32)


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((5, 40, 60), Size(60, 40)),
        ((5, 40, 60), Size(201, 133)),
        ((5, 40, 60), Size(31, 90)),
        ((21, 9, 9), Size(300, 300)),
        ((2, 1, 1), Size(20, 16)),
    ],
)
def test_labels_and_confidence_are_torchs(shape: tuple[int, int, int], size: Size) -> None:
    values = logits(*shape)
    found = label(values, size, CLASSES, confidence=True)
    resized = F.interpolate(torch.from_numpy(values)[None], (size.height, size.width), mode="bilinear")[0]
    assert (found.labels == resized.argmax(0).numpy()).mean() > 0.999
    assert found.confidence is not None
    assert np.abs(found.confidence - resized.softmax(0).amax(0).numpy()).max() < 1e-4


def test_padding_is_cut_off() -> None:
    values = logits(5, 40, 60)
    found = label(values, Size(90, 60), CLASSES, used=(45 / 60, 30 / 40))
    alone = label(np.ascontiguousarray(values[:, :30, :45]), Size(90, 60), CLASSES)
    assert (found.labels == alone.labels).all()


def test_a_large_picture_gets_labels_by_nearest_neighbour() -> None:
    found = label(logits(3, 16, 16), Size(3000, 2000), CLASSES).labels
    assert found.shape == (2000, 3000)
    work = label(logits(3, 16, 16), Size(1500, 1000), CLASSES).labels
    assert work.size < FULL_PIXELS
    assert len(np.unique(found)) == 3


def test_every_kind_of_output_is_taken() -> None:
    size = Size(64, 32)
    planes = logits(5, 8, 16)
    labels = rng.integers(0, 5, (32, 64))
    assert (as_planes(planes[None], size) == planes).all()
    assert (as_planes(planes.transpose(1, 2, 0)[None], size) == planes).all()
    for output in (
        labels,
        labels[None],
        labels[None, None],
        labels[None, :, :, None],
        labels.astype(np.float32)[None, None],
        labels.astype(np.int32)[None],
    ):
        taken = as_planes(output, size)
        assert taken.dtype == np.uint8
        assert (taken == labels).all()


def test_a_label_map_is_brought_to_size_by_nearest_neighbour() -> None:
    labels = np.array([[0, 1], [2, 3]], np.uint8)
    assert (label(labels, Size(40, 20), CLASSES).labels == np.kron(labels, np.ones((10, 20), np.uint8))).all()


@pytest.mark.parametrize("shape", [(1, 300, 8, 16), (1, 5), (2, 5, 8, 16), (3, 4, 5, 6, 7)])
def test_what_is_no_output_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InferenceError):
        as_planes(np.zeros(shape, np.float32), Size(16, 8))


def test_values_that_mean_nothing_are_refused() -> None:
    with pytest.raises(InferenceError, match="NaN"):
        label(np.full((3, 8, 8), np.nan, np.float32), Size(8, 8), CLASSES)
    with pytest.raises(InferenceError, match="class ids"):
        as_planes(np.full((1, 8, 8), 1000), Size(8, 8))
