"""The .onnx of a row's network with its weights: exported once, kept in the cache folder, checked before use.

What is kept ends before the network's last bilinear resize, which `zoo.labelling` does.
A file's name says what it was made from (network, weights, code) and what it must hold (its own hash), so
that a change of either, or damage, makes a new one. The export itself runs in a process of its own
(`export_task`): a process that makes masks never imports torch for them.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import warnings
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from zoo import errors
from zoo.cache import exports_dir, hash_file, prune, touch, whole_file
from zoo.errors import InferenceError, NotNowError, shown_name
from zoo.families import families
from zoo.rows import Row
from zoo.runtimes.runtime import StepProgress
from zoo.sizes import Size
from zoo.weights.checkpoints import Checkpoint

if TYPE_CHECKING:
    from torch import nn

OPSET = 17
EXPORTING = [sys.executable, "-m", "zoo.runtimes.export_task"]
KEPT_EXPORTS = 30
"""Those beyond these that were used longest ago are removed."""

_one_export_at_a_time = Lock()


def exported(checkpoint: Checkpoint, size: Size, progress: StepProgress) -> Path:
    """Return the .onnx of the row's network with these weights, exporting it first if it is not there.

    Its logits are at the network's own stride where it ends in a bilinear resize to the input's size.
    Raises CheckpointError for weights that do not fit, NotNowError if the cache folder cannot be written,
    InferenceError where the process that exports dies.
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
    made_from = [*network, checkpoint.sha256, code_version()]
    if families()[network.family].fixed_size:
        made_from.append(str(size))
    return hashlib.sha256("|".join(made_from).encode()).hexdigest()[:24]


@lru_cache(maxsize=1)
def code_version() -> str:
    """Return a hash of the code that decides what an export computes."""
    package = Path(__file__).resolve().parent.parent
    here = Path(__file__)
    sources = [*sorted((package / "models").glob("*.py")), package / "weights" / "layouts.py"]
    sources += [here, here.with_name("last_resize.py")]
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
    fixed = families()[checkpoint.row.built.family].fixed_size
    folder = exports_dir()
    with whole_file(folder) as (part, _):
        write_elsewhere(checkpoint.row, checkpoint.path, size, part, dynamic=not fixed, whole=False)
        path = folder / f"{stem}.{hash_file(part)[:24]}.onnx"
        part.replace(path)
    prune(folder, "*.onnx", KEPT_EXPORTS)
    return path


def write_elsewhere(
    row: Row, weights: Path | None, size: Size, path: Path, *, dynamic: bool, whole: bool = True
) -> None:
    """Write a row's network to an .onnx file as `write_onnx` does, in a process of its own.

    `weights`: a file of tensors; None takes random ones. `whole`: with its last bilinear resize. Raises as
    `zoo.weights.layouts.build_for` does, OSError where the file cannot be written, and InferenceError where
    the process died.
    """
    order = {
        "id": row.id,
        "dataset": row.dataset,
        "model": row.model,
        "network": row.built,
        "num_classes": row.num_classes,
        "weights": None if weights is None else str(weights),
        "size": size,
        "out": str(path),
        "dynamic": dynamic,
        "whole": whole,
    }
    carry_out_elsewhere(order)


def carry_out_elsewhere(order: dict[str, Any]) -> None:
    """Have `zoo.runtimes.export_task` carry out an order; raises as `write_elsewhere` does."""
    home = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(
        EXPORTING,
        input=json.dumps(order),
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([home, *filter(None, [os.getenv("PYTHONPATH")])])},
        check=False,
    )
    if done.returncode == 0:
        return
    if done.stdout:
        refusal = json.loads(done.stdout)
        if refusal["kind"] == "OSError":
            raise OSError(refusal["words"])
        raise getattr(errors, refusal["kind"])(refusal["words"])
    reason = (done.stderr.strip().splitlines() or ["its process died, maybe for want of memory"])[-1]
    raise InferenceError(
        f"the network of {order['id']} could not be exported ({shown_name(reason.replace('/', ' '), 160)}): "
        "try a smaller size."
    )


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
