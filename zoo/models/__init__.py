"""Rows as networks: one registry of families, one function that builds a row.

A catalog says what a row is made of: family, encoder, decoder, and options (JSON) for the family's builder.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import torch

from zoo.catalog import find_row
from zoo.checks import is_whole
from zoo.errors import InputError
from zoo.limits import MAX_CLASSES
from zoo.models.family import Family
from zoo.rows import Network, Row

if TYPE_CHECKING:
    from torch import nn

FAMILIES = {
    "edgeailite": "zoo.models.edgeailite",
    "deeplab": "zoo.models.deeplab",
    "torchvision": "zoo.models.torchvision",
    "erfnet": "zoo.models.erfnet",
    "swiftnet": "zoo.models.swiftnet",
    "ddrnet": "zoo.models.ddrnet",
    "pidnet": "zoo.models.pidnet",
    "bisenet": "zoo.models.bisenet",
    "stdc": "zoo.models.stdc",
    "ppliteseg": "zoo.models.ppliteseg",
    "ffnet": "zoo.models.ffnet",
    "segformer": "zoo.models.segformer",
    "efficientvit": "zoo.models.efficientvit",
    "segnext": "zoo.models.segnext",
}
"""Family -> module, imported when first needed, with FAMILY, a `Family`."""


def family(key: str) -> Family:
    """Return what a family tells of itself."""
    found = import_module(FAMILIES[key]).FAMILY
    if not isinstance(found, Family):
        raise TypeError(f"{FAMILIES[key]}.FAMILY is no Family")
    return found


def build_model(
    row_id: str | Row, *, num_classes: int | None = None, device: str | torch.device = "cpu"
) -> nn.Module:
    """Return the network of a row, in eval mode, with random weights.

    It takes float (N, 3, H, W), preprocessed as the row's family says, and returns logits (N, C, H, W), where
    C is `num_classes`, or what the row has. On device "meta" neither the network nor its outputs take memory.
    A QAT row gives the float network of the same name. Raises UnknownIdError for an id that is in no catalog,
    NotOursError for a row that no family builds, InputError for a class count that is not a whole number from
    1 to 255, or for options that the family does not have.
    """
    row = find_row(row_id)
    return build_network(
        row.built, check_classes(row.num_classes if num_classes is None else num_classes), device
    )


def check_classes(num_classes: object) -> int:
    """Return a number of classes, or raise InputError unless it is a whole number from 1 to 255."""
    if not is_whole(num_classes) or not 1 <= int(num_classes) <= MAX_CLASSES:
        raise InputError(
            f"num_classes {str(num_classes)[:40]!r} cannot be used: give a whole number, 1 to {MAX_CLASSES}."
        )
    return int(num_classes)


def build_network(network: Network, num_classes: int, device: str | torch.device = "cpu") -> nn.Module:
    """Return a network with that many classes; see `build_model`."""
    with torch.device(device):
        try:
            built = family(network.family).build(
                network.encoder, network.decoder, num_classes, **network.arguments
            )
        except TypeError as error:
            reason = str(error).partition("() ")[2] or str(error)
            raise InputError(
                f"the family {network.family} cannot be built with options "
                f"{network.options or 'left empty'}: {reason}."
            ) from error
    built.family = network.family  # type: ignore[assignment]  # whose checkpoints fit, for load_weights
    return built.eval()
