"""A row's network as an .onnx file that says what it is, checked against torch before it gets its name."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import zoo
from zoo.cache import whole_file
from zoo.catalog import check_row_size, find_row
from zoo.errors import FailedError, InputError, WeightsMissingError, shown_name
from zoo.families import families
from zoo.onnx_metadata import FileFacts
from zoo.rows import Row
from zoo.runtimes.export import write_onnx
from zoo.runtimes.memory import check_memory
from zoo.runtimes.onnxruntime_session import OnnxNetwork
from zoo.runtimes.runtime import StepProgress
from zoo.sizes import Size
from zoo.weights.checkpoints import MODEL_FORMATS, Checkpoint, name_classes, resolve

if TYPE_CHECKING:
    from torch import nn

TRACE_SIZE = Size(256, 128)
"""An export whose sizes are free is the same whatever it is traced at: small is quick."""
TOLERANCE = 1e-3
"""How far onnxruntime's logits may be from torch's, as a part of the largest."""
RANDOM = "random weights, which make no mask that means anything: for counting and timing"
SEED = 0


@dataclass(frozen=True)
class Export:
    """A file that was written, and what there is to say of it."""

    path: Path
    row: Row
    size: Size
    """At which it was checked; its only one unless `dynamic`."""
    dynamic: bool
    facts: FileFacts
    """What the file says of itself."""
    file_bytes: int
    largest_difference: float
    """Between onnxruntime's logits and torch's, as a part of the largest logit."""


def export(
    row_id: str | Row,
    out: str | os.PathLike[str],
    *,
    weights: str | os.PathLike[str] | None = None,
    size: tuple[int, int] | None = None,
    dynamic: bool = False,
    progress: StepProgress | None = None,
) -> Export:
    """Write a row's network to an .onnx file, and return what it is.

    `weights` as `zoo.predict` takes them; None takes the best that are a set of tensors, and random ones
    where there are none. `size` is the input's (width, height), the row's by default: the only one that the
    file takes, unless `dynamic`. The file has its name only once onnxruntime has run it and torch agrees.
    Raises UnknownIdError, NotOursError, SizeError, InputError, CheckpointError, WeightsMissingError for
    weights that were asked for by name, FailedError, NotNowError for a size that is too large for now, and
    OSError where the file cannot be written.
    """
    tell = progress or (lambda _: None)
    row, path = find_row(row_id), Path(out)
    asked = check_row_size(row, *(size or row.size))
    family = families()[row.built.family]
    if path.suffix.lower() != ".onnx" or path.is_dir():
        raise InputError(f"{shown_name(path)} cannot be written: give a name that ends in .onnx.")
    if dynamic and family.fixed_size:
        raise InputError(f"{row.name} has a graph for one size only: export it without --dynamic.")
    checkpoint = _weights(row, weights)
    check_memory(row, asked, whole=True)
    tell("Building the network")
    model, class_count = _model(row, checkpoint)
    facts = _facts(row, checkpoint, class_count, asked)
    with whole_file(path.parent, f"{path.stem}.") as (part, _):
        tell("Exporting it to ONNX")
        traced = _fitting(TRACE_SIZE, family.size_multiple) if dynamic else asked
        write_onnx(model, traced, part, dynamic=dynamic)
        _write_properties(part, facts)
        tell("Comparing onnxruntime with torch")
        sizes = [asked, _fitting(Size(asked.width // 2, asked.height), 32)] if dynamic else [asked]
        difference = max(_difference(model, part, one, path) for one in dict.fromkeys(sizes))
        file_bytes = part.stat().st_size
        part.replace(path)
    return Export(path, row, asked, dynamic, facts, file_bytes, difference)


def _fitting(size: Size, multiple: int) -> Size:
    return Size(*(-(-side // multiple) * multiple for side in size))


def _weights(row: Row, weights: str | os.PathLike[str] | None) -> Checkpoint | None:
    """Return the weights to export with, or None where there are none and none were asked for."""
    try:
        found = resolve(row, weights, "float")
        if found.format not in MODEL_FORMATS:
            return found
        if weights is not None:
            raise InputError(
                f"{shown_name(found.path)} is a whole model: give a .pth or .safetensors for this network."
            )
        return resolve(row, "bundled", "float")
    except WeightsMissingError:
        if weights is not None:
            raise
        return None


def _model(row: Row, checkpoint: Checkpoint | None) -> tuple[nn.Module, int]:
    """Return the network in eval mode, and how many classes it has."""
    import torch

    from zoo.models import build_model, check_classes
    from zoo.weights.layouts import build_for

    if checkpoint is None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(SEED)
            return build_model(row), check_classes(row.num_classes)
    model = build_for(row, checkpoint.path)
    width, height = _fitting(TRACE_SIZE, families()[row.built.family].size_multiple)
    with torch.inference_mode():
        return model, int(model(torch.zeros(1, 3, height, width)).shape[1])


def _facts(row: Row, checkpoint: Checkpoint | None, class_count: int, size: Size) -> FileFacts:
    family = families()[row.built.family]
    named = checkpoint.with_class_count(class_count) if checkpoint else None
    made_with = {"segselect": zoo.__version__} | {name: version(name) for name in ("torch", "onnx")}
    return FileFacts(
        row_id=row.id,
        weights=RANDOM if named is None else named.source,
        notice="" if named is None else named.notice,
        random=named is None,
        size=size,
        mean=family.mean if named is None else named.mean,
        std=family.std if named is None else named.std,
        classes=name_classes(row, class_count) if named is None else named.classes,
        versions=", ".join(f"{name} {number}" for name, number in made_with.items()),
    )


def _write_properties(path: Path, facts: FileFacts) -> None:
    """Write into the file what it says of itself."""
    import onnx

    model = onnx.load(path)
    model.producer_name, model.producer_version = "SegSelect", zoo.__version__
    onnx.helper.set_model_props(model, facts.as_properties())
    onnx.save(model, path)


def _difference(model: nn.Module, path: Path, size: Size, name: Path) -> float:
    """Return how far onnxruntime's logits are from torch's, or raise FailedError for too far."""
    import torch

    noise: Any = np.random.default_rng(SEED).normal(size=(1, 3, size.height, size.width))
    values = noise.astype(np.float32)
    with torch.inference_mode():
        expected = model(torch.from_numpy(values)).numpy()
    found = OnnxNetwork(path).run(values)
    if found.shape != expected.shape:
        raise FailedError(f"{shown_name(name)} was not written: its output has another shape than torch's.")
    largest = float(np.abs(expected).max()) or 1.0
    difference = float(np.abs(found - expected).max()) / largest
    if not difference <= TOLERANCE:  # a NaN is too far, too
        raise FailedError(
            f"{shown_name(name)} was not written: at {size} its logits are {difference:.2g} of the largest "
            f"away from torch's, and at most {TOLERANCE:g} is allowed."
        )
    return difference
