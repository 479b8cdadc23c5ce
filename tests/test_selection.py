"""Selection against its definition, tried row by row, and the answer in words."""

import random
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo import checks, selection, words
from zoo.catalog import catalog_named, load_catalog, read_own_rows
from zoo.costs import macs_at
from zoo.errors import BudgetError, UnknownIdError
from zoo.selection import published_pairs
from zoo.sizes import Size

PUBLISHED = catalog_named("published").table
# Few different values, so that ties in one and in both are common; few missing, so that rows take part.
CELLS = (1, 2, 3, 4, 5, 6, None)


def random_rows(seed: int) -> list:
    chance = random.Random(seed)
    return [
        (chance.choice("ab"), chance.choice(CELLS), chance.choice(CELLS))
        for _ in range(chance.randint(2, 14))
    ]


# Small ones by hypothesis, which likes to repeat itself: most of what it draws alone says little.
small = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(CELLS), st.sampled_from(CELLS)), max_size=4)
tables = st.one_of(small, *[st.integers(0, 2**32).map(random_rows)] * 3)


def table_of(rows: list) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["dataset", "gmacs", "miou"])
    table = table.astype({"dataset": "str", "gmacs": "float64", "miou": "float64"})
    table["model"], table["qat"], table["input_width"], table["input_height"] = "Net", False, 64, 32
    table["name"], table["published_at"] = "Net", pd.Series(dtype="str")
    return table.set_index(pd.Index([f"row-{place}" for place in range(len(rows))], dtype="str", name="id"))


def takes_part(row: tuple) -> bool:
    return None not in row


def beats(other: tuple, row: tuple) -> bool:
    """Return whether `other` has no more cost and no less accuracy, and is better in one of the two."""
    no_worse = other[0] == row[0] and other[1] <= row[1] and other[2] >= row[2]
    return no_worse and (other[1] < row[1] or other[2] > row[2])


def fitting(rows: list, max_gmacs: int | None = None, min_miou: int | None = None) -> list[int]:
    return [
        place
        for place, row in enumerate(rows)
        if row[0] == "a"
        and takes_part(row)
        and (max_gmacs is None or row[1] <= max_gmacs)
        and (min_miou is None or row[2] >= min_miou)
    ]


@given(tables)
def test_the_frontier_is_its_definition(rows: list) -> None:
    expected = [
        takes_part(row) and not any(beats(other, row) for other in rows if takes_part(other)) for row in rows
    ]
    assert selection.frontier(table_of(rows)).tolist() == expected


@given(tables)
def test_the_frontier_does_not_depend_on_the_order_of_rows(rows: list) -> None:
    table = table_of(rows)
    backwards = selection.frontier(table[::-1])
    assert selection.frontier(table).to_dict() == backwards.to_dict()


@given(tables)
def test_a_row_takes_part_or_is_excluded_with_its_reason(rows: list) -> None:
    reasons = selection.excluded(table_of(rows))
    expected = {}
    for place, (_, gmacs, miou) in enumerate(rows):
        missing = [
            f"no {name} published" for name, value in (("GigaMACs", gmacs), ("mIoU", miou)) if value is None
        ]
        if missing:
            expected[f"row-{place}"] = "; ".join(missing)
    assert reasons.to_dict() == expected


@given(tables, st.one_of(st.none(), st.integers(1, 6)))
def test_ranking_under_a_budget(rows: list, budget: int | None) -> None:
    table = table_of([("a", None, None), *rows])
    ranked = selection.rank(table, "a", max_cost=budget)
    places = sorted(
        fitting(rows, max_gmacs=budget), key=lambda place: (-rows[place][2], rows[place][1], place)
    )
    assert ranked.index.tolist() == [f"row-{place + 1}" for place in places]
    assert ranked["rank"].tolist() == list(range(1, len(places) + 1))
    assert ranked["on_frontier"].equals(selection.frontier(table)[ranked.index])


@given(tables, st.integers(1, 6))
def test_ranking_for_an_accuracy(rows: list, least: int) -> None:
    ranked = selection.rank(table_of([("a", None, None), *rows]), "a", min_miou=least)
    places = sorted(fitting(rows, min_miou=least), key=lambda place: (rows[place][1], -rows[place][2], place))
    assert ranked.index.tolist() == [f"row-{place + 1}" for place in places]


