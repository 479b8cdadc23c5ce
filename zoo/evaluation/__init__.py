"""Label maps of a row's network against ground truth: pictures and labels in, one confusion matrix out.

Several pictures are in work at a time, each from file to count in a thread of its own with its part of the
processor: no part of it waits for another. What is kept of each picture are three numbers a class.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from zoo.class_mapping import ClassFit, ClassMapping, fit_classes, read_mapping
from zoo.classes import ClassList, dataset_classes
from zoo.errors import ImageError, InferenceError, InputError, LabelError
from zoo.evaluation.items import Item, Items, Labels, Pictures, items_from, items_of
from zoo.evaluation.result import Evaluation, ImageScore, Reading, Refusal
from zoo.images import Picture
from zoo.label_files import (
    LabelValues,
    RawLabels,
    check_size,
    coded,
    dataset_of,
    decode,
    possible_values,
    recognise,
)
from zoo.metrics import Counts, Tally, confusion, mean_iou, pixel_accuracy
from zoo.prediction import Prediction, carry_out, prepare
from zoo.rows import Row
from zoo.runtimes.memory import fitting_at_once

__all__ = [
    "Candidate",
    "Evaluation",
    "EvaluationProgress",
    "ImageScore",
    "Items",
    "Refusal",
    "evaluate",
    "evaluate_all",
    "items_from",
    "items_of",
]

SAMPLES = 20
"""Label files from which it is recognised how they are written."""
TURN_SECONDS = 1.0
"""For how long a turn is held before others are let in between."""


class Candidate(NamedTuple):
    """What is evaluated: a row with some weights at some size; all but the row as `zoo.predict` takes it."""

    row: str | Row
    weights: str | os.PathLike[str] | None = None
    size: tuple[int, int] | None = None
    runtime: str | None = None
    precision: str | None = None


@dataclass(frozen=True)
class EvaluationProgress:
    """Told after each picture."""

    done: int
    total: int
    results: Callable[[], tuple[Evaluation, ...]]
    """Gives the result so far, one evaluation a candidate; none before a first picture was counted."""


def evaluate(
    row_id: str | Row,
    images: Pictures,
    labels: Labels,
    *,
    weights: str | os.PathLike[str] | None = None,
    size: tuple[int, int] | None = None,
    runtime: str | None = None,
    precision: str | None = None,
    mapping: str | os.PathLike[str] | ClassMapping | None = None,
    labels_of: str | None = None,
    progress: Callable[[EvaluationProgress], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Evaluation:
    """Return how a row's network does on labelled pictures.

    `images` and `labels` are two folders or zips whose files are matched by name, or two sequences of the
    same length: of what `zoo.predict` takes as a picture, and of label files or arrays (H, W). `weights`,
    `size`, `runtime` and `precision` are `zoo.predict`'s. `mapping` is a CSV with the columns label and
    class, needed where the labels' classes are not those of the weights; `labels_of` names the data set whose
    labels they are, by default the weights' own. `cancel` is asked after each picture; what was done so far
    is returned.
    Raises InputError for what does not go together, LabelError, ImageError, and whatever `zoo.predict` does.
    """
    candidate = Candidate(row_id, weights, size, runtime, precision)
    return evaluate_all(
        [candidate],
        items_of(images, labels),
        mapping=mapping,
        labels_of=labels_of,
        progress=progress,
        cancel=cancel,
    )[0]


def evaluate_all(
    candidates: Sequence[Candidate],
    work: Items,
    *,
    mapping: str | os.PathLike[str] | ClassMapping | None = None,
    labels_of: str | None = None,
    progress: Callable[[EvaluationProgress], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    turn: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> tuple[Evaluation, ...]:
    """Return one evaluation a candidate, each picture read once for all of them; as `evaluate` otherwise.

    A picture that is refused is left out of every candidate's numbers, and listed. `turn` is held while
    pictures are in work, for a second or so: a server lets others in between.
    """
    if isinstance(mapping, (str, os.PathLike)):
        mapping = read_mapping(Path(mapping))
    labels = _Labels(work, mapping, labels_of)
    run = _Run(work, [_Contest(candidate, labels) for candidate in candidates])
    tell = progress or (lambda _: None)
    stop = cancel or (lambda: False)
    for done in _each(run, work.items, turn):
        tell(EvaluationProgress(done, len(work.items), run.results))
        if stop():
            break
    if not run.names:
        raise run.first_error or InputError("no image was evaluated: there is no result.")
    return run.results()


_Outcome = list[Counts] | ImageError | InferenceError


def _each(
    run: _Run, items: Sequence[Item], turn: Callable[[], AbstractContextManager[None]]
) -> Iterator[int]:
    """Do the pictures in order, `run.at_once` at a time, and yield after each how many are done.

    The first is done alone: what is loaded once is not loaded twice.
    """
    waiting = iter(items)
    done = 0
    with ThreadPoolExecutor(run.at_once, "evaluate") as pool:
        while item := next(waiting, None):
            with turn():
                running = deque([(item, pool.submit(run.attempt, item))])
                until = time.monotonic() + (TURN_SECONDS if run.names else 0)
                try:
                    while running:
                        some = run.at_once + 1 - len(running) if time.monotonic() < until else 0
                        running.extend(
                            (item, pool.submit(run.attempt, item)) for item in islice(waiting, some)
                        )
                        item, outcome = running.popleft()
                        run.add(item, outcome.result())
                        yield (done := done + 1)
                finally:  # a stop: what has begun is waited for
                    for _, outcome in running:
                        outcome.cancel()
                    wait([outcome for _, outcome in running])


class _Labels:
    """How the label files are to be read, for whatever classes the weights have."""

    def __init__(self, work: Items, mapping: ClassMapping | None, labels_of: str | None) -> None:
        self._work = work
        self._mapping = mapping
        self._classes = None if labels_of is None else dataset_classes(labels_of)

    def fitted(self, weights: ClassList) -> tuple[LabelValues, ClassFit]:
        """Return how the labels are written, and how their classes go with those of the weights."""
        by_mapping = self._mapping.values if self._mapping is not None else None
        if by_mapping is not None:
            values = recognise(self._samples, [by_mapping])
        else:
            classes = self._classes or _without_extra(weights)
            fit_classes(classes, weights, self._mapping)  # refuses lists that do not go together
            values = recognise(self._samples, possible_values(classes), self._work.kind)
        self._check(values)
        return values, fit_classes(values.classes, weights, self._mapping)

    @cached_property
    def _samples(self) -> list[RawLabels]:
        found = []
        for item in self._work.items[:SAMPLES]:
            try:
                found.append(item.read_labels())
            except ImageError:  # told when its turn comes
                continue
        return found

    def _check(self, values: LabelValues) -> None:
        """Raise LabelError where none of the samples can be read: then none of the rest will."""
        first_error: LabelError | None = None
        for sample in self._samples:
            try:
                decode(sample, values)
                return
            except LabelError as error:
                first_error = first_error or error
        if first_error is not None:
            raise first_error


def _without_extra(weights: ClassList) -> ClassList:
    """Return the data set's classes where the weights have one more behind them, else the weights' own."""
    for count in (len(weights), len(weights) - 1):
        dataset = dataset_of(ClassList(weights.names[:count], weights.palette[:count], weights.words))
        if dataset is not None:
            return dataset_classes(dataset)
    return weights


class _Contest:
    """A candidate, with what has been counted of it."""

    def __init__(self, candidate: Candidate, labels: _Labels) -> None:
        self.job, self._checkpoint = prepare(
            candidate.row,
            weights=candidate.weights,
            size=candidate.size,
            runtime=candidate.runtime,
            precision=candidate.precision,
        )
        self._labels = labels
        classes = self._checkpoint.classes
        self._read_by = labels.fitted(classes) if len(classes) else None
        self._first: Prediction | None = None
        self._total: Counts | None = None
        self._tallies: list[Tally] = []
        self._scores: list[ImageScore] = []

    @property
    def most_at_once(self) -> int:
        """How many pictures may be in work at a time."""
        if self._checkpoint.stranger:
            return 2  # one is in the model's own process, the other is read or counted
        return min(os.cpu_count() or 1, fitting_at_once(self.job.row, self.job.size))

    def confusion(self, raw: RawLabels, picture: Picture, at_once: int) -> Counts:
        """Return the confusion matrix of one picture; from several threads after the first."""
        check_size(raw, picture.rgb)
        # Before the network runs, where the classes are known by then: what is refused costs nothing.
        truth = None if self._read_by is None else coded(raw, self._read_by[0])
        found = carry_out(self.job, self._checkpoint, picture, at_once=at_once)
        self._first = self._first or found
        if self._read_by is None or truth is None:
            self._read_by = self._labels.fitted(found.label_map.classes)
            truth = coded(raw, self._read_by[0])
        values, meant = truth
        fit = self._read_by[1]
        return confusion(values, found.labels, len(fit.classes), fit.from_labels[meant], fit.from_weights)

    def add(self, name: str, matrix: Counts, number: int) -> None:
        """Count one picture in."""
        tally = Tally.of(matrix)
        self._total = matrix if self._total is None else self._total + matrix
        self._tallies.append(tally)
        self._scores.append(ImageScore(name, float(mean_iou(tally)), pixel_accuracy(tally), number))

    def result(self, work: Items, refused: Sequence[Refusal]) -> Evaluation | None:
        """Return the evaluation so far, None before the first picture."""
        if self._first is None or self._total is None or self._read_by is None:
            return None
        values, fit = self._read_by
        conditions = {"labels": f"{values.words}, as recognised from the files", "classes": fit.words}
        if fit.unlabelled:
            conditions["without_labels"] = (
                f"{', '.join(fit.unlabelled)}: what is predicted so counts as wrong"
            )
        if work.unmatched:
            conditions["unmatched"] = work.unmatched
        if self._first.weights.calibration:
            conditions["calibration"] = self._first.weights.calibration
        return Evaluation(
            row=self.job.row,
            weights=self._first.weights.label,
            num_classes=len(self._first.label_map.classes),
            size=self._first.size,
            runtime=self._first.runtime,
            classes=fit.classes,
            confusion=np.ascontiguousarray(self._total[:, :-1]),
            elsewhere=self._total[:, -1].copy(),
            tallies=Tally.stacked(self._tallies),
            scores=tuple(self._scores),
            total=len(work.items),
            refused=tuple(refused),
            conditions=conditions,
            precision=self._first.weights.precision,
            reading=Reading(values, fit),
        )


class _Run:
    """All candidates over the same pictures."""

    def __init__(self, work: Items, contests: Sequence[_Contest]) -> None:
        self._work = work
        self._contests = contests
        self._refused: list[Refusal] = []
        self.at_once = min(each.most_at_once for each in contests)
        """Pictures in work at a time."""
        self.names: list[str] = []
        self.first_error: ImageError | InferenceError | None = None

    def attempt(self, item: Item) -> _Outcome:
        """Return a picture's confusion matrices, one a candidate, or why there are none."""
        try:
            raw, picture = item.read_labels(), item.read_picture()
            return [contest.confusion(raw, picture, self.at_once) for contest in self._contests]
        except (ImageError, InferenceError) as error:
            return error

    def add(self, item: Item, outcome: _Outcome) -> None:
        """Count a picture in for every candidate, or note why it is left out; called in their order."""
        number = len(self.names) + len(self._refused)
        if isinstance(outcome, (ImageError, InferenceError)):
            self._refused.append(Refusal(item.name, str(outcome)))
            self.first_error = self.first_error or outcome
            return
        self.names.append(item.name)
        for contest, matrix in zip(self._contests, outcome, strict=True):
            contest.add(item.name, matrix, number)

    def results(self) -> tuple[Evaluation, ...]:
        """Return the result so far."""
        found = (contest.result(self._work, self._refused) for contest in self._contests)
        return tuple(each for each in found if each is not None)
