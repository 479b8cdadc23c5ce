"""The .onnx of a row's network with its weights: exported once, kept in the cache folder, checked before use.

A file's name says what it was made from (network, weights, code) and what it must hold (its own hash), so
that a change of either, or damage, makes a new one. In a process that finds it there torch is not imported.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from zoo.cache import exports_dir, hash_file, prune, touch, whole_file
from zoo.errors import NotNowError
from zoo.families import families
from zoo.runtimes.runtime import StepProgress
from zoo.sizes import Size
from zoo.weights.checkpoints import Checkpoint

if TYPE_CHECKING:
    from torch import nn

OPSET = 17
KEPT_EXPORTS = 30
"""Those beyond these that were used longest ago are removed."""

_one_export_at_a_time = Lock()


def exported(checkpoint: Checkpoint, size: Size, progress: StepProgress) -> Path:
    """Return the .onnx of the row's network with these weights, exporting it first if it is not there.

    Raises CheckpointError for weights that do not fit, NotNowError if the cache folder cannot be written.
    """
    if checkpoint.precision == "8bit":  # what was quantized is an .onnx already
        return checkpoint.path
    stem = _stem(checkpoint, size)
    with _one_export_at_a_time:
        found = _intact(stem)
        if found is None:
            progress("Exporting the network to ONNX (once for these weights)")
            try:
                found = _export(checkpoint, size, stem)
            except OSError as error:
                reason = error.strerror or str(error).splitlines()[0]
                raise NotNowError(
                    f"the exported network cannot be kept in {exports_dir()} ({reason}): make room there, or "
                    "name another folder in SEGSELECT_CACHE."
                ) from error
        return found


def _stem(checkpoint: Checkpoint, size: Size) -> str:
    network = checkpoint.row.built
    made_from = [*network, checkpoint.sha256, _code_version()]
    if families()[network.family].fixed_size:
        made_from.append(str(size))
    return hashlib.sha256("|".join(made_from).encode()).hexdigest()[:24]


@lru_cache(maxsize=1)
def _code_version() -> str:
    """Return a hash of the code that decides what an export computes."""
    package = Path(__file__).resolve().parent.parent
    sources = [*sorted((package / "models").glob("*.py")), package / "weights" / "layouts.py", Path(__file__)]
    digest = hashlib.sha256(f"{version('torch')} {version('timm')} {version('torchvision')}".encode())
    for source in sources:
        digest.update(source.read_bytes())
    return digest.hexdigest()


def _intact(stem: str) -> Path | None:
    """Return the kept file whose contents still are what its name says; remove damaged ones."""
    for path in exports_dir().glob(f"{stem}.*.onnx"):
        try:
            if hash_file(path)[:24] == path.name.split(".")[1]:
                touch(path)
                return path
        except FileNotFoundError:  # another server has just removed it
            continue
        path.unlink(missing_ok=True)
    return None


def _export(checkpoint: Checkpoint, size: Size, stem: str) -> Path:
    from zoo.weights.layouts import build_for

    network = checkpoint.row.built
    model = build_for(checkpoint.row, checkpoint.path)
    fixed = families()[network.family].fixed_size
    folder = exports_dir()
    with whole_file(folder) as (part, _):
        write_onnx(model, size, part, dynamic=not fixed)
        path = folder / f"{stem}.{hash_file(part)[:24]}.onnx"
        part.replace(path)
    prune(folder, "*.onnx", KEPT_EXPORTS)
    return path


def write_onnx(model: nn.Module, size: Size, path: Path, *, dynamic: bool) -> None:
    """Write a network in eval mode to an .onnx file for one input size, or for any if `dynamic`."""
    import torch

    free = {name: {2: "height", 3: "width"} for name in ("image", "logits")} if dynamic else None
    # The classic exporter announces its end, and warns of sizes that a fixed network fixes on purpose.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            (torch.zeros(1, 3, size.height, size.width),),
            os.fspath(path),
            opset_version=OPSET,
            input_names=["image"],
            output_names=["logits"],
            dynamic_axes=free,
            dynamo=False,  # the new exporter takes twenty times as long
        )
