"""Plain torch: slower than onnxruntime, and the one to compare it with."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from zoo.runtimes import InputSpec
from zoo.weights.checkpoints import Checkpoint


class TorchNetwork:
    """A Network that is the row's torch module itself."""

    spec = InputSpec()

    def __init__(self, checkpoint: Checkpoint) -> None:
        """Build the row's network with these weights. Raises CheckpointError for a file that does not fit."""
        from zoo.weights.layouts import build_for

        self._model = build_for(checkpoint.row_id, checkpoint.path)

    def run(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the logits (1, C, H, W)."""
        import torch

        with torch.inference_mode():
            return self._model(torch.from_numpy(values)).numpy()
