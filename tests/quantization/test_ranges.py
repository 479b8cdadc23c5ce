"""Ranges from streaming histograms, held against all values at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.quantization.ranges import Histogram, entropy_bins

BIN = 2**-14
"""The width of a bin, as a part of the limit; the limit is less than twice the largest magnitude."""


def histogram_of(*parts: np.ndarray) -> Histogram:
    histogram = Histogram()
    for part in parts:
        histogram.add(part.astype(np.float32))
    return histogram


@given(
    st.lists(st.floats(-3, 6), min_size=2, max_size=6),
    st.integers(0, 2**32 - 1),
    st.booleans(),
)
def test_percentiles_are_those_of_all_values(scales: list[float], seed: int, positive: bool) -> None:
    draw = np.random.default_rng(seed)
    parts = [10**scale * draw.normal(0.2, 1, (3, 41, 53)) for scale in scales]
    if positive:
        parts = [np.maximum(part, 0) for part in parts]
    values = np.concatenate([part.ravel() for part in parts]).astype(np.float32)
    histogram = histogram_of(*parts)
    assert histogram.counts.sum() == values.size
    width = 2 * float(np.abs(values).max()) * BIN
    low, high = histogram.find("percentile")
    assert high == pytest.approx(np.percentile(values, 99.99, method="inverted_cdf"), abs=1.01 * width)
    assert low == pytest.approx(
        min(0, -np.percentile(-values, 99.99, method="inverted_cdf")), abs=1.01 * width
    )
    assert histogram.find("minmax") == (min(0, values.min()), max(0, values.max()))


def test_a_range_always_holds_zero_and_nothing_beyond_the_values() -> None:
    draw = np.random.default_rng(1)
    for exact in (draw.uniform(3, 4, 500), draw.uniform(-4, -3, 500), np.zeros(500)):
        values = exact.astype(np.float32)
        for method in ("percentile", "minmax", "entropy"):
            low, high = histogram_of(values).find(method)  # type: ignore[arg-type]
            assert min(0, values.min()) <= low <= 0 <= high <= max(0, values.max())


def test_zeros_before_the_first_value_are_counted_where_zero_is() -> None:
    values = np.array([0.0] * 30 + [1.0] * 10 + [-1.0] * 5)
    together, apart = histogram_of(values), histogram_of(np.zeros(30), values[30:])
    assert (together.counts == apart.counts).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_no_numbers_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="no numbers"):
        histogram_of(np.array([1.0, value]))


@pytest.mark.parametrize("one_sided", [True, False])
def test_entropy_is_the_smallest_divergence_of_all_candidates(one_sided: bool) -> None:
    draw = np.random.default_rng(3)
    half = 512 if one_sided else 256
    bins_of = np.minimum(draw.exponential(half / 12, 20_000).astype(int), half - 1)
    counts = np.bincount(bins_of, minlength=half).astype(float)
    counts[-1] += 1
    if not one_sided:
        counts = np.concatenate([counts[::-1], counts])

    def divergence(bins: int) -> float:
        inside = counts[:bins] if one_sided else counts[half - bins : half + bins]
        true = inside.copy()
        if bins < half:
            true[-1] += counts[bins - half :].sum()
            true[0] += 0 if one_sided else counts[: half - bins].sum()
        other = np.zeros(len(inside))
        levels = [at * 256 // len(inside) for at in range(len(inside))]
        for level in range(256):
            part = [at for at in range(len(inside)) if levels[at] == level]
            filled = [at for at in part if true[at] > 0]
            other[filled] = inside[part].sum() / max(len(filled), 1)
        chances = []
        for distribution in (true, other):
            empty = distribution == 0
            smooth = np.where(empty, 1e-4, distribution - 1e-4 * empty.sum() / (~empty).sum())
            chances.append(smooth / smooth.sum())
        true, other = chances
        return float((true * np.log(true / other)).sum())

    found = entropy_bins(counts, one_sided=one_sided, step=1)
    all_of_them = [divergence(bins) for bins in range(256 if one_sided else 128, half + 1)]
    assert divergence(found) == pytest.approx(min(all_of_them))
    assert found < half  # the one outlier is not worth its bins
