"""The formula against the live count, the file against the networks, and the audit against typed numbers."""

import sys
from subprocess import run

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.counted import COUNTED, VERDICTS, AT_2049x1025, printed
from zoo.audit import audit
from zoo.catalog import all_shipped, load_catalog
from zoo.complexity import count
from zoo.complexity.__main__ import BUNDLED, BUNDLED_CLASSES, costs_line, costs_table
from zoo.costs import costs_of, largest_size, load_costs, macs_at, macs_by_part, macs_over
from zoo.errors import BudgetError, SizeError, UnknownIdError
from zoo.rows import Row
from zoo.tables import DATA

ROWS = load_catalog()
ERFNET = "cityscapes-erfnet-1024x512"
SWIFTNET = "cityscapes-mobilenetv2-swiftnet-2048x1024"
FPNLITE = "cityscapes-mobilenetv2-fpnlite-768x384"
SIDES = st.integers(32, 4096)

SHIPPED = all_shipped()
NETWORKS = list({(row.network, row.num_classes): row for row in SHIPPED.rows}.values())
"""One row for each network and number of classes."""
SMALLEST = {
    row.built.family: row for row in sorted(NETWORKS, key=lambda row: costs_of(row).params, reverse=True)
}
"""The row of each family's smallest network."""


def check_row(row: Row, width: int, height: int) -> None:
    macs = macs_at(width, height, SHIPPED)[row.id]
    if macs is pd.NA:
        with pytest.raises(SizeError):
            count(row, width, height)
    else:
        assert macs == count(row, width, height).macs


@pytest.mark.parametrize("family", SMALLEST)
def test_the_formula_is_the_live_count_of_each_family(family: str) -> None:
    check_row(SMALLEST[family], 1919, 1079)


@given(st.sampled_from(NETWORKS), SIDES, SIDES)
@settings(max_examples=6)
def test_the_formula_is_the_live_count(row: Row, width: int, height: int) -> None:
    check_row(row, width, height)


# Where SegFormer's reduced grids differ most from strides: a few cells, at all remainders of 32 pixels.
@given(st.integers(32, 130), st.integers(32, 130))
@settings(max_examples=8)
def test_the_formula_of_small_attention(width: int, height: int) -> None:
    check_row(SMALLEST["segformer"], width, height)


@given(st.integers(4, 512), st.integers(4, 512))
@settings(max_examples=5)
def test_erfnet_at_the_sizes_it_takes(columns: int, rows: int) -> None:
    check_row(SMALLEST["erfnet"], 8 * columns, 8 * rows)


@pytest.mark.slow
@pytest.mark.parametrize("row", NETWORKS, ids=lambda row: row.id)
@given(SIDES, SIDES)
@settings(max_examples=40)
def test_the_formula_is_the_live_count_at_many_sizes(row: Row, width: int, height: int) -> None:
    check_row(row, width, height)


@pytest.mark.parametrize(
    ("width", "height", "cells"),
    [
        (2048, 1024, 8 * 16 + 4 * 8 + 2 * 4),
        (512, 512, 8 * 8 + 4 * 4 + 2 * 2),
        (64, 4096, 8 + 4 + 2),  # too narrow for two columns
        (4096, 32, 8 * 1024 + 4 * 512 + 2 * 256),
        (640, 1025, 8 * 5 + 4 * 2 + 2 * 1),  # 20 x 33 features: 4.85, 2.42 and 1.21 columns
    ],
)
def test_swiftnets_pooled_grids(width: int, height: int, cells: int) -> None:
    assert macs_by_part(SWIFTNET, width, height)["pooled grids"] == 5376 * cells
    assert macs_at(width, height)[SWIFTNET] == count(SWIFTNET, width, height).macs


def test_bundled_networks_have_their_own_classes() -> None:
    for name, row_id in BUNDLED.items():
        live = count(row_id, 333, 222, num_classes=BUNDLED_CLASSES)
        assert macs_over(row_id, [333], [222], BUNDLED_CLASSES).tolist() == [live.macs]
        assert load_costs().at[name, "params"] == live.params == costs_of(row_id, BUNDLED_CLASSES).params


def test_macs_at_is_whole_and_in_the_tables_order() -> None:
    macs = macs_at(769, 385)
    assert macs.index.equals(ROWS.index)
    assert str(macs.dtype) == "Int64"
    assert macs.index[macs.isna()].tolist() == [ERFNET]
    assert macs_at(768, 384).notna().all()


@pytest.mark.parametrize("size", [(0, 64), (-64, 64), (31, 64), (64, 4097), (64.0, 64), ("64", 64)])
def test_bad_sizes(size: tuple[object, object]) -> None:
    with pytest.raises(SizeError):
        macs_at(*size)
    with pytest.raises(SizeError):
        macs_by_part(FPNLITE, *size)


@pytest.mark.parametrize(("size", "taken"), [((64, 64), True), ((64, 60), False), ((60, 64), False)])
def test_a_row_has_no_number_where_either_side_does_not_fit(size: tuple[int, int], taken: bool) -> None:
    found = macs_at(*size)
    assert (found[ERFNET] is not pd.NA) == taken  # both sides in steps of 8
    assert found[FPNLITE] > 0


