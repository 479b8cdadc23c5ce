"""Differences of rows, and of their label maps, by their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.catalog import find_row
from zoo.classes import ClassList, LabelMap, dataset_classes
from zoo.comparison import compare_figures, compare_shares, disagreement, shared_classes
from zoo.complexity import count
from zoo.errors import InputError
from zoo.sizes import Size

UNET = "cityscapes-mobilenetv2-unetlite-768x384"
FPN = "cityscapes-mobilenetv2-fpnlite-768x384"
UNCOUNTED = "cocoseg21-deeplabv3-resnet50-520x520"


def classes(names: str) -> ClassList:
    return ClassList(tuple(names), tuple((place, 1, 2) for place in range(len(names))), f"classes {names}")


def test_figures_are_the_pages_and_ours_and_differ_from_the_first() -> None:
    table = compare_figures([find_row(UNET), find_row(FPN), find_row(UNCOUNTED)])
    assert table["gmacs"].tolist()[:2] == [2.2, 3.84]
    assert table["miou"].tolist() == [68.94, 70.39, 66.4]
    assert table["miou_difference"].tolist() == pytest.approx([0, 1.45, -2.54])
    assert table.loc[FPN, "gmacs_difference"] == pytest.approx(100 * (3.84 / 2.2 - 1))
    assert np.isnan(table.loc[UNCOUNTED, ["gmacs", "gmacs_difference"]].to_numpy(float)).all()
    live = [count(row_id, 768, 384) for row_id in (UNET, FPN)]
    assert table["counted_gmacs"].tolist()[:2] == [each.macs / 1e9 for each in live]
    assert table["params"].tolist()[:2] == [each.params for each in live]
    assert table.loc[FPN, "params_difference"] == pytest.approx(100 * (live[1].params / live[0].params - 1))


def test_figures_at_another_size_are_missing_where_it_cannot_be_taken() -> None:
    erfnet = find_row("cityscapes-erfnet-1024x512")
    table = compare_figures([find_row(UNET), erfnet], Size(641, 333))
    assert table.loc[UNET, "counted_gmacs"] == count(UNET, 641, 333).macs / 1e9
    assert np.isnan(table.loc[erfnet.id, "counted_gmacs"])
    assert table.loc[erfnet.id, "params"] > 0
    assert table["gmacs"].tolist() == [2.2, 27.705]


@given(st.integers(2, 4), st.integers(0, 2**32 - 1))
def test_disagreement_is_its_definition(number: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    lists = [classes("".join(rng.permutation(list("abcdef"))[: rng.integers(3, 7)])) for _ in range(number)]
    maps = [LabelMap(rng.integers(0, len(each), (5, 7)).astype(np.uint8), each) for each in lists]
    common = set.intersection(*(set(each.names) for each in lists))
    if not common:
        with pytest.raises(InputError, match="share no class"):
            disagreement(maps)
        return
    found = disagreement(maps)
    assert set(found.shared.classes.names) == common
    different = compared = 0
    for row in range(5):
        for column in range(7):
            names = [each.classes.names[each.labels[row, column]] for each in maps]
            in_all = all(name in common for name in names)
            compared += in_all
            differ = in_all and len(set(names)) > 1
            different += differ
            assert found.mask[row, column] == differ
            assert found.compared[row, column] == in_all
    assert found.pixels == different
    assert found.compared_percent == pytest.approx(100 * compared / 35)
    if compared:
        assert found.percent == pytest.approx(100 * different / compared)
    shares = compare_shares(maps)
    for name in common:
        expected = [100 * np.mean(each.labels == each.classes.names.index(name)) for each in maps]
        assert shares.loc[name, list(range(number))].tolist() == pytest.approx(expected)
        assert shares.loc[name, "spread"] == pytest.approx(max(expected) - min(expected))


def test_what_is_shared_is_said() -> None:
    same = dataset_classes("CamVid")
    assert shared_classes([same, same]).words == "All have the 11 classes of CamVid."
    found = shared_classes([same, dataset_classes("Cityscapes")])
    assert found.classes.names == ("sky", "building", "pole", "road", "fence", "car")
    assert found.classes.palette[0] == same.palette[0]
    assert found.words.startswith("Compared on the 6 classes that all have: sky, building")


def test_what_cannot_be_compared_is_refused() -> None:
    one = LabelMap(np.zeros((4, 6), np.uint8), classes("ab"))
    with pytest.raises(InputError, match="6x4, 6x5"):
        disagreement([one, LabelMap(np.zeros((5, 6), np.uint8), classes("ab"))])
    with pytest.raises(InputError, match="1 masks cannot be compared: give 2 to 4"):
        disagreement([one])
    with pytest.raises(InputError, match="5 rows"):
        compare_figures([find_row(UNET)] * 5)


def test_nothing_to_compare_has_no_share() -> None:
    found = disagreement(
        [
            LabelMap(np.zeros((4, 6), np.uint8), classes("ab")),
            LabelMap(np.zeros((4, 6), np.uint8), classes("cb")),
        ]
    )
    assert found.pixels == 0
    assert np.isnan(found.percent)
