"""Plain torch: slower than onnxruntime, and the one to compare it with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from zoo.runtimes.runtime import InputSpec, Runtime

if TYPE_CHECKING:
    from zoo.rows import Row


class TorchNetwork:
    """A Network that is the row's torch module itself."""

    spec = InputSpec()

    def __init__(self, row: Row, path: str) -> None:
        """Build the row's network with a file's weights. Raises CheckpointError if they do not fit."""
        from zoo.weights.layouts import build_for

        self._model = build_for(row, path)

    def run(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the logits (1, C, H, W)."""
        import torch

        with torch.inference_mode():
            output: npt.NDArray[Any] = self._model(torch.from_numpy(values)).numpy()
        return output


RUNTIME = Runtime("torch", "torch", load_row=TorchNetwork)
