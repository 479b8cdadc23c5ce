"""zoo.evaluate against what is known of the labels, and against torchmetrics on real ones."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torchmetrics.classification import MulticlassAccuracy, MulticlassJaccardIndex

import zoo
from zoo.errors import ImageError, InputError, LabelError, UnknownIdError, WeightsMissingError
from zoo.evaluation import Candidate, EvaluationProgress, evaluate, evaluate_all, items_of
from zoo.evaluation.looks import look, worst_images
from zoo.label_files import read_raw
from zoo.metrics import VOID
from zoo.prediction import Prediction, carry_out, predict

from .conftest import ROW, SIZE

FPN = "cityscapes-mobilenetv2-fpnlite-768x384"


def brute_force(truths: list[np.ndarray], labels: list[np.ndarray], classes: int) -> np.ndarray:
    matrix = np.zeros((classes, classes), np.int64)
    for truth, found in zip(truths, labels, strict=True):
        counted = truth < classes
        np.add.at(matrix, (truth[counted].astype(int), found[counted].astype(int)), 1)
    return matrix


def test_the_confusion_is_that_of_predictions_and_labels(
    pictures: list[np.ndarray], predicted: list[np.ndarray]
) -> None:
    rng = np.random.default_rng(2)
    truths = [
        np.where(rng.random(found.shape) < 0.3, rng.integers(0, 12, found.shape), found)
        for found in predicted
    ]
    truths = [truth.astype(np.uint8) for truth in truths]  # 11 is CamVid's void
    found = evaluate(ROW, pictures, truths, weights="bundled", size=SIZE)
    wanted = brute_force(truths, predicted, 11)
    assert found.confusion.dtype == np.int64
    assert (found.confusion == wanted).all()
    hits = np.diag(wanted)
    union = wanted.sum(0) + wanted.sum(1) - hits
    assert found.iou[union > 0] == pytest.approx(100 * hits[union > 0] / union[union > 0])
    assert found.miou == pytest.approx(100 * np.mean(hits[union > 0] / union[union > 0]))
    assert found.accuracy == pytest.approx(100 * hits.sum() / wanted.sum())
    assert found.images == found.total == 6
    assert found.complete
    each = []
    for truth, labels in zip(truths, predicted, strict=True):
        one = brute_force([truth], [labels], 11)
        union = one.sum(0) + one.sum(1) - np.diag(one)
        each.append(100 * np.mean(np.diag(one)[union > 0] / union[union > 0]))
    assert [score.miou for score in found.scores] == pytest.approx(each)
    assert found.miou_per_image == pytest.approx(np.mean(each))
    assert found.interval[0] < found.miou < found.interval[1]


def test_perfect_labels_are_a_hundred_and_absent_classes_are_listed(
    pictures: list[np.ndarray], predicted: list[np.ndarray]
) -> None:
    found = evaluate(ROW, pictures, predicted, weights="bundled", size=SIZE)
    seen = set(np.unique(predicted))
    assert (found.miou, found.accuracy, found.mean_accuracy) == (100, 100, 100)
    assert set(found.absent) == {name for place, name in enumerate(found.classes.names) if place not in seen}
    assert found.rules["absent"] == ", ".join(found.absent)
    assert np.isnan(found.iou).sum() == len(found.absent)


def test_two_folders_are_matched_and_the_rules_say_what_was_done(
    folders: tuple[Path, Path], predicted: list[np.ndarray]
) -> None:
    (folders[0] / "alone.png").write_bytes(b"never read")
    found = evaluate(ROW, *folders, weights="bundled", size=SIZE)
    truths = [np.concatenate([np.full((4, 96), 3, np.uint8), labels[4:]]) for labels in predicted]
    assert (found.confusion == brute_force(truths, predicted, 11)).all()
    assert [score.name for score in found.scores] == [f"street{number}.png" for number in range(6)]
    assert "alone.png" in found.rules["unmatched"]
    assert "CamVid class ids" in found.rules["labels"]
    assert "96x64" in found.rules["input"]
    assert "CamVid" in found.weights
    assert found.num_classes == 11


def test_several_rows_see_the_same_pictures_once(
    pictures: list[np.ndarray], predicted: list[np.ndarray]
) -> None:
    both = evaluate_all(
        [Candidate(ROW, "bundled", SIZE), Candidate(FPN, "bundled", SIZE)], items_of(pictures, predicted)
    )
    alone = evaluate(FPN, pictures, predicted, weights="bundled", size=SIZE)
    assert [each.row.id for each in both] == [ROW, FPN]
    assert (both[0].miou, both[1].miou) == (100, alone.miou)
    assert (both[1].confusion == alone.confusion).all()
    assert alone.miou < 100


def test_it_can_be_followed_and_stopped_with_the_result_so_far(
    pictures: list[np.ndarray], predicted: list[np.ndarray]
) -> None:
    told: list[EvaluationProgress] = []
    found = evaluate(
        ROW,
        pictures,
        predicted,
        weights="bundled",
        size=SIZE,
        progress=told.append,
        cancel=lambda: len(told) == 3,
    )
    assert [(each.done, each.total) for each in told] == [(1, 6), (2, 6), (3, 6)]
    assert (found.images, found.total, found.complete) == (3, 6, False)
    assert "stopped: 3 of 6 images" in found.rules["images"]
    assert found.confusion.sum() == 3 * 96 * 64
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("evaluate")]


def test_the_result_so_far_can_be_had_meanwhile(
    pictures: list[np.ndarray], predicted: list[np.ndarray]
) -> None:
    sums: list[int] = []
    evaluate(
        ROW,
        pictures,
        predicted,
        weights="bundled",
        size=SIZE,
        progress=lambda so_far: sums.append(int(so_far.results()[0].confusion.sum())),
    )
    assert sums == [number * 96 * 64 for number in range(1, 7)]


def test_what_a_picture_is_refused_for_is_listed_and_the_others_count(
    folders: tuple[Path, Path], predicted: list[np.ndarray]
) -> None:
    images, labels = folders
    Image.fromarray(predicted[0][:, :50]).save(labels / "street0_L.png")
    (images / "street1.png").write_bytes((images / "street1.png").read_bytes()[:100])
    wrong = predicted[4].copy()
    wrong[10, 20] = 77
    Image.fromarray(wrong).save(labels / "street4_L.png")
    found = evaluate(ROW, images, labels, weights="bundled", size=SIZE)
    assert found.images == 3
    assert found.complete
    reasons = {refusal.name: refusal.reason for refusal in found.refused}
    assert reasons.keys() == {"street0.png", "street1.png", "street4.png"}
    assert "street0_L.png is 50x64, and its picture 96x64" in reasons["street0.png"]
    assert "street1.png is" in reasons["street1.png"]
    assert "street4_L.png: the value 77 at x 20, y 10" in reasons["street4.png"]
    assert "3 of 6 were refused" in found.rules["images"]
    assert found.confusion.sum() == 3 * 96 * 64


def test_where_nothing_can_be_used_the_first_reason_is_the_error(
    pictures: list[np.ndarray], predicted: list[np.ndarray]
) -> None:
    with pytest.raises(
        LabelError, match=r"label 1: the value 200 at x 0, y 0 is none of the CamVid class ids"
    ):
        evaluate(ROW, pictures, [labels * 0 + 200 for labels in predicted], weights="bundled", size=SIZE)
    with pytest.raises(ImageError, match="and its picture 96x64"):
        evaluate(ROW, pictures, [labels[:20] for labels in predicted], weights="bundled", size=SIZE)


def test_a_mapping_joins_classes(
    pictures: list[np.ndarray], predicted: list[np.ndarray], tmp_path: Path
) -> None:
    # Labels of two values of the user's own: 40 where a building was found, 7 elsewhere; 99 is left out.
    truths = [np.where(labels == 1, 40, 7).astype(np.uint8) for labels in predicted]
    truths[0][:10] = 99
    names = ["sky", "pole", "road", "pavement", "tree", "sign symbol", "fence", "car", "pedestrian"]
    lines = ["label,class", "40,building", *(f"7,{name}" for name in [*names, "bicyclist"]), "99,"]
    mapping = tmp_path / "mine.csv"
    mapping.write_text("\n".join(lines))
    found = evaluate(ROW, pictures, truths, weights="bundled", size=SIZE, mapping=mapping)
    assert len(found.classes) == 2
    assert "building" in found.classes.names
    assert found.miou == 100
    assert found.confusion.sum() == 6 * 96 * 64 - 10 * 96
    assert "mine.csv" in found.rules["classes"]
    mapping.write_text("\n".join(line for line in lines if line != "7,sky"))
    without = evaluate(ROW, pictures, truths, weights="bundled", size=SIZE, mapping=mapping)
    sky = sum(
        int(((labels == 0) & (truth == 7)).sum()) for labels, truth in zip(predicted, truths, strict=True)
    )
    assert sky > 0
    assert without.elsewhere.sum() == sky
    assert without.accuracy == pytest.approx(100 * (1 - sky / found.confusion.sum()))
    assert "sky" in without.rules["without_labels"]


def test_labels_of_another_data_set_ask_for_a_mapping(
    pictures: list[np.ndarray], predicted: list[np.ndarray]
) -> None:
    with pytest.raises(InputError, match="give a mapping"):
        evaluate(ROW, pictures, predicted, weights="bundled", size=SIZE, labels_of="Cityscapes")
    with pytest.raises(UnknownIdError, match="no data set"):
        evaluate(ROW, pictures, predicted, weights="bundled", labels_of="Citiscapes")


def test_what_does_not_go_together_is_refused(
    pictures: list[np.ndarray], predicted: list[np.ndarray]
) -> None:
    with pytest.raises(InputError, match="6 images and 5 labels"):
        evaluate(ROW, pictures, predicted[:5])
    with pytest.raises(InputError, match="both be folders"):
        evaluate(ROW, "images", predicted)
    with pytest.raises(UnknownIdError):
        evaluate("no-such-row", pictures, predicted)
    with pytest.raises(WeightsMissingError):
        evaluate(ROW, pictures, predicted, weights="published")


def test_void_is_left_out_of_everything(pictures: list[np.ndarray], predicted: list[np.ndarray]) -> None:
    truths = [labels.copy() for labels in predicted]
    for truth in truths:
        truth[:, :48] = VOID
        truth[:, 48:60] = 11
    found = evaluate(ROW, pictures, truths, weights="bundled", size=SIZE)
    assert found.confusion.sum() == 6 * 64 * 36
    assert found.miou == 100


def test_it_is_the_packages_own(pictures: list[np.ndarray], predicted: list[np.ndarray]) -> None:
    assert zoo.evaluate is evaluate


def test_real_labels_give_torchmetrics_numbers(camvid: Path) -> None:
    frames = sorted((camvid / "test").iterdir())[::40]
    truths = [camvid / "testannot" / f"{frame.stem}.png" for frame in frames]
    found = evaluate(ROW, frames, truths, weights="bundled", size=(480, 352))
    jaccard = MulticlassJaccardIndex(11, ignore_index=11, average=None)
    accuracy = MulticlassAccuracy(11, ignore_index=11, average="micro")
    for frame, truth in zip(frames, truths, strict=True):
        labels = torch.tensor(predict(ROW, frame, weights="bundled", size=(480, 352)).labels)[None].int()
        target = torch.tensor(np.asarray(Image.open(truth)))[None].int()
        jaccard.update(labels, target)
        accuracy.update(labels, target)
    assert np.nan_to_num(found.iou) == pytest.approx(100 * jaccard.compute().numpy(), abs=1e-3)
    assert found.accuracy == pytest.approx(100 * float(accuracy.compute()), abs=1e-3)
    assert found.miou > 40


@pytest.mark.slow
@pytest.mark.parametrize(
    "model", ["MobileNetV2+UNetLite", "MobileNetV2+FPNLite", "MobileNetV2S16+DeepLabV3Lite"]
)
def test_the_figures_that_ship_come_out_again(camvid: Path, model: str) -> None:
    from zoo.catalog import load_catalog
    from zoo.weights.bundled import bundled_networks

    row = str(load_catalog().query("model == @model").index[0])
    found = evaluate(row, camvid / "test", camvid / "testannot", weights="bundled", size=(480, 352))
    shipped = bundled_networks()[model].figures["test"]
    print(f"\n{model}: mIoU {found.miou:.2f} ({shipped['miou']}), accuracy {found.accuracy:.2f}")
    assert found.images == 233
    # Pillow's resize to 8 bits here, torch's to floats there: that is all the difference.
    assert found.miou == pytest.approx(shipped["miou"], abs=0.15)
    assert found.accuracy == pytest.approx(shipped["accuracy"], abs=0.1)
    for name, value in zip(found.classes.names, found.iou, strict=True):
        assert value == pytest.approx(shipped["iou"][name], abs=0.6)


def test_scores_know_their_picture(pictures: list[np.ndarray], predicted: list[np.ndarray]) -> None:
    labels = [predicted[0], np.zeros((9, 9), np.uint8), *predicted[2:]]
    found = evaluate(ROW, pictures, labels, weights="bundled", size=SIZE)
    assert [score.number for score in found.scores] == [0, 2, 3, 4, 5]


def test_a_turn_is_held_whenever_the_network_runs_and_given_up_in_between(
    pictures: list[np.ndarray], predicted: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = 0
    held = False
    seen = []

    @contextmanager
    def turn() -> Iterator[None]:
        nonlocal turns, held
        turns, held = turns + 1, True
        yield
        held = False

    def spied(*args: Any, **options: Any) -> Prediction:
        seen.append(held)
        found = carry_out(*args, **options)
        seen.append(held)
        return found

    monkeypatch.setattr("zoo.evaluation.carry_out", spied)
    work = items_of(pictures, predicted)
    evaluate_all([Candidate(ROW, "bundled", SIZE)], work, turn=turn)
    assert seen == [True] * 2 * len(pictures)
    assert turns < len(pictures)
    turns = 0
    monkeypatch.setattr("zoo.evaluation.TURN_SECONDS", 0.0)
    found = evaluate_all([Candidate(ROW, "bundled", SIZE)], work, turn=turn)[0]
    assert turns == len(pictures)
    assert found.accuracy == 100


def test_a_look_shows_what_was_counted(pictures: list[np.ndarray], predicted: list[np.ndarray]) -> None:
    truth = predicted[0].copy()
    truth[:5] = 3
    truth[5:9] = 11
    evaluation = evaluate(ROW, pictures[:1], [truth], weights="bundled", size=SIZE)
    seen = look(evaluation, read_raw(truth), predict(ROW, pictures[0], weights="bundled", size=SIZE))
    assert (seen.differ == ((truth != 11) & (truth != predicted[0]))).all()
    wrong = evaluation.confusion.sum() - np.trace(evaluation.confusion)
    assert seen.words == f"{wrong:,} pixels, {100 * wrong / (truth != 11).sum():.2f} % of those labelled"
    assert (seen.labels.labels[5:9] == VOID).all()
    assert worst_images(evaluation, 3) == [0]
