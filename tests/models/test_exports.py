"""One export of each family and decoder: it computes what torch does, and counts as the live count."""

from __future__ import annotations

import onnx
import pytest
import torch
from torch.nn import functional as F

from tests.models.networks import assert_close, exported, picture, run
from zoo.catalog import all_shipped
from zoo.complexity import count
from zoo.complexity.onnx_graph import OnnxGraph
from zoo.costs import costs_of
from zoo.families import families
from zoo.models import build_model
from zoo.rows import Row
from zoo.runtimes.last_resize import cut_last_resize
from zoo.sizes import Size

CLASSES = 3
NETWORKS = sorted(
    {row.built: row for row in all_shipped().rows}.values(), key=lambda row: costs_of(row).params
)
SMALLEST = {(row.built.family, row.built.decoder): row for row in reversed(NETWORKS)}
COLUMNS = ["kind", "kernel", "stride", "dilation", "groups", "input_shape", "output_shape", "macs"]


def each_network() -> list[object]:
    """One of each family and decoder: exports of them take seconds, those of all networks minutes."""
    chosen = SMALLEST.values()
    return [pytest.param(row, id=row.id, marks=[] if row in chosen else pytest.mark.slow) for row in NETWORKS]


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")  # of SwiftNet, whose grids are fixed: meant
@pytest.mark.parametrize("row", each_network())
@torch.no_grad()
def test_one_export_serves_every_size_and_counts_as_the_network(row: Row) -> None:
    network = build_model(row, num_classes=CLASSES)
    facts = families()[row.built.family]
    odd = Size(200, 104)  # 7 x 4 features at stride 32: grids that do not divide
    model = exported(
        network, picture(*(odd if facts.fixed_size else Size(96, 64))), free=not facts.fixed_size
    )
    anywhere = facts.size_multiple == 1 and not facts.fixed_size
    pictures = [picture(*odd), *([picture(101, 67)] if anywhere else [])]
    logits = [network(x) for x in pictures]
    for found, expected in zip(run(model, *pictures), logits, strict=True):
        assert_close(found, expected)
    cut = onnx.load_model_from_string(model)
    cut_last_resize(cut.graph)
    assert (cut.SerializeToString() != model) == (facts.last_resize == "bilinear")
    if facts.last_resize == "bilinear":
        (own,) = run(cut.SerializeToString(), picture(*odd))
        assert own.shape[-1] < odd.width
        resized = F.interpolate(own, odd[::-1], mode="bilinear", align_corners=False)
        assert_close(resized, logits[0])
    counted, live = OnnxGraph.read(model).count_at(*odd), count(row, *odd, num_classes=CLASSES)
    folded = 0
    if row.built.family == "segnext":
        # Two products of its first step: one of constants alone, one that torch computes twice.
        width, bases = (512, 64) if row.built.encoder == "MSCAN-B" else (256, 16)
        folded = width * bases * (bases + 25 * 13)
    assert counted["macs"] == live.macs - folded
    # A product of matrices has no kernel, and its shapes are the exporter's choice.
    layers = live.layers[COLUMNS].to_dict("records")
    assert without_products(counted["layers"]) == without_products(layers)


def without_products(layers: list[dict[str, object]]) -> list[dict[str, object]]:
    kept = [layer for layer in layers if layer["kind"] not in ("matrix product", "linear")]
    return [{key: layer[key] for key in COLUMNS} for layer in kept]
