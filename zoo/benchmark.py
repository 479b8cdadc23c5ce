"""How long one picture takes a network on this machine: `python benchmark.py F.onnx --size 768x384`.

This file needs numpy and onnxruntime and nothing else of this project, so that it can be copied to a board
and run there. Each measurement runs in a process of its own, whose peak memory is told with it. What is timed
is the network alone, at batch 1, after a warm-up: reading and resizing the picture is not part of it. The
input is noise, since no layer of these networks takes longer for one picture than for another.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

FORMAT = "segselect-benchmark"
VERSION = 1
"""The schema of the JSON document; a change that an older reader would misread raises it."""
UNITS = {"latency": "ms", "memory": "bytes", "throughput": "GMAC/s"}
CONDITIONS = (
    "The network alone at batch 1, input already in memory: reading, decoding and resizing the picture "
    "are not part of it. Median, 10th and 90th percentile of single runs after a warm-up, each network in a "
    "process of its own, whose peak memory includes the interpreter and the runtime."
)
RUNS, LEAST_RUNS, WARMUP_RUNS = 100, 5, 3
SECONDS, WARMUP_SECONDS = 5.0, 0.5
"""Runs stop at RUNS or after SECONDS, but never before LEAST_RUNS."""
_INPUT_TYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(uint8)": "uint8",
    "tensor(int8)": "int8",
}


class BenchmarkError(Exception):
    """A network that cannot be measured, in one line."""


def timed(
    run: Callable[[], object],
    *,
    runs: int = RUNS,
    seconds: float = SECONDS,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Any]:
    """Return median_ms, p10_ms, p90_ms, min_ms, runs and warmup_runs of calling `run`.

    The warm-up lasts at least WARMUP_RUNS calls and, where these are short, WARMUP_SECONDS.
    """
    import numpy as np

    warmups, began = 0, clock()
    while warmups < WARMUP_RUNS or (clock() - began < WARMUP_SECONDS and warmups < runs):
        run()
        warmups += 1
    took: list[float] = []
    began = clock()
    while len(took) < LEAST_RUNS or (len(took) < runs and clock() - began < seconds):
        before = clock()
        run()
        took.append(1000 * (clock() - before))
    p10, median, p90 = np.percentile(took, [10, 50, 90]).tolist()
    return {
        "median_ms": median,
        "p10_ms": p10,
        "p90_ms": p90,
        "min_ms": min(took),
        "runs": len(took),
        "warmup_runs": warmups,
    }


def measure(
    model: str | bytes,
    size: tuple[int, int] | None = None,
    *,
    threads: int | None = None,
    provider: str = "CPUExecutionProvider",
    macs: int | None = None,
    runs: int = RUNS,
    seconds: float = SECONDS,
) -> dict[str, Any]:
    """Return one measurement of an .onnx (a path or its bytes), made in this process.

    `size`: width and height in pixels, for a network whose input is free; `threads`: of onnxruntime, all
    physical cores by default; `macs`: multiply-accumulates at that size, where they are known.
    Raises BenchmarkError.
    """
    import onnxruntime  # noqa: F401 (part of what every process takes)

    base = peak_memory()
    session, values = _session(model, size, threads or physical_cores(), provider)
    name, output = session.get_inputs()[0].name, session.get_outputs()[0].name
    notes = session.get_modelmeta().custom_metadata_map
    try:
        found = timed(lambda: session.run([output], {name: values}), runs=runs, seconds=seconds)
    except Exception as error:  # onnxruntime's own kinds, with many lines
        raise BenchmarkError(f"the network failed: {_one_line(error)}") from error
    channels_last = values.shape[3] == 3 and values.shape[1] != 3
    height, width = values.shape[1:3] if channels_last else values.shape[2:]
    return {
        "id": notes.get("segselect.row"),
        "runtime": "onnxruntime",
        "provider": session.get_providers()[0],
        "threads": threads or physical_cores(),
        "precision": notes.get("segselect.precision", _INPUT_TYPES[session.get_inputs()[0].type]),
        "width": int(width),
        "height": int(height),
        "weights": "random" if notes.get("segselect.random") else "in the file",
        **found,
        "macs": macs,
        "gmacs_per_second": None if macs is None else macs / found["median_ms"] / 1e6,
        "peak_memory_bytes": peak_memory(),
        "base_memory_bytes": base,
    }


def _session(
    model: str | bytes, size: tuple[int, int] | None, threads: int, provider: str
) -> tuple[Any, Any]:
    """Return a session whose input has a fixed size, and an input for it."""
    import numpy as np
    import onnxruntime

    if provider not in onnxruntime.get_available_providers():
        raise BenchmarkError(
            f"provider {provider!r} is not in this onnxruntime; it has "
            f"{', '.join(onnxruntime.get_available_providers())}"
        )

    def load(level: Any, fixed: dict[str, int]) -> Any:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = threads
        options.graph_optimization_level = level
        for dimension, side in fixed.items():
            options.add_free_dimension_override_by_name(dimension, side)
        try:
            return onnxruntime.InferenceSession(model, options, providers=[provider])
        except Exception as error:  # onnxruntime's own kinds, with many lines
            raise BenchmarkError(f"onnxruntime cannot load it: {_one_line(error)}") from error

    levels = onnxruntime.GraphOptimizationLevel
    inputs = load(levels.ORT_DISABLE_ALL, {}).get_inputs()
    if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].type not in _INPUT_TYPES:
        raise BenchmarkError("it does not take one picture of four dimensions, in float or 8 bits")
    shape, fixed = _fixed_shape(inputs[0].shape, size)
    session = load(levels.ORT_ENABLE_ALL, fixed)  # told the size, it is an eighth faster
    dtype = np.dtype(_INPUT_TYPES[inputs[0].type])
    random = np.random.default_rng(0)
    if dtype.kind == "f":
        return session, random.standard_normal(shape, np.float32).astype(dtype, copy=False)
    limits = np.iinfo(dtype)
    return session, random.integers(limits.min, limits.max + 1, shape, dtype)


def _fixed_shape(shape: Sequence[Any], size: tuple[int, int] | None) -> tuple[list[int], dict[str, int]]:
    """Return the input's shape at a size, and the free dimensions by name with what they become."""
    places = (1, 2) if shape[3] == 3 and shape[1] != 3 else (2, 3)
    wanted = list(shape)
    wanted[0] = 1
    for place, side in zip(places, (size[1], size[0]) if size else (None, None), strict=True):
        if isinstance(shape[place], int) and side not in (None, shape[place]):
            fixed_size = f"{shape[places[1]]}x{shape[places[0]]}"
            raise BenchmarkError(f"its input is fixed at {fixed_size}: leave --size out")
        wanted[place] = shape[place] if isinstance(shape[place], int) else side
    if None in wanted or not all(isinstance(side, int) for side in wanted):
        raise BenchmarkError("its input size is free: give --size WxH, such as 768x384")
    names = {
        str(name): side
        for name, side in zip(shape, wanted, strict=True)
        if isinstance(name, str) and name and isinstance(side, int)
    }
    return wanted, names


