"""Which weights a row can run with, where they are, and what must be said of them wherever they are used.

Three kinds: `bundled` ones ship in data/weights and give CamVid's classes on whatever row they are used;
`published` ones are listed in data/checkpoints.csv and lie in the cache folder once downloaded; `own` ones
are a file of the visitor's. There is never a fourth: without weights there is no mask. Each runs in float, or
in 8 bits once it was quantized: the bundled ones ship in both.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from zoo import limits
from zoo.cache import hash_file
from zoo.catalog import all_shipped, find_row
from zoo.classes import ClassList, dataset_classes, numbered_classes
from zoo.datasets import load_datasets
from zoo.errors import (
    CheckpointError,
    DownloadError,
    InputError,
    ModelFileError,
    WeightsMissingError,
    ZooError,
    shown_name,
)
from zoo.families import Three, families, three
from zoo.onnx_metadata import FileFacts, file_facts
from zoo.rows import NO_DATASET, Row
from zoo.sizes import Size
from zoo.weights.bundled import BUNDLED_DATASET, BUNDLED_NOTICE, bundled_in_8_bits, bundled_networks
from zoo.weights.published import downloaded_path, extra_class, is_verifiable, published_list
from zoo.weights.quantized import find_quantized

Kind = Literal["bundled", "published", "own"]
Precision = Literal["float", "8bit"]
PRECISIONS: tuple[Precision, ...] = ("float", "8bit")

BUNDLED_ORIGIN = "trained for this project on CamVid (not this row's published ones)"
OWN_NOTICE = "Your own file: its terms are yours to know."
FORMATS = {".pth": "pth", ".pt": "pth", ".safetensors": "safetensors", ".onnx": "onnx", ".tflite": "tflite"}
MODEL_FORMATS = ("onnx", "tflite")
"""Formats that hold a whole network, not weights for ours."""
MODEL_SIZE = Size(1024, 512)
"""At which a model is run that takes any size and does not say which it was made for."""
UNREAD = ClassList((), (), "class list not read yet")


@dataclass(frozen=True)
class Checkpoint:
    """Weights for a row: a file, what its outputs mean, and the words that go with every use of it."""

    row: Row
    kind: Kind
    path: Path
    format: str
    """pth, safetensors, onnx or tflite."""
    source: str
    """Whose weights these are, in words."""
    notice: str
    """Licence and terms, in words."""
    verified: bool
    """Whether a hash from outside vouches for the file."""
    mean: Three
    std: Three
    """A float input is (x - mean) / std, RGB, in units of 0..255."""
    classes: ClassList = UNREAD
    """Empty for an own file until `with_class_count` has been told their number."""
    precision: Precision = "float"
    calibration: str = ""
    """Of a network in 8 bits: how its ranges were found, in words."""

    @property
    def stranger(self) -> bool:
        """Whether the file is a model from outside, which runs in a process of its own."""
        return self.format in MODEL_FORMATS and self.precision == "float"

    @property
    def label(self) -> str:
        """Whose weights and which class list, in one phrase."""
        return f"{self.source}; {self.classes.words}"

    @cached_property
    def sha256(self) -> str:
        """The file's SHA-256, 64 hex digits."""
        return hash_file(self.path)

    def with_class_count(self, count: int) -> Checkpoint:
        """Return the checkpoint with names and colours for the number of classes that its file really has.

        The names are the row's if the count matches, else "class 0", "class 1", ...
        """
        if count == len(self.classes):
            return self
        return replace(self, classes=name_classes(self.row, count))


def resolve(
    row_id: str | Row,
    weights: str | os.PathLike[str] | None = None,
    precision: str | None = None,
) -> Checkpoint:
    """Return the weights to run a row with.

    `weights`: None takes the best there is (published if downloaded, else bundled), "published" and "bundled"
    ask for one kind, and anything else is the path of a visitor's own file. `precision`: "float", "8bit", or
    None for what the row is published in: 8 bits where a row of a network trained for them has bundled
    weights, else float.
    Raises WeightsMissingError with the ways to get some, DownloadError for a downloaded file that has
    changed, CheckpointError or ModelFileError for an own file that cannot be one, InputError for another
    precision, UnknownIdError for the row.
    """
    row = find_row(row_id)
    if precision not in (None, *PRECISIONS):
        raise InputError(f"precision {precision!r} cannot be used: give one of {', '.join(PRECISIONS)}.")
    found = _in_float(row, weights)
    if precision == "8bit" or (precision is None and row.qat and found.kind == "bundled"):
        return _in_8_bits(found)
    return found


