"""Every row as a network: one registry, one function that builds a row by its id.

catalog.csv says what a row is made of: family, encoder, decoder, and options (JSON) for the family's builder.
"""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING

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
"""Family -> module, imported when first needed, with build(encoder, decoder, num_classes, **options)."""

MAX_CLASSES = 255
"""Class ids are stored as bytes, and 255 is void."""


def build_model(
    row_id: str, *, num_classes: int | None = None, device: str | torch.device = "cpu"
) -> nn.Module:
    """Return the network of a row, in eval mode, with random weights.

    It takes float (N, 3, H, W), preprocessed as the row's family says, and returns logits (N, C, H, W), where
    C is `num_classes`, or what the row's data set has. On device "meta" neither the network nor its outputs
    take memory. A QAT row gives the float network of the same name. Raises UnknownIdError for an id that is
    not in the catalog, InputError for a class count that is not a whole number from 1 to 255.
    """
    row = get_row(row_id)
    classes = len(load_classes(row["dataset"])) if num_classes is None else num_classes
    if not isinstance(classes, int) or isinstance(classes, bool) or not 1 <= classes <= MAX_CLASSES:
        raise InputError(f"num_classes {classes!r} cannot be used: give a whole number, 1 to {MAX_CLASSES}.")
    options = json.loads(row["options"]) if isinstance(row["options"], str) else {}
    build = import_module(FAMILIES[row["family"]]).build
    with torch.device(device):
        return build(row["encoder"], row["decoder"], classes, **options).eval()
