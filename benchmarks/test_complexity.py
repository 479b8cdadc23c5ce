"""How long costs take, by formula and live: `python -m pytest benchmarks/test_complexity.py` prints them."""

import pytest

from zoo.catalog import load_catalog
from zoo.complexity import count
from zoo.costs import macs_at

WARM = [
    "cityscapes-mobilenetv2-unetlite-768x384",
    "cityscapes-regnetx800mf-fpnlite-768x384",
    "cityscapes-xception65-deeplab-769x769",
    "cityscapes-erfnet-1024x512",
]


def test_the_whole_table_at_a_new_size(benchmark) -> None:
    assert benchmark(macs_at, 1280, 720).notna().all()


@pytest.mark.parametrize("row_id", WARM)
def test_counting_one_row(benchmark, row_id: str) -> None:
    count(row_id, 64, 64)  # builds the network, which is kept
    assert benchmark(count, row_id, 1024, 512).macs > 0


def test_counting_all_rows(benchmark) -> None:
    rows = load_catalog().index

    def count_all() -> int:
        return sum(count(row_id, 1024, 512).macs for row_id in rows)

    assert benchmark.pedantic(count_all, rounds=3, warmup_rounds=1) > 0
