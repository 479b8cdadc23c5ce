"""A mask of a picture: picture -> input -> raw output -> label map, with what to say of it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from zoo.catalog import check_row_size, find_row
from zoo.classes import LabelMap
from zoo.errors import InferenceError, InputError, SizeError, ZooError, shown_name
from zoo.images import ImageSource, Picture, read_image
from zoo.keeping import Kept
from zoo.labelling import FULL_PIXELS, VOID, Frame, Labelled, find_labels
from zoo.limits import KEPT_NETWORKS, KEPT_NETWORKS_BYTES
from zoo.onnx_metadata import FileFacts
from zoo.preprocessing import FITS, fit_picture, normalise
from zoo.rows import Row
from zoo.runtimes import Network, StepProgress, choose_runtime, export, find_runtime
from zoo.runtimes.memory import check_memory, give_back, keeps_memory, map_large_blocks, weights_mapped
from zoo.runtimes.runtime import Loading
from zoo.runtimes.sandbox import SandboxedNetwork, sandboxed
from zoo.sizes import Size, check_size
from zoo.weights.checkpoints import Checkpoint, model_file, resolve

_networks: Kept[tuple[object, ...], Network] = Kept(KEPT_NETWORKS, KEPT_NETWORKS_BYTES, failures=False)


@dataclass(frozen=True)
class Job:
    """What a request resolved to, and so the key of its result: equal jobs make equal masks of a picture."""

    row: Row
    weights_kind: str
    weights_sha256: str
    size: Size
    """The network's input size, unless it is a model file that has one of its own."""
    runtime: str
    fit: str
    confidence: bool
    precision: str = "float"


@dataclass(frozen=True)
class Prediction:
    """A label map and everything that has to be said with it."""

    label_map: LabelMap
    """At the picture's own size."""
    rgb: npt.NDArray[np.uint8]
    """The picture as it was used, uint8 (H, W, 3), upright."""
    weights: Checkpoint
    """Whose weights made it."""
    runtime: str
    size: Size
    """The network's input size."""
    seconds: float
    """In total."""
    timings: dict[str, float]
    """Seconds by step: decode, load, preprocess, inference, postprocess."""
    notes: tuple[str, ...] = ()
    """What was done that a reader must know, one sentence each."""

    @property
    def labels(self) -> npt.NDArray[np.uint8]:
        """Class ids, uint8 (H, W)."""
        return self.label_map.labels

    @property
    def classes(self) -> tuple[str, ...]:
        """Names, in id order."""
        return self.label_map.classes.names

    @property
    def shares(self) -> tuple[float, ...]:
        """Percent of the pixels, in id order."""
        return self.label_map.shares

    @property
    def confidence(self) -> npt.NDArray[np.float32] | None:
        """Softmax probability of each label, (H, W), if it was asked for and the network gives logits."""
        return self.label_map.confidence


@dataclass
class _Watch:
    """Times the steps and tells them."""

    progress: StepProgress
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str, words: str) -> Iterator[None]:
        self.progress(words)
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start


def prepare(
    row_id: str | Row,
    *,
    weights: str | os.PathLike[str] | None = None,
    size: tuple[int, int] | None = None,
    fit: str = "stretch",
    runtime: str | None = None,
    confidence: bool = False,
    precision: str | None = None,
) -> tuple[Job, Checkpoint]:
    """Resolve a request, as `predict` takes it, to the job and the weights that `carry_out` takes.

    Raises UnknownIdError, SizeError, CheckpointError, ModelFileError, WeightsMissingError or InputError.
    """
    _check_fit(fit)
    row = find_row(row_id)
    asked = check_row_size(row, *_sides(row.size if size is None else size))
    checkpoint = resolve(row, weights, precision)
    return _job(checkpoint, asked, fit, runtime, confidence), checkpoint


def prepare_file(
    path: Path,
    said: FileFacts,
    *,
    name: str,
    size: tuple[int, int] | None = None,
    fit: str = "stretch",
    runtime: str | None = None,
    confidence: bool = False,
) -> tuple[Job, Checkpoint]:
    """Resolve a mask by a whole model from outside, as itself and no row's network.

    `said` is what it or its owner says of it (`zoo.own.read_facts`, `described`), `name` what it is called.
    Raises SizeError, ModelFileError, WeightsMissingError or InputError.
    """
    _check_fit(fit)
    checkpoint = model_file(path, name, said)
    asked = check_size(*_sides(size or checkpoint.row.size))
    return _job(checkpoint, asked, fit, runtime, confidence), checkpoint