def _in_float(row: Row, weights: str | os.PathLike[str] | None) -> Checkpoint:
    if row.own is not None:
        if weights is not None:
            raise InputError(f"{row.own.name} brings its own weights: give no others.")
        return _described(row, row.own.path, "onnx", row.own.facts)
    if weights not in (None, "published", "bundled"):
        return _own(row, Path(weights))
    found = _published(row) if weights in (None, "published") else None
    if found is None and weights in (None, "bundled"):
        found = _bundled(row)
    if found is None:
        missing = {
            None: f"there are no weights for {row.id} here",
            "published": f"the published weights of {row.id} are not here",
            "bundled": f"no weights are bundled for {row.id}",
        }[weights]
        raise WeightsMissingError(f"{missing}: {_ways(row)}.")
    return found


def _in_8_bits(weights: Checkpoint) -> Checkpoint:
    """Return the network in 8 bits that was made from weights, or raise WeightsMissingError with the way."""
    row = weights.row
    if weights.format in MODEL_FORMATS:
        raise InputError(
            f"{shown_name(weights.path)} is a whole model, which runs in the precision that it has: "
            "leave --precision out, or give a .pth or .safetensors."
        )
    if weights.kind == "bundled" and (shipped := bundled_in_8_bits(row.model, qat=row.qat)):
        trained = "trained for 8 bits, " if row.qat else ""
        return replace(
            weights,
            path=shipped.path,
            format="onnx",
            precision="8bit",
            source=f"bundled weights in 8 bits, {trained}{BUNDLED_ORIGIN}",
            calibration=calibration_words(shipped.calibration),
        )
    kept = find_quantized(row.built, weights.sha256)
    if kept is None:
        given = {"bundled": "", "published": " --weights published", "own": " --weights FILE"}[weights.kind]
        raise WeightsMissingError(
            f"there is no network in 8 bits from the {weights.source} yet: make it from "
            f"{limits.CALIBRATION_PICTURES} or more pictures with: "
            f"python -m zoo quantize {row.id} --images DIR{given} --out FILE.onnx"
        )
    path, calibration = kept
    return replace(
        weights,
        path=path,
        format="onnx",
        precision="8bit",
        source=f"{weights.source}, in 8 bits",
        calibration=calibration_words(calibration),
    )


def calibration_words(calibration: Mapping[str, Any]) -> str:
    """Return how the ranges of a network in 8 bits were found, as one sentence."""
    return (
        f"Ranges by {calibration['method']} over {calibration['pictures']} pictures at "
        f"{calibration['input_size']}."
    )


def status(row_id: str | Row | None = None) -> pd.DataFrame:
    """Return what weights there are, for one row or all that ship: columns id, kind, status, path, verified.

    `status` is bundled, downloaded, missing (it can be downloaded), or unavailable (no address is known).
    `path` is the file's, or None. `verified` is whether a hash from outside vouches for the file.
    """
    rows = all_shipped().rows if row_id is None else [find_row(row_id)]
    lines = [line for row in rows for line in _status_of(row)]
    return pd.DataFrame(lines, columns=["id", "kind", "status", "path", "verified"], dtype=object)


def name_classes(row: Row, count: int) -> ClassList:
    """Return the class list for `count` classes on a row: the row's own if it fits, else numbers."""
    if row.dataset in load_datasets().index:
        own, extra = dataset_classes(row.dataset), extra_class(row.id)
        for named in (own, own if extra is None else own.with_extra(extra)):
            if len(named) == count:
                return named
    return numbered_classes(count)


def _published(row: Row) -> Checkpoint | None:
    """Return the row's downloaded weights, held against the hash that they came with, or None."""
    path = downloaded_path(row.id)
    if path is None:
        return None
    if hash_file(path) != path.name.split(".")[1]:
        raise DownloadError(
            f"the downloaded weights of {row.id} have changed since they came: "
            f"get them again with: python -m zoo weights get {row.id}"
        )
    entry: dict[Any, Any] = published_list().loc[row.id].to_dict()
    named, extra = dataset_classes(row.dataset), extra_class(row.id)
    verified = is_verifiable(row.id)
    return Checkpoint(
        row=row,
        kind="published",
        path=path,
        format=entry["format"],
        source="published weights" if verified else "published weights, unverified (their hash is not known)",
        notice=_licence(entry["licence"]),
        verified=verified,
        mean=three(entry["mean"]),
        std=three(entry["std"]),
        classes=named if extra is None else named.with_extra(extra),
    )


def _licence(licence: object) -> str:
    if isinstance(licence, str):
        return f"Licence: {licence}."
    return "No licence is stated with these weights: ask their publisher before you do more than try them."


