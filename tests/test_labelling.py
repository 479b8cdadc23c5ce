"""Logits to labels, against torch's own resize and softmax."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from zoo.errors import InferenceError
from zoo.labelling import FULL_PIXELS, VOID, Frame, find_labels, read_output
from zoo.sizes import Size

rng = np.random.default_rng(4)


def logits(classes: int, height: int, width: int) -> np.ndarray:
    return rng.normal(size=(classes, height, width)).astype(np.float32)


def whole(values: np.ndarray, picture_size: Size) -> Frame:
    """A picture that fills the input, for an output of the input's size."""
    return Frame(Size(values.shape[-1], values.shape[-2]), picture_size)


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((5, 40, 60), Size(60, 40)),
        ((5, 40, 60), Size(201, 133)),
        ((5, 40, 60), Size(31, 90)),
        ((21, 9, 9), Size(300, 300)),
        ((2, 2, 2), Size(20, 16)),
    ],
)
def test_labels_and_confidence_are_torchs(shape: tuple[int, int, int], size: Size) -> None:
    values = logits(*shape)
    found = find_labels(values[None], whole(values, size), confidence=True)
    resized = F.interpolate(torch.from_numpy(values)[None], (size.height, size.width), mode="bilinear")[0]
    assert (found.labels == resized.argmax(0).numpy()).mean() > 0.999
    assert found.confidence is not None
    assert np.abs(found.confidence - resized.softmax(0).amax(0).numpy()).max() < 1e-4


@pytest.mark.parametrize("size", [Size(48, 32), Size(60, 45), Size(36, 20)])
@pytest.mark.parametrize("step", [1, 4])
def test_logits_of_our_networks_go_by_way_of_the_inputs_size(size: Size, step: int) -> None:
    values = logits(5, 16 // step, 24 // step).repeat(step, 1).repeat(step, 2)
    frame = Frame(Size(48, 32), size, (0.75, 1.0), ours=True)
    at_input = F.interpolate(torch.from_numpy(values)[None], (32, 48), mode="bilinear")
    resized = F.interpolate(at_input[..., :36], (size.height, size.width), mode="bilinear")[0]
    for confidence in (False, True):
        found = find_labels(values[None], frame, confidence=confidence)
        assert (found.labels == resized.argmax(0).numpy()).mean() > 0.999
    assert found.confidence is not None
    assert np.abs(found.confidence - resized.softmax(0).amax(0).numpy()).max() < 1e-4
    whole_input = Frame(Size(48, 32), Size(48, 32), ours=True)
    assert (find_labels(values[None], whole_input).labels == at_input[0].argmax(0).numpy()).mean() > 0.999


def test_logits_of_our_networks_are_told_apart_by_nothing_else() -> None:
    values = logits(2, 4, 7)  # of 200x104 at stride 32: 2:4 is nearer to 104:200 than 4:7
    found = find_labels(values[None], Frame(Size(200, 104), Size(200, 104), ours=True))
    assert found.class_count == 2
    assert find_labels(logits(5, 1, 1)[None], Frame(Size(8, 8), Size(8, 8), ours=True)).class_count == 5


def test_padding_is_cut_off() -> None:
    values = logits(5, 40, 60)
    found = find_labels(values[None], Frame(Size(60, 40), Size(90, 60), (45 / 60, 30 / 40)))
    part = np.ascontiguousarray(values[:, :30, :45])
    alone = find_labels(part[None], whole(part, Size(90, 60)))
    assert (found.labels == alone.labels).all()


def test_a_large_picture_gets_labels_by_nearest_neighbour() -> None:
    values = logits(3, 16, 24)
    found = find_labels(values[None], whole(values, Size(3000, 2000)), confidence=True)
    assert found.labels.shape == (2000, 3000)
    # About FULL_PIXELS in the picture's proportions, then the pixel in which each centre lies.
    work = Size(1732, 1155)
    resized = F.interpolate(torch.from_numpy(values)[None], (work.height, work.width), mode="bilinear")[0]
    rows = ((np.arange(2000) + 0.5) * work.height / 2000).astype(int)
    columns = ((np.arange(3000) + 0.5) * work.width / 3000).astype(int)
    assert work.width * work.height == pytest.approx(FULL_PIXELS, rel=0.01)
    assert (found.labels == resized.argmax(0).numpy()[rows][:, columns]).mean() > 0.999
    assert found.confidence is not None
    chance = resized.softmax(0).amax(0).numpy()[rows][:, columns]
    assert np.abs(found.confidence - chance).max() < 1e-4


def test_every_kind_of_output_is_taken() -> None:
    size = Size(64, 32)
    planes = logits(5, 8, 16)
    labels = rng.integers(0, 5, (32, 64))
    for output in (planes[None], planes.transpose(1, 2, 0)[None]):
        taken, kind = read_output(output, size)
        assert kind == "logits"
        assert (taken == planes).all()
    for output in (
        labels,
        labels[None],
        labels[None, None],
        labels[None, :, :, None],
        labels.astype(np.float32)[None, None],
        labels.astype(np.int32)[None],
    ):
        taken, kind = read_output(output, size)
        assert kind == "labels"
        assert taken.dtype == np.uint8
        assert (taken == labels).all()


def test_a_label_map_is_brought_to_size_by_nearest_neighbour() -> None:
    labels = np.array([[0, 1], [2, VOID]], np.uint8)
    found = find_labels(labels, whole(labels, Size(40, 20)), confidence=True)
    assert (found.labels == np.kron(labels, np.ones((10, 20), np.uint8))).all()
    assert (found.class_count, found.confidence) == (None, None)


@pytest.mark.parametrize(
    ("values", "kind", "threshold"),
    [
        (np.linspace(0.01, 0.99, 600), "probability", 0.5),
        (np.linspace(-3.3, 7.7, 600), "logit", 0.0),
        (np.arange(600) / 8, "logit", 0.0),  # some of them whole numbers
        (np.full(600, 0.9), "probability", 0.5),
        (np.full(600, 3.7), "logit", 0.0),
        (np.full(600, -0.2), "logit", 0.0),
    ],
)
def test_one_plane_of_real_numbers_tells_two_classes_apart(
    values: np.ndarray, kind: str, threshold: float
) -> None:
    plane = values.reshape(20, 30).astype(np.float32)
    for output in (plane[None, None], plane[None, :, :, None], plane[None], plane):
        found = find_labels(output, whole(plane, Size(30, 20)), confidence=True)
        assert (found.kind, found.class_count) == (kind, 2)
        assert (found.labels == (plane > threshold)).all()
    second = plane if kind == "probability" else 1 / (1 + np.exp(-plane))
    assert found.confidence == pytest.approx(np.where(plane > threshold, second, 1 - second), abs=1e-5)


@pytest.mark.parametrize("shape", [(1, 300, 8, 16), (1, 5), (2, 5, 8, 16), (3, 4, 5, 6, 7)])
def test_what_is_no_output_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InferenceError):
        read_output(np.zeros(shape, np.float32), Size(16, 8))