@given(tables, st.one_of(st.none(), st.integers(1, 6)), st.one_of(st.none(), st.integers(1, 6)))
def test_an_answer_and_its_neighbours(rows: list, budget: int | None, least: int | None) -> None:
    table = table_of([("a", None, None), *rows])
    found = selection.answer(table, "a", max_cost=budget, min_miou=least)
    everyone = [rows[place] for place in fitting(rows)]
    fit = [rows[place] for place in fitting(rows, budget, least)]

    def numbers(row_id: str | None) -> tuple | None:
        return None if row_id is None else tuple(table.loc[row_id, ["gmacs", "miou"]])

    def best(candidates: list, cheapest_first: bool) -> tuple | None:
        key = (lambda row: (row[1], -row[2])) if cheapest_first else (lambda row: (-row[2], row[1]))
        return min(candidates, key=key)[1:] if candidates else None

    chosen = best(fit, cheapest_first=least is not None)
    assert numbers(found.chosen) == chosen
    assert numbers(found.cheapest) == best(everyone, cheapest_first=True)
    if chosen is not None:
        gmacs, miou = chosen
        assert numbers(found.next_cheaper) == best([row for row in everyone if row[1] < gmacs], False)
        assert numbers(found.next_better) == best([row for row in everyone if row[2] > miou], True)
    assert "\n" not in found.text


@given(tables, st.integers(0, 2**14 - 1), st.integers(1, 6))
def test_what_filters_hide_is_not_taken_but_what_is_better_stays_the_data_set_s(
    rows: list, bits: int, budget: int
) -> None:
    table = table_of([("a", None, None), *rows])
    passing = pd.Series([True, *(bool(bits >> place & 1) for place in range(len(rows)))], index=table.index)
    found = selection.answer(table, "a", max_cost=budget, passing=passing)
    seen = [place for place in fitting(rows) if passing.iloc[place + 1]]

    def first(places: list[int], key: Callable[[int], tuple]) -> str | None:
        return f"row-{min(places, key=key) + 1}" if places else None

    def most_accurate(place: int) -> tuple:
        return -rows[place][2], rows[place][1], place

    def least_cost(place: int) -> tuple:
        return rows[place][1], -rows[place][2], place

    assert found.chosen == first([place for place in seen if rows[place][1] <= budget], most_accurate)
    assert found.cheapest == first(seen, least_cost)
    best = first(fitting(rows, budget), most_accurate)
    assert found.hidden == (None if best == found.chosen else best)
    if found.chosen is not None:
        gmacs, miou = table.loc[found.chosen, ["gmacs", "miou"]]
        assert found.next_cheaper == first([n for n in seen if rows[n][1] < gmacs], most_accurate)
        assert found.next_better == first([n for n in fitting(rows) if rows[n][2] > miou], least_cost)


def test_twins_are_one_network_at_one_size_and_the_most_accurate_stands_for_all() -> None:
    sizes = ("768x384", "1536x768")
    small, large = (f"cityscapes-mobilenetv2-fpnlite-{size}" for size in sizes)
    assert PUBLISHED.loc[large, "miou"] > PUBLISHED.loc[small, "miou"]
    found = selection.twins(PUBLISHED, selection.counted_at(Size(512, 512)))
    assert found[small] == found[large] == (large, small)
    at_their_own = selection.twins(PUBLISHED, selection.counted_at(None))
    assert (at_their_own[small], at_their_own[large]) == ((small,), (large,))


BAD_BUDGETS = [
    0,
    -1,
    -0.0,
    float("nan"),
    float("inf"),
    10**400,
    "4",
    "",
    None,
    True,
    [4],
    1j,
    np.float64("nan"),
]


@pytest.mark.parametrize("budget", BAD_BUDGETS)
def test_a_budget_that_is_none(budget: object) -> None:
    with pytest.raises(
        BudgetError, match=r"is not a budget in GigaMACs: give a number above 0, such as 4\.$"
    ):
        checks.check_budget(budget)


@pytest.mark.parametrize("percent", [-0.1, 100.1, float("nan"), "72", None, False])
def test_an_accuracy_that_is_none(percent: object) -> None:
    with pytest.raises(
        BudgetError, match=r"is not an mIoU in percent: give a number from 0 to 100, such as 72\.$"
    ):
        checks.check_miou(percent)


def test_numpy_s_numbers_are_numbers() -> None:
    assert checks.check_budget(np.float32(0.5)) == 0.5
    assert checks.check_budget(np.int64(4)) == 4
    assert checks.check_miou(np.float64(72)) == 72


def test_a_budget_from_a_chip() -> None:
    # 8 TOPS are 4e12 MACs a second; a quarter of them is 1e12, and a thirtieth of that 33.3e9.
    assert checks.budget_from_chip(8, 0.25, 30) == pytest.approx(100 / 3)


@pytest.mark.parametrize(
    "chip", [(0, 0.5, 30), (8, 0, 30), (8, 1.01, 30), (8, 30, 30), (8, 0.5, 0), (8, "half", 30)]
)
def test_a_chip_that_is_none(chip: tuple) -> None:
    with pytest.raises(BudgetError, match="give a number above 0"):
        checks.budget_from_chip(*chip)


