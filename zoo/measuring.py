"""Rows and files timed on this machine: each in a process of its own, what is done is kept.

A row's network is exported with random weights for the one size that is timed: its speed does not depend on
them. An .onnx from outside is checked and run within the limits of `zoo.runtimes.isolated`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo import benchmark
from zoo.cache import cache_dir, hash_file, whole_file
from zoo.catalog import check_row_size, find_row
from zoo.costs import macs_over
from zoo.errors import BudgetError, FailedError, InferenceError, ModelFileError, ZooError, shown_name
from zoo.measurements import keep, kept, own_digest
from zoo.rows import Row
from zoo.runtimes import find_runtime
from zoo.runtimes.export import write_elsewhere
from zoo.runtimes.isolated import IsolatedProcess
from zoo.runtimes.memory import check_memory
from zoo.runtimes.runtime import Loading
from zoo.runtimes.worker import Values
from zoo.sizes import Size
from zoo.weights.checkpoints import check_model_file

RANDOM = "random"
"""Weights of a row's network here: they decide what it says, not how long it takes."""
Tick = Callable[[], None]
"""Called about twice a second while a network is being timed; what it raises stops it."""


@dataclass(frozen=True)
class Outcome:
    """What became of one row or file: a measurement (see `zoo.benchmark.measure`), or why there is none."""

    name: str
    measurement: dict[str, Any] | None
    reason: str | None = None


def check_threads(threads: object) -> int:
    """Return a number of threads, or raise BudgetError unless it is a whole number from 1 to 1024."""
    if not isinstance(threads, int) or isinstance(threads, bool) or not 1 <= threads <= 1024:
        raise BudgetError(
            f"threads {str(threads)[:40]!r} cannot be used: give a whole number from 1 to 1024."
        )
    return threads


def measure_rows(
    rows: Sequence[str | Row],
    size: Size | None = None,
    *,
    threads: int | None = None,
    runtime: str = "onnxruntime",
    seconds: float = benchmark.SECONDS,
    resume: bool = False,
    tick: Tick = lambda: None,
) -> Iterator[Outcome]:
    """Time rows one after the other, at `size` or each at its own, and keep each as soon as it is done.

    A row that does not take the size, is too large for the memory or fails is an outcome with its reason.
    Whoever stops asking stops the work; `resume` takes over what was kept of the same size, runtime and
    threads. Raises InputError for a runtime that is not here.
    """
    find_runtime(runtime)
    cores = benchmark.physical_cores() if threads is None else check_threads(threads)
    for asked in rows:
        row = find_row(asked)
        at = size or row.size
        before = _kept_line(row, at, cores, runtime) if resume else None
        if before is not None:
            yield Outcome(row.id, before)
            continue
        try:
            found = measure_row(row, at, threads=cores, runtime=runtime, seconds=seconds, tick=tick)
        except ZooError as error:
            yield Outcome(row.id, None, str(error))
            continue
        keep([found])
        yield Outcome(row.id, found)


def _kept_line(row: Row, size: Size, threads: int, runtime: str) -> dict[str, Any] | None:
    here = kept()
    same = {"id": row.id, "width": size.width, "height": size.height, "threads": threads, "runtime": runtime}
    for line in here.lines if here else ():
        if same.items() <= line.items():
            return {**line, "gmacs_per_second": line["macs"] / line["median_ms"] / 1e6}
    return None


def measure_row(
    row: Row,
    size: Size,
    *,
    threads: int,
    runtime: str = "onnxruntime",
    seconds: float = benchmark.SECONDS,
    tick: Tick = lambda: None,
) -> dict[str, Any]:
    """Return the measurement of a row's network with random weights at a size.

    Raises NotOursError, SizeError, NotNowError where it is too large for the memory, InferenceError.
    """
    checked = check_row_size(row, *size)
    check_memory(row, checked, whole=True)
    with _random_export(row, checked) as path:
        order = {"row": row.id, "path": str(path), "runtime": runtime, "size": list(checked)}
        found = _in_own_process({**order, "threads": threads, "seconds": seconds}, row.id, tick)
    macs = int(macs_over(row, [checked.width], [checked.height])[0])
    rate = macs / found["median_ms"] / 1e6
    about = {"id": row.id, "file": None, "sha256": None, "weights": RANDOM, "precision": "float32"}
    return {**found, **about, "macs": macs, "gmacs_per_second": rate}


@contextmanager
def _random_export(row: Row, size: Size) -> Iterator[Path]:
    """Give the row's network with random weights as an .onnx for one size; it is gone afterwards."""
    try:
        with whole_file(cache_dir() / "benchmarks", "random-") as (part, _):
            write_elsewhere(row, None, size, part, dynamic=False)
            yield part
    except OSError as error:
        raise FailedError(
            f"{row.id} cannot be exported to the cache folder: {error.strerror or error}. Make room there."
        ) from error


