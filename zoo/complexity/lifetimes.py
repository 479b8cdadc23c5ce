"""How long tensors live while a network runs, and how much of them at once: the peak activation."""

from __future__ import annotations


class Lifetimes:
    """Buffers with their values, step of birth and step of last use, in execution order."""

    def __init__(self) -> None:
        self._values: list[int] = []
        self._born: list[int] = []
        self._last_use: list[int] = []
        self._over: dict[int, int] = {}
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

    def peak_values(self, *, before_last: bool = False) -> int:
        """Return the largest sum of buffers alive at once, in values, with the last operation or without."""
        change = [0] * (self._step + 3)
        for buffer, values in enumerate(self._values):
            born, over = self._born[buffer], self._over.get(buffer)
            begins = born + 1 if over is not None and self._last_use[over] == born else born
            change[begins] += values
            change[max(self._last_use[buffer], begins) + 1] -= values
        peak = alive = 0
        for step in change[: self._step] if before_last else change:
            alive += step
            peak = max(peak, alive)
        return peak
