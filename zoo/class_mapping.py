"""How the classes of labels and those of weights go together: as they are, or by a mapping from a CSV."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from zoo.classes import ClassList
from zoo.errors import InputError, shown_name
from zoo.label_files import CLASS_IDS, COLOURS, LabelValues
from zoo.metrics import VOID
from zoo.tables import load_table, parse_table

_ID = re.compile(r"\d{1,5}\Z", re.ASCII)
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}\Z", re.ASCII)


@dataclass(frozen=True)
class ClassFit:
    """The classes that are compared, and where each label and each prediction belongs."""

    classes: ClassList
    from_labels: npt.NDArray[np.uint8]
    """Class compared, or VOID, of each class id of the labels: 256 of them."""
    from_weights: npt.NDArray[np.uint8]
    """Class compared of each class id of the weights, VOID where the labels have none: 256 of them."""
    words: str
    """How they go together, one sentence."""
    unlabelled: tuple[str, ...] = ()
    """Classes of the weights that no label means; what is predicted so counts as wrong."""


@dataclass(frozen=True)
class ClassMapping:
    """A CSV with columns label and class: what each label means in the class list of the weights."""

    name: str
    pairs: tuple[tuple[str, str | None], ...]
    """Label (a class name, an id, or a colour such as #804080) and class name; None is void."""

    @property
    def values(self) -> LabelValues | None:
        """How to read label files by this mapping alone; None where it maps class names."""
        cells = dict.fromkeys(label for label, _ in self.pairs)
        for kind, pattern in ((CLASS_IDS, _ID), (COLOURS, _COLOUR)):
            if all(pattern.match(cell) for cell in cells):
                codes = {
                    int(cell.lstrip("#"), 16 if kind == COLOURS else 10): n for n, cell in enumerate(cells)
                }
                classes = ClassList(tuple(cells), ((0, 0, 0),) * len(cells), f"the labels of {self.name}")
                void = {VOID: VOID} if kind == CLASS_IDS else {}
                return LabelValues(
                    kind, f"{kind.removeprefix('class ')} of {self.name}", classes, void | codes
                )
        return None


def read_mapping(source: Path | bytes, name: str | None = None) -> ClassMapping:
    """Read a mapping from a CSV file or its bytes, or raise TableError with one line."""
    from zoo.schemas import schema, text

    columns = schema(label=text(), **{"class": text(nullable=True)})
    if isinstance(source, bytes):
        table = parse_table(source, columns, name or "the mapping")
    else:
        table = load_table(source, columns)
    shown = shown_name(name or (source if isinstance(source, Path) else "the mapping"))
    pairs = zip(table["label"], table["class"], strict=True)
    mapping = ClassMapping(
        shown, tuple((str(label), meant if isinstance(meant, str) else None) for label, meant in pairs)
    )
    if len(set(mapping.pairs)) < len(mapping.pairs) or not mapping.pairs:
        raise InputError(f"{shown} names no label, or the same twice: give one line a label and class.")
    return mapping


def fit_classes(labels: ClassList, weights: ClassList, mapping: ClassMapping | None = None) -> ClassFit:
    """Return how these class lists go together, or raise InputError where they do not.

    Without a mapping both must have the same names in the same order; the weights may have more behind them.
    With one, labels and classes that it joins, directly or through others, are one class of the comparison.
    """
    if mapping is not None:
        return _mapped(labels, weights, mapping)
    if weights.names[: len(labels)] != labels.names:
        raise InputError(
            f"the weights have {weights.words} ({_some(weights.names)}), and the labels "
            f"{labels.words} ({_some(labels.names)}): give a mapping, a CSV with the columns label and class."
        )
    identity = np.full(256, VOID, np.uint8)
    identity[: len(labels)] = np.arange(len(labels))
    return ClassFit(labels, identity, identity, f"both have {labels.words}", weights.names[len(labels) :])


def _mapped(labels: ClassList, weights: ClassList, mapping: ClassMapping) -> ClassFit:
    meanings = _meanings(labels, weights, mapping)
    groups: list[tuple[set[int], set[int]]] = []
    for label, classes in meanings.items():
        if not classes:
            continue
        joined = [group for group in groups if group[1] & classes]
        groups = [group for group in groups if group not in joined]
        groups.append(
            ({label}.union(*(group[0] for group in joined)), classes.union(*(group[1] for group in joined)))
        )
    if not groups:
        raise InputError(f"{mapping.name} maps every label to nothing: name the class of at least one.")
    groups.sort(key=lambda group: min(group[1]))
    from_labels, from_weights = np.full((2, 256), VOID, np.uint8)
    for place, (members, classes) in enumerate(groups):
        from_labels[list(members)] = place
        from_weights[list(classes)] = place
    named = tuple(_name(group, labels, weights) for group in groups)
    palette = tuple(weights.palette[min(group[1])] for group in groups)
    used = set().union(*(group[1] for group in groups))
    return ClassFit(
        ClassList(named, palette, f"{len(groups)} classes of {mapping.name}"),
        from_labels,
        from_weights,
        f"labels ({labels.words}) and weights ({weights.words}) go together by {mapping.name}",
        tuple(name for place, name in enumerate(weights.names) if place not in used),
    )


def _meanings(labels: ClassList, weights: ClassList, mapping: ClassMapping) -> dict[int, set[int]]:
    """Return the classes of the weights that each label means, by class ids; an empty set is void."""
    label_ids, class_ids = _ids(labels), _ids(weights)
    meanings: dict[int, set[int]] = {}
    voids = set()
    for label, meant in mapping.pairs:
        place = _known(label, label_ids, "label", labels, mapping)
        meanings.setdefault(place, set())
        if meant is None:
            voids.add(place)
        else:
            meanings[place].add(_known(meant, class_ids, "class", weights, mapping))
    for place, name in enumerate(labels.names):
        if place not in meanings:
            raise InputError(
                f"{mapping.name} says nothing of the label {shown_name(name)!r}: add a line for it; an empty "
                "class leaves it out."
            )
        if place in voids and meanings[place]:
            raise InputError(
                f"{mapping.name} maps the label {shown_name(name)!r} both to a class and to nothing: "
                "leave out one."
            )
    return meanings


def _ids(classes: ClassList) -> Mapping[str, int]:
    return {name: place for place, name in enumerate(classes.names)}


def _known(name: str, ids: Mapping[str, int], kind: str, classes: ClassList, mapping: ClassMapping) -> int:
    if name not in ids:
        raise InputError(
            f"{mapping.name}: there is no {kind} {shown_name(name)!r} in {classes.words}: "
            f"there are {_some(classes.names)}."
        )
    return ids[name]


def _name(group: tuple[set[int], set[int]], labels: ClassList, weights: ClassList) -> str:
    members, classes = sorted(group[0]), sorted(group[1])
    if len(classes) > 1 and len(members) == 1:
        return labels.names[members[0]]
    return " + ".join(weights.names[place] for place in classes)


def _some(names: tuple[str, ...], most: int = 4) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(shown_name(name) for name in names[:most]) + more
