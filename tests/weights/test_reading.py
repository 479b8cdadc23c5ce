"""What the reader of weights takes, and each fault that it must refuse in one line, with nothing run."""

import contextlib
import json
import os
import pickle
import struct
import warnings
import zipfile
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from zoo import limits
from zoo.errors import CheckpointError
from zoo.weights.reading import read_state_dict

GOOD = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.ones(2), "n": torch.tensor(3)}


class RunsCode:
    """A pickle that makes a file when it is loaded."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self):
        return os.mkdir, (str(self.proof),)


def save(path: Path, content: object, **options) -> Path:
    torch.save(content, path, **options)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        read_state_dict(path)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 400
    return message


def assert_good(state: dict[str, torch.Tensor]) -> None:
    assert list(state) == list(GOOD)
    assert all(torch.equal(state[name], GOOD[name]) for name in GOOD)


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        {"state_dict": GOOD, "epoch": 3, "arch": "unet"},
        {"model_state": GOOD, "best_score": 0.7},
        {"state_dict": {f"module.{name}": value for name, value in GOOD.items()}},
        {name: torch.nn.Parameter(value, requires_grad=False) for name, value in GOOD.items()},
    ],
    ids=["bare", "state_dict", "model_state", "module.", "parameters"],
)
def test_wrappers_and_prefixes(tmp_path, content):
    assert_good(read_state_dict(save(tmp_path / "x.pth", content)))


def test_formats(tmp_path):
    assert_good(read_state_dict(save(tmp_path / "x.PT", GOOD)))
    assert_good(read_state_dict(save(tmp_path / "old.pth", GOOD, _use_new_zipfile_serialization=False)))
    save_file(GOOD, tmp_path / "x.safetensors")
    state = read_state_dict(tmp_path / "x.safetensors")
    assert_good({name: state[name] for name in GOOD})


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_floats_become_float32(tmp_path, dtype):
    state = read_state_dict(save(tmp_path / "x.pth", {"w": torch.ones(2, dtype=dtype)}))
    assert state["w"].dtype == torch.float32


def test_tensors_outlive_their_file(tmp_path):
    save_file(GOOD, tmp_path / "x.safetensors")
    state = read_state_dict(tmp_path / "x.safetensors")
    (tmp_path / "x.safetensors").write_bytes(b"")
    assert_good({name: state[name] for name in GOOD})


@pytest.mark.parametrize("zipped", [True, False])
def test_code_is_refused_and_never_run(tmp_path, zipped):
    proof = tmp_path / "proof"
    content = {"state_dict": GOOD, "extra": RunsCode(proof)}
    path = save(tmp_path / "evil.pth", content, _use_new_zipfile_serialization=zipped)
    assert "nothing of it was run" in refusal(path)
    assert not proof.exists()


def test_a_bare_pickle_is_never_run(tmp_path):
    proof = tmp_path / "proof"
    (tmp_path / "evil.pt").write_bytes(pickle.dumps(RunsCode(proof)))
    refusal(tmp_path / "evil.pt")
    assert not proof.exists()


def test_whole_module(tmp_path):
    message = refusal(save(tmp_path / "x.pth", torch.nn.Conv2d(1, 1, 1)))
    assert "torch.nn.modules.conv.Conv2d" in message
    assert "give a state_dict" in message


def test_torchscript(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit announces its end
        torch.jit.trace(torch.nn.Conv2d(1, 1, 1), torch.zeros(1, 1, 2, 2)).save(str(tmp_path / "x.pt"))
    assert "TorchScript" in refusal(tmp_path / "x.pt")


def rare_tensors() -> dict[str, tuple[torch.Tensor, str]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of each of these
        dense = torch.eye(3)
        return {
            "coo": (dense.to_sparse(), "sparse"),
            "csr": (dense.to_sparse_csr(), "sparse"),
            "zero stride": (torch.zeros(1).expand(100_000, 100_000), "repeats the same values"),
            "overlap": (torch.zeros(9).as_strided((5, 5), (1, 1)), "repeats the same values"),
            "meta": (torch.empty(2, device="meta"), "no values"),
            "quantized": (torch.quantize_per_tensor(dense, 0.1, 0, torch.qint8), "qint8"),
            "complex": (dense.to(torch.complex64), "complex64"),
            "NaN": (torch.tensor([1.0, float("nan")]), "NaN"),
            "infinite": (torch.tensor([1.0, float("inf")]), "infinite"),
            "infinite in float32": (torch.tensor([1e300], dtype=torch.float64), "infinite"),
        }


RARE = rare_tensors()


@pytest.mark.parametrize("kind", RARE)
def test_tensors_that_are_refused_by_name(tmp_path, kind):
    tensor, reason = RARE[kind]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = save(tmp_path / "x.pth", {"fine": torch.ones(1), "layer.weight": tensor})
    message = refusal(path)
    assert "layer.weight" in message
    assert reason in message


def test_views_of_one_large_tensor_count_in_full(tmp_path, monkeypatch):
    base = torch.zeros(30_000)
    monkeypatch.setattr(limits, "MODEL_BYTES", 1_000_000)
    path = save(tmp_path / "x.pth", {str(number): base.view(-1) for number in range(20)})
    assert "2 MB" in refusal(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({}, "holds no tensors"),
        ([torch.ones(1)], "holds a list"),
        (torch.ones(1), "holds a Tensor"),
        ({"w": torch.ones(1), "epoch": 3}, "epoch is a int"),
        ({3: torch.ones(1)}, "3 is a Tensor, not a tensor with a name"),
    ],
)
def test_content_that_is_not_tensors_by_name(tmp_path, content, reason):
    assert reason in refusal(save(tmp_path / "x.pth", content))


def test_limits(tmp_path, monkeypatch):
    path = save(tmp_path / "x.pth", {str(number): torch.zeros(100) for number in range(20)})
    monkeypatch.setattr(limits, "MODEL_TENSORS", 19)
    assert "20 tensors: at most 19" in refusal(path)
    monkeypatch.setattr(limits, "MODEL_BYTES", 5000)
    assert "x.pth has 0 MB" in refusal(path)


def test_an_archive_that_swells_is_refused_unopened(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MODEL_BYTES", 2_000_000)
    with zipfile.ZipFile(tmp_path / "x.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/data.pkl", pickle.dumps({}))
        archive.writestr("x/data/0", bytes(5_000_000))
    assert (tmp_path / "x.pth").stat().st_size < 20_000
    assert "5 MB" in refusal(tmp_path / "x.pth")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("x.pth", b"", "is empty"),
        ("x.pth", b"<!DOCTYPE html><html>Not found</html>", "not a file of PyTorch weights"),
        ("x.safetensors", b"<!DOCTYPE html><html>Not found</html>", "not a safetensors file"),
        ("x.onnx", b"x", "must end in .pth, .pt or .safetensors"),
        ("two\nlines.bin", b"x", r"two\nlines.bin"),
    ],
)
def test_files_that_are_something_else(tmp_path, name, content, reason):
    (tmp_path / name).write_bytes(content)
    assert reason in refusal(tmp_path / name)


def test_files_that_are_not_there(tmp_path):
    assert "No such file" in refusal(tmp_path / "x.pth")
    (tmp_path / "folder.pth").mkdir()
    assert "not a file" in refusal(tmp_path / "folder.pth")
    assert "cannot be read" in refusal(tmp_path / "a\0b.pth")


def safetensors(header: object, data: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(start: int, end: int) -> dict[str, object]:
    return {"dtype": "F32", "shape": [(end - start) // 4], "data_offsets": [start, end]}


@pytest.mark.parametrize(
    "content",
    [
        struct.pack("<Q", 1 << 60) + b"{}",
        struct.pack("<Q", 8) + b"not json",
        safetensors({"a": entry(0, 8), "b": entry(4, 12)}, bytes(12)),
        safetensors({"a": entry(0, 8)}, bytes(20)),
        safetensors({"a": entry(0, 8)}, bytes(4)),
        safetensors({"a": {"dtype": "F99", "shape": [2], "data_offsets": [0, 8]}}, bytes(8)),
    ],
    ids=["long header", "no header", "overlap", "trailing bytes", "cut short", "unknown type"],
)
def test_broken_safetensors(tmp_path, content):
    (tmp_path / "x.safetensors").write_bytes(content)
    assert "damaged" in refusal(tmp_path / "x.safetensors")


def good_files(folder: Path) -> dict[str, bytes]:
    save(folder / "zip.pth", GOOD)
    save(folder / "old.pth", GOOD, _use_new_zipfile_serialization=False)
    save_file(GOOD, folder / "x.safetensors")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_anywhere_is_an_answer_and_never_a_crash(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("damage")
    name, content = data.draw(st.sampled_from(sorted(good_files(folder).items())))
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content = content[:place]
    else:
        content = (
            content[:place] + bytes([content[place] ^ data.draw(st.integers(1, 255))]) + content[place + 1 :]
        )
    (folder / name).write_bytes(content)
    with contextlib.suppress(CheckpointError):  # a byte in a value changes the value, and nothing else
        read_state_dict(folder / name)
