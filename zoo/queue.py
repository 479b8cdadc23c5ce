"""One inference at a time, in the order of arrival, with a short line of people waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Condition
from time import sleep

from zoo import limits
from zoo.errors import BusyError


class TicketQueue:
    """Lets one holder in at a time, in order, and at most `waiting` others stand in line."""

    def __init__(self, waiting: int = limits.QUEUE_WAITING) -> None:
        self._waiting = waiting
        self._line: list[object] = []
        self._changed = Condition()

    @contextmanager
    def turn(self, tell: Callable[[int], None] | None = None) -> Iterator[None]:
        """Wait for one's turn, hold it in the block, and free it however the block or the wait ends.

        `tell` is called with one's place in line (1 is next), at once and about every second while waiting;
        what it raises, such as a page's stop, gives up the place. Raises BusyError if the line is full.
        """
        ticket = object()
        with self._changed:
            if len(self._line) > self._waiting:
                raise BusyError(
                    f"{self._waiting} others are waiting for a mask already: try again in a minute."
                )
            self._line.append(ticket)
        try:
            while (place := self._place(ticket)) > 0:
                if tell is not None:
                    tell(place)
                with self._changed:
                    if self._line.index(ticket) == place:
                        self._changed.wait(timeout=1)
            yield
        finally:
            with self._changed:
                self._line.remove(ticket)
                self._changed.notify_all()

    @contextmanager
    def patient_turn(self, tell: Callable[[int], None] | None = None, pause: float = 0.5) -> Iterator[None]:
        """Wait for one's turn however full the line is: for work that lets others in again and again.

        `tell` as `turn` calls it; behind a full line it is told the place behind the last.
        """
        with ExitStack() as stack:
            while True:
                try:
                    stack.enter_context(self.turn(tell))
                    break
                except BusyError:
                    if tell is not None:
                        tell(len(self))
                    sleep(pause)
            yield

    def __len__(self) -> int:
        """Return how many hold or wait for a turn."""
        return len(self._line)

    def _place(self, ticket: object) -> int:
        with self._changed:
            return self._line.index(ticket)
