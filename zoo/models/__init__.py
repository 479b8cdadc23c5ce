"""Every row as a network: one registry, one function that builds a row by its id.

What a row is made of stands in catalog.csv: family, encoder, decoder, and options (JSON) for the family's builder.
"""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING

import pandas as pd
import torch

from zoo.catalog import get_row, load_classes
from zoo.errors import InputError

if TYPE_CHECKING:
    from torch import nn

FAMILIES = {
    "edgeailite": "zoo.models.edgeailite",
    "deeplab": "zoo.models.deeplab",
    "torchvision": "zoo.models.torchvision",
    "erfnet": "zoo.models.erfnet",
    "swiftnet": "zoo.models.swiftnet",
}
"""Family -> module with `build(encoder, decoder, num_classes, **options) -> nn.Module`, imported when first built."""

MAX_CLASSES = 256


def build_model(
    row_id: str,
    *,
    num_classes: int | None = None,
    device: str | torch.device = "cpu",
    catalog: pd.DataFrame | None = None,
) -> nn.Module:
    """Return the network of a row, in eval mode, with random weights.

    It takes float (N, 3, H, W), preprocessed as the row's family says, and returns logits (N, C, H, W).
    C is `num_classes`, else the number of classes of the row's data set. On device "meta" the network takes no
    memory, and so do its outputs. A QAT row gives the float network of the same name. `catalog` is the
    published one if None. Raises UnknownIdError for an id that is not there, InputError for a row that does not
    say how it is built or a class count that is not from 1 to 256.
    """
    row = get_row(row_id, catalog)
    if row["family"] not in FAMILIES:
        raise InputError(f"{row_id} cannot be built: its row names no family; use one of {', '.join(FAMILIES)}.")
    classes = len(load_classes(row["dataset"])) if num_classes is None else num_classes
    if not isinstance(classes, int) or isinstance(classes, bool) or not 1 <= classes <= MAX_CLASSES:
        raise InputError(f"num_classes {classes!r} cannot be used: give a whole number from 1 to {MAX_CLASSES}.")
    options = json.loads(row["options"]) if isinstance(row["options"], str) else {}
    build = import_module(FAMILIES[row["family"]]).build
    with torch.device(device):
        return build(row["encoder"], row["decoder"], classes, **options).eval()
