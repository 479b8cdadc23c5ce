"""SegSelect without a screen: the catalog, selection, costs, networks, weights and masks.

Nothing heavy is imported until it is asked for: torch stays out until a network is built.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "load_catalog": "zoo.catalog",
    "macs_at": "zoo.costs",
    "build_model": "zoo.models",
    "count": "zoo.complexity",
    "load_weights": "zoo.weights",
    "predict": "zoo.prediction",
    "evaluate": "zoo.evaluation",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'zoo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