def test_unknown_rows() -> None:
    for call in (lambda: macs_over("none", [64], [64]), lambda: largest_size("none", 4)):
        with pytest.raises(UnknownIdError):
            call()


def test_one_network_by_hand() -> None:
    costs = load_costs().loc[FPNLITE]
    expected = {"cost_2": 3200, "cost_4": 95984, "cost_8": 116112, "cost_16": 616000, "cost_32": 1796928}
    assert costs[list(expected)].to_dict() == expected
    assert costs["constant"] == costs["pooled"] == costs["cost_1"] == 0
    assert macs_over(FPNLITE, [65], [33]).tolist() == [
        3200 * 33 * 17 + 95984 * 17 * 9 + 116112 * 9 * 5 + 616000 * 5 * 3 + 1796928 * 3 * 2
    ]


def test_strides_sum_to_the_total_and_curves_are_its_points() -> None:
    sizes = [(640, 480), (1000, 752), (2048, 1024)]
    tables = [macs_at(*size) for size in sizes]
    for row_id in ROWS.index:
        totals = [int(table[row_id]) for table in tables]
        assert [macs_by_part(row_id, *size).sum() for size in sizes] == totals
        assert macs_over(row_id, *np.transpose(sizes)).tolist() == totals


def test_erfnet_refuses_its_strides_too() -> None:
    with pytest.raises(SizeError):
        macs_by_part(ERFNET, 100, 100)


@pytest.mark.parametrize(("row_id", "aspect"), [(FPNLITE, (2, 1)), (SWIFTNET, (4, 3)), (ERFNET, (1, 1))])
@pytest.mark.parametrize("max_gmacs", [0.5, 4, 33.3, 1e6])
def test_largest_size_by_trying_all(row_id: str, aspect: tuple[int, int], max_gmacs: float) -> None:
    heights = {width: 32 * max(1, round(width * aspect[1] / aspect[0] / 32)) for width in range(32, 4097, 32)}
    fitting = [
        width * height
        for width, height in heights.items()
        if macs_at(width, height)[row_id] <= max_gmacs * 1e9
    ]
    found = largest_size(row_id, max_gmacs, aspect)
    assert heights[found.width] == found.height
    assert found.width * found.height == max(fitting)


def test_largest_size_in_steps_that_the_network_needs() -> None:
    assert all(side % 24 == 0 for side in largest_size(ERFNET, 4, multiple=3))
    with pytest.raises(BudgetError):
        largest_size(FPNLITE, 1e-6)


@pytest.mark.parametrize("gmacs", [0, -1, float("nan"), float("inf"), "much"])
def test_budgets_that_are_none(gmacs: object) -> None:
    with pytest.raises(BudgetError):
        largest_size(FPNLITE, gmacs)


@pytest.mark.parametrize(("aspect", "multiple"), [((0, 1), 32), ((1, -1), 32), ((1, 1.5), 32), ((1, 1), 0)])
def test_aspects_and_multiples_that_are_none(aspect: tuple[int, int], multiple: int) -> None:
    with pytest.raises(SizeError, match="cannot be used"):
        largest_size(FPNLITE, 4, aspect, multiple)


def file_lines() -> list[str]:
    return (DATA / "costs.csv").read_text().splitlines()


def test_the_file_has_a_line_for_each_network() -> None:
    ids = [line.partition(",")[0] for line in file_lines()]
    assert ids == ["id", *(row.id for row in SHIPPED.rows), *BUNDLED]


@pytest.mark.parametrize("family", SMALLEST)
def test_a_line_of_the_file_is_what_the_network_counts(family: str) -> None:
    row = SMALLEST[family]
    line = costs_line(row.id, row.built, row.num_classes, row.size)
    written = pd.DataFrame([line]).to_csv(index=False, lineterminator="\n").splitlines()
    assert written == [text for text in file_lines() if text.startswith(("id,", f"{row.id},"))]


@pytest.mark.slow
def test_the_file_is_what_the_networks_count() -> None:
    assert costs_table().to_csv(index=False, lineterminator="\n") == (DATA / "costs.csv").read_text()


def test_the_audit() -> None:
    table = audit()
    assert list(map(printed, table["counted_gmacs"], COUNTED)) == COUNTED
    assert table["verdict"].tolist() == VERDICTS
    explained = table["verdict"].isin(["explained", "unexplained"])
    assert (table["explanation"].notna() == explained).all()
    assert (table["error_pct"][table["verdict"] == "equal"].abs() <= 0.5).all()
    assert (table["error_pct"][explained].abs() > 0.5).all()
    assert table["error_pct"][table["verdict"] == "not published"].isna().all()


def test_numbers_published_for_another_size() -> None:
    table = audit().dropna(subset="published_at")
    assert set(table["published_at"]) == {"2049x1025"}
    assert set(table.index) == set(AT_2049x1025)
    for row_id, text in AT_2049x1025.items():
        assert printed(table.at[row_id, "gmacs_there"], text) == text
        assert printed(macs_at(2049, 1025)[row_id] / 1e9, text) == text


def test_no_torch_is_needed() -> None:
    code = "import sys; from zoo.audit import audit; from zoo.costs import macs_at; macs_at(64, 64); audit()"
    code += "; sys.exit('torch' in sys.modules)"
    assert run([sys.executable, "-c", code], cwd=DATA.parent, check=False).returncode == 0
