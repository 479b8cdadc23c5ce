"""Timing a stranger's model: what the process of its own does (see zoo.runtimes.worker).

It imports little, since its peak memory is told with the milliseconds; the look at the file comes before, in
another process.
"""

from __future__ import annotations

from zoo import benchmark
from zoo.runtimes.worker import Header, Memory, Values


def check(memory: Memory, arguments: Header, content: Values) -> tuple[Header, Values | None]:
    """Look at a model's bytes, as is done before any runtime reads them."""
    from zoo.runtimes.onnx_check import check_onnx

    check_onnx(content.tobytes())
    return {}, None


def run(memory: Memory, arguments: Header, content: Values) -> tuple[Header, Values | None]:
    """Time a model's bytes. Arguments: size (width, height) or None, threads, macs or None."""
    size = arguments["size"]
    found = benchmark.measure(
        content.tobytes(),
        None if size is None else (size[0], size[1]),
        threads=arguments["threads"],
        macs=arguments["macs"],
    )
    return found, None
