"""How long costs take, by formula and live: `python -m pytest benchmarks/test_complexity.py` prints them."""

import itertools

import pytest

from zoo.catalog import all_shipped, load_catalog
from zoo.complexity import count
from zoo.costs import macs_at

WARM = [
    "cityscapes-mobilenetv2-unetlite-768x384",
    "cityscapes-regnetx800mf-fpnlite-768x384",
    "cityscapes-xception65-deeplab-769x769",
    "cityscapes-erfnet-1024x512",
    "cityscapes-segformer-b0-2048x1024",
    "cityscapes-pidnet-s-2048x1024",
]


def test_the_whole_table_at_a_new_size(benchmark) -> None:
    assert benchmark(macs_at, 1280, 720).notna().all()


def test_both_catalogs_at_a_new_size(benchmark) -> None:
    # Each round another size; promised: 2 ms.
    catalog, sides = all_shipped(), itertools.cycle(range(32, 4097, 8))
    macs_at(64, 64, catalog)  # reads the file, once
    assert benchmark(lambda: macs_at(next(sides), 720, catalog)).notna().all()


@pytest.mark.parametrize("row_id", WARM)
def test_counting_one_row(benchmark, row_id: str) -> None:
    count(row_id, 64, 64)  # builds the network, which is kept
    assert benchmark(count, row_id, 1024, 512).macs > 0


def test_counting_all_rows(benchmark) -> None:
    rows = load_catalog().index

    def count_all() -> int:
        return sum(count(row_id, 1024, 512).macs for row_id in rows)

    assert benchmark.pedantic(count_all, rounds=3, warmup_rounds=1) > 0