def _in_own_process(order: dict[str, Any], name: str, tick: Tick) -> dict[str, Any]:
    """Run an order in a process that holds little else, since its peak memory is told."""
    command = [sys.executable, "-m", "zoo.measuring", json.dumps(order)]
    if order["runtime"] == "onnxruntime":
        command = [sys.executable, benchmark.__file__, order["path"], "--here"]
        command += ["--threads", str(order["threads"]), "--seconds", str(order["seconds"])]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        while True:
            try:
                said, complained = process.communicate(timeout=0.5)
                break
            except subprocess.TimeoutExpired:
                tick()
    finally:
        process.kill()
        process.wait()
    if process.returncode != 0:
        reason = (complained.strip().splitlines() or ["its process died, maybe for want of memory"])[-1]
        raise InferenceError(f"{name} could not be timed: {shown_name(reason.replace('/', ' '), 200)}.")
    found: dict[str, Any] = json.loads(said)
    return found


def measure_file(
    path: Path, size: Size | None = None, *, threads: int | None = None, macs: int | None = None
) -> dict[str, Any]:
    """Return the measurement of an .onnx from outside, in onnxruntime, within a stranger's limits.

    `size` is left out for a file of a fixed size; `macs`: what it counts at that size, where that is known.
    Raises ModelFileError for a file that is refused, InferenceError where it fails or breaks a limit.
    """
    check_model_file(path, ModelFileError)
    content = np.fromfile(path, np.uint8)
    cores = benchmark.physical_cores() if threads is None else check_threads(threads)
    arguments = {"size": None if size is None else list(size), "threads": cores, "macs": macs}
    looking = IsolatedProcess(path)  # not the process whose memory is told
    try:
        looking.ask("check", {}, content, refusal=ModelFileError)
    finally:
        looking.close()
    timing = IsolatedProcess(path)
    try:
        found, _ = timing.ask("time", arguments, content, refusal=ModelFileError)
    finally:
        timing.close()
    return _checked({**found, "file": shown_name(path), "sha256": hash_file(path)}, path)


def measure_own(row: Row, *, threads: int, tick: Tick = lambda: None) -> dict[str, Any]:
    """Return the measurement of a visitor's own row at its size; nothing of it is kept.

    An .onnx runs within a stranger's limits, a network of ours that a row names as any row of ours; `sha256`
    is that of `own_digest`. Raises as `measure_file` and `measure_row`.
    """
    if row.own is None:
        found = measure_row(row, row.size, threads=threads, tick=tick)
    else:
        file = row.own
        try:
            found = measure_file(file.path, file.size, threads=threads, macs=file.macs)
        except ZooError as error:
            raise type(error)(str(error).replace(file.path.name, file.name)) from error
    return {**found, "id": row.id, "file": None, "sha256": own_digest(row)}


def _checked(found: dict[str, Any], path: Path) -> dict[str, Any]:
    """Hold what a stranger's process answers against the schema, as a file from outside."""
    from zoo.measurements import parse

    document = json.dumps(benchmark.document([found])).encode()
    (line,) = parse(document, shown_name(path)).lines
    macs = line["macs"]
    return {**line, "gmacs_per_second": None if macs is None else macs / line["median_ms"] / 1e6}


def _with_other_runtime(order: dict[str, Any]) -> dict[str, Any]:
    """Time a row in another runtime of the registry."""
    size = Size(*order["size"])
    values = np.random.default_rng(0).standard_normal((1, 3, size.height, size.width), np.float32)
    if order["runtime"] == "torch":
        run, base = _in_torch(order, values)
        threads = order["threads"]
    else:
        base = benchmark.peak_memory()
        network = find_runtime(order["runtime"]).open_file(order["path"], Loading(size))
        run, threads = lambda: network.run(values), benchmark.physical_cores()  # as many as it likes
    found = benchmark.timed(run, seconds=order["seconds"])
    return {
        "runtime": order["runtime"],
        "provider": None,
        "threads": threads,
        "width": size.width,
        "height": size.height,
        **found,
        "peak_memory_bytes": benchmark.peak_memory(),
        "base_memory_bytes": base,
    }


def _in_torch(order: dict[str, Any], values: Values) -> tuple[Callable[[], object], int | None]:
    """Return a run of a row in plain torch, and the memory of the process before the network."""
    import torch

    from zoo.models import build_model

    torch.set_num_threads(order["threads"])
    torch.set_grad_enabled(False)
    base = benchmark.peak_memory()
    model, picture = build_model(order["row"]).eval(), torch.from_numpy(values)
    return lambda: model(picture), base


if __name__ == "__main__":
    print(json.dumps(_with_other_runtime(json.loads(sys.argv[1]))))
