"""Weights: which there are, how they come here, and how they get into a network without being trusted."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoo.weights.layouts import load_weights

__all__ = ["load_weights"]


def __getattr__(name: str) -> object:
    # Only when asked for: it imports torch, and what lists and downloads weights must not.
    if name in __all__:
        return getattr(import_module("zoo.weights.layouts"), name)
    raise AttributeError(f"module 'zoo.weights' has no attribute {name!r}")
