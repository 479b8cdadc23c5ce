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
    """What it measured on CamVid, in percent: `val` and `test`, each with miou, accuracy and iou by class."""


@cache
def bundled_networks() -> Mapping[str, Bundled]:
    """Return what ships in data/weights, by the catalog's name of the architecture."""
    networks = {}
    for path in sorted((DATA / "weights").glob("*.json")):
        figures = json.loads(path.read_text(encoding="utf-8"))
        networks[figures["model"]] = Bundled(figures["model"], path.with_suffix(".safetensors"), figures)
    return networks
