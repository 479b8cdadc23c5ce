"""A network with weights and pictures become the same network in 8 bits: static post-training quantization.

Two passes over the pictures, one at a time: the first finds the range of every tensor, the second holds the
8-bit network against the float one. Nothing grows with their number.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from zoo import limits
from zoo.errors import InferenceError, InputError, shown_name
from zoo.images import ImageSource, read_image
from zoo.preprocessing import fit_picture, normalise
from zoo.quantization.ranges import METHODS, Histogram, Method, Range
from zoo.runtimes.runtime import InputSpec
from zoo.sizes import Size

if TYPE_CHECKING:
    import onnx

    from zoo.quantization.graph import Prepared

Told = Callable[[str, int, int], None]
"""Told what is done, how many pictures are done and how many there are."""

_GROUP_BYTES = 256_000_000
"""Of a network's tensors, as many at a time as fit in here."""
_PIXELS = InputSpec(dtype="uint8")
NOISE_PICTURES = 8
"""How many pictures, evenly taken, the signal to noise is measured on."""


@dataclass(frozen=True)
class LayerNoise:
    """What 8 bits make of one layer."""

    name: str
    snr_db: float | None
    """Signal to noise of its output, in decibels, with the noise of all layers before it; None if no value
    of it was wrong, or none was other than 0."""
    weights_snr_db: float | None
    """Signal to noise of its weights; None where they stay in float."""


@dataclass(frozen=True)
class Quantized:
    """A network in 8 bits, with what it lost on the pictures that it was calibrated on."""

    method: Method
    pictures: int
    size: Size
    class_count: int
    agreement: float
    """Percent of the positions of the network's own output that get the class that they get in float."""
    layers: tuple[LayerNoise, ...]
    """In the network's order."""
    float_bytes: int
    """The size of the float file."""
    seconds: float
    """In total."""
    calibration_seconds: float
    """Of these, for the ranges."""
    model: bytes = field(repr=False)
    """An .onnx in QDQ format: uint8 RGB (1, 3, H, W) in, float logits out, at the network's own stride."""

    @property
    def worst(self) -> tuple[LayerNoise, ...]:
        """The layers by signal to noise, the noisiest first."""
        heard = [layer for layer in self.layers if layer.snr_db is not None]
        return tuple(sorted(heard, key=lambda layer: layer.snr_db or 0.0))

    @property
    def calibration(self) -> dict[str, Any]:
        """How it was made and what that cost, as kept beside the file and, as text, in it."""
        return {
            "method": self.method,
            "pictures": self.pictures,
            "input_size": str(self.size),
            "agreement_pct": round(self.agreement, 2),
        }


def check_pictures(count: int) -> None:
    """Raise InputError unless there are enough pictures to calibrate on."""
    if count < limits.CALIBRATION_PICTURES:
        raise InputError(
            f"{count} picture{'s'[: count != 1]} to calibrate on: give at least "
            f"{limits.CALIBRATION_PICTURES} of the kind that the network will see."
        )


def check_method(method: str) -> None:
    """Raise InputError for a method that there is not."""
    if method not in METHODS:
        raise InputError(f"method {method!r} cannot be used: give one of {', '.join(METHODS)}.")


def quantize_onnx(
    model: bytes,
    pictures: Sequence[ImageSource],
    *,
    mean: Sequence[float],
    std: Sequence[float],
    size: Size,
    method: Method = "percentile",
    progress: Told | None = None,
) -> Quantized:
    """Quantize a float network: weights to 8 bits symmetric per channel, activations to 8 bits per tensor.

    `model` is an .onnx as zoo.runtimes.export makes it, whose input is (x - mean) / std; each picture is
    resized to `size`, read when it is its turn, and read again for the second pass. The last layer and the
    resize of its logits stay in float.
    Raises InputError for too few pictures or another method, ImageError, and InferenceError.
    """
    from zoo.quantization import graph

    began = time.perf_counter()
    check_pictures(len(pictures))
    check_method(method)
    tell = progress or (lambda *_: None)
    prepared = graph.prepare(model, mean, std)
    stored = graph.stored_tensors(graph.quantize_graph(prepared))
    groups = list(_groups(graph.tensor_bytes(prepared, size), stored))
    floats = _Session(prepared.model, [*stored, prepared.output])
    ranges = _ranges(prepared, floats, groups, pictures, size, method, tell)
    calibrated = time.perf_counter()
    quantized = graph.quantize_graph(prepared, ranges)
    agreement, class_count, noise = _compare(prepared, floats, quantized, groups, pictures, size, tell)
    return Quantized(
        model=graph.with_properties(quantized, prepared.properties),
        method=method,
        pictures=len(pictures),
        size=size,
        class_count=class_count,
        agreement=agreement,
        layers=tuple(_layers(prepared, quantized, noise)),
        float_bytes=len(model),
        seconds=time.perf_counter() - began,
        calibration_seconds=calibrated - began,
    )


