"""A visitor's own rows and networks: kept in their session, joined to the catalogs, gone with the session."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pages.shared.settings import of_session
from zoo import limits
from zoo.catalog import Catalog, catalog_named, own_catalog
from zoo.errors import InputError, ModelFileError, ZooError, shown_name
from zoo.own import describe, own_row, read_counted_rows, read_own_network
from zoo.rows import OWN, OwnNetwork, Row
from zoo.sizes import Size


@dataclass
class Own:
    """What a visitor brought. Every change gives new catalogs; until then they stay the same objects."""

    table: Catalog | None = None
    """The rows of their CSV."""
    file: str = ""
    """Its name, as it may be shown."""
    networks: dict[str, Row] = field(default_factory=dict)
    """Their .onnx files as rows, by row id."""
    refused: str = ""
    """Why the last file or change was refused, until the next."""
    uploads: int = 0
    """How many files came; each gets a fresh uploader, which holds no bytes."""
    _folder: tempfile.TemporaryDirectory[str] | None = None
    _joined: dict[str, Catalog] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Return whether there is anything."""
        return self.table is not None or bool(self.networks)

    def joined(self, name: str) -> Catalog:
        """Return a catalog that ships with these rows behind it, or for "own" these alone."""
        if not self:
            return catalog_named(name)
        if name not in self._joined:
            self._joined[name] = self._alone if name == OWN else catalog_named(name).joined(self._alone)
        return self._joined[name]

    @property
    def _alone(self) -> Catalog:
        rows = self.table.rows if self.table else ()
        return own_catalog([*rows, *self.networks.values()])

    def take_rows(self, data: bytes, name: str) -> None:
        """Take a CSV's rows in place of those before. Raises TableError, and then all stays."""
        found = read_counted_rows(data, shown_name(name), self.networks)
        self.table, self.file = found, shown_name(name)
        self._joined.clear()

    def drop_rows(self) -> None:
        """Let go of the CSV's rows."""
        self.table = None
        self._joined.clear()

    def take_network(self, data: bytes | memoryview, name: str, size: Size | None = None) -> str:
        """Read and count an .onnx and return the id of its row.

        Raises ModelFileError, SizeError and InferenceError; what there is stays.
        """
        if Path(name).suffix.lower() != ".onnx":
            raise ModelFileError(f"{shown_name(name)} is not an .onnx: export the network to ONNX.")
        if len(self.networks) >= limits.OWN_NETWORKS:
            raise InputError(f"{limits.OWN_NETWORKS} own networks are the most: remove one first.")
        path = self._place(data)
        try:
            network = _read(path, name, size)
        except ZooError:
            self._sweep()
            raise
        return self._put(own_row(network))

    def describe_network(
        self,
        row_id: str,
        *,
        dataset: str | None = None,
        miou: float | None = None,
        size: Size | None = None,
        classes: Sequence[str] | None = None,
        mean: tuple[float, float, float] | None = None,
        std: tuple[float, float, float] | None = None,
    ) -> str:
        """Say what a file does not say of itself, and return its row's id, which tells the size.

        Raises InputError, BudgetError and SizeError, and then all stays.
        """
        network = self.file_of(row_id)
        if size is not None and size != network.size:
            facts = network.facts
            network = replace(_read(network.path, network.name, size), facts=facts)
        network = describe(network, classes=classes, mean=mean, std=std)
        row = own_row(network, dataset, miou)
        del self.networks[row_id]
        return self._put(row)

    def file_of(self, row_id: str) -> OwnNetwork:
        """Return the network of an own network's row."""
        network = self.networks[row_id].own
        if network is None:
            raise KeyError(row_id)
        return network

    def drop_network(self, row_id: str) -> None:
        """Let go of an own network and its file."""
        del self.networks[row_id]
        self._joined.clear()
        self._sweep()

    def _put(self, row: Row) -> str:
        taken = {*self.networks, *([row.id for row in self.table.rows] if self.table else ())}
        row_id, number = row.id, 1
        while row_id in taken:
            number += 1
            row_id = f"{row.id}-{number}"
        self.networks[row_id] = replace(row, id=row_id)
        self._joined.clear()
        return row_id

    def _place(self, data: bytes | memoryview) -> Path:
        """Write a file under a name of ours into a folder that goes with the session."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="segselect-own-")
        folder = Path(self._folder.name)
        held = sum(path.stat().st_size for path in folder.iterdir())
        if held + len(data) > limits.MODEL_BYTES:
            most = limits.MODEL_BYTES // limits.MEGABYTE
            raise ModelFileError(f"Own networks may have {most} MB together: remove one first.")
        path = folder / f"{hashlib.sha256(data).hexdigest()[:32]}.onnx"
        path.write_bytes(data)
        return path

    def _sweep(self) -> None:
        """Remove the files that no network needs."""
        needed = {row.own.path for row in self.networks.values() if row.own}
        for path in Path(self._folder.name).iterdir() if self._folder else ():
            if path not in needed:
                path.unlink()


def _read(path: Path, name: str, size: Size | None) -> OwnNetwork:
    """Read a network under the name that its owner knows it by."""
    try:
        return replace(read_own_network(path, size), name=shown_name(name))
    except ZooError as error:
        raise type(error)(str(error).replace(path.name, shown_name(name))) from error


def own() -> Own:
    """Return what this visitor brought."""
    return of_session("own", Own)


def escaped(text: str) -> str:
    """Return a name as Markdown shows it unchanged: names of own rows are text from outside."""
    return re.sub(r"([\\`*_\[\]<>$:~|&])", r"\\\1", text)
