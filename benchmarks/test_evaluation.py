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
from zoo.runtimes.export import exported
from zoo.sizes import Size

COUNT = 24
ROUNDS = 5
ROWS = [
    ("cityscapes-mobilenetv2-unetlite-768x384", Size(768, 384)),
    ("cityscapes-mobilenetv2-fpnlite-768x384", Size(768, 384)),
    ("cityscapes-mobilenetv2-unetlite-768x384", Size(480, 352)),
]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Pictures as a camera gives them, JPEG of 960x540, and label maps of that size."""
    home = tmp_path_factory.mktemp("labelled")
    rng = np.random.default_rng(1)
    for number in range(COUNT):
        for folder in ("images", "labels"):
            (home / folder).mkdir(exist_ok=True)
        coarse = rng.integers(0, 256, (27, 48, 3), np.uint8)
        scene = Image.fromarray(coarse).resize((960, 540), Image.Resampling.BICUBIC)
        scene.save(home / "images" / f"{number}.jpg", quality=92)
        labels = rng.integers(0, 11, (27, 48), np.uint8).repeat(20, 0).repeat(20, 1)
        Image.fromarray(labels).save(home / "labels" / f"{number}.png")
    return home / "images", home / "labels"


def bare_run(row_id: str, size: Size) -> Callable[[], object]:
    """Return what runs the network alone COUNT times on an input that is ready: the same file and runtime."""
    runtime = find_runtime("onnxruntime")
    job, checkpoint = prepare(row_id, weights="bundled", size=size)
    network = runtime.open_file(exported(checkpoint, job.size, print), job.size, True)
    values = np.random.default_rng(0).normal(size=(1, 3, size.height, size.width)).astype(np.float32)
    return lambda: [network.run(values) for _ in range(COUNT)]


@pytest.mark.parametrize(("row_id", "size"), ROWS)
def test_throughput(row_id: str, size: Size, folders: tuple[Path, Path], benchmark: BenchmarkFixture) -> None:
    bare = bare_run(row_id, size)
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
        f"\n{row_id} at {size}: bare {rates['bare']:.1f} images/s, evaluate {rates['evaluate']:.1f} "
        f"({100 * rates['evaluate'] / rates['bare']:.0f} %), masks one by one {rates['predict']:.1f}"
    )