class _Session:
    """An onnxruntime session that gives any of a network's tensors."""

    def __init__(self, model: onnx.ModelProto, names: Sequence[str]) -> None:
        import onnx
        import onnxruntime

        shown = onnx.ModelProto()
        shown.CopyFrom(model)
        there = {output.name for output in shown.graph.output}
        shown.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in there)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        self._session = onnxruntime.InferenceSession(
            shown.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name

    def tensors(self, names: Sequence[str], values: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
        """Return tensors by name for one input. Raises InferenceError."""
        try:
            return self._session.run(list(names), {self._input: values})
        except Exception as error:  # onnxruntime raises its own kinds, with many lines
            reason = shown_name(" ".join(str(error).split()).replace("/", " "), 160)
            raise InferenceError(f"the network failed while it was calibrated ({reason}).") from error


def _groups(sizes: Mapping[str, int], names: Iterable[str]) -> Iterator[list[str]]:
    """Yield the names in their order, as many together as _GROUP_BYTES holds; one of unknown size alone."""
    group: list[str] = []
    held = 0
    for name in names:
        size = sizes.get(name, _GROUP_BYTES)
        if group and held + size > _GROUP_BYTES:
            yield group
            group, held = [], 0
        group.append(name)
        held += size
    if group:
        yield group


def _pixels(picture: ImageSource, size: Size) -> npt.NDArray[Any]:
    """Return a picture as the network takes it, uint8 (1, 3, H, W)."""
    rgb, _ = fit_picture(read_image(picture).rgb, size, "stretch", (0.0, 0.0, 0.0))
    return normalise(rgb, _PIXELS, (0.0,) * 3, (1.0,) * 3)


def _ranges(
    prepared: Prepared,
    floats: _Session,
    groups: Sequence[Sequence[str]],
    pictures: Sequence[ImageSource],
    size: Size,
    method: Method,
    tell: Told,
) -> dict[str, Range]:
    found: dict[str, Histogram] = {name: Histogram() for group in groups for name in group}
    for done, picture in enumerate(pictures):
        tell("Finding the ranges", done, len(pictures))
        values = prepared.values(_pixels(picture, size))
        for group in groups:
            for name, tensor in zip(group, floats.tensors(group, values), strict=True):
                try:
                    found[name].add(tensor)
                except ValueError as error:
                    raise InferenceError(
                        f"the network gives {error} (NaN or infinite) inside: use other weights."
                    ) from error
    return {name: histogram.find(method) for name, histogram in found.items()}


@dataclass
class _Noise:
    """Sums of squares: what a tensor is, and how far it is off."""

    signal: float = 0.0
    noise: float = 0.0

    def add(self, true: npt.NDArray[Any], other: npt.NDArray[Any]) -> None:
        self.signal += float(np.vdot(true, true))
        difference = other - true
        self.noise += float(np.vdot(difference, difference))

    @property
    def decibels(self) -> float | None:
        """None where either is nothing."""
        return 10 * math.log10(self.signal / self.noise) if self.signal and self.noise else None


def _compare(
    prepared: Prepared,
    floats: _Session,
    quantized: onnx.ModelProto,
    groups: Sequence[Sequence[str]],
    pictures: Sequence[ImageSource],
    size: Size,
    tell: Told,
) -> tuple[float, int, dict[str, _Noise]]:
    """Return the agreement in percent, the number of classes, and the noise of each tensor."""
    from zoo.quantization.graph import stored_tensors

    stored = stored_tensors(quantized)
    eights = _Session(quantized, [name for name, _, _ in stored.values()])
    noise = {name: _Noise() for name in [*stored, prepared.output]}
    heard = set(np.linspace(0, len(pictures) - 1, min(NOISE_PICTURES, len(pictures))).round().astype(int))
    equal = positions = 0
    for done, picture in enumerate(pictures):
        tell("Comparing with float", done, len(pictures))
        pixels = _pixels(picture, size)
        values = prepared.values(pixels)
        (true,) = floats.tensors([prepared.output], values)
        (other,) = eights.tensors([prepared.output], pixels)
        same = true.argmax(1) == other.argmax(1)
        equal += int(same.sum())
        positions += same.size
        if done not in heard:
            continue
        noise[prepared.output].add(true, other)
        for group in groups:
            integers = eights.tensors([stored[name][0] for name in group], pixels)
            for name, tensor, small in zip(group, floats.tensors(group, values), integers, strict=True):
                _, scale, zero = stored[name]
                noise[name].add(tensor, (small.astype(np.float32) - zero) * np.float32(scale))
    return 100 * equal / positions, true.shape[1], noise


def _layers(
    prepared: Prepared, quantized: onnx.ModelProto, noise: Mapping[str, _Noise]
) -> Iterator[LayerNoise]:
    from zoo.quantization import graph

    for name, weight, output in graph.layers(prepared):
        small = graph.dequantized_weights(quantized, weight)
        own = _Noise()
        if small is not None:
            own.add(graph.constant(prepared.model, weight).astype(np.float64), small)
        if output in noise:
            yield LayerNoise(name, noise[output].decibels, own.decibels)
