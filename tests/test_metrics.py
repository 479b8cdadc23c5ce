"""Confusion, IoU and means against torchmetrics and against their definitions."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchmetrics.functional.classification import multiclass_confusion_matrix, multiclass_jaccard_index

from zoo.metrics import (
    VOID,
    Tally,
    confusion,
    iou,
    mean_accuracy,
    mean_iou,
    mean_over_images,
    pixel_accuracy,
    resampled_interval,
)

rng = np.random.default_rng(8)


def maps(classes: int, shape: tuple[int, int] = (40, 60), void: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    truth = rng.integers(0, classes, shape).astype(np.uint8)
    truth[rng.random(shape) < void] = VOID
    return truth, rng.integers(0, classes, shape).astype(np.uint8)


@pytest.mark.parametrize("classes", [2, 11, 19, 150, 255])
def test_one_matrix_is_torchmetrics(classes: int) -> None:
    truth, labels = maps(classes)
    matrix = confusion(truth, labels, classes)
    wanted = multiclass_confusion_matrix(
        torch.tensor(labels), torch.tensor(truth).int(), num_classes=classes, ignore_index=VOID
    )
    assert matrix.dtype == np.int64
    assert matrix.shape == (classes, classes + 1)
    assert (matrix[:, :classes] == wanted.numpy()).all()
    assert not matrix[:, classes].any()
    jaccard = multiclass_jaccard_index(
        torch.tensor(labels),
        torch.tensor(truth).int(),
        num_classes=classes,
        ignore_index=VOID,
        average=None,
    )
    assert np.allclose(np.nan_to_num(iou(Tally.of(matrix))), 100 * jaccard.numpy(), atol=1e-4)


def test_a_large_map_is_counted_in_strips() -> None:
    truth, labels = maps(3, (1100, 1000))
    matrix = confusion(truth, labels, 3)
    for true in range(3):
        for found in range(3):
            assert matrix[true, found] == ((truth == true) & (labels == found)).sum()


def test_absent_classes_are_not_averaged() -> None:
    # Class 0 half found, class 1 predicted only, class 2 nowhere.
    truth = np.array([[0, 0, 0, VOID]], np.uint8)
    labels = np.array([[0, 0, 1, 1]], np.uint8)
    tally = Tally.of(confusion(truth, labels, 3))
    assert iou(tally)[:2].tolist() == pytest.approx([200 / 3, 0])
    assert np.isnan(iou(tally)[2])
    assert mean_iou(tally) == pytest.approx(100 / 3)
    assert pixel_accuracy(tally) == pytest.approx(200 / 3)
    assert mean_accuracy(tally) == pytest.approx(200 / 3)


def test_what_is_predicted_as_no_class_is_wrong() -> None:
    truth = np.array([[0, 0, 1, VOID]], np.uint8)
    labels = np.array([[0, VOID, 1, VOID]], np.uint8)
    matrix = confusion(truth, labels, 2)
    assert matrix.tolist() == [[1, 0, 1], [0, 1, 0]]
    assert iou(Tally.of(matrix)).tolist() == [50, 100]
    assert pixel_accuracy(Tally.of(matrix)) == pytest.approx(200 / 3)


def test_nothing_counted_has_no_number() -> None:
    void = np.full((2, 2), VOID, np.uint8)
    tally = Tally.of(confusion(void, np.zeros_like(void), 2))
    assert np.isnan([mean_iou(tally), pixel_accuracy(tally), mean_accuracy(tally)]).all()


@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_numbers_are_their_definitions(classes: int, seed: int) -> None:
    matrix = np.random.default_rng(seed).integers(0, 5, (classes, classes)) * (seed % 3 > 0)
    tally = Tally.of(matrix)
    scores, found = [], []
    for one in range(classes):
        true_positive = matrix[one, one]
        missed = matrix[one].sum() - true_positive
        false = matrix[:, one].sum() - true_positive
        if true_positive + missed + false:
            scores.append(100 * true_positive / (true_positive + missed + false))
        if true_positive + missed:
            found.append(100 * true_positive / (true_positive + missed))
    if scores:
        assert mean_iou(tally) == pytest.approx(np.mean(scores))
    if found:
        assert mean_accuracy(tally) == pytest.approx(np.mean(found))
        assert pixel_accuracy(tally) == pytest.approx(100 * np.trace(matrix) / matrix.sum())


def stacked(matrices: list[np.ndarray]) -> Tally:
    return Tally.stacked([Tally.of(matrix) for matrix in matrices])


def test_the_mean_per_image_and_the_interval_are_what_they_say() -> None:
    matrices = [
        rng.integers(0, 900, (4, 4)) + np.eye(4, dtype=int) * 2000 * (place % 5) for place in range(30)
    ]
    images = stacked(matrices)
    assert mean_over_images(images) == pytest.approx(
        np.mean([float(mean_iou(Tally.of(matrix))) for matrix in matrices])
    )
    low, high = resampled_interval(images)
    # Drawn one image at a time, with another generator: the same up to the noise of resampling.
    chance = np.random.default_rng(99)
    means = [
        float(mean_iou(Tally.of(sum(matrices[place] for place in chance.integers(0, 30, 30)))))
        for _ in range(1000)
    ]
    assert [low, high] == pytest.approx(np.percentile(means, [2.5, 97.5]).tolist(), abs=1.0)
    assert low < float(mean_iou(Tally.of(sum(matrices)))) < high
    assert (resampled_interval(images) == [low, high]).all()


def test_equal_images_leave_no_doubt_and_one_gives_none() -> None:
    matrix = np.array([[5, 1], [2, 9]])
    assert resampled_interval(stacked([matrix] * 7)) == pytest.approx([float(mean_iou(Tally.of(matrix)))] * 2)
    assert np.isnan(resampled_interval(stacked([matrix]))).all()


def test_what_cannot_be_counted_is_refused() -> None:
    zeros = np.zeros((2, 2), np.uint8)
    with pytest.raises(ValueError, match="beyond the 2 classes"):
        confusion(zeros + 2, zeros, 2)
    with pytest.raises(ValueError, match="beyond the 2 classes"):
        confusion(zeros, zeros + 2, 2)
    with pytest.raises(ValueError, match="cannot be compared"):
        confusion(zeros, zeros[:1], 2)


def test_values_may_stand_for_classes() -> None:
    rng = np.random.default_rng(5)
    truth, labels = rng.integers(0, 256, (2, 40, 60), np.uint8)
    truth_as, labels_as = rng.integers(0, 4, (2, 256), np.uint8)
    truth_as[3], labels_as[7] = VOID, VOID
    matrix = confusion(truth, labels, 4, truth_as, labels_as)
    assert (matrix == confusion(truth_as[truth], labels_as[labels], 4)).all()
    assert matrix.sum() == (truth != 3).sum()
