"""Write data/costs.csv and data/traits.csv anew from the networks: python -m zoo.complexity.

With --line, read a network from standard input and print its line instead: so zoo.costs asks for a
visitor's row.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from functools import cache

import pandas as pd

from zoo.catalog import all_shipped, find_row
from zoo.complexity import count, count_network
from zoo.complexity.formula import read_formula
from zoo.errors import ZooError
from zoo.families import families
from zoo.latency import traits
from zoo.models import check_classes
from zoo.rows import Network
from zoo.sizes import Size
from zoo.tables import DATA

BUNDLED = {
    "camvid-mobilenetv2-unetlite": "cityscapes-mobilenetv2-unetlite-768x384",
    "camvid-mobilenetv2-fpnlite": "cityscapes-mobilenetv2-fpnlite-768x384",
    "camvid-mobilenetv2s16-deeplabv3lite": "cityscapes-mobilenetv2s16-deeplabv3lite-768x384",
}
BUNDLED_SIZE, BUNDLED_CLASSES = Size(480, 352), 11


def costs_line(name: str, network: Network, num_classes: int, size: Size) -> dict[str, object]:
    """Return a network's line of costs.csv, read off live counts."""
    at_size = count_network(network, num_classes, size, name=name)
    return {
        "id": name,
        **network._asdict(),
        "num_classes": num_classes,
        "input_width": size.width,
        "input_height": size.height,
        **_formula(network, num_classes),
        "params": at_size.params,
        "peak_activation_values": at_size.peak_activation_values,
        "run_peak_values": at_size.run_peak_values,
        "ptflops_version": at_size.ptflops_version,
    }


def costs_table() -> pd.DataFrame:
    """Return all of costs.csv."""
    return pd.DataFrame(list(_lines()))


def traits_table() -> pd.DataFrame:
    """Return all of traits.csv: what the layers of each row are like, counted live at its own size."""
    rows = all_shipped().rows
    return pd.DataFrame([{"id": row.id, **traits(count(row, *row.size).layers)} for row in rows])


def _lines() -> Iterator[dict[str, object]]:
    for row in all_shipped().rows:
        yield costs_line(row.id, row.built, check_classes(row.num_classes), row.size)
    for name, row_id in BUNDLED.items():
        yield costs_line(name, find_row(row_id).built, BUNDLED_CLASSES, BUNDLED_SIZE)


@cache
def _formula(network: Network, num_classes: int) -> dict[str, int]:
    name = " ".join(network[:3])
    return read_formula(
        lambda size: count_network(network, num_classes, size, name=name),
        families()[network.family].size_multiple,
    )


def _print_line(order: str) -> int:
    asked = json.loads(order)
    try:
        line = costs_line("own", Network(*asked["network"]), asked["num_classes"], Size(*asked["size"]))
    except ZooError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(line))
    return 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--line"]:
        sys.exit(_print_line(sys.stdin.read()))
    for name, table in (("costs.csv", costs_table()), ("traits.csv", traits_table())):
        table.to_csv(DATA / name, index=False, lineterminator="\n")
