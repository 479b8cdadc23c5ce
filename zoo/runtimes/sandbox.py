"""A model file from outside as a Network: loaded and run in a process of its own that may die.

That process has a memory limit, a time limit, an empty folder to stand in, and no environment to speak of.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

import zoo
from zoo import limits
from zoo.errors import InferenceError, ModelFileError, ZooError, shown_name
from zoo.runtimes import InputSpec
from zoo.runtimes.worker import receive, send

_PACKAGE_HOME = Path(zoo.__file__).resolve().parent.parent
_KEPT_VARIABLES = ("PATH", "SYSTEMROOT", "LANG", "LC_ALL")


class SandboxedNetwork:
    """A Network in a process of its own; use it in a with statement, which ends that process.

    The time limit counts from its start.
    """

    def __init__(self, path: Path, file_format: str) -> None:
        """Start the process and have it load the model: `file_format` is onnx or tflite.

        Raises ModelFileError for a model that is refused, InferenceError where its process died.
        """
        self._name = shown_name(path)
        self._timed_out = False
        self._folder = tempfile.mkdtemp(prefix="segselect-")
        environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "zoo.runtimes.worker", file_format],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
            env={**environment, "PYTHONPATH": str(_PACKAGE_HOME), "OPENBLAS_NUM_THREADS": "1"},
        )
        self._timer = Timer(limits.SANDBOX_SECONDS, self._stop_late)
        self._timer.daemon = True
        self._timer.start()
        try:
            header, _ = self._ask(np.fromfile(path, np.uint8), ModelFileError)
            self.spec = InputSpec(**header)
        except BaseException:
            self.close()
            raise

    def run(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the model's first output. Raises InferenceError if it fails or goes beyond its limits."""
        return self._ask(values, InferenceError)[1]

    def close(self) -> None:
        """End the process and remove its folder."""
        self._timer.cancel()
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was still to be written has nobody to read it
                    continue
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> SandboxedNetwork:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _stop_late(self) -> None:
        self._timed_out = True
        self._process.kill()

    def _ask(
        self, values: npt.NDArray[Any], refusal: type[ZooError]
    ) -> tuple[dict[str, Any], npt.NDArray[Any]]:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise InferenceError(f"{self._name}: the process that runs it could not be started. Try again.")
        try:
            send(stdin, {}, values)
            header, output = receive(stdout)
        except (EOFError, OSError, ValueError) as error:
            raise InferenceError(self._obituary()) from error
        if "error" in header:
            reason = shown_name(str(header["error"]).replace("/", " "), 200)
            raise refusal(f"{self._name} cannot be used: {reason}.")
        return header, output

    def _obituary(self) -> str:
        if self._timed_out:
            return (
                f"{self._name} was stopped after {limits.SANDBOX_SECONDS} s: "
                "use a smaller model or a smaller size."
            )
        return (
            f"{self._name} broke the process that ran it, which may use "
            f"{limits.SANDBOX_BYTES // (1000 * limits.MEGABYTE)} GB of memory: "
            "use a smaller model or another file."
        )
