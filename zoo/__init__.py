"""SegSelect without a screen: the catalog, selection, costs, networks, weights and masks.

Nothing heavy is imported until it is asked for: torch stays out until a network is built.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoo.catalog import load_catalog
    from zoo.complexity import count
    from zoo.costs import macs_at
    from zoo.evaluation import evaluate
    from zoo.models import build_model
    from zoo.prediction import predict
    from zoo.weights.layouts import load_weights

__version__ = "0.2.0"
__all__ = [
    "__version__",
    "build_model",
    "count",
    "evaluate",
    "load_catalog",
    "load_weights",
    "macs_at",
    "predict",
]

_HOMES = {
    "load_catalog": "zoo.catalog",
    "macs_at": "zoo.costs",
    "build_model": "zoo.models",
    "count": "zoo.complexity",
    "load_weights": "zoo.weights.layouts",
    "predict": "zoo.prediction",
    "evaluate": "zoo.evaluation",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'zoo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
