"""A model file from outside, run in a process of its own that is kept for the next picture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from zoo import limits
from zoo.errors import InferenceError, ModelFileError, shown_name
from zoo.labelling import KINDS, Frame, Labelled
from zoo.limits import MAX_CLASSES
from zoo.runtimes.isolated import IdlePool, IsolatedProcess
from zoo.runtimes.runtime import InputSpec
from zoo.sizes import Size


class SandboxedNetwork:
    """A stranger's model, loaded in a process of its own: it takes an input and gives labels."""

    def __init__(self, path: Path, runtime: str, size: Size) -> None:
        """Start the process and have it load the model. A free input is given the size.

        Raises ModelFileError for a model that is refused, InferenceError where its process died.
        """
        self._name = shown_name(path)
        self._process = IsolatedProcess(path)
        try:
            content = np.fromfile(path, np.uint8)
            arguments = {"runtime": runtime, "size": list(size)}
            header, _ = self._process.ask("load", arguments, content, refusal=ModelFileError)
            self.spec = InputSpec(**header)
        except BaseException:
            self.close()
            raise

    def find_labels(self, values: npt.NDArray[Any], frame: Frame, *, confidence: bool = False) -> Labelled:
        """Run the model, as `zoo.labelling.find_labels` does with an output.

        Raises InferenceError if it fails or goes beyond its limits.
        """
        width, height = frame.picture_size
        pixels = width * height
        header, answer = self._process.ask(
            "labels",
            {"frame": frame, "confidence": confidence},
            values,
            reply_bytes=pixels * (5 if confidence else 1),
        )
        kind, count, confident = (header.get(key) for key in ("kind", "class_count", "confidence"))
        whole = count is None or (isinstance(count, int) and 1 <= count <= MAX_CLASSES)
        if kind not in KINDS or not whole or answer.nbytes != pixels * (5 if confident else 1):
            raise InferenceError(
                f"{self._name}: its process gave no mask that can be used. Try another file."
            )
        planes = answer.view(np.uint8)
        return Labelled(
            planes[:pixels].reshape(height, width),
            planes[pixels:].view(np.float32).reshape(height, width) if confident else None,
            kind,
            count,
        )

    def close(self) -> None:
        """End the process."""
        self._process.close()


waiting: IdlePool[SandboxedNetwork] = IdlePool(
    limits.SANDBOX_KEPT, limits.SANDBOX_IDLE_SECONDS, limits.SANDBOX_KEPT_SECONDS
)


@contextmanager
def sandboxed(path: Path, sha256: str, runtime: str, size: Size) -> Iterator[SandboxedNetwork]:
    """Give a model file from outside, loaded: in the process of the last picture if it still waits.

    Raises as SandboxedNetwork does.
    """
    with waiting.borrow((sha256, runtime, size), lambda: SandboxedNetwork(path, runtime, size)) as network:
        yield network
