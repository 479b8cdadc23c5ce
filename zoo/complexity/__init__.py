"""What a network costs: counted live from torch (`live`), or from the graph of an .onnx (`onnx_graph`).

torch is imported by the live count alone, and only when that is asked for; the process that counts a
stranger's graph does not even import pandas.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.complexity.counting import count
    from zoo.complexity.live import count_model, count_network
    from zoo.complexity.result import Complexity

_HOMES = {
    "Complexity": "zoo.complexity.result",
    "count": "zoo.complexity.counting",
    "count_model": "zoo.complexity.live",
    "count_network": "zoo.complexity.live",
}
__all__ = ["Complexity", "count", "count_model", "count_network"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'zoo.complexity' has no attribute {name!r}")
