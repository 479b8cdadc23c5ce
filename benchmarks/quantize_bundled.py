"""Make the bundled networks in 8 bits again, with the figures that ship beside them.

    python -m benchmarks.quantize_bundled CAMVID [--qat FOLDER] [--pictures 64] [--only NAME]

CAMVID holds frames and label maps in SPLIT/ and SPLITannot/, by the same name. Ranges are found on training
frames, evenly taken; figures are what `evaluate` measures on val and test. FOLDER holds the float weights
that were trained with 8-bit rounding simulated, NAME_qat.pth; without it only the float networks are made.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from zoo.catalog import load_catalog
from zoo.evaluation import evaluate
from zoo.quantization import quantize_onnx
from zoo.quantization.network import named
from zoo.runtimes.export import exported
from zoo.sizes import parse_size
from zoo.weights import bundled
from zoo.weights.checkpoints import BUNDLED_ORIGIN, Checkpoint, resolve


def float_weights(network: bundled.Bundled, qat: Path | None) -> Checkpoint:
    """Return the weights to start from, named as the file in 8 bits names them."""
    table = load_catalog()
    row_id = str(table.index[(table["model"] == network.model) & (table["qat"] == (qat is not None))][0])
    known = resolve(row_id, "bundled", "float")
    trained = "trained for 8 bits, " if qat else ""
    given = (
        known if qat is None else replace(resolve(row_id, qat), notice=known.notice, classes=known.classes)
    )
    return replace(given, source=f"bundled weights in 8 bits, {trained}{BUNDLED_ORIGIN}")


def make(network: bundled.Bundled, qat: Path | None, camvid: Path, pictures: int) -> dict[str, Any]:
    """Write the file in 8 bits and its figures, and return these."""
    checkpoint, size = float_weights(network, qat), parse_size(network.figures["input_size"])
    frames = sorted((camvid / "train").iterdir())
    taken = [frames[at] for at in np.linspace(0, len(frames) - 1, pictures).round().astype(int)]
    model = exported(checkpoint, size, lambda _: None).read_bytes()
    found = quantize_onnx(model, taken, mean=checkpoint.mean, std=checkpoint.std, size=size)
    kind = "-qat" if qat else ""
    path = network.path.with_name(f"{network.path.stem}{kind}-8bit.onnx")
    path.write_bytes(named(found, checkpoint))
    figures: dict[str, Any] = {
        key: network.figures[key] for key in ("model", "dataset", "frame_size", "input_size", "unit")
    }
    figures |= {"precision": "8bit", "qat": bool(qat), "calibration": found.calibration}
    write(path, figures)
    for split in ("val", "test"):
        measured = evaluate(
            checkpoint.row,
            camvid / split,
            camvid / f"{split}annot",
            weights="bundled",
            precision="8bit",
            size=size,
        )
        iou = {
            name: round(float(value), 2)
            for name, value in zip(measured.classes.names, measured.iou, strict=True)
        }
        figures[split] = {
            "images": measured.images,
            "miou": round(measured.miou, 2),
            "accuracy": round(measured.accuracy, 2),
            "iou": iou,
        }
    write(path, figures)
    return figures


def write(path: Path, figures: dict[str, Any]) -> None:
    """Write the figures beside the network, and let it be found."""
    path.with_suffix(".json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    bundled._all.cache_clear()


def main() -> None:
    """Make them one after the other, and print what each measured."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("camvid", type=Path)
    parser.add_argument("--qat", type=Path)
    parser.add_argument("--pictures", type=int, default=64)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    for network in bundled.bundled_networks().values():
        if options.only not in network.path.stem:
            continue
        starts = [None]
        if options.qat:
            starts.append(options.qat / f"{network.path.stem.replace('-', '_')}_qat.pth")
        for start in starts:
            figures = make(network, start, options.camvid, options.pictures)
            print(
                f"{network.model}{'-QAT' if start else ''}: val {figures['val']['miou']:.2f} (float "
                f"{network.figures['val']['miou']:.2f}), test {figures['test']['miou']:.2f} (float "
                f"{network.figures['test']['miou']:.2f}), {figures['calibration']}",
                flush=True,
            )


if __name__ == "__main__":
    main()
