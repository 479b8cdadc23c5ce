"""Write data/costs.csv anew from the networks: python -m zoo.complexity."""

import pandas as pd

from zoo.catalog import load_catalog
from zoo.complexity import Complexity, count
from zoo.costs import COSTS, STRIDES
from zoo.limits import Size
from zoo.tables import DATA

READ_AT = Size(4096, 2048)
"""All strides tell apart here, and so do SwiftNet's pooled grids, whose strides are beyond 32."""
BUNDLED = {
    "camvid-mobilenetv2-unetlite": "cityscapes-mobilenetv2-unetlite-768x384",
    "camvid-mobilenetv2-fpnlite": "cityscapes-mobilenetv2-fpnlite-768x384",
    "camvid-mobilenetv2s16-deeplabv3lite": "cityscapes-mobilenetv2s16-deeplabv3lite-768x384",
}
BUNDLED_SIZE, BUNDLED_CLASSES = Size(480, 352), 11


def costs_line(name: str, row_id: str, size: Size, num_classes: int | None = None) -> dict[str, object]:
    """Return a network's line of costs.csv, read off two live counts."""
    at_size = count(row_id, *size, num_classes=num_classes)
    return {
        "id": name,
        **_formula(count(row_id, *READ_AT, num_classes=num_classes)),
        "params": at_size.params,
        "peak_activation_values": at_size.peak_activation_values,
        "ptflops_version": at_size.ptflops_version,
    }


def costs_table() -> pd.DataFrame:
    """Return all of costs.csv."""
    lines = [
        costs_line(str(row_id), str(row_id), Size(int(row["input_width"]), int(row["input_height"])))
        for row_id, row in load_catalog().iterrows()
    ]
    lines += [costs_line(name, row, BUNDLED_SIZE, BUNDLED_CLASSES) for name, row in BUNDLED.items()]
    return pd.DataFrame(lines)


def _formula(complexity: Complexity) -> dict[str, int]:
    numbers = dict.fromkeys([*COSTS, "constant", "pooled"], 0)
    for layer in complexity.layers.itertuples():
        shape = layer.input_shape if "transposed" in layer.kind else layer.output_shape
        height, width = shape[2:] if len(shape) == 4 else (1, 1)
        at_one_position = layer.macs // (height * width)
        stride = READ_AT.width // width
        if height * width == 1:
            numbers["constant"] += at_one_position
        elif stride in STRIDES:
            numbers[f"cost_{stride}"] += at_one_position
        else:
            numbers["pooled"] = at_one_position
    return numbers


if __name__ == "__main__":
    costs_table().to_csv(DATA / "costs.csv", index=False, lineterminator="\n")