def _bundled(row: Row) -> Checkpoint | None:
    network = bundled_networks().get(row.model)
    if network is None or row.network is None:
        return None
    facts = families()[row.network.family]
    return Checkpoint(
        row=row,
        kind="bundled",
        path=network.path,
        format="safetensors",
        source=f"bundled weights, {BUNDLED_ORIGIN}",
        notice=BUNDLED_NOTICE,
        verified=True,
        mean=facts.mean,
        std=facts.std,
        classes=dataset_classes(BUNDLED_DATASET),
    )


def _own(row: Row, path: Path) -> Checkpoint:
    name = shown_name(path)
    file_format = FORMATS.get(path.suffix.lower())
    if file_format is None:
        raise CheckpointError(
            f"{name}: weights are a file that ends in .pth, .pt, .safetensors, .onnx or .tflite, "
            "or one of the words published and bundled."
        )
    check_model_file(path, ModelFileError if file_format in MODEL_FORMATS else CheckpointError)
    said = (file_facts(path) if file_format == "onnx" else None) or FileFacts()
    facts = families()[row.built.family]
    said = replace(said, mean=said.mean or facts.mean, std=said.std or facts.std)
    return _described(row, path, file_format, said)


def model_file(path: Path, name: str, said: FileFacts) -> Checkpoint:
    """Return a whole model from outside as itself: on a row of its own, with what is said of it.

    `name` is what the visitor calls it; `said` has mean and std. Raises ModelFileError for a file that cannot
    be one, WeightsMissingError for a file of ours that was exported with random weights.
    """
    file_format = FORMATS.get(path.suffix.lower())
    if file_format not in MODEL_FORMATS:
        raise ModelFileError(f"{name} is no whole model: give an .onnx or a .tflite.")
    check_model_file(path, ModelFileError)
    row = Row(
        id=f"own-{hash_file(path)[:16]}",
        dataset=NO_DATASET,
        model=name,
        size=said.size or MODEL_SIZE,
        section="Own networks",
        published_name=name,
    )
    found = _described(row, path, file_format, said)
    return replace(found, source=found.source.replace(shown_name(path), name))


def _described(row: Row, path: Path, file_format: str, said: FileFacts) -> Checkpoint:
    """Return a visitor's file, with what it or its owner says of it.

    Raises WeightsMissingError for a file of ours that was exported with random weights.
    """
    name = shown_name(path)
    by_their_words = f", by their own words {said.weights}" if said.weights else ""
    if said.random:
        raise WeightsMissingError(
            f"{name} holds random weights: it was exported without any, for timing, and makes no mask that "
            "means anything. Export it again with weights."
        )
    if said.mean is None or said.std is None:
        raise ModelFileError(f"{name} does not say how its input is prepared: give mean and std.")
    return Checkpoint(
        row=row,
        kind="own",
        path=path,
        format=file_format,
        source=f"your own weights ({name}){by_their_words}",
        notice=f"{OWN_NOTICE} The file says: {said.notice}" if said.notice else OWN_NOTICE,
        verified=False,
        mean=said.mean,
        std=said.std,
        classes=said.classes or UNREAD,
    )


def check_model_file(path: Path, refusal: type[ZooError]) -> None:
    """Raise `refusal` for a file of weights or a model that is not there, is empty or too large."""
    name = shown_name(path)
    try:
        size = path.stat().st_size if path.is_file() else None
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise refusal(f"{name} cannot be read: {reason}.") from error
    if size is None:
        raise refusal(f"{name}: there is no such file: give the path of your weights or model.")
    if size == 0:
        raise refusal(f"{name} is empty: give a file of weights or a model.")
    if size > limits.MODEL_BYTES:
        raise refusal(
            f"{name} has {size / limits.MEGABYTE:,.0f} MB: "
            f"a file of weights may have {limits.MODEL_BYTES // limits.MEGABYTE} MB."
        )


def _ways(row: Row) -> str:
    """Return the three ways to get weights for a row, in words."""
    models = list(bundled_networks())
    bundled = (
        "use the bundled ones (--weights bundled)"
        if row.model in models
        else f"take a row with bundled ones ({', '.join(models)})"
    )
    download = (
        f"download the published ones (python -m zoo weights get {row.id})"
        if row.id in published_list().index
        else "no address to download them from is known"
    )
    own = "give a file of your own (--weights FILE, or upload it on the Demo page)"
    return f"{download}, {bundled}, or {own}"


def _status_of(row: Row) -> Iterator[tuple[str, Kind, str, str | None, bool]]:
    network = bundled_networks().get(row.model)
    if network is not None:
        yield row.id, "bundled", "bundled", str(network.path), True
    if row.id not in published_list().index:
        yield row.id, "published", "unavailable", None, False
        return
    path = downloaded_path(row.id)
    if path is None:
        yield row.id, "published", "missing", None, False
    else:
        yield row.id, "published", "downloaded", str(path), is_verifiable(row.id)
