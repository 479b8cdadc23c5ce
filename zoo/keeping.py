"""Keeping what was costly to make, within bounds; and what failed, so that it is not tried again in vain."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import RLock
from typing import Generic, TypeVar

from zoo.errors import NotNowError, ZooError

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True)
class _Failure:
    """An error as kept: its kind and words. The error itself would keep alive all that it was raised over."""

    kind: type[ZooError]
    words: str


class Kept(Generic[K, V]):
    """The results used last, and failures that would only repeat themselves; threads may share it."""

    def __init__(self, most: int, most_bytes: float = float("inf"), *, failures: bool = True) -> None:
        """Keep at most `most` results, and `failures` where asked, of at most `most_bytes` together."""
        self._failures = failures
        self._most = most
        self._most_bytes = most_bytes
        self._entries: OrderedDict[K, tuple[V | _Failure, int]] = OrderedDict()
        self._lock = RLock()

    def get(self, key: K, make: Callable[[], V], size: Callable[[V], int] = lambda _: 0) -> V:
        """Return what is kept under a key, or what `make` gives, which is kept from then on.

        `size` tells a result's bytes; the last one is kept however large. A ZooError of `make` is raised
        again at each later call, without another try; but not a NotNowError, which may pass.
        """
        with self._lock:
            found = self._entries.get(key)
            if found is not None:
                self._entries.move_to_end(key)
        if found is None:
            return self._make(key, make, size)
        result = found[0]
        if isinstance(result, _Failure):
            raise result.kind(result.words)
        return result

    def _make(self, key: K, make: Callable[[], V], size: Callable[[V], int]) -> V:
        try:
            made = make()
        except NotNowError:
            raise
        except ZooError as error:
            if self._failures:
                self._put(key, _Failure(type(error), str(error)), 0)
            raise
        self._put(key, made, size(made))
        return made

    def clear(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._entries.clear()

    def __len__(self) -> int:
        """Return how many results and failures are kept."""
        return len(self._entries)

    def __contains__(self, key: K) -> bool:
        """Return whether something is kept under a key."""
        return key in self._entries

    def _put(self, key: K, entry: V | _Failure, taken: int) -> None:
        with self._lock:
            self._entries.pop(key, None)
            self._entries[key] = (entry, taken)
            while len(self._entries) > 1 and self._is_over():
                self._entries.popitem(last=False)

    def _is_over(self) -> bool:
        taken = sum(size for _, size in self._entries.values())
        return len(self._entries) > self._most or taken > self._most_bytes
