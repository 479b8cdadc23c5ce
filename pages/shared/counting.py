"""The live count for pages; torch is first imported when a visitor asks for one."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from zoo.rows import Row

if TYPE_CHECKING:
    from zoo.complexity import Complexity


@lru_cache(maxsize=128)
def live_count(row: Row, width: int, height: int) -> Complexity:
    """Return the count of a row's network, do not change it; raises as `zoo.complexity.count` does."""
    from zoo.complexity import count

    return count(row, width, height)
