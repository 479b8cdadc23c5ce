"""Load weights into a network: under our own tensor names or the public checkpoints' ones, strictly."""

from __future__ import annotations

import os
import re
from pathlib import Path

import torch
from torch import Tensor, nn

from zoo.catalog import find_row
from zoo.errors import CheckpointError, shown_name
from zoo.limits import MAX_CLASSES
from zoo.models import build_model, family
from zoo.models.family import Family
from zoo.rows import Row
from zoo.weights.reading import read_state_dict

SHOWN_DIFFERENCES = 3


def load_weights(model: nn.Module, path: str | os.PathLike[str]) -> None:
    """Load a .pth, .pt or .safetensors file into a network of `zoo.build_model`, strictly.

    The file has our tensor names or those of the public checkpoints; `aux_classifier.*` of torchvision's
    files is dropped. The network changes only if all of it fits. Raises CheckpointError for a file that
    `read_state_dict` refuses, or that does not fit, naming the first tensors that differ with both shapes.
    """
    state = read_state_dict(path)
    key = getattr(model, "family", None)  # left there by build_network
    _fill(model, to_our_names(state, family(key)) if isinstance(key, str) else state, shown_name(Path(path)))


def build_for(row: str | Row, path: str | os.PathLike[str]) -> nn.Module:
    """Return a row's network, in eval mode, with the weights of a file and as many classes as the file has.

    Raises as `load_weights` and `zoo.build_model` do.
    """
    found = find_row(row)
    known = family(found.built.family)
    state = to_our_names(read_state_dict(path), known)
    model = build_model(found, num_classes=class_count(state, known), device="meta")
    _fill(model, state, shown_name(Path(path)))
    return model


def class_count(state: dict[str, Tensor], known: Family) -> int | None:
    """Return the number of classes that tensors under our names are for; None if they do not tell."""
    counts = (state[name].shape[0] for name in known.class_tensors if name in state and state[name].ndim)
    return next((count for count in counts if 1 <= count <= MAX_CLASSES), None)


def to_our_names(state: dict[str, Tensor], known: Family) -> dict[str, Tensor]:
    """Return the tensors under the names of our networks, without those that only training uses."""
    kept = {
        name: value
        for name, value in state.items()
        if not known.dropped or not name.startswith(known.dropped)
    }
    return {_rename(name, known): value for name, value in kept.items()}


def _rename(name: str, known: Family) -> str:
    for pattern, replacement in known.renames:
        name = re.sub(pattern, replacement, name)
    return name


def _fill(model: nn.Module, state: dict[str, Tensor], name: str) -> None:
    own = model.state_dict()
    # A counter for training that files in half precision and old ones lack; inference never reads it.
    counters = {key: torch.zeros_like(own[key], device="cpu") for key in own if _is_counter(key)}
    state = counters | state
    different = _differences(own, state)
    if different:
        shown = "; ".join(different[:SHOWN_DIFFERENCES])
        more = (
            f"; and {len(different) - SHOWN_DIFFERENCES:,} more" if len(different) > SHOWN_DIFFERENCES else ""
        )
        raise CheckpointError(
            f"{name} does not fit this network: {shown}{more}. Choose the row that it was trained for."
        )
    cast = {key: state[key].to(value.dtype) for key, value in own.items()}
    on_meta = any(value.is_meta for value in own.values())  # nothing there to copy into
    model.load_state_dict(cast, assign=on_meta)


def _is_counter(key: str) -> bool:
    return key.endswith(".num_batches_tracked")


def _differences(own: dict[str, Tensor], state: dict[str, Tensor]) -> list[str]:
    """Return in words where two sets of tensors differ: the network's in order, then the file's others."""
    different = []
    for key, value in own.items():
        if key not in state:
            different.append(f"{key} {tuple(value.shape)} is not in the file")
        elif state[key].shape != value.shape:
            different.append(f"{key} is {tuple(state[key].shape)} in the file, {tuple(value.shape)} here")
    unknown = (key for key in state if key not in own)
    different += [f"{shown_name(key, 120)} {tuple(state[key].shape)} is only in the file" for key in unknown]
    return different
