"""What a network is given, against its definition in whole numbers or in double precision."""

import numpy as np
import pytest

from zoo.preprocessing import fit_picture, normalise
from zoo.runtimes.runtime import InputSpec
from zoo.sizes import Size

MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


@pytest.fixture
def rgb() -> np.ndarray:
    """A picture with every byte in every channel, whose height is odd."""
    levels = np.random.default_rng(0).permutation(np.tile(np.arange(256), 3)).reshape(3, 256)
    picture = np.zeros((33, 24, 3), np.uint8)
    picture.reshape(-1, 3)[:256] = levels.T
    return picture


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize(("dtype", "near"), [("float32", 1e-6), ("float16", 2e-3)])
@pytest.mark.parametrize("threads", [None, 1])
def test_floats_are_the_pixels_less_the_mean_by_the_deviation(
    rgb: np.ndarray, layout: str, dtype: str, near: float, threads: int | None
) -> None:
    found = normalise(rgb, InputSpec(layout, dtype), MEAN, STD, threads)
    expected = ((rgb - np.array(MEAN)) / np.array(STD))[None]
    assert found.dtype == dtype
    assert found.flags["C_CONTIGUOUS"]
    assert np.allclose(found, expected.transpose(0, 3, 1, 2) if layout == "NCHW" else expected, atol=near)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize(("dtype", "zero"), [("uint8", 0), ("int8", 128)])
def test_bytes_are_the_pixels_and_signed_ones_128_less(
    rgb: np.ndarray, layout: str, dtype: str, zero: int
) -> None:
    found = normalise(rgb, InputSpec(layout, dtype), MEAN, STD)
    expected = (rgb.astype(int) - zero)[None]
    assert found.dtype == dtype
    assert (found == (expected.transpose(0, 3, 1, 2) if layout == "NCHW" else expected)).all()


def test_padding_is_the_mean_colour_below_and_right_of_the_picture() -> None:
    for shape, size, inside in (((30, 60), Size(40, 40), (20, 40)), ((60, 30), Size(40, 40), (40, 20))):
        picture, part = fit_picture(np.full((*shape, 3), 9, np.uint8), size, "pad", MEAN)
        taken = np.zeros((size.height, size.width), bool)
        taken[: inside[0], : inside[1]] = True
        assert (picture[taken] == 9).all()
        assert (picture[~taken] == [124, 116, 104]).all()
        assert part == (inside[1] / size.width, inside[0] / size.height)


def test_a_picture_of_the_inputs_size_is_taken_as_it_is(rgb: np.ndarray) -> None:
    for fit in ("stretch", "pad"):
        picture, part = fit_picture(rgb, Size(24, 33), fit, MEAN)
        assert (picture == rgb).all()
        assert part == (1, 1)
