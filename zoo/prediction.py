"""A mask of a picture: picture -> input -> raw output -> label map, with what to say of it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil
from PIL import Image

from zoo.catalog import check_row_size, find_row
from zoo.classes import LabelMap
from zoo.costs import costs_of
from zoo.errors import InferenceError, InputError, shown_name
from zoo.images import ImageSource, Picture, read_image
from zoo.labelling import FULL_PIXELS, as_planes, label
from zoo.rows import Row
from zoo.runtimes import InputSpec, Network, StepProgress
from zoo.sizes import Size
from zoo.weights.checkpoints import Checkpoint, resolve

FITS = ("stretch", "pad")
RUNTIMES = ("onnxruntime", "torch", "litert")
_RUNTIMES_OF = {"onnx": ("onnxruntime",), "tflite": ("litert",)}
_KEPT_NETWORKS = 3


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


def predict(
    row_id: str | Row,
    image: ImageSource | Picture,
    *,
    weights: str | os.PathLike[str] | None = None,
    size: tuple[int, int] | None = None,
    fit: str = "stretch",
    runtime: str | None = None,
    confidence: bool = False,
    progress: StepProgress | None = None,
) -> Prediction:
    """Make the mask of a picture with a row's network.

    `image` is a path, a file's bytes, a Pillow image, uint8 RGB (H, W, 3), or a Picture. `weights` is
    "published", "bundled", a path, or None for the best there is. `size` is the input's (width, height), the
    row's by default; a model file of a fixed size keeps its own. `fit` "stretch" resizes the picture to it,
    as the published evaluation does; "pad" keeps its proportions and fills up with the mean colour. `runtime`
    is "onnxruntime", "torch" or "litert"; None takes the one for the weights' file. `progress` is told each
    step.
    Raises UnknownIdError, SizeError, ImageError, CheckpointError, ModelFileError, WeightsMissingError,
    InferenceError or InputError, each with one line.
    """
    start = time.perf_counter()
    if fit not in FITS:
        raise InputError(f"fit {fit!r} cannot be used: give one of {', '.join(FITS)}.")
    watch = _Watch(progress or (lambda _: None))
    row = find_row(row_id)
    asked = check_row_size(row, *(size or row.size))
    checkpoint = resolve(row, weights)
    _check_memory(row, asked)
    chosen = _runtime_for(checkpoint, runtime)
    with watch.step("decode", "Reading the picture"):
        picture = image if isinstance(image, Picture) else read_image(image)
    with _network(checkpoint, chosen, asked, watch) as network:
        used = Size(network.spec.width or asked.width, network.spec.height or asked.height)
        with watch.step("preprocess", "Preparing the input"):
            values, part = _input(picture.rgb, used, fit, network.spec, checkpoint)
        with watch.step("inference", f"Running the network in {chosen}"):
            output = _run(network, values, checkpoint)
    with watch.step("postprocess", "Making the mask"):
        planes = as_planes(output, used)
        height, width = picture.rgb.shape[:2]
        checkpoint = _with_classes(checkpoint, planes)
        found = label(planes, Size(width, height), checkpoint.classes, used=part, confidence=confidence)
    return Prediction(
        label_map=found,
        rgb=picture.rgb,
        weights=checkpoint,
        runtime=chosen,
        size=used,
        seconds=time.perf_counter() - start,
        timings=watch.seconds,
        notes=(*picture.changes, *_notes(found, planes, used, asked, confidence)),
    )


def _check_memory(row: Row, size: Size) -> None:
    """Refuse a job that would push everything else out of memory. Activations grow with the input's area."""
    counted_at, values = next(iter(costs_of(row).peak_activation_values.items()))
    growth = (size.width * size.height) / (counted_at.width * counted_at.height)
    needed = values * 4 * growth
    free = psutil.virtual_memory().available
    if needed > free / 2:
        raise InferenceError(
            f"{row.id} at {size} needs about {needed / 1e9:.1f} GB, and half of the free memory is "
            f"{free / 2e9:.1f} GB: use a smaller size."
        )


def _runtime_for(checkpoint: Checkpoint, runtime: str | None) -> str:
    if runtime is not None and runtime not in RUNTIMES:
        raise InputError(f"runtime {runtime!r} cannot be used: give one of {', '.join(RUNTIMES)}.")
    possible = _RUNTIMES_OF.get(checkpoint.format, ("onnxruntime", "torch"))
    if runtime is not None and runtime not in possible:
        raise InputError(
            f"runtime {runtime!r} cannot run {shown_name(checkpoint.path)}: use {' or '.join(possible)}."
        )
    return runtime or possible[0]