def peak_memory() -> int | None:
    """Return the most memory that this process has held so far, in bytes; None where nobody tells.

    Linux counts it for a program from its start; what getrusage tells there includes the parent's memory.
    """
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
        if found:
            return int(found[1]) * 1024
    except OSError:
        pass  # not Linux: macOS has no /proc
    try:
        import resource
    except ImportError:  # Windows
        return None
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * (1 if sys.platform == "darwin" else 1024)


def physical_cores() -> int:
    """Return how many cores this process may use, those that share one core counted once."""
    if not hasattr(os, "sched_getaffinity"):
        return int(_said_by("sysctl", "-n", "hw.physicalcpu") or os.cpu_count() or 1)
    cores = set()
    for cpu in os.sched_getaffinity(0):
        try:
            cores.add(Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list").read_text())
        except OSError:  # a container may hide it
            cores.add(str(cpu))
    return len(cores)


def machine() -> dict[str, Any]:
    """Return what this machine is: name, processor, board where it has one, cores, memory, system."""
    memory = None
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "name": platform.node() or "unnamed",
        "processor": _processor(),
        "board": _text_of("/proc/device-tree/model"),
        "cores": physical_cores(),
        "memory_bytes": memory,
        "system": platform.system(),
        "architecture": platform.machine(),
    }


