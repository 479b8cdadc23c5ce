"""Masks: the same in every runtime, at the picture's own size, with everything said that must be."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from safetensors.torch import load_file, save_file
from torch.nn import functional as F

from zoo.errors import InputError, SizeError, UnknownIdError, WeightsMissingError
from zoo.images import read_image
from zoo.models import build_model
from zoo.prediction import carry_out, predict, prepare
from zoo.preprocessing import normalise
from zoo.runtimes import InputSpec
from zoo.sizes import Size
from zoo.weights.layouts import build_for

UNET = "cityscapes-mobilenetv2-unetlite-768x384"
FPN = "cityscapes-mobilenetv2-fpnlite-768x384"
DEEPLAB = "cityscapes-mobilenetv2s16-deeplabv3lite-768x384"
VOC = "voc2012-deeplabv3-mnv2-dm05-512x512"
CHANNEL = (("from", 0), ("to", 1), ("axis", 1))
TFLITE = Path(__file__).resolve().parents[2] / "shared/artifacts/deeplabv3_mnv2_dm05_pascal_quant.tflite"


def scene(width: int, height: int, seed: int = 0) -> np.ndarray:
    """A smooth picture with sky, walls and road in it, more or less."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (6, 9, 3), np.uint8)
    small[:2] = (150, 190, 230)
    small[4:] = (90, 90, 95)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


def reference(model: torch.nn.Module, rgb: np.ndarray, size: Size, mean: object, std: object) -> np.ndarray:
    """The mask by torch alone: resize, normalise, run, resize the logits, compare."""
    resized = np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BILINEAR)).astype(np.float64)
    x = torch.from_numpy(((resized - mean) / std).transpose(2, 0, 1)[None]).float()
    with torch.inference_mode():
        return F.interpolate(model(x), rgb.shape[:2], mode="bilinear").argmax(1)[0].numpy()


@pytest.mark.parametrize("row_id", [UNET, FPN, DEEPLAB])
def test_bundled_networks_agree_with_torch(row_id: str) -> None:
    size = Size(192, 96)
    rgb = scene(250, 140)
    found = predict(row_id, rgb, size=size)
    model = build_for(row_id, found.weights.path)
    wanted = reference(model, rgb, size, [128] * 3, [64] * 3)
    assert (found.labels == wanted).mean() >= 0.999
    assert (predict(row_id, rgb, size=size, runtime="torch").labels == wanted).mean() >= 0.999


@pytest.mark.parametrize(
    ("row_id", "size", "mean", "std"),
    [
        ("cityscapes-erfnet-1024x512", Size(128, 64), [0] * 3, [255] * 3),
        (
            "cityscapes-mobilenetv2-swiftnet-2048x1024",
            Size(192, 96),
            [123.675, 116.28, 103.53],
            [58.395, 57.12, 57.375],
        ),
    ],
)
def test_seeded_networks_agree_with_torch(
    row_id: str, size: Size, mean: list[float], std: list[float], tmp_path: Path
) -> None:
    torch.manual_seed(0)
    model = build_model(row_id)
    save_file(model.state_dict(), tmp_path / "own.safetensors")
    rgb = scene(150, 100)
    found = predict(row_id, rgb, weights=tmp_path / "own.safetensors", size=size)
    assert (found.labels == reference(model, rgb, size, mean, std)).mean() >= 0.999
    assert found.classes[0] == "road"


def test_everything_is_said() -> None:
    told: list[str] = []
    rgb = scene(150, 100)
    found = predict(UNET, rgb, size=(96, 64), confidence=True, progress=told.append)
    assert found.labels.dtype == np.uint8
    assert found.labels.shape == (100, 150)
    assert len(found.classes) == len(found.shares) == 11
    assert sum(found.shares) == pytest.approx(100)
    assert found.shares[0] == pytest.approx((found.labels == 0).mean() * 100)
    assert found.confidence is not None
    assert 1 / 11 <= found.confidence.min() <= found.confidence.max() <= 1.0001
    assert found.timings["decode"] > 0
    assert set(found.timings) == {"decode", "load", "preprocess", "inference", "postprocess"}
    assert sum(found.timings.values()) <= found.seconds
    assert (found.runtime, found.size) == ("onnxruntime", (96, 64))
    assert "CamVid" in found.weights.label
    assert len(told) >= 5


