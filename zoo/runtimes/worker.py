"""The process that loads and runs a model file from outside: `python -m zoo.runtimes.worker FORMAT`.

It limits itself before it reads anything, then speaks over standard input and output in messages (see
`send` and `receive`): in comes the model's bytes, out its InputSpec; in comes the input, out the raw
output. An error is a message too. It may be killed at any time.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from zoo import limits
from zoo.runtimes import Network

_HEADER_BYTES = 10_000


def send(stream: IO[bytes], header: dict[str, Any], values: npt.NDArray[Any] | None = None) -> None:
    """Write one line of JSON and, where there are values, their bytes."""
    if values is not None:
        header = {**header, "shape": list(values.shape), "dtype": values.dtype.name}
    stream.write(json.dumps(header).encode() + b"\n")
    if values is not None:
        stream.write(np.ascontiguousarray(values).tobytes())
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[dict[str, Any], npt.NDArray[Any]]:
    """Read a message of `send`: its header, and its values (empty if it has none).

    Raises EOFError if the other side is gone, ValueError if the message is not one or is too large.
    """
    line = stream.readline(_HEADER_BYTES)
    if not line.endswith(b"\n"):
        raise EOFError("the other side is gone")
    header = json.loads(line)
    dtype = np.dtype(header.get("dtype", "uint8"))
    shape = tuple(header.get("shape", (0,)))
    if dtype.hasobject or not all(isinstance(side, int) and side >= 0 for side in shape):
        raise ValueError("the message has values of a kind that is not passed on")
    size = dtype.itemsize
    for side in shape:
        size *= side
    if size > limits.SANDBOX_BYTES:
        raise ValueError("the message is too large")
    content = stream.read(size)
    if len(content) < size:
        raise EOFError("the other side is gone")
    return header, np.frombuffer(content, dtype).reshape(shape)


def limit_this_process() -> None:
    """Bound memory, processor time and files, as far as the platform can."""
    try:
        import resource
    except ImportError:  # Windows has none; the time limit of the parent remains
        return
    wanted = (
        ("RLIMIT_AS", limits.SANDBOX_BYTES),
        ("RLIMIT_CPU", limits.SANDBOX_SECONDS * 4),  # the clock is the parent's; this is for lost children
        ("RLIMIT_FSIZE", 0),
        ("RLIMIT_CORE", 0),
    )
    for name, value in wanted:
        try:
            resource.setrlimit(getattr(resource, name), (value, value))
        except (AttributeError, ValueError, OSError):  # macOS takes no limit on the address space
            continue


def load(file_format: str, model: bytes) -> Network:
    """Return the model as a Network, having checked it."""
    if file_format == "tflite":
        from zoo.runtimes.litert import LiteRtNetwork

        return LiteRtNetwork(model)
    from zoo.runtimes.onnx_check import check_onnx
    from zoo.runtimes.onnxruntime_session import OnnxNetwork

    check_onnx(model)
    return OnnxNetwork(model)


def main() -> int:
    """Serve one model to the parent until it closes the pipe."""
    limit_this_process()
    requests, replies = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # what a library prints must not get between the messages
    try:
        _, model = receive(requests)
        network = load(sys.argv[1], model.tobytes())
        send(replies, asdict(network.spec))
        while True:
            _, values = receive(requests)
            send(replies, {}, network.run(values))
    except EOFError:
        return 0
    except Exception as error:  # whatever a library raises about a stranger's model is passed on as text
        reason = " ".join(str(error).split()) or type(error).__name__
        send(replies, {"error": reason[:300]})
        return 1


if __name__ == "__main__":
    sys.exit(main())