def _job(checkpoint: Checkpoint, size: Size, fit: str, runtime: str | None, confidence: bool) -> Job:
    chosen = choose_runtime(checkpoint.format, runtime, file_name=shown_name(checkpoint.path))
    return Job(
        checkpoint.row,
        checkpoint.kind,
        checkpoint.sha256,
        size,
        chosen.name,
        fit,
        confidence,
        checkpoint.precision,
    )


def _check_fit(fit: str) -> None:
    if fit not in FITS:
        raise InputError(f"fit {fit!r} cannot be used: give one of {', '.join(FITS)}.")


def _sides(size: Iterable[object]) -> tuple[object, object]:
    try:
        width, height = size
    except (TypeError, ValueError) as error:  # what is no pair, whatever its type was said to be
        raise SizeError(
            f"size {str(size)[:40]} cannot be used: give width and height, such as (768, 384)."
        ) from error
    return width, height


def predict(
    row_id: str | Row,
    image: ImageSource | Picture,
    *,
    weights: str | os.PathLike[str] | None = None,
    size: tuple[int, int] | None = None,
    fit: str = "stretch",
    runtime: str | None = None,
    confidence: bool = False,
    precision: str | None = None,
    progress: StepProgress | None = None,
) -> Prediction:
    """Make the mask of a picture with a row's network.

    `image` is a path, a file's bytes, a Pillow image, uint8 RGB (H, W, 3), or a Picture. `weights` is
    "published", "bundled", a path, or None for the best there is. `size` is the input's (width, height), the
    row's by default; a model file of a fixed size keeps its own. `fit` "stretch" resizes the picture to it,
    as the published evaluation does; "pad" keeps its proportions and fills up with the mean colour. `runtime`
    is a name of zoo.runtimes.RUNTIMES; None takes the first that can. `precision` is "float", "8bit", or None
    for the row's own (see zoo.weights.checkpoints.resolve). `progress` is told each step.
    Raises UnknownIdError, SizeError, ImageError, CheckpointError, ModelFileError, WeightsMissingError,
    InferenceError or InputError, each with one line.
    """
    start = time.perf_counter()
    asked = prepare(
        row_id,
        weights=weights,
        size=size,
        fit=fit,
        runtime=runtime,
        confidence=confidence,
        precision=precision,
    )
    return carry_out(*asked, image, progress=progress, start=start)