def test_a_turned_photo_gets_an_upright_mask(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(scene(120, 80)).save(tmp_path / "turned.png", exif=exif)
    found = predict(UNET, tmp_path / "turned.png", size=(96, 64))
    assert found.labels.shape == (120, 80)
    assert "upright" in " ".join(found.notes)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_a_network_of_bytes_gets_the_picture_itself_less_128_where_signed(layout: str) -> None:
    rgb = scene(12, 8).copy()
    rgb[0, 0] = (0, 128, 255)
    planes = rgb.astype(int).transpose(2, 0, 1) if layout == "NCHW" else rgb.astype(int)
    for dtype, less in (("uint8", 0), ("int8", 128)):
        found = normalise(rgb, InputSpec(layout, dtype), (1, 2, 3), (4, 5, 6))
        assert found.dtype == dtype
        assert (found[0].astype(int) == planes - less).all()


def test_padding_keeps_proportions() -> None:
    # A picture of half the input's width fills the left half: its mask is that of the padded canvas, cut.
    rgb = scene(64, 64)
    canvas = np.full((64, 128, 3), 128, np.uint8)
    canvas[:, :64] = rgb
    padded = predict(UNET, rgb, size=(128, 64), fit="pad")
    assert (padded.labels == predict(UNET, canvas, size=(128, 64)).labels[:, :64]).all()


def test_a_large_picture_says_how_its_mask_was_made() -> None:
    rgb = scene(2000, 1500)
    found = predict(UNET, rgb, size=(96, 64))
    assert "nearest neighbour" in " ".join(found.notes)
    wanted = reference(build_for(UNET, found.weights.path), rgb, Size(96, 64), [128] * 3, [64] * 3)
    # Edges move by half a pixel of the 2 megapixels at which labels were made; a mirrored mask agrees less.
    assert (found.labels == wanted).mean() > 0.99
    for axes in (0, 1, (0, 1)):
        assert (np.flip(found.labels, axes) == wanted).mean() < 0.95


def test_a_picture_read_before_counts_in_the_time(tmp_path: Path) -> None:
    picture = replace(read_image(scene(150, 100)), seconds=5.0)
    found = predict(UNET, picture, size=(96, 64))
    assert found.timings["decode"] == 5.0
    assert 5.0 < found.seconds < 60
    assert sum(found.timings.values()) <= found.seconds


def test_a_job_is_what_a_request_resolved_to(tmp_path: Path) -> None:
    """Equal where the mask is the same, and another one as soon as other weights are the best there are."""
    job, checkpoint = prepare(UNET, size=(96, 64))
    assert (job.weights_kind, job.weights_sha256) == ("bundled", checkpoint.sha256)
    assert job == prepare(UNET, weights="bundled", size=(96, 64), runtime="onnxruntime")[0]
    assert hash(job) == hash(prepare(UNET, weights="bundled", size=(96, 64), fit="stretch")[0])
    own = tmp_path / "own.safetensors"
    own.write_bytes(checkpoint.path.read_bytes())
    others = [
        prepare(UNET, weights=own, size=(96, 64)),
        prepare(FPN, size=(96, 64)),
        prepare(UNET, size=(128, 64)),
        prepare(UNET, size=(96, 64), fit="pad"),
        prepare(UNET, size=(96, 64), runtime="torch"),
        prepare(UNET, size=(96, 64), confidence=True),
    ]
    assert len({job, *(other for other, _ in others)}) == 7
    before = others[0][0]
    save_file(build_model(UNET, num_classes=11).state_dict(), own)
    assert prepare(UNET, weights=own, size=(96, 64))[0] != before
    found = carry_out(job, checkpoint, scene(150, 100))
    assert (found.labels == predict(UNET, scene(150, 100), size=(96, 64)).labels).all()


def test_other_weights_of_the_same_network_give_their_own_mask(tmp_path: Path) -> None:
    rgb, size = scene(100, 60), Size(96, 64)
    bundled = predict(UNET, rgb, size=size)
    tensors = load_file(bundled.weights.path)
    # The last layer upside down: where a class was the likeliest, it is now the least likely.
    last = [name for name, values in tensors.items() if values.shape[0] == 11]
    save_file(tensors | {name: -tensors[name] for name in last}, tmp_path / "turned.safetensors")
    turned = predict(UNET, rgb, size=size, weights=tmp_path / "turned.safetensors")
    assert (turned.labels != bundled.labels).all()
    assert (predict(UNET, rgb, size=size).labels == bundled.labels).all()


def test_five_visitors_at_once_get_the_masks_of_one_alone() -> None:
    pictures = [scene(150, 100, seed) for seed in range(5)]
    alone = [predict(UNET, rgb, size=(96, 64)).labels for rgb in pictures]
    together: dict[int, np.ndarray] = {}

    def visit(number: int) -> None:
        together[number] = predict(UNET, pictures[number], size=(96, 64)).labels

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert all((together[number] == alone[number]).all() for number in range(5))


def test_never_a_mask_without_weights() -> None:
    with pytest.raises(WeightsMissingError):
        predict("cityscapes-erfnet-1024x512", scene(64, 64))


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"fit": "crop"}, InputError),
        ({"runtime": "cuda"}, InputError),
        ({"runtime": "litert"}, InputError),
        ({"size": (5, 5)}, SizeError),
        ({"size": (64.5, 64)}, SizeError),
        ({"size": ([64], 64)}, SizeError),
        ({"size": (np.array([64, 64]), 64)}, SizeError),
        ({"size": [64]}, SizeError),
        ({"size": np.array([64, 64, 64])}, SizeError),
        ({"size": 64}, SizeError),
        ({"size": ()}, SizeError),
    ],
)
def test_what_cannot_be_asked(options: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        predict(UNET, scene(64, 64), **options)
    assert "\n" not in str(caught.value)
    with pytest.raises(UnknownIdError):
        predict("no-such-row", scene(64, 64))


def own_onnx(
    path: Path, shape: list[object], kind: int, nodes: list[onnx.NodeProto], *constants: object
) -> Path:
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        list(constants),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, path)
    return path


