"""The default runtime: onnxruntime on the CPU."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from zoo.runtimes.runtime import DEFAULT, InputSpec, Loading, ModelFile, Runtime
from zoo.sizes import Size

_TYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(uint8)": "uint8",
    "tensor(int8)": "int8",
}


class OnnxNetwork:
    """A Network in an onnxruntime session."""

    def __init__(self, model: ModelFile, loading: Loading = DEFAULT) -> None:
        """Load a model by path or bytes. Raises onnxruntime's errors, or ValueError for strange inputs."""
        source = model if isinstance(model, bytes) else os.fspath(model)
        size, self._keep_memory, self._threads = loading
        self._first = True
        self._session = self._open(source, {})
        inputs = self._session.get_inputs()
        if len(inputs) != 1:
            raise ValueError(f"it takes {len(inputs)} inputs, not one RGB picture")
        free = InputSpec.of(inputs[0].shape, _TYPES.get(inputs[0].type, inputs[0].type))
        if size is not None and (fixed := _fixed_sides(inputs[0].shape, free, size)):
            self._session = self._open(source, fixed)
        self._input = inputs[0].name
        output = self._session.get_outputs()[0]
        self._output = output.name
        self.spec = InputSpec.of(self._session.get_inputs()[0].shape, free.dtype)
        # What a stranger's model says of its output need not be so.
        told = not isinstance(model, bytes) and output.type == "tensor(float)"
        self._shape = tuple(output.shape) if told and all(isinstance(n, int) for n in output.shape) else None

    def _open(self, source: str | bytes, fixed: dict[str, int]) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # what goes wrong is raised; standard error stays quiet
        # Idle threads would go on spinning for a while, in the way of who makes labels of the output.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        # An arena never gives back, and a plan for a whole run doubles what its first one took.
        options.enable_cpu_mem_arena = options.enable_mem_pattern = self._keep_memory
        if self._threads is not None:
            options.intra_op_num_threads = self._threads
        for name, side in fixed.items():
            options.add_free_dimension_override_by_name(name, side)
        return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])

    def run(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the first output."""
        import onnxruntime

        options = onnxruntime.RunOptions()
        if self._first and self._keep_memory:
            # The first run takes its memory piece by piece, all others as one: let the pieces go.
            options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
            self._first = False
        output: npt.NDArray[Any]
        if self._shape is None:
            output = self._session.run([self._output], {self._input: values}, options)[0]
            return output
        # Written where it is wanted: `run` would copy it once more, megabytes of logits.
        output = np.empty(self._shape, np.float32)
        binding = self._session.io_binding()
        binding.bind_cpu_input(self._input, values)
        binding.bind_output(self._output, "cpu", 0, np.float32, self._shape, output.ctypes.data)
        self._session.run_with_iobinding(binding, options)
        return output


def _fixed_sides(shape: list[Any], spec: InputSpec, size: Size) -> dict[str, int]:
    """Return the names of an input's free sides, each with its length at this size."""
    sides = (1, 3, size.height, size.width) if spec.layout == "NCHW" else (1, size.height, size.width, 3)
    return {name: side for name, side in zip(shape, sides, strict=True) if isinstance(name, str)}


RUNTIME = Runtime("onnxruntime", "onnxruntime", file_format="onnx", load_file=OnnxNetwork)
