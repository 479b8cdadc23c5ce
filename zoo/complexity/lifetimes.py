"""How long tensors live while a network runs, and how much of them at once: the peak activation."""

from __future__ import annotations

from copy import deepcopy
from itertools import accumulate
from typing import NamedTuple


class Convolved(NamedTuple):
    """A convolution's result and what norms made of it, each in a buffer that nothing else has read yet."""

    read: list[int]
    """What the convolution reads."""
    written: list[int]
    """Its result, and those of the norms in turn: a runtime computes them as one."""


class _Sum(NamedTuple):
    step: int
    convolved: Convolved
    other: int
    result: int


class Lifetimes:
    """Buffers with their values, step of birth and step of last use, in execution order."""

    def __init__(self) -> None:
        self._values: list[int] = []
        self._born: list[int] = []
        self._last_use: list[int] = []
        self._over: dict[int, int] = {}
        self._sums: list[_Sum] = []
        self._step = 0

    def next_step(self) -> None:
        """Go on to the next operation."""
        self._step += 1

    def new_buffer(self, values: int, over: int | None = None) -> int:
        """Return a buffer of that many values, which the operation at hand brings into being.

        It takes over the room of `over` if nothing reads that later: so norms and activations run in place.
        """
        buffer = len(self._values)
        self._values.append(values)
        self._born.append(self._step)
        self._last_use.append(self._step)
        if over is not None:
            self._over[buffer] = over
        return buffer

    def use(self, buffer: int) -> None:
        """Have the operation at hand read or write a buffer."""
        self._last_use[buffer] = self._step

    def add(self, convolved: Convolved, other: int, result: int) -> None:
        """Have the operation at hand add another buffer to a convolution's result."""
        self._sums.append(_Sum(self._step, convolved, other, result))

    def peak_values(self) -> int:
        """Return the largest sum of buffers alive at once, in values."""
        return max(self._alive())

    def run_peak_values(self) -> int:
        """Return the same as a runtime holds it, up to the last operation.

        A convolution that something is added to runs where the sum stands, and adds to what lies there.
        """
        run = deepcopy(self)
        for summing in self._sums:
            run._fuse(summing)
        return max(run._alive()[: self._step], default=0)

    def _fuse(self, summing: _Sum) -> None:
        step, (read, written), other, result = summing
        read_again = result != written[-1] and self._last_use[written[-1]] > step
        if read_again or self._values[other] != self._values[written[-1]]:
            return
        for buffer in read:
            self._last_use[buffer] = max(self._last_use[buffer], step)
        for buffer in {*written} - {result}:
            self._values[buffer] = 0
        self._born[result] = step
        self._over[result] = other

    def _alive(self) -> list[int]:
        """Return the values that are alive at each step."""
        change = [0] * (self._step + 3)
        for buffer, values in enumerate(self._values):
            born, over = self._born[buffer], self._over.get(buffer)
            begins = born + 1 if over is not None and self._last_use[over] == born else born
            change[begins] += values
            change[max(self._last_use[buffer], begins) + 1] -= values
        return list(accumulate(change))
