"""Weights: which there are, how they come here, and how they get into a network without being trusted."""

from importlib import import_module
from typing import Any

__all__ = ["load_weights"]


def __getattr__(name: str) -> Any:
    # Only when asked for: it imports torch, and what lists and downloads weights must not.
    if name in __all__:
        return getattr(import_module("zoo.weights.layouts"), name)
    raise AttributeError(f"module 'zoo.weights' has no attribute {name!r}")
