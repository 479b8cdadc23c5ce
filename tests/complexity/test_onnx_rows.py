"""The exports of all rows, counted from their graphs: equal to the live count to the last digit."""

from __future__ import annotations

from pathlib import Path

import pytest

import zoo
from zoo.catalog import find_row
from zoo.complexity import count
from zoo.complexity.onnx_graph import OnnxGraph
from zoo.costs import load_costs
from zoo.families import families
from zoo.runtimes.export import write_onnx
from zoo.sizes import Size

ROWS = zoo.load_catalog()
ODD = Size(520, 264)
"""Odd at stride 16, and a multiple of 8, which ERFNet asks for."""


def one_row_for_each_decoder() -> set[str]:
    """Return the smallest network with each decoder: their exports take seconds, not minutes."""
    params = load_costs()["params"].loc[ROWS.index]
    return set(params.groupby([ROWS["family"], ROWS["decoder"]]).idxmin())


@pytest.mark.parametrize(
    "row_id",
    [
        pytest.param(row_id, marks=[] if row_id in one_row_for_each_decoder() else pytest.mark.slow)
        for row_id in ROWS.index
    ],
)
def test_its_export_counts_as_it_does(row_id: str, tmp_path: Path) -> None:
    path, fixed = tmp_path / "network.onnx", families()[find_row(row_id).built.family].fixed_size
    write_onnx(zoo.build_model(row_id), ODD if fixed else Size(96, 64), path, dynamic=not fixed)
    counted, live = OnnxGraph.read(path.read_bytes()).count_at(*ODD), count(row_id, *ODD)
    assert counted["macs"] == live.macs
    columns = ["kind", "kernel", "stride", "dilation", "groups", "input_shape", "output_shape", "macs"]
    expected = live.layers[columns].to_dict("records")
    assert [{key: layer[key] for key in columns} for layer in counted["layers"]] == expected
