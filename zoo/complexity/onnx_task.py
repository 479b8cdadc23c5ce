"""Counting a stranger's model: what the process of its own does (see zoo.runtimes.worker).

It answers with plain counts; what the formula makes of them is worked out outside, in `zoo.own`.
"""

from __future__ import annotations

from dataclasses import asdict

from zoo.complexity.onnx_graph import OnnxGraph
from zoo.runtimes.isolated import as_json
from zoo.runtimes.worker import Header, Memory, Values

MULTIPLES = (1, 2, 4, 8, 16, 32, 64)
"""Of what the sides of an input may have to be multiples."""


def describe(memory: Memory, arguments: Header, content: Values) -> tuple[Header, Values]:
    """Read a model's bytes and answer with what it takes, as JSON.

    `spec`: its input; `multiple`: of what both sides must be multiples, None where a side is fixed or where
    nothing that was tried fits. Raises ValueError for a model that is refused.
    """
    graph = OnnxGraph.read(content.tobytes())
    memory["graph"] = graph
    free = graph.spec.width is None and graph.spec.height is None
    return {}, as_json({"spec": asdict(graph.spec), "multiple": _multiple(graph) if free else None})


def count(memory: Memory, arguments: Header, content: Values) -> tuple[Header, Values]:
    """Answer with the count of the model that was described at `size`, as `OnnxGraph.count_at` gives it."""
    graph: OnnxGraph = memory["graph"]
    width, height = map(int, arguments["size"])
    try:
        return {}, as_json(graph.count_at(width, height))
    except ValueError as error:
        raise ValueError(f"at {width}x{height} {error}") from error


def _multiple(graph: OnnxGraph) -> int | None:
    """Return the least number of which both sides must be multiples, or None if none of MULTIPLES will do.

    Tried on sizes that are multiples of this number and of none that is larger, wide and upright.
    """
    for multiple in MULTIPLES:
        if _fits(graph, 1024 + multiple, 512 + multiple) and _fits(
            graph, 768 + 3 * multiple, 1024 + multiple
        ):
            return multiple
    return None


def _fits(graph: OnnxGraph, width: int, height: int) -> bool:
    try:
        graph.shapes_at(width, height)
    except ValueError:
        return False
    return True
