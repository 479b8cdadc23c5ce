"""The live count for pages; torch is first imported when a visitor asks for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from zoo.complexity import Complexity


@st.cache_data(max_entries=128, show_spinner=False)
def live_count(row_id: str, width: int, height: int) -> Complexity:
    """Return ptflops' count of a row; raises as `zoo.complexity.count` does."""
    from zoo.complexity import count

    return count(row_id, width, height)
