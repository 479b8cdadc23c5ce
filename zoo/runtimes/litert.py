"""LiteRT: the runtime of .tflite files."""

from __future__ import annotations

from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from zoo.runtimes import InputSpec


class LiteRtNetwork:
    """A Network in a LiteRT interpreter."""

    def __init__(self, model: bytes) -> None:
        """Load a model from its bytes. Raises RuntimeError or ValueError for one that cannot be used."""
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter = Interpreter(model_content=model)
        self._interpreter.allocate_tensors()
        inputs = self._interpreter.get_input_details()
        if len(inputs) != 1:
            raise ValueError(f"it takes {len(inputs)} inputs, not one RGB picture")
        self._input = inputs[0]["index"]
        self._output = self._interpreter.get_output_details()[0]["index"]
        self.spec = InputSpec.of(
            [int(side) for side in inputs[0]["shape"]], np.dtype(inputs[0]["dtype"]).name
        )
        self._lock = Lock()  # an interpreter keeps its tensors in place

    def run(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the first output."""
        with self._lock:
            self._interpreter.set_tensor(self._input, values)
            self._interpreter.invoke()
            return np.array(self._interpreter.get_tensor(self._output))
