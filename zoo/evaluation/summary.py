"""The figures of an evaluation as they are kept: what JSON and CSV hold, and what charts and reports take."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from zoo import limits
from zoo.catalog import all_shipped
from zoo.classes import dataset_classes
from zoo.costs import macs_over
from zoo.errors import InputError, NotOursError, SizeError, shown_name
from zoo.evaluation.result import Evaluation
from zoo.sizes import Size, check_size, parse_size
from zoo.tables import as_text
from zoo.weights.bundled import BUNDLED_DATASET, Bundled, every_bundled
from zoo.weights.checkpoints import PRECISIONS


class ClassFigure(NamedTuple):
    """What was measured of one class."""

    name: str
    iou: float | None
    """Percent; None for a class that is neither labelled nor predicted."""
    pixels: int
    """That are labelled so."""


@dataclass(frozen=True)
class Summary:
    """An evaluation without its pictures. Measures are percent; None where nothing defines them."""

    id: str
    weights: str
    miou: float | None
    accuracy: float | None
    classes: tuple[ClassFigure, ...]
    images: int
    rules: Mapping[str, str]
    size: Size | None = None
    """The network's input."""
    counted_gmacs: float | None = None
    """Of the network that ran, with its number of classes, at that size."""
    num_classes: int | None = None
    precision: str = "float"
    """float or 8bit."""
    mean_accuracy: float | None = None
    miou_per_image: float | None = None
    interval: tuple[float, float] | None = None
    """95 % interval of the mIoU."""
    total: int | None = None
    """How many images were given."""
    refused: tuple[tuple[str, str], ...] = ()
    """Images that were left out, and why."""
    confusion: tuple[tuple[int, ...], ...] = field(default=(), repr=False)
    """Pixels: true classes in rows, predicted ones in columns."""

    def title(self, names: Mapping[str, str]) -> str:
        """Return what ran, for people: the row's name by `names`, the input size, and 8 bits if so."""
        size = "" if self.size is None else f" · {self.size}"
        return f"{names.get(self.id, self.id)}{size}{' · 8 bits' if self.precision == '8bit' else ''}"


def summarise(evaluation: Evaluation) -> Summary:
    """Return the figures of an evaluation."""
    pixels = evaluation.tally.labelled.tolist()
    figures = zip(evaluation.classes.names, evaluation.iou.tolist(), pixels, strict=True)
    low, high = evaluation.interval
    return Summary(
        id=evaluation.row.id,
        weights=evaluation.weights,
        miou=_or_none(evaluation.miou),
        accuracy=_or_none(evaluation.accuracy),
        classes=tuple(ClassFigure(name, _or_none(value), count) for name, value, count in figures),
        images=evaluation.images,
        rules=evaluation.rules,
        size=evaluation.size,
        counted_gmacs=_counted(evaluation),
        num_classes=evaluation.num_classes,
        precision=evaluation.precision,
        mean_accuracy=_or_none(evaluation.mean_accuracy),
        miou_per_image=_or_none(evaluation.miou_per_image),
        interval=(low, high) if math.isfinite(low) else None,
        total=evaluation.total,
        refused=tuple((refusal.name, refusal.reason) for refusal in evaluation.refused),
        confusion=tuple(map(tuple, evaluation.confusion.tolist())),
    )


def _counted(evaluation: Evaluation) -> float | None:
    """Return the GigaMACs of the network that ran; None where that is no network of ours."""
    try:
        size = evaluation.size
        macs = macs_over(evaluation.row, [size.width], [size.height], evaluation.num_classes)
    except NotOursError:
        return None
    return float(macs[0]) / 1e9


def lost_in_8_bits(summaries: Sequence[Summary], networks: Mapping[str, str]) -> tuple[float | None, ...]:
    """Return for each summary in 8 bits its mIoU less that of its network in float, in points, else None.

    `networks` are the rows' models by id: a row that was trained for 8 bits is held against the float one.
    """

    def key(each: Summary) -> tuple[object, ...]:
        return networks.get(each.id, each.id), each.size, each.num_classes

    in_float = {key(each): each.miou for each in summaries if each.precision == "float"}
    found: list[float | None] = []
    for each in summaries:
        before = in_float.get(key(each)) if each.precision == "8bit" else None
        found.append(None if before is None or each.miou is None else each.miou - before)
    return tuple(found)


def bundled_summaries(split: str = "test") -> tuple[Summary, ...]:
    """Return what the networks that ship in data/weights reached on a split of CamVid, "val" or "test".

    The id is that of the first row with the network; in 8 bits the one that was trained for them, where the
    weights were.
    """
    found = []
    for network in sorted(every_bundled(), key=_float_first):
        figures, qat = network.figures, bool(network.figures.get("qat", False))
        row = next(row for row in all_shipped().rows if row.model == network.model and row.qat == qat)
        size, measured = parse_size(figures["input_size"]), figures[split]
        classes = len(dataset_classes(BUNDLED_DATASET))
        found.append(
            Summary(
                id=row.id,
                weights="trained for 8 bits" if qat else "trained in float",
                miou=measured["miou"],
                accuracy=measured["accuracy"],
                classes=(),
                images=measured["images"],
                rules={},
                size=size,
                counted_gmacs=float(macs_over(row, [size.width], [size.height], classes)[0]) / 1e9,
                num_classes=classes,
                precision=figures.get("precision", "float"),
            )
        )
    return tuple(found)