def test_what_the_table_excludes() -> None:
    no_macs = "no GigaMACs published"
    assert selection.excluded(PUBLISHED).to_dict() == {
        "cocoseg21-mobilenetv2-fpnlite-512x512": "no mIoU published",
        "cocoseg21-lr-aspp-mobilenetv3-large-520x520": no_macs,
        "cocoseg21-deeplabv3-mobilenetv3-large-520x520": no_macs,
        "cocoseg21-deeplabv3-resnet50-520x520": no_macs,
    }


def test_the_answer_under_a_budget() -> None:
    found = selection.answer(PUBLISHED, "Cityscapes", max_cost=4)
    assert found.chosen == "cityscapes-mobilenetv2-fpnlite-768x384"
    assert found.next_cheaper == "cityscapes-mobilenetv2s16-deeplabv3lite-768x384"
    assert found.next_better == "cityscapes-regnetx800mf-fpnlite-768x384"
    assert found.warnings == ()
    assert found.text == (
        "Under 4 GMACs on Cityscapes: MobileNetV2+FPNLite (768x384), 70.39 % mIoU for 3.84 GMACs, "
        "as published. Next cheaper: MobileNetV2S16+DeepLabV3Lite (768x384), 69.13 % mIoU for 3.54 GMACs. "
        "1.62 points more would cost 8.84 GMACs: RegNetX800MF+FPNLite (768x384), 72.01 % mIoU. "
        "In 8 bits, trained for them, MobileNetV2+FPNLite has 69.88 % mIoU at 768x384, 0.51 points less than "
        "in float."
    )


def test_the_answer_for_an_accuracy() -> None:
    found = selection.answer(PUBLISHED, "Cityscapes", min_miou=72)
    assert found.chosen == "cityscapes-regnetx800mf-fpnlite-768x384"
    assert found.text.startswith(
        "At 72 % mIoU or more on Cityscapes: RegNetX800MF+FPNLite (768x384), 72.01 %"
    )


def test_the_ends_of_the_table() -> None:
    rows = PUBLISHED
    assert "No row is more accurate." in selection.answer(rows, "VOC2012", max_cost=1000).text
    assert "No row is cheaper." in selection.answer(rows, "VOC2012", max_cost=2.77).text
    assert selection.answer(rows, "VOC2012").text.startswith(
        "Without a budget on VOC2012: deeplabv3_xception"
    )


def test_nothing_fits() -> None:
    rows = PUBLISHED
    found = selection.answer(rows, "Cityscapes", max_cost=1)
    assert found.chosen is found.next_cheaper is found.next_better is None
    assert found.cheapest == "cityscapes-mobilenetv2-unetlite-768x384"
    assert found.text == (
        "Under 1 GMACs on Cityscapes nothing fits. "
        "The cheapest is MobileNetV2+UNetLite (768x384), 68.94 % mIoU for 2.2 GMACs, as published."
    )
    text = selection.answer(rows, "Cityscapes", min_miou=90).text
    assert "nothing fits. The cheapest is MobileNetV2+UNetLite" in text
    assert "the most accurate is RegNetX3.2GF+FPNLite (1536x768), 78.9 % mIoU for 111.16 GMACs." in text


def test_a_data_set_without_usable_rows() -> None:
    rows = PUBLISHED.filter(like="-520x520", axis=0)
    found = selection.answer(rows, "COCOSeg21", max_cost=4)
    assert found.text == "Under 4 GMACs on COCOSeg21 no row has both GigaMACs and an mIoU."
    assert found.cheapest is None


def test_a_data_set_that_does_not_exist() -> None:
    with pytest.raises(UnknownIdError, match="Did you mean VOC2012"):
        selection.answer(PUBLISHED, "VOC2021", max_cost=4)


def test_a_row_whose_number_belongs_to_another_size_is_marked() -> None:
    rows = PUBLISHED
    without_lite = rows[rows["family"] == "deeplab"]
    found = selection.answer(without_lite, "Cityscapes", max_cost=20)
    assert found.text.startswith("Under 20 GMACs on Cityscapes: MobileNetV3+DeepLab* (769x769)")
    assert found.warnings[0] == (
        "MobileNetV3+DeepLab*: its published number belongs to an input of 2049x1025, not 769x769."
    )
    assert len(words.size_warnings(rows)) == 3


