"""Networks from outside: an .onnx is read and counted in a process of its own, then stands beside the rows.

`read_own_network` gives what is known of a file, `describe` adds what its owner says of it, and `own_row`
makes the row that charts, predictions and everything else take.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from zoo import limits
from zoo.cache import hash_file
from zoo.catalog import Catalog, catalog_schema, read_own_rows
from zoo.checks import check_miou
from zoo.classes import ClassList, numbered_classes
from zoo.complexity.counting import GraphProcess, graph_process, missed_in
from zoo.complexity.formula import read_formula
from zoo.costs import TERMS, costs_of, is_counted
from zoo.errors import CountError, InputError, ModelFileError, SizeError, TableError, shown_name
from zoo.onnx_metadata import FileFacts, Three, file_facts
from zoo.rows import NO_DATASET, Network, OwnNetwork, Row
from zoo.sizes import Size
from zoo.weights.checkpoints import MODEL_SIZE, check_model_file

DEFAULT_SIZE = MODEL_SIZE
"""At which a network is counted that takes any size and does not say which it was made for."""
IMAGENET = ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
"""Mean and deviation that most networks are trained with: taken where a file does not say, and said so."""
ASSUMED = "ImageNet's mean and deviation, which most networks are trained with: the file does not say"


def read_own_network(path: Path, size: Size | None = None) -> OwnNetwork:
    """Return an .onnx from outside, counted at `size`, or at the size that it takes or was made for.

    Raises ModelFileError for a file that is refused, SizeError for a size that it cannot take, InferenceError
    where the process that reads it dies or takes too long.
    """
    if path.suffix.lower() != ".onnx":
        raise ModelFileError(f"{shown_name(path)} is not an .onnx: export the network to ONNX.")
    check_model_file(path, ModelFileError)
    facts = read_facts(path)
    sha256 = hash_file(path)
    with graph_process(path, sha256) as process:
        spec, multiple = process.said["spec"], process.said["multiple"]
        fixed = Size(spec["width"], spec["height"]) if spec["width"] and spec["height"] else None
        chosen = fixed or _partly(spec, size or facts.size or DEFAULT_SIZE)
        if size is not None and size != chosen:
            raise SizeError(f"size {size} cannot be used by {shown_name(path)}: it takes {chosen}.")
        counted, shape = process.count(chosen), process.output_shape
        formula = None if multiple is None else _formula(process, int(multiple))
    return OwnNetwork(
        name=shown_name(path),
        path=path,
        sha256=sha256,
        size=chosen,
        only_size=fixed is not None,
        multiple=int(multiple or 1),
        formula=formula,
        macs=counted.macs,
        params=counted.params,
        peak_activation_values=counted.peak_activation_values,
        facts=facts,
        num_classes=_class_count(shape),
        missed=missed_in(counted),
    )


def _partly(spec: dict[str, Any], size: Size) -> Size:
    """Return the size with the side that a model has fixed."""
    return Size(spec["width"] or size.width, spec["height"] or size.height)


def _formula(process: GraphProcess, multiple: int) -> tuple[int, ...] | None:
    """Return the formula's numbers, or None for a network whose MACs do not follow it."""
    try:
        numbers = read_formula(process.count, multiple)
    except CountError:
        return None
    return tuple(numbers[term] for term in TERMS)


def _prepared(facts: FileFacts) -> FileFacts:
    if facts.mean is not None and facts.std is not None:
        return facts
    return replace(facts, mean=IMAGENET[0], std=IMAGENET[1], prepared=ASSUMED)


def _class_count(shape: Sequence[int]) -> int | None:
    """Return the number of classes of logits (1, C, H, W); of a label map none shows."""
    return int(shape[1]) if len(shape) == 4 and 1 < shape[1] <= limits.MAX_CLASSES else None


def describe(
    own: OwnNetwork,
    *,
    classes: Sequence[str] | ClassList | None = None,
    mean: Three | None = None,
    std: Three | None = None,
) -> OwnNetwork:
    """Return the network with what its owner says of it: class names in id order, and how it is prepared.

    Raises InputError for names that are not as many as its classes, or numbers that cannot be used.
    """
    if classes is not None and own.num_classes not in (None, len(classes)):
        raise InputError(f"{own.name} has {own.num_classes} classes, and {len(classes)} names were given.")
    return replace(own, facts=described(own.facts, classes=classes, mean=mean, std=std))


