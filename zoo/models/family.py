"""What a family of networks tells of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class Family:
    """A family: how its networks are built, and how the public checkpoints of them are read."""

    build: Callable[..., nn.Module]
    """build(encoder, decoder, num_classes, **options) -> network."""
    class_tensors: tuple[str, ...]
    """Tensors of our names, one of them in each network, whose first side is the number of classes."""
    renames: tuple[tuple[str, str], ...] = ()
    """(pattern, replacement) from public tensor names to ours; none matches a name of ours."""
    dropped: str = ""
    """Beginning of the names of public tensors that only training uses."""