def _processor() -> str:
    listed = _text_of("/proc/cpuinfo") or ""
    told = re.search(r"^(?:model name|Hardware)\s*:\s*(.+)$", listed, re.MULTILINE)
    return (
        told[1].strip()
        if told
        else _said_by("sysctl", "-n", "machdep.cpu.brand_string") or platform.machine()
    )


def _text_of(path: str) -> str | None:
    try:
        return Path(path).read_text(errors="replace").strip("\0\n ")
    except OSError:
        return None


def _said_by(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=5).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def versions() -> dict[str, str]:
    """Return the versions that decide how fast a network runs."""
    import numpy as np
    import onnxruntime

    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "onnxruntime": onnxruntime.__version__,
    }


def document(measurements: Sequence[dict[str, Any]], *, name: str | None = None) -> dict[str, Any]:
    """Return the JSON document of measurements made on this machine; `name` replaces the machine's own."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "machine": {**machine(), **({} if name is None else {"name": name})},
        "versions": versions(),
        "measured_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),  # noqa: UP017 (3.11 on)
        "units": UNITS,
        "conditions": CONDITIONS,
        "measurements": list(measurements),
    }


def _one_line(error: object) -> str:
    return " ".join(str(error).split())[:200]


def _parse_size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,5})[xX](\d{1,5})", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size: write width x height, such as 768x384.")
    return int(found[1]), int(found[2])


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measure how long one picture takes an .onnx network.")
    parser.add_argument("models", nargs="+", metavar="F.onnx")
    parser.add_argument("--size", type=_parse_size, action="append", metavar="WxH", help="may be repeated")
    parser.add_argument("--threads", type=int, action="append", metavar="N", help="may be repeated")
    parser.add_argument("--provider", default="CPUExecutionProvider", help="onnxruntime's execution provider")
    parser.add_argument("--macs", type=int, metavar="N", help="multiply-accumulates of the one network given")
    parser.add_argument("--runs", type=int, default=RUNS, help=f"at most this many runs ({RUNS})")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"and this many seconds ({SECONDS:g})")
    parser.add_argument("--name", help="what to call this machine in the result")
    parser.add_argument("--out", metavar="F.json", help="write the result there, not on standard output")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)  # in this very process
    return parser


def _in_own_process(
    model: str, size: tuple[int, int] | None, threads: int | None, asked: Any
) -> dict[str, Any]:
    command = [sys.executable, __file__, model, "--here", "--provider", asked.provider]
    command += ["--runs", str(asked.runs), "--seconds", str(asked.seconds)]
    for option, value in (
        ("--size", size and f"{size[0]}x{size[1]}"),
        ("--threads", threads),
        ("--macs", asked.macs),
    ):
        command += [] if value is None else [option, str(value)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        told = done.stderr.strip().splitlines()
        raise BenchmarkError(told[-1] if told else f"{model}: its process died (status {done.returncode}).")
    digest = hashlib.sha256(Path(model).read_bytes()).hexdigest()
    return {**json.loads(done.stdout), "file": Path(model).name, "sha256": digest}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the networks named on the command line and write the document."""
    asked = _arguments().parse_args(arguments)
    sizes, threads = asked.size or [None], asked.threads or [None]
    if asked.here:
        try:
            found = measure(
                asked.models[0],
                sizes[0],
                threads=threads[0],
                provider=asked.provider,
                macs=asked.macs,
                runs=asked.runs,
                seconds=asked.seconds,
            )
        except BenchmarkError as error:
            print(f"{asked.models[0]}: {error}", file=sys.stderr)
            return 1
        print(json.dumps(found))
        return 0
    measurements, status = [], 0
    for model, size, count in [(m, s, t) for m in asked.models for s in sizes for t in threads]:
        try:
            found = _in_own_process(model, size, count, asked)
        except (BenchmarkError, OSError) as error:
            print(_one_line(error), file=sys.stderr)
            status = 1
            continue
        measurements.append(found)
        print(
            f"{found['file']} {found['width']}x{found['height']}: {found['median_ms']:.2f} ms "
            f"({found['p10_ms']:.2f} to {found['p90_ms']:.2f}), {found['threads']} threads",
            file=sys.stderr,
        )
    if measurements:
        text = json.dumps(document(measurements, name=asked.name), indent=2) + "\n"
        if asked.out is None:
            print(text, end="")
        else:
            Path(asked.out).write_text(text, encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main())