def read_facts(path: Path) -> FileFacts:
    """Return what a model from outside says of itself, with mean and std assumed where it does not say.

    Raises ModelFileError for properties of ours that cannot be used.
    """
    return _prepared((file_facts(path) if path.suffix.lower() == ".onnx" else None) or FileFacts())


def described(
    facts: FileFacts,
    *,
    classes: Sequence[str] | ClassList | None = None,
    mean: Three | None = None,
    std: Three | None = None,
) -> FileFacts:
    """Return what a file says with what its owner says of it in its place.

    Raises InputError for class names or numbers that cannot be used.
    """
    if classes is not None:
        facts = replace(facts, classes=_named(classes))
    if mean is not None or std is not None:
        mean, std = mean or facts.mean or IMAGENET[0], std or facts.std or IMAGENET[1]
        usable = [len(three) == 3 and bool(np.isfinite(three).all()) for three in (mean, std)]
        if not all(usable) or min(std) <= 0:
            raise InputError("mean and std are three numbers each, in units of 0 to 255, std above 0.")
        facts = replace(facts, mean=mean, std=std, prepared="as you say")
    return facts


def _named(classes: Sequence[str] | ClassList) -> ClassList:
    count = len(classes)
    if isinstance(classes, ClassList):
        return classes
    names = tuple(" ".join(str(name).split())[:60] for name in classes)
    if not 1 <= count <= limits.MAX_CLASSES or not all(names):
        raise InputError(f"class names are 1 to {limits.MAX_CLASSES} words or more, none of them empty.")
    return ClassList(names, numbered_classes(count).palette, f"{count} classes, named by you")


def own_row(own: OwnNetwork, dataset: str | None = None, miou: float | None = None) -> Row:
    """Return the row of an own network: with its owner's mIoU (percent) on a data set, if he gives them.

    Its GigaMACs are counted, at its size. Raises BudgetError for an mIoU that is none.
    """
    stem = re.sub("[^a-z0-9]+", "-", Path(own.name).stem.lower()).strip("-") or "network"
    return Row(
        id=f"own-{stem[:60]}-{own.size}",
        dataset=dataset or NO_DATASET,
        model=own.name,
        size=own.size,
        gmacs=own.macs / 1e9,
        miou=None if miou is None else check_miou(miou),
        num_classes=own.num_classes or (len(own.facts.classes) if own.facts.classes else None),
        section="Own networks",
        published_name=own.name,
        notes="Your own file. Its GigaMACs are counted from its graph.",
        own=own,
    )


def own_template() -> str:
    """Return a CSV to fill in: the columns of a user's own rows, and one line as an example."""
    example = {"id": "my-network-768x384", "dataset": "Cityscapes", "model": "My network"}
    example |= {"input_width": "768", "input_height": "384", "gmacs": "3.9", "miou": "70.1"}
    columns = list(catalog_schema(own=True).columns)
    return f"{','.join(columns)}\n{','.join(example.get(column, '') for column in columns)}\n"


def read_counted_rows(source: bytes, name: str, taken: Collection[str] = ()) -> Catalog:
    """Return a user's own rows with every network of ours that they name counted already.

    Raises TableError as `read_own_rows`, for an id that is `taken`, for a network that cannot be counted, and
    for more than `limits.OWN_COUNTED` that nobody counted yet: each takes seconds.
    """
    fresh: set[tuple[Network, int | None]] = set()

    def check(row: Row) -> None:
        if row.id in taken:
            raise TableError(f"column id: {row.id} is an own network here already; give your row another.")
        if row.network is None:
            return
        if not is_counted(row):
            fresh.add((row.network, row.num_classes))
        if len(fresh) > limits.OWN_COUNTED:
            raise TableError(
                f"column family: more than {limits.OWN_COUNTED} networks of this file would have to be "
                "counted first; leave family, encoder and decoder of the others empty."
            )
        try:
            costs_of(row)
        except CountError as error:
            raise TableError(f"column family: {error}") from error

    return read_own_rows(source, name, check)


def named_row(name: str, catalog: Catalog, size: Size | None = None) -> Row:
    """Return the row that a command's argument names: an id of the catalog, or the path of an .onnx.

    `size` is that at which a file is counted. Raises UnknownIdError, and as `read_own_network`.
    """
    if name.lower().endswith(".onnx"):
        return own_row(read_own_network(Path(name), size))
    return catalog.row(name)
