"""Runtimes: the one list of them, read by prediction, the command line and the pages.

A runtime is a file here that ends in `RUNTIME = Runtime(...)`, and its line in _FILES. Beside them: `export`
makes and keeps the .onnx of a row's network, `isolated` (with its `worker`) works on a file from outside in a
process of its own, where `strangers` runs it, as `sandbox` asks.
"""

from __future__ import annotations

from importlib import import_module

from zoo.errors import InputError
from zoo.runtimes.runtime import InputSpec, Network, Runtime, StepProgress

__all__ = ["RUNTIMES", "InputSpec", "Network", "Runtime", "StepProgress", "choose_runtime", "find_runtime"]

_FILES = (
    "onnxruntime_session",
    "torch_module",
    "litert",
    "openvino_model",
)


def _runtime_of(file: str) -> Runtime:
    found = import_module(f"{__name__}.{file}").RUNTIME
    if not isinstance(found, Runtime):
        raise TypeError(f"{file}.RUNTIME is no Runtime")
    return found


_ALL = tuple(map(_runtime_of, _FILES))
RUNTIMES: dict[str, Runtime] = {runtime.name: runtime for runtime in _ALL}
"""By name; of those that can run a file, the first is taken by default."""


def find_runtime(name: str) -> Runtime:
    """Return the runtime of this name. Raises InputError for one that there is not, or not here."""
    if name not in RUNTIMES:
        raise InputError(f"runtime {name!r} cannot be used: give one of {', '.join(RUNTIMES)}.")
    if not RUNTIMES[name].installed:
        raise InputError(
            f"runtime {name!r} is not installed here: install the package {RUNTIMES[name].package}, or take "
            f"{' or '.join(other.name for other in _ALL if other.installed)}."
        )
    return RUNTIMES[name]


def choose_runtime(file_format: str, name: str | None = None, *, file_name: str) -> Runtime:
    """Return the runtime for weights or a model file: the named one, or the first that can.

    `file_name` is what messages call the file. Raises InputError where the named one cannot.
    """
    possible = [runtime for runtime in _ALL if runtime.runs(file_format) and runtime.installed]
    if name is not None:
        chosen = find_runtime(name)
        if chosen in possible:
            return chosen
        raise InputError(
            f"runtime {name!r} cannot run {file_name}: use {' or '.join(one.name for one in possible)}."
        )
    defaults = [runtime for runtime in possible if not runtime.by_name_only]
    if not defaults:
        needed = next(runtime.package for runtime in _ALL if runtime.runs(file_format))
        raise InputError(f"nothing here can run {file_name}: install the package {needed}.")
    return defaults[0]