def carry_out(
    job: Job,
    checkpoint: Checkpoint,
    image: ImageSource | Picture,
    *,
    progress: StepProgress | None = None,
    start: float | None = None,
    at_once: int = 1,
) -> Prediction:
    """Make the mask that `prepare` resolved; the time in total counts from `start`, by default from now.

    `at_once` is how many masks the caller makes side by side: each takes its part of the processor.
    A Picture brings the time that it took to read. Raises ImageError, CheckpointError, ModelFileError or
    InferenceError, and NotNowError where it needs more than half of the free memory.
    """
    start = time.perf_counter() if start is None else start
    watch = _Watch(progress or (lambda _: None))
    with watch.step("decode", "Reading the picture"):
        picture = image if isinstance(image, Picture) else read_image(image)
    if picture is image:
        watch.seconds["decode"] = picture.seconds
        start -= picture.seconds
    whole = find_runtime(job.runtime).load_row is not None
    needed = check_memory(job.row, job.size, whole=whole) if not checkpoint.stranger else 0
    threads = None if at_once == 1 else max(1, (os.cpu_count() or 1) // at_once)
    with _network(job, checkpoint, needed * at_once, threads, watch) as network:
        used = Size(network.spec.width or job.size.width, network.spec.height or job.size.height)
        with watch.step("preprocess", "Preparing the input"):
            rgb, part = fit_picture(picture.rgb, used, job.fit, checkpoint.mean)
            values = normalise(rgb, network.spec, checkpoint.mean, checkpoint.std, threads)
        height, width = picture.rgb.shape[:2]
        frame = Frame(used, Size(width, height), part, ours=not checkpoint.stranger)
        found = _labels(network, values, frame, job, threads, watch)
    named = _with_classes(checkpoint, found)
    if needed and not keeps_memory(job.row, job.size):
        del values
        give_back()
    return Prediction(
        label_map=LabelMap(found.labels, named.classes, found.confidence),
        rgb=picture.rgb,
        weights=named,
        runtime=job.runtime,
        size=used,
        seconds=time.perf_counter() - start,
        timings=watch.seconds,
        notes=(*picture.changes, *_class_notes(checkpoint, named), *_notes(found, used, job)),
    )


@contextmanager
def _network(
    job: Job, checkpoint: Checkpoint, needed: int, threads: int | None, watch: _Watch
) -> Iterator[Network | SandboxedNetwork]:
    """Give the network ready to run: ours from those that are kept, a model file in a process of its own."""
    if checkpoint.stranger:
        with ExitStack() as stack:
            with watch.step("load", "Loading the model in a process of its own"):
                loading = sandboxed(checkpoint.path, checkpoint.sha256, job.runtime, job.size)
                sandbox = stack.enter_context(loading)
            yield sandbox
        return
    with watch.step("load", "Loading the network"):
        own = _own_network(job, checkpoint, needed, threads, watch.progress)
    yield own


def _own_network(
    job: Job, checkpoint: Checkpoint, needed: int, threads: int | None, progress: StepProgress
) -> Network:
    map_large_blocks()
    runtime, row = find_runtime(job.runtime), job.row
    if (load_row := runtime.load_row) is not None:
        built = job.runtime, row.built, job.weights_sha256, job.precision
        held = 2 * checkpoint.path.stat().st_size
        return _networks.get(built, lambda: load_row(row, str(checkpoint.path)), lambda _: held)
    keeps = keeps_memory(row, job.size)
    loading = Loading(job.size, keeps, threads)
    key = job.runtime, row.built, job.weights_sha256, job.precision, loading

    def load_export() -> Network:
        path = export.exported(checkpoint, job.size, progress)
        with weights_mapped():
            try:
                return runtime.open_file(path, loading)
            except Exception as error:  # the runtimes raise their own kinds
                if path.exists():
                    raise _failed(row, error) from error
            # Another server that shares the folder removed it at this very moment.
            return runtime.open_file(export.exported(checkpoint, job.size, progress), loading)

    held = 2 * checkpoint.path.stat().st_size + (needed if keeps else 0)
    return _networks.get(key, load_export, lambda _: held)


def _labels(
    network: Network | SandboxedNetwork,
    values: npt.NDArray[Any],
    frame: Frame,
    job: Job,
    threads: int | None,
    watch: _Watch,
) -> Labelled:
    """Run the network on an input and make labels of what it gives."""
    running = f"Running the network in {job.runtime}"
    if isinstance(network, SandboxedNetwork):
        with watch.step("inference", running):
            return network.find_labels(values, frame, confidence=job.confidence)
    with watch.step("inference", running):
        output = _run(network, values, job.row)
    with watch.step("postprocess", "Making the mask"):
        return find_labels(output, frame, confidence=job.confidence, threads=threads)


def _run(network: Network, values: npt.NDArray[Any], row: Row) -> npt.NDArray[Any]:
    try:
        return network.run(values)
    except ZooError:
        raise
    except Exception as error:  # the runtimes raise their own kinds
        raise _failed(row, error) from error


def _failed(row: Row, error: Exception) -> InferenceError:
    """Return what a runtime said, in one line."""
    reason = shown_name(" ".join(str(error).split()).replace("/", " "), 160)
    return InferenceError(
        f"the network of {row.id} failed ({reason}): try a smaller size or another runtime."
    )


def _with_classes(checkpoint: Checkpoint, found: Labelled) -> Checkpoint:
    """Name as many classes as the network has; a label map only shows how many there are at least."""
    if found.class_count is not None:
        return checkpoint.with_class_count(found.class_count)
    seen = found.labels[found.labels != VOID]
    expected = len(checkpoint.classes) or checkpoint.row.num_classes or 1
    return checkpoint.with_class_count(max(int(seen.max(initial=0)) + 1, expected))


def _class_notes(given: Checkpoint, named: Checkpoint) -> Iterator[str]:
    if given.classes.names and len(given.classes) != len(named.classes):
        yield (
            f"The network has {len(named.classes)} classes, and {given.classes.words} are "
            f"{len(given.classes)}: they are shown without names."
        )


def _notes(found: Labelled, used: Size, job: Job) -> Iterator[str]:
    if used != job.size:
        yield f"The model has a fixed input of {used}, which was used instead of {job.size}."
    if found.kind == "probability":
        yield "The model gives one plane of values from 0 to 1: class 1 is where it is above 0.5."
    if found.kind == "logit":
        yield "The model gives one plane of real numbers, taken as logits: class 1 is where it is above 0."
    if found.kind == "labels" and (void := float((found.labels == VOID).mean())):
        yield f"{100 * void:.1f} % of the picture is void (255), which is no class."
    if job.confidence and found.confidence is None:
        yield "The model does not give its logits as real numbers: there is no confidence to show."
    if found.kind != "labels" and found.labels.size > FULL_PIXELS:
        yield (
            f"The picture has more than {FULL_PIXELS // 1_000_000} megapixels: the mask was made at about "
            "that many and brought to its size by nearest neighbour."
        )
