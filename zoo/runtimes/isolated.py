"""A process of its own for a file from outside: it works within limits and may die; the server does not.

The process has a memory limit, a time limit for each request, an empty folder to stand in, and no environment
to speak of. Its answers are not trusted either: each has at most the bytes that the question can need.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, Timer
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from zoo import limits
from zoo.errors import InferenceError, ZooError, shown_name
from zoo.runtimes.worker import UNLIMITED, Header, Values, receive, send

_PACKAGE_HOME = Path(__file__).resolve().parents[2]
_KEPT_VARIABLES = ("PATH", "SYSTEMROOT", "LANG", "LC_ALL")


class IsolatedProcess:
    """A process that answers the tasks of zoo.runtimes.worker about one file from outside."""

    def __init__(self, name: object, *, ours: bool = False) -> None:
        """Start it. `name` is what messages call the file; `ours`: there is none, so memory has no limit."""
        self._name = shown_name(name)
        self._timed_out = False
        self._folder = tempfile.mkdtemp(prefix="segselect-")
        environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "zoo.runtimes.worker", *([UNLIMITED] if ours else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
            env={**environment, "PYTHONPATH": str(_PACKAGE_HOME), "OPENBLAS_NUM_THREADS": "1"},
        )

    def ask(
        self,
        task: str,
        arguments: Header,
        content: npt.NDArray[Any],
        *,
        reply_bytes: int = 0,
        refusal: type[ZooError] = InferenceError,
    ) -> tuple[Header, Values]:
        """Return what a task of the worker answers: a header and at most `reply_bytes` of values.

        Raises `refusal` with the task's own words where it fails, InferenceError where its process died,
        took too long or answered with more than it may; it is of no use afterwards.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise InferenceError(f"{self._name}: the process that runs it could not be started. Try again.")
        timer = Timer(limits.SANDBOX_SECONDS, self._stop_late)
        timer.daemon = True
        timer.start()
        try:
            send(stdin, {"task": task, "arguments": arguments}, content)
            header, values = receive(stdout, reply_bytes)
        except (EOFError, OSError) as error:
            raise InferenceError(self._obituary()) from error
        except (ValueError, TypeError) as error:
            self._process.kill()
            raise InferenceError(
                f"{self._name} gives more or other values than a picture's mask has: use another file."
            ) from error
        finally:
            timer.cancel()
        if "error" in header:
            reason = shown_name(str(header["error"]).replace("/", " "), 200)
            raise refusal(f"{self._name} cannot be used: {reason}.")
        return header, values

    def ask_json(
        self, task: str, arguments: Header, content: npt.NDArray[Any], *, refusal: type[ZooError]
    ) -> Any:
        """Return what a task answers as JSON in its values: for words and tables, too long for a header."""
        _, values = self.ask(task, arguments, content, reply_bytes=limits.SANDBOX_TEXT_BYTES, refusal=refusal)
        try:
            return json.loads(values.tobytes())
        except ValueError as error:
            raise InferenceError(f"{self._name}: its process gave no answer that can be read.") from error

    def close(self) -> None:
        """End the process and remove its folder."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was still to be written has nobody to read it
                    continue
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _stop_late(self) -> None:
        self._timed_out = True
        self._process.kill()

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


def as_json(words: Any) -> npt.NDArray[np.uint8]:
    """Return an answer for `IsolatedProcess.ask_json`, as a task gives it back as its values."""
    return np.frombuffer(json.dumps(words).encode(), np.uint8)


class _Closable(Protocol):
    def close(self) -> None: ...


C = TypeVar("C", bound=_Closable)


class IdlePool(Generic[C]):
    """Keeps what is costly to start for the next request of the same kind: a few, and only for a while.

    Nobody shares: what is borrowed is in nobody else's hands.
    """

    def __init__(self, most: int, idle_seconds: float, total_seconds: float) -> None:
        """Keep at most `most`, each for `idle_seconds` without a request and `total_seconds` in all."""
        self._most = most
        self._idle_seconds = idle_seconds
        self._total_seconds = total_seconds
        self._idle: list[tuple[Hashable, C, float, Timer]] = []
        self._lock = Lock()
        atexit.register(self.clear)

    @contextmanager
    def borrow(self, key: Hashable, start: Callable[[], C]) -> Iterator[C]:
        """Give a kept one of this key, or a new one; it is closed if the block fails, else kept."""
        found, born = self._take(key) or (start(), time.monotonic())
        try:
            yield found
        except BaseException:
            found.close()
            raise
        self._give_back(key, found, born)

    def clear(self) -> None:
        """Close all that are kept and not in use."""
        while self._idle:
            self._drop(self._idle[0][1])

    def __len__(self) -> int:
        """Return how many wait for a request."""
        return len(self._idle)

    def _take(self, key: Hashable) -> tuple[C, float] | None:
        with self._lock:
            for place, (kept_key, kept, born, timer) in enumerate(self._idle):
                if kept_key == key:
                    timer.cancel()
                    del self._idle[place]
                    return kept, born
        return None

    def _give_back(self, key: Hashable, used: C, born: float) -> None:
        seconds = min(self._idle_seconds, born + self._total_seconds - time.monotonic())
        timer = Timer(max(0.0, seconds), self._drop, [used])
        timer.daemon = True
        with self._lock:
            self._idle.append((key, used, born, timer))
            superfluous = [kept for _, kept, _, _ in self._idle[: -self._most]]
        timer.start()
        for kept in superfluous:
            self._drop(kept)

    def _drop(self, unwanted: C) -> None:
        with self._lock:
            entry = next((entry for entry in self._idle if entry[1] is unwanted), None)
            if entry is None:  # somebody has borrowed it in the meantime
                return
            self._idle.remove(entry)
        entry[3].cancel()
        unwanted.close()