def _float_first(network: Bundled) -> tuple[str, bool, bool]:
    figures = network.figures
    return network.model, figures.get("precision", "float") != "float", bool(figures.get("qat", False))


def as_record(summary: Summary) -> dict[str, Any]:
    """Return a summary as JSON has it."""
    size = summary.size
    return {
        "id": summary.id,
        "weights": summary.weights,
        "miou": summary.miou,
        "accuracy": summary.accuracy,
        "classes": [figure._asdict() for figure in summary.classes],
        "images": summary.images,
        "rules": dict(summary.rules),
        "width": size and size.width,
        "height": size and size.height,
        "counted_gmacs": summary.counted_gmacs,
        "num_classes": summary.num_classes,
        "precision": summary.precision,
        "mean_accuracy": summary.mean_accuracy,
        "miou_per_image": summary.miou_per_image,
        "miou_interval": summary.interval and list(summary.interval),
        "total": summary.total,
        "refused": [{"image": name, "reason": reason} for name, reason in summary.refused],
        "confusion": [list(line) for line in summary.confusion],
    }


def to_json(summaries: Sequence[Summary]) -> str:
    """Return one summary as an object, several as an array."""
    records = [as_record(summary) for summary in summaries]
    return json.dumps(records[0] if len(records) == 1 else records, indent=2, allow_nan=False)


def classes_csv(summaries: Iterable[Summary]) -> str:
    """Return a table with one line a row and class: id, precision, weights, class, iou, pixels."""
    return _csv(
        ["id", "precision", "weights", "class", "iou", "pixels"],
        (
            [summary.id, summary.precision, summary.weights, figure.name, figure.iou, figure.pixels]
            for summary in summaries
            for figure in summary.classes
        ),
    )


def images_csv(evaluations: Iterable[Evaluation]) -> str:
    """Return a table with one line a row and image: id, precision, weights, image, miou, accuracy."""
    return _csv(
        ["id", "precision", "weights", "image", "miou", "accuracy"],
        (
            [
                each.row.id,
                each.precision,
                each.weights,
                score.name,
                _or_none(score.miou),
                _or_none(score.accuracy),
            ]
            for each in evaluations
            for score in each.scores
        ),
    )


def _csv(header: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([as_text(value) for value in line] for line in lines)
    return file.getvalue()


def read_summaries(source: Path | bytes, name: str | None = None) -> tuple[Summary, ...]:
    """Return what `to_json` wrote to a file, or raise InputError with one line."""
    shown = shown_name(name or (source if isinstance(source, Path) else "the evaluation"))
    try:
        data = source.read_bytes() if isinstance(source, Path) else source
    except OSError as error:
        raise InputError(f"{shown} cannot be read: {error.strerror or error}.") from error
    if len(data) > limits.MEASUREMENTS_BYTES:
        raise InputError(
            f"{shown} has {len(data) / limits.MEGABYTE:.1f} MB, and a file of measurements may have "
            f"{limits.MEASUREMENTS_BYTES // limits.MEGABYTE} MB."
        )
    try:
        document = json.loads(data)
        records = document if isinstance(document, list) else [document]
        if not records:
            raise ValueError("there is no evaluation in it")
        return tuple(map(_summary, records))
    except (SizeError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else shown_name(str(error), 100)
        raise InputError(
            f"{shown} is not what evaluate --json writes ({reason}): write it anew with that command."
        ) from error


def _summary(record: Mapping[str, Any]) -> Summary:
    width, height = record.get("width"), record.get("height")
    low_high = record.get("miou_interval")
    return Summary(
        id=_text(record["id"]),
        weights=_text(record["weights"]),
        miou=_percent(record["miou"]),
        accuracy=_percent(record["accuracy"]),
        classes=tuple(
            ClassFigure(_text(line["name"]), _percent(line["iou"]), _whole(line["pixels"]))
            for line in record["classes"]
        ),
        images=_whole(record["images"]),
        rules={_text(rule): _text(words) for rule, words in record["rules"].items()},
        size=None if width is None else check_size(width, height),
        counted_gmacs=_positive(record.get("counted_gmacs")),
        num_classes=None if record.get("num_classes") is None else _whole(record["num_classes"]),
        precision=_precision(record.get("precision", "float")),
        mean_accuracy=_percent(record.get("mean_accuracy")),
        miou_per_image=_percent(record.get("miou_per_image")),
        interval=None if low_high is None else (_bound(low_high[0]), _bound(low_high[1])),
        total=None if record.get("total") is None else _whole(record["total"]),
        refused=tuple((_text(each["image"]), _text(each["reason"])) for each in record.get("refused", ())),
        confusion=tuple(tuple(map(_whole, line)) for line in record.get("confusion", ())),
    )


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > 2000:
        raise ValueError(f"{str(value)[:40]!r} is no text")
    return value


def _precision(value: object) -> str:
    if value not in PRECISIONS:
        raise ValueError(f"{str(value)[:40]!r} is no precision")
    return str(value)


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 60:
        raise ValueError(f"{str(value)[:40]!r} is no count")
    return value


def _bound(value: object) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= 100:
        raise ValueError(f"{str(value)[:40]!r} is no percentage")
    return float(value)


def _percent(value: object) -> float | None:
    return None if value is None else _bound(value)


def _positive(value: object) -> float | None:
    if value is None:
        return None
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value < 1e9:
        raise ValueError(f"{str(value)[:40]!r} is no number of GigaMACs")
    return float(value)


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
