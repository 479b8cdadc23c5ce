"""The recent catalog against the files it was taken from, typed verdicts, and the table it stands beside."""

import csv
import re
from pathlib import Path

import pytest

from zoo.audit import audit
from zoo.catalog import catalog_named
from zoo.costs import macs_at, macs_over
from zoo.selection import COUNTED, PUBLISHED, excluded, frontier, rank, with_counted

RECENT = catalog_named("recent")
BOTH = catalog_named("published+recent")
GIVEN = Path(__file__).resolve().parents[2] / "shared" / "recent"

# Counted of the public definitions elsewhere, to their last printed digit, and what follows for the verdict.
VERDICTS = {
    "cityscapes-ddrnet-23-slim-2048x1024": ("36.2813", "equal"),
    "cityscapes-pidnet-s-2048x1024": ("47.1942", "equal"),
    "cityscapes-pidnet-l-2048x1024": ("274.9335", "equal"),
    "cityscapes-bisenetv2-2048x1024": ("98.4132", "equal"),
    "cityscapes-stdc1-1920x1024": ("63.2362", "equal"),
    "cityscapes-stdc1-seg50-1024x512": ("16.8631", "not published"),
    "cityscapes-stdc2-seg75-1536x768": ("52.7771", "not published"),
    "cityscapes-ffnet-40s-2048x1024": ("62.3672", "not published"),
    "cityscapes-pp-liteseg-t-1024x512": ("11.4211", "not published"),
    "cityscapes-segformer-b0-2048x1024": ("120.9574", "explained"),
    "ade20k-segformer-b0-512x512": ("8.3878", "equal"),
    "ade20k-segformer-b2-512x512": ("62.3378", "equal"),
    "cityscapes-efficientvit-seg-b0-2048x1024": ("4.3914", "equal"),
    "cityscapes-efficientvit-seg-b1-2048x1024": ("25.1050", "equal"),
    "ade20k-efficientvit-seg-b1-512x512": ("3.0904", "equal"),
    "ade20k-efficientvit-seg-b3-512x512": (
        "22.17",
        "equal",
    ),  # 0.8 % above the printed 22, which it rounds to
    "cityscapes-segnext-t-2048x1024": ("50.1289", "explained"),
    "ade20k-segnext-t-512x512": ("6.4043", "explained"),
    "ade20k-segnext-b-512x512": ("34.6626", "explained"),
}


def given_rows() -> dict[str, dict[str, str]]:
    if not GIVEN.is_dir():
        pytest.skip(f"the files that the catalog was taken from are not at {GIVEN}")
    rows: dict[str, dict[str, str]] = {}
    for name in ("catalog.csv", "catalog_more.csv"):
        with (GIVEN / name).open(newline="", encoding="utf-8") as file:
            rows |= {line["id"]: line for line in csv.DictReader(file)}
    return rows


def test_rows_are_those_that_were_given() -> None:
    given = given_rows()
    assert {row.id for row in RECENT.rows} == set(given)
    for row in RECENT.rows:
        line = given[row.id]
        assert (row.gmacs_printed or "", row.miou_printed) == (line["gmacs"], line["miou"]), row.id
        assert str(row.size) == f"{line['input_width']}x{line['input_height']}"
        assert row.network is not None
        assert row.network[:3] == (line["family"], line["encoder"], line["decoder"])
        for column in ("dataset", "model", "published_name", "section", "group"):
            assert getattr(row, column) == line[column], row.id
        for column in ("notes", "cost_as_printed", "source", "miou_source"):
            assert (getattr(row, column) or "") == line[column], row.id
        assert (row.available, row.qat) == (line["available"] == "Y", False)
        assert ",".join(map(str, row.references)) == line["references"]


def test_counts() -> None:
    assert len(RECENT.rows) == 42
    assert RECENT.table["gmacs"].notna().sum() == 29
    assert RECENT.table["miou"].notna().all()
    assert RECENT.table["dataset"].value_counts().to_dict() == {"Cityscapes": 32, "ADE20K": 10}
    assert {row.num_classes for row in RECENT.rows if row.dataset == "ADE20K"} == {150}


def test_a_printed_cost_is_its_multiply_accumulates() -> None:
    for row in RECENT.rows:
        assert (row.gmacs is None) == (row.cost_as_printed is None), row.id
        if row.cost_as_printed and row.gmacs:
            printed = float(re.match(r"[\d.]+", row.cost_as_printed)[0])  # type: ignore[index]
            assert printed == row.gmacs * (2 if "OPS" in row.cost_as_printed else 1), row.id


def test_each_row_says_what_was_read() -> None:
    read = r"\S+/\S+ \S+( \(Table \d+\))? @ [0-9a-f]{40}"
    for row in RECENT.rows:
        sources = [text for text in (row.source, row.miou_source) if text]
        assert sources, row.id
        assert all(re.fullmatch(read, text) for text in sources), row.id
    assert RECENT.references.index.tolist() == list(range(12, 22))
    assert {number for row in RECENT.rows for number in row.references} == set(RECENT.references.index)
    assert RECENT.references["address"].str.fullmatch(r"https://\S+/[0-9a-f]{40}/\S+").all()


def test_verdicts() -> None:
    table = audit(RECENT)
    for row_id, (counted, verdict) in VERDICTS.items():
        digits = len(counted.partition(".")[2])
        assert f"{table.at[row_id, 'counted_gmacs']:.{digits}f}" == counted, row_id
        assert table.at[row_id, "verdict"] == verdict, row_id
    assert set(table["verdict"]) == {"equal", "explained", "not published"}
    assert table["explanation"].notna().all()
    assert table.loc[table["verdict"] == "not published"].index.equals(
        table.index[RECENT.table["gmacs"].isna()]
    )


@pytest.mark.parametrize(("size", "width"), [("b0", 256), ("b1", 256), ("b2", 768), ("b3", 768)])
def test_segformers_printed_cost_holds_150_classes(size: str, width: int) -> None:
    row = RECENT.row(f"cityscapes-segformer-{size}-2048x1024")
    with_19, with_150 = (int(macs_over(row, [2048], [1024], count)[0]) for count in (19, 150))
    assert with_150 - with_19 == 131 * width * 512 * 256
    assert with_150 / 1e9 == pytest.approx(row.gmacs, rel=0.002)


def test_both_catalogs_share_a_frontier_of_one_data_set() -> None:
    assert [row.id for row in BOTH.rows] == [
        row.id for name in ("published", "recent") for row in catalog_named(name).rows
    ]
    on_frontier = BOTH.table[frontier(BOTH.table)]
    cityscapes = on_frontier[on_frontier["dataset"] == "Cityscapes"]
    assert set(cityscapes["catalog"]) == {"published", "recent"}
    # 75.653 % for 4.4 beats every published row between 4.4 and the 24.29 of 75.84 %.
    assert "cityscapes-efficientvit-seg-b0-2048x1024" in cityscapes.index
    assert "cityscapes-mobilenetv2-fpnlite-1536x768" not in cityscapes.index
    for dataset, count in (("ADE20K", 10), ("ADE20K32", 6)):
        assert rank(BOTH.table, dataset)["dataset"].tolist() == [dataset] * count


def test_rows_without_a_printed_cost_take_part_by_their_count() -> None:
    table = with_counted(RECENT)
    assert len(excluded(table, PUBLISHED)) == 13
    assert excluded(table, COUNTED).empty
    assert len(macs_at(1000, 700, BOTH).dropna()) == len(BOTH.rows) - 1  # ERFNet takes multiples of 8
