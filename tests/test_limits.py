"""Input sizes: what is taken, and that everything else is one line."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.errors import SizeError
from zoo.limits import SIZE_MAX_SIDE, SIZE_MIN_SIDE
from zoo.sizes import Size, check_size, parse_size

sides = st.integers(SIZE_MIN_SIDE, SIZE_MAX_SIDE)


@given(sides, sides)
def test_a_size_reads_back_as_it_is_written(width: int, height: int) -> None:
    assert parse_size(str(Size(width, height))) == (width, height)


@pytest.mark.parametrize("text", ["768X384", " 768 x 384 ", "768\u00d7384"])
def test_spellings_of_one_size(text: str) -> None:
    assert parse_size(text) == Size(768, 384)


@pytest.mark.parametrize(
    "text",
    ["", "768", "768x", "x384", "768x384x3", "768,384", "76.8x384", "1e3x384", "a" * 10**5, "9" * 500 + "x1"],
)
def test_text_that_is_no_size(text: str) -> None:
    with pytest.raises(SizeError, match="write width x height, such as 768x384") as refused:
        parse_size(text)
    assert len(str(refused.value)) < 150


@pytest.mark.parametrize("text", ["0x384", "-768x384", "768x31", "4097x768", "999999999x768"])
def test_a_size_out_of_range(text: str) -> None:
    with pytest.raises(SizeError, match="from 32 to 4096"):
        parse_size(text)


@pytest.mark.parametrize(
    "side", [0, -1, 31, 4097, 10**30, 512.0, 512.5, float("nan"), "512", None, True, [512]]
)
def test_a_side_that_is_none(side: object) -> None:
    for width, height, name in ((side, 384, "width"), (384, side, "height")):
        with pytest.raises(SizeError, match=f"^{name} "):
            check_size(width, height)


def test_numpy_s_whole_numbers_are_taken() -> None:
    size = check_size(np.int64(768), np.uint16(384))
    assert size == (768, 384)
    assert all(type(side) is int for side in size)
