"""The default runtime: onnxruntime on the CPU."""

from __future__ import annotations

import os
from typing import Any

import numpy.typing as npt

from zoo.runtimes import InputSpec

_TYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(uint8)": "uint8",
    "tensor(int8)": "int8",
}


class OnnxNetwork:
    """A Network in an onnxruntime session."""

    def __init__(self, model: str | os.PathLike[str] | bytes) -> None:
        """Load a model by path or bytes. Raises onnxruntime's errors, or ValueError for strange inputs."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # what goes wrong is raised; standard error stays quiet
        source = model if isinstance(model, bytes) else os.fspath(model)
        self._session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        inputs = self._session.get_inputs()
        if len(inputs) != 1:
            raise ValueError(f"it takes {len(inputs)} inputs, not one RGB picture")
        self._input = inputs[0].name
        self._output = self._session.get_outputs()[0].name
        self.spec = InputSpec.of(inputs[0].shape, _TYPES.get(inputs[0].type, inputs[0].type))

    def run(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the first output."""
        return self._session.run([self._output], {self._input: values})[0]
