"""The live count for pages, made in a process of its own: torch never gets into the server's."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from zoo.rows import Row

if TYPE_CHECKING:
    from zoo.complexity import Complexity


@lru_cache(maxsize=128)
def live_count(row: Row, width: int, height: int) -> Complexity:
    """Return the count of a row's network, do not change it; raises as `count_elsewhere` does."""
    from zoo.complexity.counting import count_elsewhere

    return count_elsewhere(row, width, height)