def test_an_own_onnx_gets_the_rows_preprocessing_at_its_own_size(tmp_path: Path) -> None:
    # Logits are the normalised channels themselves, at stride 2: the label is the largest channel.
    pool = helper.make_node("AveragePool", ["x"], ["y"], kernel_shape=[2, 2], strides=[2, 2])
    path = own_onnx(tmp_path / "own.onnx", [1, 3, 40, 60], TensorProto.FLOAT, [pool])
    rgb = np.zeros((40, 60, 3), np.uint8)
    rgb[:, :20, 0] = rgb[:, 20:40, 1] = rgb[:, 40:, 2] = 200
    found = predict(UNET, rgb, weights=path, confidence=True)
    assert found.size == (60, 40)
    assert "fixed input" in " ".join(found.notes)
    assert found.classes == ("class 0", "class 1", "class 2")
    assert (found.labels == np.repeat([0, 1, 2], 20)).mean() > 0.95
    assert found.confidence is not None
    expected = np.exp(72 / 64) / (np.exp(72 / 64) + 2 * np.exp(-2))
    assert found.confidence[20, 5] == pytest.approx(expected, rel=1e-4)


def test_an_own_onnx_with_bytes_in_and_a_label_map_out(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("ArgMax", ["f"], ["y"], axis=3, keepdims=0),
    ]
    path = own_onnx(tmp_path / "own.onnx", [1, 40, 60, 3], TensorProto.UINT8, nodes)
    model = onnx.load(path)
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.INT64
    onnx.save(model, path)
    rgb = scene(60, 40)
    found = predict(UNET, rgb, weights=path, confidence=True)
    assert (found.labels == rgb.argmax(2)).all()
    assert found.confidence is None
    assert len(found.classes) == 19


@pytest.mark.skipif(not TFLITE.exists(), reason="the published .tflite is not on this machine")
def test_a_published_tflite_gives_its_classes() -> None:
    found = predict(VOC, scene(150, 100), weights=TFLITE)
    assert (found.runtime, found.size) == ("litert", (513, 513))
    assert found.labels.shape == (100, 150)
    assert found.classes[15] == "person"


def test_a_label_map_s_255_is_void_and_a_binary_network_has_two_classes(tmp_path: Path) -> None:
    sliced = [
        helper.make_node("Slice", ["x", "from", "to", "axis"], ["y"]),
    ]
    constants = [numpy_helper.from_array(np.array([place]), name) for name, place in CHANNEL]
    label_map = own_onnx(tmp_path / "labels.onnx", [1, 3, 40, 60], TensorProto.UINT8, sliced, *constants)
    model = onnx.load(label_map)
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.UINT8
    onnx.save(model, label_map)
    rgb = np.zeros((40, 60, 3), np.uint8)
    rgb[:10], rgb[10:15] = 255, 3
    found = predict(UNET, rgb, weights=label_map)
    assert (found.labels == rgb[..., 0]).all()
    assert len(found.classes) == 19
    assert found.shares[3] == pytest.approx(100 * 5 / 40)
    assert sum(found.shares) == pytest.approx(75)
    assert "25.0 % of the picture is void" in " ".join(found.notes)

    sigmoid = [helper.make_node("Slice", ["x", "from", "to", "axis"], ["c"])]
    sigmoid += [helper.make_node("Sigmoid", ["c"], ["y"])]
    binary = own_onnx(tmp_path / "binary.onnx", [1, 3, 40, 60], TensorProto.FLOAT, sigmoid, *constants)
    rgb = scene(60, 40)
    found = predict(UNET, rgb, weights=binary)
    assert (found.labels == (rgb[..., 0] > 128)).all()
    assert found.classes == ("class 0", "class 1")
    assert "above 0.5" in " ".join(found.notes)
    logits = own_onnx(tmp_path / "logits.onnx", [1, 3, 40, 60], TensorProto.FLOAT, sliced, *constants)
    found = predict(UNET, rgb, weights=logits)
    assert (found.labels == (rgb[..., 0] > 128)).all()
    assert "above 0" in " ".join(found.notes)
