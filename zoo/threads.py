"""The processor's other cores, for work that numpy does without the interpreter's lock."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

_CORES = min(8, os.cpu_count() or 1)


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
