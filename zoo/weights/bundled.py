"""The networks that ship with the product, in data/weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from zoo.tables import DATA

BUNDLED_DATASET = "CamVid"
BUNDLED_NOTICE = (
    "Trained for this project on CamVid (Brostow, Fauqueur, Cipolla; the 11-class split of Badrinarayanan, "
    "Kendall, Cipolla), which is for personal and research use only, and so are these weights. "
    "They are not the published weights of any row."
)


@dataclass(frozen=True)
class Bundled:
    """A network that ships with the product."""

    model: str
    """The catalog's name of the architecture."""
    path: Path
    figures: Mapping[str, Any] = field(repr=False)
    """What it measured on CamVid, in percent: `val` and `test`, each with miou, accuracy, images and iou
    by class."""

    @property
    def calibration(self) -> Mapping[str, Any]:
        """Of a network in 8 bits: method, pictures, input_size and more."""
        return self.figures.get("calibration", {})


def bundled_networks() -> Mapping[str, Bundled]:
    """Return the float networks that ship in data/weights, by the catalog's name of the architecture."""
    return {model: found for (model, precision, _), found in _all().items() if precision == "float"}


def bundled_in_8_bits(model: str, *, qat: bool) -> Bundled | None:
    """Return a network that ships in 8 bits: from weights trained for 8 bits, or from the float ones."""
    return _all().get((model, "8bit", qat))


def bundled_at(path: Path) -> Bundled:
    """Return the network that ships in this file, with its figures."""
    return next(found for found in _all().values() if found.path == path)


def every_bundled() -> tuple[Bundled, ...]:
    """Return all that ships in data/weights, in float and in 8 bits."""
    return tuple(_all().values())


@cache
def _all() -> Mapping[tuple[str, str, bool], Bundled]:
    networks = {}
    for path in sorted((DATA / "weights").glob("*.json")):
        figures = json.loads(path.read_text(encoding="utf-8"))
        model, precision = figures["model"], figures.get("precision", "float")
        file = path.with_suffix(".safetensors" if precision == "float" else ".onnx")
        networks[model, precision, figures.get("qat", False)] = Bundled(model, file, figures)
    return networks
