"""What a network costs: counted live from torch (`live`), or from the graph of an .onnx (`onnx_graph`).

torch is imported by the live count alone, and only when that is asked for; the process that counts a
stranger's graph does not even import pandas.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.complexity.live import count, count_model, count_network
    from zoo.complexity.result import Complexity

__all__ = ["Complexity", "count", "count_model", "count_network"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        home = "zoo.complexity.result" if name == "Complexity" else "zoo.complexity.live"
        return getattr(import_module(home), name)
    raise AttributeError(f"module 'zoo.complexity' has no attribute {name!r}")