def test_the_same_rows_asked_again_and_again_answer_as_new_ones_do() -> None:
    passing = ~PUBLISHED["qat"].astype(bool)
    many = selection.Candidates(PUBLISHED, "Cityscapes", passing=passing)
    for asked in [{"max_cost": cost} for cost in (9, 0.5, 3.9, 500, 9)] + [{"min_miou": 72}, {}]:
        assert many.answer(**asked) == selection.answer(PUBLISHED, "Cityscapes", passing=passing, **asked)
    assert many.row("cityscapes-erfnet-1024x512").equals(PUBLISHED.loc["cityscapes-erfnet-1024x512"])


def test_counted_macs_at_one_size_say_so() -> None:
    rows = PUBLISHED
    rows = rows.assign(counted_gmacs=rows["gmacs"] / 2)
    found = selection.answer(rows, "Cityscapes", max_cost=2, cost=selection.counted_at(Size(512, 256)))
    assert "MobileNetV2+FPNLite, 70.39 % mIoU (at 768x384) for 1.92 GMACs, counted at 512x256." in found.text
    assert "Each mIoU is the published one, at the size beside it; for 512x256 none is claimed." in found.text
    at_own = selection.answer(rows, "Cityscapes", max_cost=2, cost=selection.COUNTED)
    assert "(768x384), 70.39 % mIoU for 1.92 GMACs, counted at its published size." in at_own.text
    assert "none is claimed" not in at_own.text


def test_counted_macs_of_a_table() -> None:
    own = """id,dataset,model,input_width,input_height,gmacs,miou,family,encoder,decoder
mine-a,Cityscapes,Mine,64,32,1,60,erfnet,ERFNet,ERFNet
mine-b,Cityscapes,Theirs,64,32,1,60,,,
"""
    catalog = read_own_rows(own.encode())
    erfnet = "cityscapes-erfnet-1024x512"
    counted = selection.with_counted(catalog)["counted_gmacs"]
    assert counted["mine-a"] * 1e9 == macs_at(64, 32)[erfnet]
    assert np.isnan(counted["mine-b"])
    there = selection.with_counted(catalog, Size(128, 64))
    assert there.at["mine-a", "counted_gmacs"] * 1e9 == macs_at(128, 64)[erfnet]
    reason = "not counted: no network for this row, or one that cannot take this size"
    refused = selection.with_counted(catalog, Size(100, 50))
    assert selection.excluded(refused, selection.COUNTED).to_dict() == {"mine-a": reason, "mine-b": reason}


@pytest.mark.parametrize(
    ("gmacs", "shown"),
    [
        (2.2, "2.2"),
        (3.1526, "3.1526"),
        (41.0, "41"),
        (418.64, "418.64"),
        (3.766861824, "3.7669"),
        (1234.5, "1,234.5"),
    ],
)
def test_gigamacs_for_people(gmacs: float, shown: str) -> None:
    assert words.format_gmacs(gmacs) == shown


def test_tiny_and_huge_numbers_stay_readable() -> None:
    assert words.format_gmacs(0.0000123) == "1.23e-05"
    assert words.format_gmacs(1e300) == "1e+300"


def test_published_pairs_are_the_three_of_the_table() -> None:
    pairs = published_pairs(load_catalog())
    assert [(pair.in_float, pair.in_8_bits) for pair in pairs] == [
        (f"cityscapes-{name}-768x384", f"cityscapes-{name}-qat-768x384")
        for name in ("mobilenetv2s16-deeplabv3lite", "mobilenetv2-unetlite", "mobilenetv2-fpnlite")
    ]
    assert [round(pair.lost, 2) for pair in pairs] == [0.36, 0.76, 0.51]


def test_rows_of_another_size_or_data_set_or_without_miou_are_no_pair() -> None:
    pair = load_catalog().loc[
        ["cityscapes-mobilenetv2-unetlite-768x384", "cityscapes-mobilenetv2-unetlite-qat-768x384"]
    ]
    assert len(published_pairs(pair)) == 1
    for column, value in (
        ("input_width", 1536),
        ("dataset", "ADE20K32"),
        ("model", "other"),
        ("miou", np.nan),
    ):
        other = pair.copy()
        other.loc[pair.index[1], column] = value
        assert published_pairs(other) == ()


@pytest.mark.parametrize("max_cost", [2.2, 3.54])
def test_the_answer_says_what_8_bits_cost(max_cost: float) -> None:
    text = selection.answer(PUBLISHED, "Cityscapes", max_cost=max_cost).text
    expected = {
        2.2: "In 8 bits, trained for them, MobileNetV2+UNetLite has 68.18 % mIoU at "
        "768x384, 0.76 points less than in float.",
        3.54: "In 8 bits, trained for them, MobileNetV2S16+DeepLabV3Lite has 68.77 % mIoU at "
        "768x384, 0.36 points less than in float.",
    }
    assert text.endswith(expected[max_cost])
    assert "In 8 bits" not in selection.answer(PUBLISHED, "ADE20K32").text
