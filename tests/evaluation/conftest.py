"""A few small pictures, and what a bundled network makes of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoo.prediction import predict

ROW = "cityscapes-mobilenetv2-unetlite-768x384"
SIZE = (96, 64)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def pictures() -> list[np.ndarray]:
    """Six street-like pictures: a sky above, something coarse below."""
    rng = np.random.default_rng(11)
    found = []
    for _ in range(6):
        coarse = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        coarse[:2] = (200, 220, 240)
        found.append(np.asarray(Image.fromarray(coarse).resize((96, 64), Image.Resampling.BICUBIC)))
    return found


@pytest.fixture
def predicted(pictures: list[np.ndarray]) -> list[np.ndarray]:
    return [predict(ROW, picture, weights="bundled", size=SIZE).labels for picture in pictures]


@pytest.fixture
def folders(tmp_path: Path, pictures: list[np.ndarray], predicted: list[np.ndarray]) -> tuple[Path, Path]:
    """The pictures, and as labels what is predicted with one stripe changed, as a folder pair."""
    images, labels = tmp_path / "images", tmp_path / "labels"
    images.mkdir()
    labels.mkdir()
    for number, (picture, label_map) in enumerate(zip(pictures, predicted, strict=True)):
        Image.fromarray(picture).save(images / f"street{number}.png")
        changed = label_map.copy()
        changed[:4] = 3
        Image.fromarray(changed).save(labels / f"street{number}_L.png")
    return images, labels


@pytest.fixture
def camvid() -> Path:
    """Where CamVid lies beside the project, or skip."""
    for home in ROOT.parents[:2]:
        if (home / "shared" / "camvid" / "testannot").is_dir():
            return home / "shared" / "camvid"
    pytest.skip("CamVid is not here: it lies in shared/camvid beside the project where it is")
