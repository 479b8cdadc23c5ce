"""A row's network in 8 bits: its weights exported, calibrated on pictures, named, kept for later masks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

import onnx

import zoo
from zoo.cache import quantized_dir
from zoo.catalog import check_row_size, find_row
from zoo.errors import InputError, NotNowError, shown_name
from zoo.images import ImageSource
from zoo.onnx_metadata import PREFIX, FileFacts
from zoo.quantization import Quantized, Told, check_method, check_pictures, quantize_onnx
from zoo.quantization.graph import with_properties
from zoo.quantization.ranges import Method
from zoo.rows import Row
from zoo.runtimes.export import exported
from zoo.runtimes.memory import check_memory
from zoo.weights.checkpoints import MODEL_FORMATS, Checkpoint, resolve
from zoo.weights.quantized import keep_quantized


def quantize(
    row_id: str | Row,
    images: Sequence[ImageSource],
    *,
    weights: str | os.PathLike[str] | None = None,
    size: tuple[int, int] | None = None,
    method: Method = "percentile",
    keep: bool = True,
    progress: Told | None = None,
) -> Quantized:
    """Quantize a row's network with its weights to 8 bits, calibrated on pictures.

    `weights` and `size` as `zoo.predict` takes them; `images` of any size, at least as many as
    zoo.limits.CALIBRATION_PICTURES. With `keep`, masks in 8 bits from the same weights use it from now on.
    Raises what `zoo.predict` raises, and InputError for too few pictures, another method, or weights that
    are a whole model.
    """
    row = find_row(row_id)
    check_pictures(len(images))
    check_method(method)
    asked = check_row_size(row, *(size or row.size))
    checkpoint = resolve(row, weights, "float")
    if checkpoint.format in MODEL_FORMATS:
        raise InputError(
            f"{shown_name(checkpoint.path)} is a whole model: give the .pth or .safetensors behind it."
        )
    check_memory(row, asked)
    tell = progress or (lambda *_: None)
    path = exported(checkpoint, asked, lambda words: tell(words, 0, len(images)))
    found = quantize_onnx(
        path.read_bytes(),
        images,
        mean=checkpoint.mean,
        std=checkpoint.std,
        size=asked,
        method=method,
        progress=progress,
    )
    found = replace(found, model=named(found, checkpoint))
    if keep:
        try:
            keep_quantized(row.built, checkpoint.sha256, found.model, found.calibration)
        except OSError as error:
            raise NotNowError(
                f"the network in 8 bits cannot be kept in {quantized_dir()} ({error.strerror or error}): "
                "make room there, or name another folder in SEGSELECT_CACHE."
            ) from error
    return found


def named(found: Quantized, checkpoint: Checkpoint) -> bytes:
    """Return the file of an 8-bit network with what there is to say of it: whose weights, whose classes."""
    model = onnx.load_model_from_string(found.model)
    classes = checkpoint.with_class_count(found.class_count).classes
    facts = FileFacts(
        row_id=checkpoint.row.id,
        weights=checkpoint.source,
        notice=checkpoint.notice,
        size=found.size,
        mean=checkpoint.mean,
        std=checkpoint.std,
        classes=classes,
        versions=f"segselect {zoo.__version__}, onnx {onnx.__version__}",
    )
    calibration = {f"{PREFIX}calibration_{key}": str(value) for key, value in found.calibration.items()}
    return with_properties(model, {**facts.as_properties(), f"{PREFIX}precision": "8bit", **calibration})
