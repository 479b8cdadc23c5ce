"""The process that works on a file from outside: `python -m zoo.runtimes.worker`.

It limits itself before it reads anything (unless --unlimited says that all it gets is ours), then answers one
request after the other over standard input and output (see `send` and `receive`) until the other side is
gone. A request names one of TASKS. An error is an answer too. The process may be killed at any time.

To add a task: write a function (memory, arguments, content) -> (header, values) in the module that knows the
work, name it in TASKS, and call `zoo.runtimes.isolated.IsolatedProcess.ask` from outside.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib import import_module
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from zoo import limits

TASKS = {
    "load": "zoo.runtimes.strangers:load",
    "labels": "zoo.runtimes.strangers:labels",
    "describe": "zoo.complexity.onnx_task:describe",
    "count": "zoo.complexity.onnx_task:count",
    "live": "zoo.complexity.live_task:count",
    "check": "zoo.runtimes.timing:check",
    "time": "zoo.runtimes.timing:run",
}
"""Task -> module:function, imported when it is first asked for."""

Values = npt.NDArray[Any]
Header = dict[str, Any]
"""What JSON can say."""
Memory = dict[str, Any]
"""What the tasks of one process leave to each other; it lives as long as the process."""
Task = Callable[[Memory, Header, Values], tuple[Header, Values | None]]

UNLIMITED = "--unlimited"
_HEADER_BYTES = 10_000


def send(stream: IO[bytes], header: Header, values: Values | None = None) -> None:
    """Write one line of JSON and, where there are values, their bytes."""
    message: Header = {"header": header}
    if values is not None:
        message |= {"shape": list(values.shape), "dtype": values.dtype.name}
    stream.write(json.dumps(message).encode() + b"\n")
    if values is not None:
        stream.write(np.ascontiguousarray(values).data.cast("B"))
    stream.flush()


def receive(stream: IO[bytes], most_bytes: int) -> tuple[Header, Values]:
    """Read a message of `send`: its header, and its values (empty if it has none).

    Raises EOFError if the other side is gone, ValueError if the message is not one or has more than
    `most_bytes` of values; nothing of those is read then.
    """
    line = stream.readline(_HEADER_BYTES)
    if not line.endswith(b"\n"):
        raise EOFError("the other side is gone")
    message = json.loads(line)
    if not isinstance(message, dict) or not isinstance(message.get("header"), dict):
        raise ValueError("the message is not one")
    dtype = np.dtype(message.get("dtype", "uint8"))
    shape = tuple(message.get("shape", (0,)))
    if dtype.hasobject or not all(isinstance(side, int) and side >= 0 for side in shape):
        raise ValueError("the message has values of a kind that is not passed on")
    size = dtype.itemsize
    for side in shape:
        size *= side
    if size > most_bytes:
        raise ValueError(f"the message has {size:,} bytes, and at most {most_bytes:,} are taken")
    content = stream.read(size)
    if len(content) < size:
        raise EOFError("the other side is gone")
    return message["header"], np.frombuffer(content, dtype).reshape(shape)


def limit_this_process() -> None:
    """Bound memory and files, as far as the platform can, for good."""
    wanted = (
        ("RLIMIT_AS", limits.SANDBOX_BYTES),
        ("RLIMIT_FSIZE", 0),
        ("RLIMIT_CORE", 0),
    )
    for name, value in wanted:
        _set_limit(name, value, value)


def _limit_request() -> None:
    """Bound the processor's time for one request. The clock is the parent's; this is for lost children."""
    try:
        import resource
    except ImportError:  # Windows has none; the time limit of the parent remains
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + limits.SANDBOX_SECONDS * 4
    _set_limit("RLIMIT_CPU", seconds, resource.RLIM_INFINITY)


def _set_limit(name: str, soft: int, hard: int) -> None:
    try:
        import resource

        resource.setrlimit(getattr(resource, name), (soft, hard))
    except (ImportError, AttributeError, ValueError, OSError):  # macOS takes none on the address space
        return


def answer(memory: Memory, header: Header, values: Values) -> tuple[Header, Values | None]:
    """Do what a request asks. Raises KeyError for a task that there is not, and what the task raises."""
    module, _, function = TASKS[header["task"]].partition(":")
    task: Task = getattr(import_module(module), function)
    return task(memory, header["arguments"], values)


def main() -> int:
    """Serve the parent until it closes the pipe; without limits where no file from outside is read."""
    if UNLIMITED not in sys.argv[1:]:
        limit_this_process()
    requests, replies = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # what a library prints must not get between the messages
    memory: Memory = {}
    while True:
        try:
            header, values = receive(requests, limits.SANDBOX_BYTES)
        except EOFError:
            return 0
        _limit_request()
        try:
            reply = answer(memory, header, values)
        except Exception as error:  # whatever a library raises about a stranger's file is passed on as text
            reason = " ".join(str(error).split()) or type(error).__name__
            reply = {"error": reason[:300]}, None
        send(replies, *reply)


if __name__ == "__main__":
    sys.exit(main())
