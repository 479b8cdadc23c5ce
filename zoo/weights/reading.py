"""Read a file of weights as if it came from a stranger: tensors only, never code, within the limits."""

from __future__ import annotations

import os
import pickle
import re
import struct
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from zoo import limits
from zoo.errors import CheckpointError, shown_name

WRAPPERS = ("state_dict", "model_state")
"""Where a training script's file keeps the tensors, if not at its top."""

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
INTEGERS = (torch.int32, torch.int64)

_GIVE = "give a state_dict: torch.save(model.state_dict(), ...)"
# What torch.load and safetensors raise for files that are cut short, damaged, or something else entirely.
_UNREADABLE = (
    RuntimeError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    EOFError,
    OSError,
    AssertionError,
    MemoryError,
    OverflowError,
    zipfile.BadZipFile,
    SafetensorError,
    struct.error,
)


def read_state_dict(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Return the tensors of a .pth, .pt or .safetensors file by name, floats as float32.

    A .pth holds them directly, or under `state_dict` or `model_state`; a prefix `module.` of all names is
    taken off. No code in the file is ever run. Raises CheckpointError, naming the file, for anything but
    finite, plain tensors within the limits of zoo.limits.
    """
    file = Path(path)
    name = shown_name(file)
    suffix = file.suffix.lower()
    if suffix not in (".pth", ".pt", ".safetensors"):
        raise CheckpointError(f"{name} is not a file of weights: it must end in .pth, .pt or .safetensors.")
    _check_file(file, name)
    # Loading strange tensors warns about their rarity and about torch's own future: no news to a visitor.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        content = _load_safetensors(file, name) if suffix == ".safetensors" else _load_pickle(file, name)
    return _checked(content, name)


def _check_file(file: Path, name: str) -> None:
    try:
        size = file.stat().st_size
        regular = file.is_file()
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise CheckpointError(f"{name} cannot be read: {reason}.") from error
    if not regular:
        raise CheckpointError(f"{name} is not a file: give the path of your weights.")
    if size == 0:
        raise CheckpointError(f"{name} is empty: give a file with weights in it.")
    if size > limits.MODEL_BYTES:
        raise _too_large(name, size)


def _too_large(name: str, size: int) -> CheckpointError:
    return CheckpointError(
        f"{name} has {size / limits.MEGABYTE:,.0f} MB of weights: "
        f"at most {limits.MODEL_BYTES // limits.MEGABYTE} MB are read."
    )


def _load_safetensors(file: Path, name: str) -> Mapping[str, Tensor]:
    try:
        return load_file(file)
    except _UNREADABLE as error:
        raise CheckpointError(f"{name} is damaged, or not a safetensors file: save it again.") from error


def _load_pickle(file: Path, name: str) -> object:
    try:
        _check_archive(file, name)
        return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        found = re.search(r"GLOBAL (\S+)", str(error))
        if found:
            raise CheckpointError(
                f"{name} holds more than tensors ({shown_name(found[1])}), as a whole pickled module does; "
                f"nothing of it was run: {_GIVE}."
            ) from error
        raise CheckpointError(f"{name} is not a file of PyTorch weights: {_GIVE}.") from error
    except _UNREADABLE as error:
        raise CheckpointError(f"{name} is cut short, damaged, or not a file of PyTorch weights.") from error


def _check_archive(file: Path, name: str) -> None:
    """Refuse TorchScript, and an archive that unpacks to more than the limit."""
    with file.open("rb") as opened:
        if opened.read(4) != b"PK\x03\x04":  # how torch.load tells, too
            return  # the format before PyTorch 1.6
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
    if any(entry.filename.endswith("/constants.pkl") for entry in entries):
        raise CheckpointError(f"{name} is a TorchScript program, and programs are not run: {_GIVE}.")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > limits.MODEL_BYTES:
        raise _too_large(name, unpacked)


def _checked(content: object, name: str) -> dict[str, Tensor]:
    """Return the named tensors in a file's content, or raise CheckpointError for the first bad one."""
    named = content
    if isinstance(content, Mapping):
        named = next((content[key] for key in WRAPPERS if isinstance(content.get(key), Mapping)), content)
    if not isinstance(named, Mapping):
        raise CheckpointError(f"{name} holds a {type(named).__name__}, not tensors by name: {_GIVE}.")
    if not named:
        raise CheckpointError(f"{name} holds no tensors: {_GIVE}.")
    if len(named) > limits.MODEL_TENSORS:
        raise CheckpointError(
            f"{name} holds {len(named):,} tensors: at most {limits.MODEL_TENSORS:,} are read."
        )
    for key, value in named.items():
        fault = _fault(key, value)
        if fault:
            raise CheckpointError(f"{name}: {_shown_tensor(key)} {fault}.")
    # Strides can make a small file look like any number of values: count before anything is copied.
    size = sum(value.numel() * max(value.element_size(), 4) for value in named.values())
    if size > limits.MODEL_BYTES:
        raise _too_large(name, size)
    # Copied, so that nothing depends on the file any more.
    state = {key: _plain_copy(value) for key, value in named.items()}
    endless = [key for key, value in state.items() if not bool(torch.isfinite(value).all())]
    if endless:
        others = f" and {len(endless) - 1} more" if len(endless) > 1 else ""
        raise CheckpointError(f"{name}: {_shown_tensor(endless[0])}{others} has NaN or infinite values.")
    return _without_prefix(state, "module.")


def _fault(key: Any, value: Any) -> str:
    """Return what is wrong with an entry of a file, or nothing."""
    if not isinstance(key, str) or not isinstance(value, Tensor):
        return f"is a {type(value).__name__}, not a tensor with a name: {_GIVE}"
    if value.layout != torch.strided:
        return "is a sparse tensor: only dense ones are read"
    if value.device.type != "cpu":
        return "has no values: it was saved from the meta device"
    if value.is_quantized or value.dtype not in FLOATS + INTEGERS:
        return f"has values of type {value.dtype}: floating-point ones are read"
    repeats = any(stride == 0 and side > 1 for stride, side in zip(value.stride(), value.shape, strict=True))
    if repeats or value.numel() * value.element_size() > value.untyped_storage().nbytes():
        return "repeats the same values through its strides: save it with .contiguous()"
    return ""


def _plain_copy(value: Tensor) -> Tensor:
    dtype = torch.float32 if value.is_floating_point() else value.dtype
    return value.detach().to(dtype, copy=True)


def _shown_tensor(key: object) -> str:
    return shown_name(str(key), 120)


def _without_prefix(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    if all(key.startswith(prefix) for key in state):
        return {key.removeprefix(prefix): value for key, value in state.items()}
    return state
