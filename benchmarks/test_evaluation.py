"""How many images a second are evaluated, against the bare runtime on the same images.

`python -m pytest benchmarks/test_evaluation.py -s`; both take turns, so that a busy moment hits both.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from PIL import Image
from pytest_benchmark.fixture import BenchmarkFixture

from zoo.evaluation import evaluate
from zoo.prediction import predict, prepare
from zoo.runtimes import find_runtime
from zoo.runtimes.export import write_elsewhere
from zoo.runtimes.runtime import Loading
from zoo.sizes import Size

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "samples" / "china.jpg"
COUNT = 48
ROUNDS = 5
# Each with the size of the pictures: a camera's, and CamVid's.
ROWS = [
    ("cityscapes-mobilenetv2-unetlite-768x384", Size(768, 384), Size(960, 540)),
    ("cityscapes-mobilenetv2-fpnlite-768x384", Size(768, 384), Size(960, 540)),
    ("cityscapes-mobilenetv2-unetlite-768x384", Size(480, 352), Size(480, 360)),
]


def labelled(size: Size, home: Path) -> tuple[Path, Path]:
    """Write cut-outs of the sample picture as JPEG, and label maps in blocks, all of this size."""
    folders = home / "images", home / "labels"
    for folder in folders:
        folder.mkdir()
    photo = Image.open(SAMPLE)
    rng = np.random.default_rng(1)
    for number in range(COUNT):
        left, top = rng.integers(0, photo.width // 4), rng.integers(0, photo.height // 4)
        box = (left, top, left + 3 * photo.width // 4, top + 3 * photo.height // 4)
        photo.resize(size, Image.Resampling.BICUBIC, box).save(folders[0] / f"{number}.jpg", quality=92)
        blocks = rng.integers(0, 11, (size.height // 20, size.width // 20), np.uint8)
        Image.fromarray(blocks).resize(size, Image.Resampling.NEAREST).save(folders[1] / f"{number}.png")
    return folders


def bare_run(row_id: str, size: Size, folder: Path) -> Callable[[], object]:
    """Return what runs the whole network alone COUNT times on an input that is ready, in the same runtime."""
    runtime = find_runtime("onnxruntime")
    job, checkpoint = prepare(row_id, weights="bundled", size=size)
    write_elsewhere(checkpoint.row, checkpoint.path, job.size, folder / "whole.onnx", dynamic=False)
    network = runtime.open_file(folder / "whole.onnx", Loading(job.size))
    values = np.random.default_rng(0).normal(size=(1, 3, size.height, size.width)).astype(np.float32)
    return lambda: [network.run(values) for _ in range(COUNT)]


@pytest.mark.parametrize(("row_id", "size", "picture_size"), ROWS)
def test_throughput(
    row_id: str, size: Size, picture_size: Size, tmp_path: Path, benchmark: BenchmarkFixture
) -> None:
    folders = labelled(picture_size, tmp_path)
    bare = bare_run(row_id, size, tmp_path)
    times: dict[str, list[float]] = {"bare": [], "evaluate": [], "predict": []}
    images = sorted(folders[0].iterdir())

    def one_by_one() -> None:
        for image in images:
            predict(row_id, image, weights="bundled", size=size)

    def all_of_it() -> None:
        evaluate(row_id, *folders, weights="bundled", size=size)

    def round_trip() -> None:
        for name, run in (("bare", bare), ("evaluate", all_of_it), ("predict", one_by_one)):
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)

    benchmark.pedantic(round_trip, rounds=ROUNDS, warmup_rounds=1)
    rates = {name: COUNT / median(values[1:]) for name, values in times.items()}
    benchmark.extra_info.update(rates)
    print(
        f"\n{row_id} at {size}, pictures of {picture_size}: bare {rates['bare']:.1f} images/s, "
        f"evaluate {rates['evaluate']:.1f} ({100 * rates['evaluate'] / rates['bare']:.0f} %), "
        f"masks one by one {rates['predict']:.1f}"
    )
