"""The bilinear resize that most networks end in: taken off a graph, for `zoo.labelling` does less of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx

_OURS = {b"half_pixel", b"pytorch_half_pixel"}
"""Ways to resize that zoo.labelling has too."""


def cut_last_resize(graph: onnx.GraphProto) -> None:
    """Take a last bilinear resize of our kind off, and what only it needed; else leave the graph as it is."""
    output = graph.output[0]
    last = next((node for node in graph.node if output.name in node.output), None)
    if last is None or last.op_type != "Resize":
        return
    settings = {attribute.name: attribute.s for attribute in last.attribute}
    if settings.get("mode") != b"linear" or settings.get("coordinate_transformation_mode") not in _OURS:
        return
    graph.node.remove(last)
    output.name = last.input[0]
    dims = output.type.tensor_type.shape.dim
    for side, name in ((2, "logits_height"), (3, "logits_width")):
        dims[side].Clear()
        dims[side].dim_param = name
    while True:
        used = {name for node in graph.node for name in node.input} | {output.name}
        dead = [node for node in graph.node if not used.intersection(node.output)]
        if not dead:
            return
        for node in dead:
            graph.node.remove(node)
