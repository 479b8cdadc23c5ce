"""How long masks take: `python -m pytest benchmarks/test_prediction.py -s` prints the times side by side."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image

from zoo.cache import CACHE_VARIABLE
from zoo.catalog import find_row
from zoo.prediction import predict
from zoo.runtimes.torch_module import TorchNetwork
from zoo.sizes import Size
from zoo.tables import DATA
from zoo.weights.checkpoints import resolve
from zoo.weights.layouts import build_for

ROWS = [
    ("cityscapes-mobilenetv2-unetlite-768x384", Size(768, 384)),
    ("cityscapes-mobilenetv2-fpnlite-768x384", Size(768, 384)),
    ("cityscapes-mobilenetv2s16-deeplabv3lite-768x384", Size(768, 384)),
    ("ade20k32-mobilenetv2-unetlite-512x512", Size(512, 512)),
]
ROUNDS = 40
IN_A_TURN = 4
SAMPLE = DATA / "samples" / "china.jpg"
HOME = Path(__file__).resolve().parents[1]


def scene(size: Size) -> np.ndarray:
    """A photo: how long labels take depends on how many borders there are between classes."""
    return np.asarray(Image.open(SAMPLE).resize(size, Image.Resampling.BICUBIC))


def side_by_side(**runs: Callable[[], object]) -> dict[str, float]:
    """Return median milliseconds, the runs taking turns so that a busy moment hits all of them.

    The first of each turn is not timed: threads that ran before go on spinning into it.
    """
    times: dict[str, list[float]] = {name: [] for name in runs}
    for round_number in range(ROUNDS // IN_A_TURN + 1):
        for name, run in runs.items():
            run()
            for _ in range(IN_A_TURN):
                start = time.perf_counter()
                run()
                if round_number > 0:
                    times[name].append(1000 * (time.perf_counter() - start))
    return {name: median(values) for name, values in times.items()}


def exported_at(row_id: str, size: Size, folder: Path) -> onnxruntime.InferenceSession:
    """What a user would do by hand: the network exported at this one size, in a session as it comes."""
    model = build_for(row_id, resolve(row_id, "bundled").path)
    path = folder / "fixed.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model, (torch.zeros(1, 3, size.height, size.width),), path, input_names=["image"], dynamo=False
        )
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize(("row_id", "size"), ROWS)
def test_a_warm_mask_costs_little_more_than_the_bare_run(row_id: str, size: Size, tmp_path: Path) -> None:
    session = exported_at(row_id, size, tmp_path)
    checkpoint = resolve(row_id, "bundled")
    torch_network = TorchNetwork(find_row(row_id), str(checkpoint.path))
    rgb = scene(size)
    mean, std = np.float32(checkpoint.mean), np.float32(checkpoint.std)
    values = np.ascontiguousarray(((rgb - mean) / std).transpose(2, 0, 1)[None], np.float32)

    def bare() -> np.ndarray:
        return session.run(None, {"image": values})[0]

    took = side_by_side(bare=bare, mask=lambda: predict(row_id, rgb, weights="bundled"))
    assert (predict(row_id, rgb, weights="bundled").labels == bare()[0].argmax(0)).mean() > 0.9999
    # By itself: torch's threads go on spinning after it and would slow whoever comes next.
    took |= side_by_side(torch=lambda: torch_network.run(values))
    print(
        f"\n{row_id}: bare onnxruntime {took['bare']:.1f} ms, mask {took['mask']:.1f} ms "
        f"({took['mask'] / took['bare']:.2f} times), plain torch {took['torch']:.1f} ms"
    )


def test_a_photo_of_twelve_megapixels() -> None:
    file = io.BytesIO()
    Image.fromarray(scene(Size(4000, 3000))).save(file, "JPEG", quality=92)
    took = side_by_side(mask=lambda: predict(ROWS[0][0], file.getvalue()))
    print(f"\n12-megapixel JPEG to mask: {took['mask']:.0f} ms")


def test_the_first_mask_ever_and_one_in_a_later_process(tmp_path: Path) -> None:
    code = (
        "import zoo, numpy as np\n"
        f"zoo.predict({ROWS[0][0]!r}, np.zeros((384, 768, 3), np.uint8), weights='bundled', progress=print)\n"
    )
    for name in ("first ever", "later process"):
        start = time.perf_counter()
        environment = {**os.environ, CACHE_VARIABLE: str(tmp_path)}
        subprocess.run([sys.executable, "-c", code], cwd=HOME, env=environment, check=True)
        took = time.perf_counter() - start
        print(f"\n{name}: {took:.2f} s")
