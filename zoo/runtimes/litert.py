"""LiteRT: the runtime of .tflite files."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from zoo.runtimes.runtime import DEFAULT, InputSpec, Loading, ModelFile, Runtime


class LiteRtNetwork:
    """A Network in a LiteRT interpreter."""

    def __init__(self, model: ModelFile, loading: Loading = DEFAULT) -> None:
        """Load a model by path or bytes. Raises RuntimeError or ValueError for one that cannot be used.

        A .tflite has one input size, and its tensors stay in place: of `loading` only the threads count.
        """
        from ai_edge_litert.interpreter import Interpreter

        content = model if isinstance(model, bytes) else Path(model).read_bytes()
        self._interpreter = Interpreter(model_content=content, num_threads=loading.threads)
        self._interpreter.allocate_tensors()
        inputs = self._interpreter.get_input_details()
        if len(inputs) != 1:
            raise ValueError(f"it takes {len(inputs)} inputs, not one RGB picture")
        self._input = inputs[0]["index"]
        output = self._interpreter.get_output_details()[0]
        self._output = output["index"]
        self._scale, self._zero = output["quantization"]
        self.spec = InputSpec.of(
            [int(side) for side in inputs[0]["shape"]], np.dtype(inputs[0]["dtype"]).name
        )
        self._lock = Lock()  # an interpreter keeps its tensors in place

    def run(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the first output; of real numbers in 8 bits, a single plane comes as real numbers again."""
        with self._lock:
            self._interpreter.set_tensor(self._input, values)
            self._interpreter.invoke()
            output = np.array(self._interpreter.get_tensor(self._output))
        if self._scale and 1 in (output.shape[1], output.shape[-1]):
            # Of several planes the largest is the same in 8 bits; a single one needs its threshold.
            return (output.astype(np.float32) - self._zero) * np.float32(self._scale)
        return output


RUNTIME = Runtime("litert", "ai_edge_litert", file_format="tflite", load_file=LiteRtNetwork)
