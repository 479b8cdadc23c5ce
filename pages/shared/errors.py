"""Expected errors on a page: one line, and the rest of the page stays usable."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from zoo.errors import ZooError


@contextmanager
def shown_errors() -> Iterator[None]:
    """Show a ZooError raised inside as one line instead of a traceback."""
    try:
        yield
    except ZooError as error:
        st.error(str(error), icon=":material/error:")
