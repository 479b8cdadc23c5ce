"""A row: one published or own figure, and what its network is made of."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from zoo.errors import NotOursError, SizeError
from zoo.onnx_metadata import FileFacts
from zoo.sizes import Size, check_size

OWN = "own"
"""The catalog of a user's own rows."""
NO_DATASET = "none"
"""What stands in place of an own network's data set while its owner names none."""
MARK = "*"
"""Behind the name of a row whose published number belongs to another input size than the row's own."""


class Network(NamedTuple):
    """What a family builds, whatever the number of classes."""

    family: str
    encoder: str
    decoder: str
    options: str = ""
    """A JSON object with the arguments of the family's builder; empty where it needs none."""

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of the family's builder."""
        return json.loads(self.options) if self.options else {}


@dataclass(frozen=True)
class OwnNetwork:
    """An .onnx from outside that has been read and counted (`zoo.own.read_own_network`)."""

    name: str
    """The file's, as it may be shown."""
    path: Path
    sha256: str
    size: Size
    """At which it is counted and run by default: its only one, or the one it was exported for."""
    only_size: bool
    """Whether it takes no other size."""
    multiple: int
    """Of what both sides of a free input must be multiples."""
    formula: tuple[int, ...] | None
    """The numbers of zoo.costs, in the order of its TERMS; None where other sizes have to be counted."""
    macs: int
    params: int
    peak_activation_values: int
    """All three at `size`."""
    facts: FileFacts
    """What the file or its owner says: whose weights, which classes, how its input is prepared."""
    num_classes: int | None = None
    """What its output has; None where that does not show."""
    missed: tuple[str, ...] = ()
    """Operations that multiply and are not counted: its MACs are at least what is said."""

    def check_size(self, width: object, height: object) -> Size:
        """Return the size if the network takes it, or raise SizeError that names one it does."""
        size = check_size(width, height)
        if self.only_size and size != self.size:
            raise SizeError(f"size {size} cannot be used by {self.name}: it takes {self.size} only.")
        fitting = Size(*(-(-side // self.multiple) * self.multiple for side in size))
        if size != fitting:
            raise SizeError(
                f"size {size} cannot be used by {self.name}: both sides must be multiples of "
                f"{self.multiple}, such as {fitting}."
            )
        return size


@dataclass(frozen=True)
class Row:
    """One line of a catalog: a network at a size on a data set, with the figures that somebody published."""

    id: str
    dataset: str
    model: str
    """The canonical name, without QAT and footnote marks."""
    size: Size
    """The input size at which it was measured."""
    gmacs: float | None = None
    """Published, in billions of multiply-accumulates."""
    miou: float | None = None
    """Published, in percent."""
    network: Network | None = None
    """None for a row that no family of ours builds."""
    num_classes: int | None = None
    catalog: str = OWN
    section: str = "Own rows"
    group: str | None = None
    published_name: str = ""
    available: bool = False
    qat: bool = False
    references: tuple[int, ...] = ()
    notes: str | None = None
    gmacs_printed: str | None = None
    """As printed: with the digits that were published."""
    miou_printed: str | None = None
    cost_as_printed: str | None = None
    """In the source's own words, such as "36.3 GFLOPs", where `gmacs` is not what it prints."""
    source: str | None = None
    """The file and the commit in which the figures were read."""
    miou_source: str | None = None
    """The same for the mIoU, where it is another."""
    published_at: Size | None = None
    """Where the published number comes true, if that is not the row's own size."""
    own: OwnNetwork | None = None
    """The .onnx from outside that stands in for `network`."""

    @property
    def name(self) -> str:
        """The model for people: -QAT where it is one, MARK where its number needs one, and who brought it."""
        whose = " (own)" if self.catalog == OWN else ""
        return f"{self.model}{'-QAT' if self.qat else ''}{MARK if self.published_at else ''}{whose}"

    @property
    def built(self) -> Network:
        """The row's network, or NotOursError where it has none."""
        if self.own is not None:
            raise NotOursError(f"{self.own.name} is a file of your own: nothing of it is built here.")
        if self.network is None:
            raise NotOursError(
                f"{self.id} names no network that can be built here: give its family, encoder and decoder."
            )
        return self.network

    @property
    def title(self) -> str:
        """The name with the input size."""
        return f"{self.name} · {self.size}"
