"""Files that somebody might send, good and bad, each with the words that must be said of it."""

from __future__ import annotations

import io
import pickle
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper
from PIL import Image
from safetensors.torch import save_file

from zoo import limits
from zoo.models import build_model

ROW = "cityscapes-mobilenetv2-unetlite-768x384"


def photo(mode: str = "RGB", size: tuple[int, int] = (60, 40)) -> Image.Image:
    """Return a picture with something in it."""
    noise = np.random.default_rng(3).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(noise).convert(mode)


def encoded(image: Image.Image, image_format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, image_format, **options)
    return file.getvalue()


def png_of(width: int, height: int) -> bytes:
    """Return a PNG that says this size and has no pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]


JPEG, PNG = encoded(photo(), "JPEG"), encoded(photo(), "PNG")
BAD_IMAGES = {
    "empty.jpg": (b"", "is empty"),
    "text.png": (b"just some words\n" * 9, "is not an image"),
    "half.jpg": (JPEG[: len(JPEG) // 2], "is cut short"),
    "flipped.png": (flipped(PNG, len(PNG) // 2), "is damaged"),
    "bomb.png": (png_of(30_000, 30_000), "30000x30000|megapixels"),
    "thin.png": (png_of(1, 65_535), "1x65535"),
    "tiny.png": (png_of(15, 40), "16"),
    "long.png": (png_of(2100, 100), "20 times"),
    "drawing.png": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n", "EPS"),
    "float.tiff": (encoded(photo("L").convert("F"), "TIFF"), "float.tiff"),
    "phone.heic": (b"\x00\x00\x00\x18ftypheic" + bytes(60), "save it as JPEG"),
    "large.jpg": (JPEG + bytes(limits.IMAGE_BYTES), "20 MB"),
}
GOOD_IMAGES = {
    "photo.jpg": JPEG,
    "photo.png": PNG,
    "photo.webp": encoded(photo(), "WEBP"),
    "photo.bmp": encoded(photo(), "BMP"),
    "photo.tiff": encoded(photo(), "TIFF"),
    "grey16.png": encoded(
        Image.fromarray(np.linspace(0, 65_535, 2400).astype(np.uint16).reshape(40, 60)), "PNG"
    ),
    "print.jpg": encoded(photo("CMYK"), "JPEG"),
    "clear.png": encoded(photo("RGBA"), "PNG"),
}


class _Bomb:
    """Unpickled, it would leave a file behind."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.trace,)


def _weights_with(value: torch.Tensor) -> dict[str, torch.Tensor]:
    state = build_model(ROW, num_classes=11).state_dict()
    return {**state, next(iter(state)): value}


def _truncated_safetensors(path: Path) -> None:
    save_file({"a": torch.zeros(100)}, path)
    path.write_bytes(path.read_bytes()[:-8])


BAD_WEIGHTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "code.pth": (lambda path: torch.save({"a": _Bomb(path.with_name("ran"))}, path), "nothing of it was run"),
    "pickle.pt": (lambda path: path.write_bytes(pickle.dumps(_Bomb(path.with_name("ran")))), "pickle.pt"),
    "module.pth": (lambda path: torch.save(torch.nn.Conv2d(3, 3, 1), path), "state_dict"),
    "sparse.pth": (lambda path: torch.save({"a": torch.zeros(4, 4).to_sparse()}, path), "'a'|a "),
    "stretched.pth": (lambda path: torch.save({"a": torch.zeros(1).expand(100)}, path), "'a'|a "),
    "broken.safetensors": (lambda path: path.write_bytes(b"\xff" * 64), "damaged"),
    "cut.safetensors": (_truncated_safetensors, "damaged"),
    "nan.pth": (lambda path: torch.save(_weights_with(torch.full((32, 3, 3, 3), torch.nan)), path), "NaN"),
    "other.pth": (lambda path: torch.save({"head.weight": torch.zeros(5, 5)}, path), "head.weight|encoder"),
    "shape.pth": (lambda path: torch.save(_weights_with(torch.zeros(31, 3, 3, 3)), path), "31"),
    "empty.pth": (lambda path: path.write_bytes(b""), "is empty"),
    "page.pth": (lambda path: path.write_bytes(b"<html>404</html>"), "page.pth"),
    "weights.zip": (lambda path: path.write_bytes(b"PK"), "safetensors"),
}


def _onnx(nodes: list[NodeProto], initializers: Sequence[TensorProto] = ()) -> bytes:
    """Return a model from a float picture `x` to `y`."""
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 64, 96])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        list(initializers),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    return model.SerializeToString()


def _external(name: str) -> TensorProto:
    """Return a tensor whose values are said to lie in another file."""
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="secret.bin")
    return tensor


def _in_a_branch() -> bytes:
    def branch(nodes: list[NodeProto], initializers: list[TensorProto]) -> GraphProto:
        out = [helper.make_tensor_value_info("z", TensorProto.FLOAT, None)]
        return helper.make_graph(nodes, "branch", [], out, initializers)

    then = branch([helper.make_node("Identity", ["w"], ["z"])], [_external("w")])
    other = branch([helper.make_node("Identity", ["x"], ["z"])], [])
    yes = helper.make_tensor("yes", TensorProto.BOOL, [], [True])
    return _onnx([helper.make_node("If", ["yes"], ["y"], then_branch=then, else_branch=other)], [yes])


