"""Measure the bundled networks on CamVid again, and hold them against the figures that ship with them.

    python benchmarks/measure_bundled.py CAMVID [--split test] [--limit N]

CAMVID holds the frames and label maps in SPLIT/ and SPLITannot/, by the same name. A frame is resized with
antialiasing to the size of the figures, the logits bilinearly to the label map's own, and IoU comes from one
confusion matrix over the split; label 11 is not counted. Plain torch on the stored half precision weights.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch.nn import functional

from zoo.catalog import load_catalog
from zoo.models import build_model
from zoo.sizes import parse_size
from zoo.weights import load_weights
from zoo.weights.bundled import Bundled, bundled_networks
from zoo.weights.checkpoints import Checkpoint, resolve


def confusion(network: Bundled, folder: Path, split: str, limit: int | None) -> npt.NDArray[np.int64]:
    """Return the confusion matrix, true classes in rows, over the first `limit` frames of the split."""
    row_id = str(load_catalog().query("model == @network.model").index[0])
    checkpoint = resolve(row_id, "bundled")
    count = len(checkpoint.classes)
    model = build_model(row_id, num_classes=count)
    load_weights(model, checkpoint.path)
    model.eval()
    total = np.zeros((count, count), np.int64)
    for path in sorted((folder / f"{split}annot").glob("*.png"))[:limit]:
        truth = np.asarray(Image.open(path)).astype(np.int64)
        frame = next((folder / split).glob(f"{path.stem}.*"))
        labels = predict(model, frame, checkpoint, parse_size(network.figures["input_size"]), truth.shape)
        counted = truth < count
        pairs = truth[counted] * count + labels[counted]
        total += np.bincount(pairs, minlength=count * count).reshape(count, count)
    return total


@torch.inference_mode()
def predict(
    model: torch.nn.Module, frame: Path, checkpoint: Checkpoint, size: tuple[int, int], shape: tuple[int, ...]
) -> npt.NDArray[np.int64]:
    """Return the label map of one frame, at `shape` (height, width)."""
    rgb = torch.from_numpy(np.array(Image.open(frame).convert("RGB"))).permute(2, 0, 1)[None].float()
    width, height = size
    small = functional.interpolate(rgb, (height, width), mode="bilinear", antialias=True)
    mean, std = (torch.tensor(values)[:, None, None] for values in (checkpoint.mean, checkpoint.std))
    logits = functional.interpolate(model((small - mean) / std), shape, mode="bilinear")
    return logits.argmax(1)[0].numpy()


def main() -> None:
    """Print, for each network, the measured and the shipped mIoU and their difference in points."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("camvid", type=Path)
    parser.add_argument("--split", choices=("val", "test"), default="test")
    parser.add_argument("--limit", type=int)
    options = parser.parse_args()
    for network in bundled_networks().values():
        matrix = confusion(network, options.camvid, options.split, options.limit)
        hits = np.diag(matrix)
        miou = 100 * float(np.mean(hits / (matrix.sum(0) + matrix.sum(1) - hits)))
        shipped = network.figures[options.split]["miou"]
        print(f"{network.model:<30} measured {miou:.2f}  shipped {shipped:.2f}  {miou - shipped:+.2f}")


if __name__ == "__main__":
    main()
