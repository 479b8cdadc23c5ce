"""Class lists that fit, and mappings that make them fit."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.class_mapping import ClassFit, fit_classes, read_mapping
from zoo.classes import ClassList, dataset_classes
from zoo.errors import InputError
from zoo.metrics import VOID


def classes(*names: str) -> ClassList:
    return ClassList(names, tuple((place, 0, 0) for place in range(len(names))), f"{len(names)} classes")


def mapped(csv: str, labels: ClassList, weights: ClassList) -> ClassFit:
    return fit_classes(labels, weights, read_mapping(csv.encode(), "map.csv"))


def test_equal_lists_fit_and_one_more_behind_them_does() -> None:
    cityscapes = dataset_classes("Cityscapes")
    fit = fit_classes(cityscapes, cityscapes)
    assert fit.classes == cityscapes
    assert fit.from_labels[:19].tolist() == fit.from_weights[:19].tolist() == list(range(19))
    assert (fit.from_labels[19:] == VOID).all()
    more = fit_classes(cityscapes, cityscapes.with_extra("void"))
    assert more.from_weights[19] == VOID
    assert more.unlabelled == ("void",)


def test_other_lists_ask_for_a_mapping() -> None:
    with pytest.raises(InputError, match=r"11 classes of CamVid .*19 classes of Cityscapes .*give a mapping"):
        fit_classes(dataset_classes("Cityscapes"), dataset_classes("CamVid"))


def test_a_mapping_joins_what_goes_together() -> None:
    labels = classes("street", "car", "truck", "walker", "ego")
    weights = classes("road", "person", "rider", "car", "sky")
    fit = mapped(
        "label,class\nstreet,road\ncar,car\ntruck,car\nwalker,person\nwalker,rider\nego,\n", labels, weights
    )
    assert fit.classes.names == ("road", "walker", "car")
    assert fit.from_labels[:5].tolist() == [0, 2, 2, 1, VOID]
    assert fit.from_weights[:5].tolist() == [0, 1, 1, 2, VOID]
    assert fit.unlabelled == ("sky",)
    assert fit.classes.palette == ((0, 0, 0), (1, 0, 0), (3, 0, 0))
    assert "map.csv" in fit.words


def test_chains_become_one_class() -> None:
    fit = mapped("label,class\na,x\na,y\nb,y\nb,z\n", classes("a", "b"), classes("x", "y", "z"))
    assert fit.classes.names == ("x + y + z",)
    assert (fit.from_labels[:2] == 0).all()
    assert (fit.from_weights[:3] == 0).all()


@pytest.mark.parametrize(
    ("csv", "kind", "codes"),
    [
        ("label,class\n7,road\n300,sky\n", "class ids", {7: 0, 300: 1, VOID: VOID}),
        ("label,class\n#0a0B0c,road\n#ffffff,sky\n", "colours", {0x0A0B0C: 0, 0xFFFFFF: 1}),
    ],
)
def test_ids_and_colours_are_a_list_of_their_own(csv: str, kind: str, codes: dict[int, int]) -> None:
    mapping = read_mapping(csv.encode(), "map.csv")
    values = mapping.values
    assert values is not None
    assert values.kind == kind
    assert dict(values.codes) == codes
    fit = fit_classes(values.classes, classes("sky", "road"), mapping)
    assert fit.classes.names == ("sky", "road")
    assert fit.from_labels[:2].tolist() == [1, 0]


def test_names_are_no_list_of_their_own() -> None:
    assert read_mapping(b"label,class\nroad,road\n7,sky\n", "map.csv").values is None


@pytest.mark.parametrize(
    ("csv", "reason"),
    [
        ("label,class\na,x\n", r"map\.csv says nothing of the label 'b'"),
        ("label,class\na,x\nb,q\n", "there is no class 'q' in 2 classes: there are x, y"),
        ("label,class\na,x\nc,y\n", "there is no label 'c'"),
        ("label,class\na,x\na,\nb,y\n", "both to a class and to nothing"),
        ("label,class\na,\nb,\n", "every label to nothing"),
        ("label,class\na,x\na,x\nb,y\n", "the same twice"),
        ("label,class\n", "names no label"),
        ("label,clas\na,x\n", "'clas' is not one of this table"),
        ("", "empty"),
    ],
)
def test_a_mapping_that_says_too_little_or_too_much_is_refused(csv: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        mapped(csv, classes("a", "b"), classes("x", "y"))
    assert "\n" not in str(caught.value)


def test_every_pixel_belongs_somewhere() -> None:
    fit = mapped("label,class\na,x\nb,y\n", classes("a", "b"), classes("x", "y"))
    for table in (fit.from_labels, fit.from_weights):
        assert table.dtype == np.uint8
        assert len(table) == 256
