"""A small network for these tests: what it computes can be seen at a glance."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

IMAGENET = ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
PLAIN = ((128.0,) * 3, (64.0,) * 3)


def tiny_network(seed: int = 0, classes: int = 5, resize: str = "half_pixel") -> bytes:
    """Return an .onnx: a strided and a depthwise convolution, a sum, logits at stride 2, a resize."""
    draw = np.random.default_rng(seed)
    shapes = {"w1": (8, 3, 3, 3), "w2": (8, 1, 3, 3), "w3": (classes, 8, 1, 1)}
    stored = [
        numpy_helper.from_array(
            draw.normal(0, 1.5 / np.sqrt(np.prod(shape[1:])), shape).astype(np.float32), name
        )
        for name, shape in shapes.items()
    ]
    stored.append(numpy_helper.from_array(draw.normal(0, 0.2, 8).astype(np.float32), "b1"))
    stored.append(numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "scales"))
    nodes = [
        helper.make_node(
            "Conv", ["image", "w1", "b1"], ["c1"], "/stem/stem.0/Conv", pads=[1] * 4, strides=[2, 2]
        ),
        helper.make_node("Relu", ["c1"], ["r1"], "/stem/stem.1/Relu"),
        helper.make_node("Conv", ["r1", "w2"], ["c2"], "/depth/Conv", pads=[1] * 4, group=8),
        helper.make_node("Add", ["c2", "r1"], ["a"], "/Add"),
        helper.make_node("Conv", ["a", "w3"], ["small"], "/head/Conv"),
        helper.make_node(
            "Resize",
            ["small", "", "scales"],
            ["logits"],
            "/Resize",
            mode="linear",
            coordinate_transformation_mode=resize,
        ),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, "height", "width"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, classes, "height", "width"])],
        stored,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, {"classes": "some, names"})
    onnx.checker.check_model(model)
    return model.SerializeToString()


def pictures(count: int, width: int = 48, height: int = 32) -> list[np.ndarray]:
    """Return smooth coloured pictures, uint8 (H, W, 3)."""
    rows, columns = np.mgrid[:height, :width] / width
    draw = np.random.default_rng(7)
    found = []
    for _ in range(count):
        waves = draw.uniform(-9, 9, (3, 3))
        planes = [np.sin(waves[at, 0] * rows + waves[at, 1] * columns + waves[at, 2]) for at in range(3)]
        noisy = 127.5 + 110 * np.stack(planes, -1) + draw.normal(0, 6, (height, width, 3))
        found.append(np.clip(noisy, 0, 255).astype(np.uint8))
    return found
