"""A row: one published or own figure, and what its network is made of."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

from zoo.errors import NotOursError
from zoo.sizes import Size

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
    catalog: str = "own"
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

    @property
    def name(self) -> str:
        """The model for people: -QAT where it is one, and MARK where its published number needs one."""
        return f"{self.model}{'-QAT' if self.qat else ''}{MARK if self.published_at else ''}"

    @property
    def built(self) -> Network:
        """The row's network, or NotOursError where it has none."""
        if self.network is None:
            raise NotOursError(
                f"{self.id} names no network that can be built here: give its family, encoder and decoder."
            )
        return self.network

    @property
    def title(self) -> str:
        """The name with the input size."""
        return f"{self.name} · {self.size}"
