"""The exports of all rows, counted from their graphs: equal to the live count to the last digit."""

from __future__ import annotations

from pathlib import Path

import pytest

import zoo
from zoo.complexity import count
from zoo.complexity.onnx_graph import OnnxGraph
from zoo.costs import load_costs
from zoo.runtimes.export import write_onnx

ROWS = zoo.load_catalog()
FREE_ONLY_AT_ITS_SIZE = {"swiftnet"}


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
    path = tmp_path / "network.onnx"
    write_onnx(zoo.build_model(row_id), zoo.limits.Size(96, 64), path, dynamic=True)
    graph = OnnxGraph.read(path.read_bytes())
    for width, height in ((520, 264), (1024, 512)):
        counted, live = graph.count_at(width, height), count(row_id, width, height)
        assert counted["macs"] == live.macs
        columns = ["kind", "kernel", "stride", "dilation", "groups", "input_shape", "output_shape", "macs"]
        expected = live.layers[columns].to_dict("records")
        assert [{key: layer[key] for key in columns} for layer in counted["layers"]] == expected
