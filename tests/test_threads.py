"""Work side by side: each job once, and what goes wrong in one is told."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from zoo.threads import in_threads, strips


@pytest.mark.parametrize("count", [0, 1, 2, 50])
@pytest.mark.parametrize("threads", [None, 1])
def test_each_job_is_done_once_before_it_returns(count: int, threads: int | None) -> None:
    done: list[tuple[int, int]] = []
    in_threads((partial(lambda n: done.append((n, threading.get_ident())), n) for n in range(count)), threads)
    assert sorted(number for number, _ in done) == list(range(count))
    if threads == 1:
        assert {thread for _, thread in done} <= {threading.get_ident()}


@pytest.mark.parametrize("bad", [0, 7, 19])
def test_what_one_raises_is_raised(bad: int) -> None:
    def job(number: int) -> None:
        if number == bad:
            raise ValueError(number)

    with pytest.raises(ValueError, match=f"^{bad}$"):
        in_threads(partial(job, number) for number in range(20))


@pytest.mark.parametrize(("most", "lengths"), [(30, [3, 3, 1]), (70, [7]), (1, [1] * 7), (39, [3, 3, 1])])
def test_strips_are_all_rows_once_and_no_more_values_than_asked(most: int, lengths: list[int]) -> None:
    found = list(strips(slice(5, 12), 10, most))
    assert [row for part in found for row in range(part.start, part.stop)] == list(range(5, 12))
    assert [part.stop - part.start for part in found] == lengths
