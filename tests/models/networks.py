"""What tests of networks share: a picture, an export, and how near its logits must be to torch's."""

import io
import warnings

import onnxruntime
import torch
from torch import nn


def picture(width: int, height: int) -> torch.Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(1)) * 2 - 1


def exported(network: nn.Module, x: torch.Tensor, free: bool) -> bytes:
    buffer = io.BytesIO()
    axes = {"x": {2: "h", 3: "w"}, "y": {2: "h", 3: "w"}} if free else None
    names = {"input_names": ["x"], "output_names": ["y"]}
    with warnings.catch_warnings():
        # The classic exporter announces its end from several places. What it says of sizes that it would fix
        # is a TracerWarning and stays an error.
        warnings.simplefilter("ignore", DeprecationWarning)
        # But for torch's group norm, which checks its input's size in Python, and a slice that ends before
        # the last entry, which it computes at run time instead of once: neither fixes a size.
        warnings.filterwarnings("ignore", category=torch.jit.TracerWarning, module=r"torch\.nn\.functional")
        warnings.filterwarnings("ignore", "Constant folding - Only steps=1", UserWarning)
        torch.onnx.export(network, (x,), buffer, dynamo=False, opset_version=17, dynamic_axes=axes, **names)
    return buffer.getvalue()


def run(model: bytes, *inputs: torch.Tensor) -> list[torch.Tensor]:
    """Return the one output of an .onnx in onnxruntime for each input; as it stands, not optimised."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL  # loaded sooner
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return [torch.from_numpy(session.run(None, {"x": x.numpy()})[0]) for x in inputs]


def assert_close(found: torch.Tensor, expected: torch.Tensor) -> None:
    assert found.shape == expected.shape
    assert (found - expected).abs().max() < 1e-4 * expected.abs().max()