def _huge_constant() -> bytes:
    shape = helper.make_tensor("shape", TensorProto.INT64, [1], [10_000_000_000])
    return _onnx([helper.make_node("ConstantOfShape", ["shape"], ["y"])], [shape])


def _endless() -> bytes:
    keep = helper.make_tensor("keep", TensorProto.BOOL, [], [True])
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["go_on"]), helper.make_node("Identity", ["v"], ["w"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("w", TensorProto.FLOAT, None),
        ],
    )
    return _onnx([helper.make_node("Loop", ["", "keep", "x"], ["y"], body=body)], [keep])


BAD_MODELS = {
    "garbage.onnx": b"\x08\x07 this is no model" * 9,
    "garbage.tflite": b"\x1c\x00\x00\x00TFL3" + b"\xff" * 200,
    "outside.onnx": _onnx([helper.make_node("Add", ["x", "w"], ["y"])], [_external("w")]),
    "branch.onnx": _in_a_branch(),
    "huge.onnx": _huge_constant(),
    "endless.onnx": _endless(),
}


def _of_nodes(count: int) -> bytes:
    """Return a model of that many nodes, of a few bytes each."""
    model = ModelProto.FromString(_onnx([helper.make_node("Relu", ["x"], ["y"])]))
    [node] = model.graph.node
    one = node.SerializeToString()
    del model.graph.node[:]
    graph = (b"\x0a" + bytes([len(one)]) + one) * count + model.graph.SerializeToString()
    model.ClearField("graph")
    length = len(graph)
    sevens = [(length >> shift) & 0x7F for shift in range(0, 35, 7)]
    return (
        model.SerializeToString()
        + b"\x3a"
        + bytes([*(part | 0x80 for part in sevens[:-1]), sevens[-1]])
        + graph
    )


def _of_functions() -> bytes:
    """Return a model whose ten functions each call the next one ten times."""
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    functions = []
    for level in range(10):
        called = ("Relu", "") if level == 9 else (f"F{level + 1}", "own")
        nodes = [
            helper.make_node(called[0], [f"v{step}"], [f"v{step + 1}"], domain=called[1])
            for step in range(10)
        ]
        functions.append(helper.make_function("own", f"F{level}", ["v0"], ["v10"], nodes, opsets))
    model = ModelProto.FromString(_onnx([helper.make_node("F0", ["x"], ["y"], domain="own")]))
    model.functions.extend(functions)
    model.opset_import.extend(opsets[1:])
    return model.SerializeToString()


def _of_itself() -> bytes:
    model = ModelProto.FromString(_onnx([helper.make_node("F", ["x"], ["y"], domain="own")]))
    nodes = [helper.make_node("F", ["a"], ["b"], domain="own")]
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    model.functions.append(helper.make_function("own", "F", ["a"], ["b"], nodes, opsets))
    model.opset_import.extend(opsets[1:])
    return model.SerializeToString()


def _of_shape(*shape: int, inputs: int = 1) -> bytes:
    """Return a model that takes inputs of a strange shape."""
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x0"], ["y"])],
        "graph",
        [helper.make_tensor_value_info(f"x{at}", TensorProto.FLOAT, list(shape)) for at in range(inputs)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString()


def _by_its_content() -> bytes:
    """Return a model the size of whose result depends on what is in the picture."""
    nodes = [helper.make_node("NonZero", ["x"], ["n"]), helper.make_node("Relu", ["n"], ["y"])]
    return _onnx(nodes)


BAD_GRAPHS: dict[str, tuple[Callable[[], bytes], str]] = {
    "garbage.onnx": (lambda: BAD_MODELS["garbage.onnx"], "not an ONNX model"),
    "outside.onnx": (lambda: BAD_MODELS["outside.onnx"], "other files"),
    "branch.onnx": (lambda: BAD_MODELS["branch.onnx"], "other files"),
    "huge.onnx": (lambda: BAD_MODELS["huge.onnx"], "constant of more than the 125 million values"),
    "endless.onnx": (lambda: BAD_MODELS["endless.onnx"], "control flow"),
    "two-million.onnx": (lambda: _of_nodes(2_000_000), "more than the 100,000 nodes"),
    "functions.onnx": (_of_functions, "more than the 100,000 nodes"),
    "itself.onnx": (_of_itself, "call themselves"),
    "flat.onnx": (lambda: _of_shape(1, 3), "not one RGB picture"),
    "grey.onnx": (lambda: _of_shape(1, 1, 64, 96), "not one RGB picture"),
    "batch.onnx": (lambda: _of_shape(8, 3, 64, 96), "not one RGB picture"),
    "two.onnx": (lambda: _of_shape(1, 3, 64, 96, inputs=2), "takes 2 inputs"),
    "content.onnx": (_by_its_content, "cannot be told from the input's size"),
    "unknown.onnx": (lambda: _onnx([helper.make_node("NoSuchThing", ["x"], ["y"])]), "not known here"),
    "circle.onnx": (
        lambda: _onnx(
            [helper.make_node("Add", ["x", "b"], ["a"]), helper.make_node("Add", ["a", "x"], ["b"])]
        ),
        "nothing before it makes",
    ),
    "order.onnx": (lambda: _onnx([helper.make_node("Add", ["x", "late"], ["y"])]), "nothing before it makes"),
}
"""Models that cannot be counted, made when asked for, each with the words that must be said of it."""
