"""The processor's other cores, for work that numpy does without the interpreter's lock."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache

STRIP_PIXELS = 400_000
"""Of a picture, that one thread works on at a time. On less, helpers save a millisecond and cost the network
three at its next run: its own threads have lost their cores."""

_CORES = min(8, os.cpu_count() or 1)


def strips(rows: slice, row_length: int, most: int = STRIP_PIXELS) -> Iterator[slice]:
    """Give rows in strips of at most so many values together, but one row at least."""
    step = max(1, most // row_length)
    return (slice(start, min(start + step, rows.stop)) for start in range(rows.start, rows.stop, step))


def in_threads(jobs: Iterable[Callable[[], object]], threads: int | None = None) -> None:
    """Run jobs side by side and wait; raises what one raises.

    `threads` 1 runs them here: who makes many masks at once has a thread for each. Else others help: waking
    them takes as long as a small job, so the caller works too.
    """
    waiting = deque(jobs)

    def work() -> None:
        while waiting:
            try:
                job = waiting.popleft()
            except IndexError:  # another has just taken the last
                return
            job()

    helpers = [] if threads == 1 else [_helpers().submit(work) for _ in range(min(len(waiting), _CORES) - 1)]
    work()
    for helper in helpers:
        if not helper.cancel():
            helper.result()


@cache
def _helpers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, _CORES - 1), thread_name_prefix="numpy")
