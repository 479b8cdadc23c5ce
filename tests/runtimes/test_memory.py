"""Memory: told before a run, refused where it is too much, given back after; measured."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import save_file

from zoo.catalog import find_row
from zoo.errors import InferenceError
from zoo.models import build_model
from zoo.prediction import predict
from zoo.runtimes import memory
from zoo.sizes import Size

UNET = "cityscapes-mobilenetv2-unetlite-768x384"
FPN = "cityscapes-mobilenetv2-fpnlite-768x384"
DEEPLAB = "cityscapes-mobilenetv2s16-deeplabv3lite-768x384"
VOC = "voc2012-deeplabv3-mnv2-dm05-512x512"
XCEPTION = "cityscapes-xception65-deeplab-769x769"
EFFICIENTVIT = "cityscapes-efficientvit-seg-b0-2048x1024"


def test_a_job_beyond_half_of_the_free_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Memory:
        available = 10_000_000

    monkeypatch.setattr(memory.psutil, "virtual_memory", Memory)
    with pytest.raises(InferenceError, match="use a smaller size"):
        predict(UNET, np.zeros((64, 64, 3), np.uint8))


def test_a_run_is_told_by_its_logits_in_blocks_of_8_unless_they_end_bicubic_or_are_not_enlarged() -> None:
    size = Size(2048, 1024)
    for row_id, values in (("cityscapes-pidnet-s-2048x1024", 19 + 24), (EFFICIENTVIT, 19)):
        told = memory.needed_bytes(find_row(row_id), size)
        assert told == (4 * values + 4 * 3 + 3) * 2048 * 1024
    told = memory.needed_bytes(find_row("cityscapes-ddrnet-23-slim-2048x1024"), size)
    assert told < (4 * 19 + 4 * 3 + 3) * 2048 * 1024
    whole = memory.needed_bytes(find_row("cityscapes-ddrnet-23-slim-2048x1024"), size, whole=True)
    assert whole == (4 * (19 + 24) + 4 * 3 + 3) * 2048 * 1024


MEMORY = """
import sys, numpy as np
from zoo.catalog import find_row
from zoo.prediction import predict
from zoo.runtimes.memory import needed_bytes
from zoo.sizes import Size

def now(what):
    return int(next(line for line in open("/proc/self/status") if line.startswith(what)).split()[1]) * 1024

row, weights, size = sys.argv[1], sys.argv[2], Size(int(sys.argv[3]), int(sys.argv[4]))
picture = np.zeros((64, 96, 3), np.uint8)
predict(row, picture, size=(96, 64), weights=weights)
empty = now("VmRSS")
predict(row, picture, size=size, weights=weights)
loaded = now("VmRSS")
open("/proc/self/clear_refs", "w").write("5")
predict(row, picture, size=size, weights=weights)
peak = now("VmHWM") - loaded
predict(row, picture, size=(96, 64), weights=weights)
print(peak, now("VmRSS") - empty, needed_bytes(find_row(row), size))
"""

ANY_WEIGHTS = ["cityscapes-erfnet-1024x512", "cityscapes-segformer-b0-2048x1024", VOC]
ANY_WEIGHTS += ["cityscapes-ddrnet-23-slim-2048x1024"]
ANY_WEIGHTS += ["cityscapes-pidnet-s-2048x1024", "cityscapes-bisenetv2-2048x1024"]
ANY_WEIGHTS += ["cityscapes-stdc1-seg50-1024x512", "cityscapes-pp-liteseg-t-1024x512"]
ANY_WEIGHTS += ["cityscapes-ffnet-40s-2048x1024", "cityscapes-segnext-t-2048x1024"]
ANY_WEIGHTS += ["cocoseg21-lr-aspp-mobilenetv3-large-520x520", "cityscapes-mobilenetv2-swiftnet-2048x1024"]
ANY_WEIGHTS += [XCEPTION, "cityscapes-resnet50-fcn-1040x520", "cityscapes-resnet50-deeplabv3-1040x520"]
ANY_WEIGHTS += [EFFICIENTVIT]
IN_CI = {UNET, DEEPLAB}
LARGE = (1536, 1024)
MEASURED = [(row_id, size) for row_id in (UNET, FPN, DEEPLAB, *ANY_WEIGHTS) for size in (LARGE, (2048, 1280))]
MEASURED += [(XCEPTION, (1024, 512))]  # whose weights are as much as its run


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is measured as Linux does")
@pytest.mark.parametrize(
    ("row_id", "size"),
    [
        pytest.param(row_id, size, marks=[] if row_id in IN_CI and size == LARGE else pytest.mark.slow)
        for row_id, size in MEASURED
    ],
)
def test_memory_is_told_before_and_given_back_after(
    row_id: str, size: tuple[int, int], tmp_path: Path
) -> None:
    weights = "bundled"
    if row_id in ANY_WEIGHTS:
        weights = str(tmp_path / "any.safetensors")
        save_file(build_model(row_id).state_dict(), weights)
    command = [sys.executable, "-c", MEMORY, row_id, weights, *map(str, size)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    peak, stays, told = map(int, done.stdout.split())
    assert told == pytest.approx(peak, rel=0.25)
    held = 4 * Path(weights).stat().st_size if row_id in ANY_WEIGHTS else 0  # the network of that size stays
    assert stays < 150_000_000 + held
