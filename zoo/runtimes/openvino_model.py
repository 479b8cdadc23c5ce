"""OpenVINO on the CPU: for who has it installed and asks for it by name."""

from __future__ import annotations

import os
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from zoo.runtimes.runtime import DEFAULT, InputSpec, Loading, ModelFile, Runtime

_TYPES = {"f32": "float32", "f16": "float16", "u8": "uint8", "i8": "int8"}


class OpenVinoNetwork:
    """A Network compiled by OpenVINO."""

    def __init__(self, model: ModelFile, loading: Loading = DEFAULT) -> None:
        """Load a model by path or bytes. Raises OpenVINO's errors, or ValueError for strange inputs.

        It holds on to memory for as long as it lives: `loading.keep_memory` changes nothing.
        """
        import openvino

        size = loading.size
        core = openvino.Core()
        read = core.read_model(model if isinstance(model, bytes) else os.fspath(model))
        if len(read.inputs) != 1:
            raise ValueError(f"it takes {len(read.inputs)} inputs, not one RGB picture")
        self.spec = _spec(read.input(0))
        if size is not None and None in (self.spec.height, self.spec.width):
            height, width = self.spec.height or size.height, self.spec.width or size.width
            read.reshape([1, 3, height, width] if self.spec.layout == "NCHW" else [1, height, width, 3])
            self.spec = _spec(read.input(0))
        # Some processors would compute in half precision by default.
        wanted: dict[str, str | int] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
        if loading.threads is not None:
            wanted["INFERENCE_NUM_THREADS"] = loading.threads
        self._request = core.compile_model(read, "CPU", wanted).create_infer_request()
        self._lock = Lock()  # a request keeps its tensors in place

    def run(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the first output."""
        with self._lock:
            self._request.infer([values], share_inputs=True)
            return np.array(self._request.get_output_tensor(0).data)


def _spec(taken: Any) -> InputSpec:
    sides = [side.get_length() if side.is_static else None for side in taken.get_partial_shape()]
    kind = taken.get_element_type().get_type_name()
    return InputSpec.of(sides, _TYPES.get(kind, kind))


RUNTIME = Runtime("openvino", "openvino", file_format="onnx", load_file=OpenVinoNetwork, by_name_only=True)
