"""The 8-bit file of a small network: what is in it, what it computes, and what is said of it."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from tests.quantization.networks import IMAGENET, PLAIN, pictures, tiny_network
from zoo.errors import ImageError, InferenceError, InputError
from zoo.quantization import Quantized, quantize_onnx
from zoo.quantization import graph as graph_module
from zoo.quantization.ranges import Method
from zoo.sizes import Size

SIZE = Size(48, 32)


def quantize(model: bytes, count: int = 8, method: Method = "percentile", plain: bool = True) -> Quantized:
    mean, std = PLAIN if plain else IMAGENET
    return quantize_onnx(model, pictures(count), mean=mean, std=std, size=SIZE, method=method)


def run(model: bytes, values: np.ndarray, names: Sequence[str] | None = None) -> list[np.ndarray]:
    proto = onnx.load_model_from_string(model)
    there = [output.name for output in proto.graph.output]
    proto.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names or () if name not in there)
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(names, {"image": values})


def as_input(picture: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(picture.transpose(2, 0, 1))[None]


def normalised(picture: np.ndarray, plain: bool = True) -> np.ndarray:
    mean, std = PLAIN if plain else IMAGENET
    return as_input(((picture - np.array(mean)) / np.array(std)).astype(np.float32))


def test_every_pixel_value_is_represented_exactly() -> None:
    found = quantize(tiny_network()).model
    every = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16).repeat(3, 1)
    (taken,) = run(found, every, ["image_DequantizeLinear_Output"])
    assert (taken == (every.astype(np.float64) - 128) / 64).all()


@pytest.mark.parametrize("plain", [True, False])
def test_it_computes_what_the_float_network_does_at_the_border_too(plain: bool) -> None:
    model = tiny_network(3)
    found = quantize(model, plain=plain)
    wrong = []
    for picture in pictures(8):
        (small,) = run(model, normalised(picture, plain), ["small"])
        (other,) = run(found.model, as_input(picture))
        wrong.append((other - small) / small.std())
    error = np.concatenate(wrong)
    ring = np.ones(error.shape[2:], bool)
    ring[1:-1, 1:-1] = False
    inside, border = np.sqrt(np.mean(error[..., ~ring] ** 2)), np.sqrt(np.mean(error[..., ring] ** 2))
    assert inside < 0.03
    assert border < 1.5 * inside  # padding with a wrong grey would show here


def test_weights_are_symmetric_per_channel_and_the_last_layer_is_float() -> None:
    model = tiny_network()
    found = onnx.load_model_from_string(quantize(model).model)
    before = {
        tensor.name: numpy_helper.to_array(tensor)
        for tensor in onnx.load_from_string(model).graph.initializer
    }
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in found.graph.initializer}
    for name in ("w1", "w2"):
        assert stored[f"{name}_quantized"].dtype == np.uint8
        assert set(stored[f"{name}_zero_point"].ravel()) == {128}
        largest = np.abs(before[name]).max((1, 2, 3))
        assert stored[f"{name}_scale"] == pytest.approx(largest / 127.5)
        scale = stored[f"{name}_scale"][:, None, None, None]
        back = (stored[f"{name}_quantized"].astype(float) - 128) * scale
        assert (np.abs(back - before[name]) <= 0.501 * scale).all()
    assert (stored["w3"] == before["w3"]).all()
    assert found.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert [output.name for output in found.graph.output] == ["small"]  # at its own stride
    assert not any(node.op_type == "Resize" for node in found.graph.node)


def test_a_resize_that_labelling_does_not_do_stays() -> None:
    found = onnx.load_model_from_string(quantize(tiny_network(resize="align_corners")).model)
    assert [output.name for output in found.graph.output] == ["logits"]
    users = [node for node in found.graph.node if "small" in node.input]
    assert [node.op_type for node in users] == ["Resize"]


@pytest.mark.parametrize(
    ("method", "theirs", "tolerance"), [("minmax", "MinMax", 1e-5), ("percentile", "Percentile", 0.04)]
)
def test_ranges_are_those_of_onnxruntimes_calibrator(
    method: Method, theirs: str, tolerance: float, tmp_path: Path
) -> None:
    from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, create_calibrator

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self.left = [normalised(picture) for picture in pictures(8)]

        def get_next(self) -> dict[str, np.ndarray] | None:
            return {"image": self.left.pop()} if self.left else None

    path = tmp_path / "model.onnx"
    path.write_bytes(tiny_network())
    # Theirs cuts half of the rest at either end; with 0.01 % at each that is 99.98.
    calibrator = create_calibrator(
        path,
        augmented_model_path=str(path.with_name("augmented.onnx")),
        calibrate_method=CalibrationMethod[theirs],
        extra_options={"percentile": 99.98, "num_bins": 20_000} if method == "percentile" else {},
    )
    calibrator.collect_data(Reader())
    expected = calibrator.compute_data()
    found = onnx.load_model_from_string(quantize(tiny_network(), method=method).model)
    stored = graph_module.stored_tensors(found)
    assert set(stored) == {"r1", "c2", "a"}
    for name, (_, scale, zero) in stored.items():
        low, high = (float(np.ravel(value)[0]) for value in expected[name].range_value)
        # Their percentiles are rough where the first picture is not the widest; test_ranges has exact ones.
        assert scale == pytest.approx((max(high, 0) - min(low, 0)) / 255, rel=tolerance)
        assert zero == pytest.approx(-min(low, 0) / scale, abs=0.6 + 255 * tolerance)


def test_agreement_and_noise_are_what_a_second_count_gives() -> None:
    model = tiny_network(5)
    found = quantize(model, 12)
    stored = graph_module.stored_tensors(onnx.load_model_from_string(found.model))
    same: list[np.ndarray] = []
    true, other = [], []
    for number, picture in enumerate(pictures(12)):
        small, depth = run(model, normalised(picture), ["small", "c2"])
        name, scale, zero = stored["c2"]
        eight, integers = run(found.model, as_input(picture), ["small", name])
        same.append(small.argmax(1) == eight.argmax(1))
        if number in {0, 2, 3, 5, 6, 8, 9, 11}:  # eight of twelve, evenly
            true.append(depth)
            other.append((integers.astype(float) - zero) * scale)
    assert found.agreement == pytest.approx(100 * np.mean(same))
    assert 90 < found.agreement < 100
    signal, noise = np.square(true).sum(), np.square(np.array(other) - np.array(true)).sum()
    by_name = {layer.name: layer for layer in found.layers}
    assert list(by_name) == ["stem.0", "depth", "head"]
    assert by_name["depth"].snr_db == pytest.approx(10 * np.log10(signal / noise), abs=0.05)
    assert by_name["head"].weights_snr_db is None
    assert found.worst[0].snr_db == min(layer.snr_db or 0 for layer in found.layers)


def test_it_says_how_it_was_made_and_keeps_what_the_float_file_says() -> None:
    found = quantize(tiny_network(), 9, "minmax")
    entries = onnx.load_model_from_string(found.model).metadata_props
    assert {entry.key: entry.value for entry in entries} == {"classes": "some, names"}
    assert found.calibration == {
        "method": "minmax",
        "pictures": 9,
        "input_size": "48x32",
        "agreement_pct": round(found.agreement, 2),
    }
    assert found.float_bytes == len(tiny_network())


def test_what_cannot_be_calibrated_on_is_refused_in_one_line() -> None:
    for count, words in ((0, "0 pictures"), (1, "1 picture to"), (7, "7 pictures")):
        with pytest.raises(InputError, match=f"^{words}.*at least 8") as caught:
            quantize(tiny_network(), count)
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="percentile, minmax, entropy"):
        quantize(tiny_network(), method="best")  # type: ignore[arg-type]
    with pytest.raises(ImageError, match="is empty"):
        quantize_onnx(tiny_network(), [*pictures(8), b""], mean=PLAIN[0], std=PLAIN[1], size=SIZE)
    endless = onnx.load_model_from_string(tiny_network())
    weight = numpy_helper.to_array(endless.graph.initializer[0]).copy()
    weight[:] = 3e38  # its sums are infinite
    endless.graph.initializer[0].CopyFrom(numpy_helper.from_array(weight, "w1"))
    with pytest.raises(InferenceError, match="NaN or infinite"):
        quantize(endless.SerializeToString())


def test_progress_is_told_for_both_passes() -> None:
    told: list[tuple[str, int, int]] = []
    quantize_onnx(
        tiny_network(),
        pictures(8),
        mean=PLAIN[0],
        std=PLAIN[1],
        size=SIZE,
        progress=lambda *what: told.append(what),
    )
    assert [what[1:] for what in told] == [(done, 8) for done in range(8)] * 2
    assert len({what[0] for what in told}) == 2


def test_memory_does_not_grow_with_the_number_of_pictures() -> None:
    def peak(count: int) -> int:
        given = pictures(8) * (count // 8)
        quantize(tiny_network())  # what is imported and kept once
        tracemalloc.start()
        quantize_onnx(tiny_network(), given, mean=PLAIN[0], std=PLAIN[1], size=SIZE)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    one_input = 3 * SIZE.width * SIZE.height * 4
    assert peak(64) < peak(8) + 8 * one_input