@contextmanager
def _network(checkpoint: Checkpoint, runtime: str, size: Size, watch: _Watch) -> Iterator[Network]:
    """Give the network ready to run: ours from the cache, a model file in a process of its own."""
    if checkpoint.format in _RUNTIMES_OF:
        from zoo.runtimes.sandbox import SandboxedNetwork

        with watch.step("load", "Loading the model in a process of its own"):
            sandboxed = SandboxedNetwork(checkpoint.path, checkpoint.format)
        with sandboxed:
            yield sandboxed
        return
    with watch.step("load", "Loading the network"):
        if runtime == "torch":
            network: Network = _torch_network(checkpoint.row, str(checkpoint.path), checkpoint.sha256)
        else:
            from zoo.runtimes.export import exported

            network = _onnx_network(str(exported(checkpoint, size, watch.progress)))
    yield network


@lru_cache(maxsize=_KEPT_NETWORKS)
def _onnx_network(path: str) -> Network:
    from zoo.runtimes.onnxruntime_session import OnnxNetwork

    return OnnxNetwork(path)


@lru_cache(maxsize=_KEPT_NETWORKS)
def _torch_network(row: Row, path: str, _sha256: str) -> Network:
    from zoo.runtimes.torch_module import TorchNetwork

    return TorchNetwork(row, path)


def _input(
    rgb: npt.NDArray[np.uint8], size: Size, fit: str, spec: InputSpec, checkpoint: Checkpoint
) -> tuple[npt.NDArray[Any], tuple[float, float]]:
    """Return the picture as the network takes it, and the part of width and height that it fills."""
    height, width = rgb.shape[:2]
    content = size
    if fit == "pad":
        scale = min(size.width / width, size.height / height)
        content = Size(max(1, round(width * scale)), max(1, round(height * scale)))
    if content != (width, height):
        # Pillow's bilinear averages over what it shrinks: the antialiasing that networks know from training.
        rgb = np.asarray(Image.fromarray(rgb).resize(content, Image.Resampling.BILINEAR))
    if content != size:
        canvas = np.empty((size.height, size.width, 3), np.uint8)
        canvas[:] = np.round(checkpoint.mean)
        canvas[: content.height, : content.width] = rgb
        rgb = canvas
    part = (content.width / size.width, content.height / size.height)
    return _normalised(rgb, spec, checkpoint), part


def _normalised(rgb: npt.NDArray[np.uint8], spec: InputSpec, checkpoint: Checkpoint) -> npt.NDArray[Any]:
    if spec.dtype in ("uint8", "int8"):
        raw = rgb if spec.dtype == "uint8" else (rgb ^ 0x80).view(np.int8)  # x - 128
        return np.ascontiguousarray(raw.transpose(2, 0, 1) if spec.layout == "NCHW" else raw)[None]
    values = np.empty((3, *rgb.shape[:2]), np.float32)
    for channel, (mean, std) in enumerate(zip(checkpoint.mean, checkpoint.std, strict=True)):
        np.multiply(rgb[..., channel], np.float32(1 / std), out=values[channel])
        values[channel] -= np.float32(mean / std)
    arranged = values if spec.layout == "NCHW" else values.transpose(1, 2, 0)
    return np.ascontiguousarray(arranged, dtype=spec.dtype)[None]


def _run(network: Network, values: npt.NDArray[Any], checkpoint: Checkpoint) -> npt.NDArray[Any]:
    try:
        return network.run(values)
    except InferenceError:
        raise
    except Exception as error:  # onnxruntime and torch raise their own kinds, with many lines
        reason = shown_name(" ".join(str(error).split()).replace("/", " "), 160)
        raise InferenceError(
            f"the network of {checkpoint.row.id} failed ({reason}): try a smaller size or another runtime."
        ) from error


def _with_classes(checkpoint: Checkpoint, planes: npt.NDArray[Any]) -> Checkpoint:
    """Name as many classes as the network has; a label map only shows how many there are at least."""
    if planes.ndim == 3:
        return checkpoint.with_class_count(len(planes))
    expected = len(checkpoint.classes) or checkpoint.row.num_classes or 1
    return checkpoint.with_class_count(max(int(planes.max()) + 1, expected))


def _notes(
    found: LabelMap, planes: npt.NDArray[Any], used: Size, asked: Size, confidence: bool
) -> Iterator[str]:
    if used != asked:
        yield f"The model has a fixed input of {used}, which was used instead of {asked}."
    if confidence and found.confidence is None:
        yield "The model does not give its logits as real numbers: there is no confidence to show."
    if planes.ndim == 3 and found.labels.size > FULL_PIXELS:
        yield (
            f"The picture has more than {FULL_PIXELS // 1_000_000} megapixels: the mask was made at about "
            "that many and brought to its size by nearest neighbour."
        )
