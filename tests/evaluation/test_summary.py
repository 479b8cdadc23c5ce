"""What is kept of an evaluation, and read again."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from zoo.catalog import find_row
from zoo.complexity import count
from zoo.costs import macs_over
from zoo.errors import InputError
from zoo.evaluation import evaluate
from zoo.evaluation.result import Evaluation
from zoo.evaluation.summary import (
    bundled_summaries,
    classes_csv,
    images_csv,
    lost_in_8_bits,
    read_summaries,
    summarise,
    to_json,
)

from .conftest import ROW, SIZE


@pytest.fixture
def evaluation(folders: tuple[Path, Path]) -> Evaluation:
    return evaluate(ROW, *folders, weights="bundled", size=SIZE)


def test_json_gives_what_was_agreed_and_can_be_read_again(evaluation: Evaluation) -> None:
    summary = summarise(evaluation)
    record = json.loads(to_json([summary]))
    assert list(record)[:7] == ["id", "weights", "miou", "accuracy", "classes", "images", "rules"]
    assert record["id"] == ROW
    assert (record["miou"], record["accuracy"]) == (evaluation.miou, evaluation.accuracy)
    assert record["images"] == 6
    assert [line["name"] for line in record["classes"]] == list(evaluation.classes.names)
    for line, value, row in zip(record["classes"], evaluation.iou, evaluation.confusion, strict=True):
        assert set(line) == {"name", "iou", "pixels"}
        assert line["iou"] == (None if np.isnan(value) else value)
        assert line["pixels"] == row.sum()
    # With the eleven classes that ran, not with the row's nineteen.
    assert record["counted_gmacs"] * 1e9 == macs_over(ROW, [96], [64], 11)[0]
    assert record["counted_gmacs"] * 1e9 < macs_over(ROW, [96], [64])[0]
    assert read_summaries(to_json([summary]).encode()) == (summary,)
    assert read_summaries(to_json([summary, summary]).encode()) == (summary, summary)


def test_csv_has_a_line_a_class_and_a_line_an_image(evaluation: Evaluation) -> None:
    summary = summarise(evaluation)
    lines = list(csv.DictReader(io.StringIO(classes_csv([summary, summary]))))
    assert len(lines) == 22
    assert [line["class"] for line in lines[:11]] == list(evaluation.classes.names)
    assert [float(line["iou"]) if line["iou"] else None for line in lines[:11]] == [
        figure.iou for figure in summary.classes
    ]
    images = list(csv.DictReader(io.StringIO(images_csv([evaluation]))))
    assert [line["image"] for line in images] == [score.name for score in evaluation.scores]
    assert [float(line["miou"]) for line in images] == [score.miou for score in evaluation.scores]


def test_a_name_that_is_a_formula_stays_text(evaluation: Evaluation) -> None:
    named = evaluation.scores[0]._replace(name='=HYPERLINK("x")')
    object.__setattr__(evaluation, "scores", (named,))
    lines = list(csv.DictReader(io.StringIO(images_csv([evaluation]))))
    assert lines[0]["image"] == '\'=HYPERLINK("x")'


GOOD = {"id": "a", "weights": "w", "miou": 50, "accuracy": 60.5, "images": 3, "rules": {"void": "left out"}}
GOOD["classes"] = [{"name": "road", "iou": 50, "pixels": 7}, {"name": "sky", "iou": None, "pixels": 0}]


def test_the_figures_that_ship_are_those_of_their_files_and_say_what_8_bits_cost() -> None:
    found = bundled_summaries()
    home = Path(__file__).resolve().parents[2] / "data" / "weights"
    files = [json.loads(path.read_text(encoding="utf-8")) for path in home.glob("*.json")]
    assert sorted(each.miou for each in found if each.miou) == sorted(file["test"]["miou"] for file in files)
    live = count(found[0].id, 480, 352, num_classes=11)
    assert found[0].counted_gmacs == live.macs / 1e9
    assert {each.images for each in found} == {233}
    names = {each.id: find_row(each.id).model for each in found}
    lost = lost_in_8_bits(found, names)
    for each, points in zip(found, lost, strict=True):
        same = [one for one in found if names[one.id] == names[each.id] and one.precision == "float"]
        if each.precision == "float":
            assert points is None
        else:
            assert points == pytest.approx(each.miou - same[0].miou)  # type: ignore[operator]
    assert sum(points is not None for points in lost) > 3
    assert found[0].title({found[0].id: "A"}).startswith("A · 480x352")


def test_a_file_with_the_agreed_fields_alone_is_enough() -> None:
    (summary,) = read_summaries(json.dumps(GOOD).encode())
    assert (summary.id, summary.miou, summary.size, summary.interval) == ("a", 50, None, None)
    assert summary.classes[1].iou is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"miou": 101}, "'101' is no percentage"),
        ({"miou": "50"}, "'50' is no percentage"),
        ({"miou": float("nan")}, "no percentage"),
        ({"images": -1}, "no count"),
        ({"id": 7}, "no text"),
        ({"classes": [{"name": "road"}]}, "'iou' is missing"),
        ({"classes": 3}, "not iterable"),
        ({"rules": []}, "no attribute"),
        ({"width": 20, "height": 20}, "cannot be used"),
        ({"counted_gmacs": -1}, "GigaMACs"),
        ({"precision": "4bit"}, "no precision"),
        ({"miou_interval": [1]}, "index"),
    ],
)
def test_what_is_no_evaluation_is_refused_in_one_line(change: dict[str, object], reason: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        read_summaries(json.dumps(GOOD | change).encode(), "my.json")
    assert str(caught.value).startswith("my.json is not what evaluate --json writes")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"[]", b"no json", b"null", b"[" * 100_000, b"\xff\xfe"])
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="not what evaluate --json writes"):
        read_summaries(data)


def test_a_file_beyond_its_limit_or_absent_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="2 MB"):
        read_summaries(b" " * 2_000_001)
    with pytest.raises(InputError, match=r"absent\.json cannot be read"):
        read_summaries(tmp_path / "absent.json")
