"""Load weights into a network: under our own tensor names or the public checkpoints' ones, strictly."""

from __future__ import annotations

import os
import re
from pathlib import Path

import torch
from torch import Tensor, nn

from zoo.errors import CheckpointError, shown_name
from zoo.models import MAX_CLASSES, build_model
from zoo.weights.reading import read_state_dict

_BLOCK = r"^(encoder\.features\.s\d\.b\d+)\."
RULES = (
    # Texas Instruments' networks: one decoder in a list of them, and RegNetX under its first names.
    (r"^decoders\.0\.", "decoder."),
    (_BLOCK + r"f\.a\.", r"\1.conv1.conv."),
    (_BLOCK + r"f\.a_bn\.", r"\1.conv1.bn."),
    (_BLOCK + r"f\.b\.", r"\1.conv2.conv."),
    (_BLOCK + r"f\.b_bn\.", r"\1.conv2.bn."),
    (_BLOCK + r"f\.c\.", r"\1.conv3.conv."),
    (_BLOCK + r"f\.c_bn\.", r"\1.conv3.bn."),
    (_BLOCK + r"proj\.", r"\1.downsample.conv."),
    (_BLOCK + r"bn\.", r"\1.downsample.bn."),
    # torchvision's networks, which ours wrap.
    (r"^(backbone|classifier)\.", r"network.\1."),
)
"""(pattern, replacement) from public tensor names to ours; none matches a name of ours."""

CLASS_TENSORS = (
    "decoder.pred.1.0.weight",  # Edge AI Lite
    "decoder.logits.bias",  # TensorFlow DeepLab
    "network.classifier.4.bias",  # torchvision's DeepLabV3 and FCN
    "network.classifier.high_classifier.bias",  # torchvision's LR-ASPP
    "decoder.output_conv.bias",  # ERFNet
    "logits.2.bias",  # SwiftNet
)
"""In each family, a tensor of our names whose first side is the number of classes."""

SHOWN_DIFFERENCES = 3


def load_weights(model: nn.Module, path: str | os.PathLike[str]) -> None:
    """Load a .pth, .pt or .safetensors file into a network of `zoo.build_model`, strictly.

    The file has our tensor names or those of the public checkpoints; `aux_classifier.*` of torchvision's
    files is dropped. The network changes only if all of it fits. Raises CheckpointError for a file that
    `read_state_dict` refuses, or that does not fit, naming the first tensors that differ with both shapes.
    """
    _fill(model, to_our_names(read_state_dict(path)), shown_name(Path(path)))


def build_for(row_id: str, path: str | os.PathLike[str]) -> nn.Module:
    """Return the row's network, in eval mode, with the weights of a file and as many classes as the file has.

    Raises as `load_weights` and `zoo.build_model` do.
    """
    state = to_our_names(read_state_dict(path))
    model = build_model(row_id, num_classes=class_count(state), device="meta")
    _fill(model, state, shown_name(Path(path)))
    return model


def class_count(state: dict[str, Tensor]) -> int | None:
    """Return the number of classes that tensors under our names are for; None if they do not tell."""
    counts = (state[name].shape[0] for name in CLASS_TENSORS if name in state and state[name].ndim)
    return next((count for count in counts if 1 <= count <= MAX_CLASSES), None)


def to_our_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors under the names of our networks, without torchvision's auxiliary head."""
    if any(name.startswith("backbone.") for name in state):
        state = {name: value for name, value in state.items() if not name.startswith("aux_classifier.")}
    return {_rename(name): value for name, value in state.items()}


def _rename(name: str) -> str:
    for pattern, replacement in RULES:
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