def test_values_that_mean_nothing_are_refused() -> None:
    eight = Frame(Size(8, 8), Size(8, 8))
    logits_of_one = np.zeros((1, 3, 8, 8), np.float32)
    logits_of_one[0, 2, 5, 5] = np.nan
    plane = np.full((1, 1, 8, 8), 0.5, np.float32)
    plane[0, 0, 5, 5] = np.nan
    for output in (logits_of_one, plane, plane * np.inf):
        with pytest.raises(InferenceError, match="NaN"):
            find_labels(output, eight)
    for value in (1000, 256, -1):
        with pytest.raises(InferenceError, match="class ids"):
            find_labels(np.full((1, 8, 8), value), eight)


def test_of_equal_logits_the_lowest_class_wins() -> None:
    values = np.zeros((1, 4, 8, 8), np.float32)
    values[0, 1:3] = 5
    found = find_labels(values, Frame(Size(8, 8), Size(8, 8)))
    assert (found.labels == 1).all()


@pytest.mark.parametrize(("step", "size"), [(8, Size(201, 133)), (8, Size(31, 90)), (1, Size(150, 100))])
def test_labels_by_corners_are_those_of_all_logits(step: int, size: Size) -> None:
    # In blocks of one class most corners agree; without blocks hardly any do, and all logits are resized.
    blocks = rng.normal(size=(5, 40 // step, 60 // step)).repeat(step, 1).repeat(step, 2)
    values = (blocks + rng.normal(scale=0.1, size=blocks.shape)).astype(np.float32)
    frame = Frame(Size(60, 40), size, (0.9, 0.8))
    quick, full = find_labels(values[None], frame), find_labels(values[None], frame, confidence=True)
    assert (quick.labels == full.labels).all()
    assert (find_labels(values[None], frame, threads=1).labels == full.labels).all()
    assert len(np.unique(quick.labels)) == 5


def test_equal_logits_are_the_lowest_class_by_corners_too() -> None:
    values = np.zeros((4, 8, 8), np.float32)
    values[2:, :, 4:] = 1
    found = find_labels(values[None], whole(values, Size(16, 16)))
    assert (found.labels == np.where(np.arange(16) < 7, 0, 2)).all()
