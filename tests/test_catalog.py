"""The catalog against the published page, whose values are typed here once more, in its order."""

import re

import pandas as pd
import pytest
import torch

import zoo
from zoo import catalog
from zoo.classes import dataset_classes
from zoo.costs import costs_of, macs_over
from zoo.datasets import load_datasets
from zoo.errors import NotOursError, TableError, UnknownIdError
from zoo.families import families

PUBLISHED = catalog.catalog_named("published")

# As the page prints it: data set, model name, input size, GigaMACs, MeanIoU%, available, notes.
PAGE = """
ADE20K32  | MobileNetV2S16+DeepLabV3Lite     | 512x512   | 3.28   | 51.01 | Y |
ADE20K32  | MobileNetV2+UNetLite             | 512x512   | 2.427  | 49.95 | Y |
ADE20K32  | MobileNetV2+FPNLite              | 512x512   | 3.481  | 50.72 | Y |
ADE20K32  | MobileNetV2-1.4+FPNLite          | 512x512   | 6.646  | 52.93 | Y |
ADE20K32  | RegNetX400MF+FPNLite             | 384x384   | 3.1526 | 51.03 | Y |
ADE20K32  | RegNetX800MF+FPNLite             | 512x512   | 8.0683 | 53.29 | Y |
COCOSeg21 | MobileNetV2S16+DeepLabV3Lite     | 512x512   | 3.161  | 57.77 | Y |
COCOSeg21 | MobileNetV2+UNetLite             | 512x512   | 2.009  | 57.01 |   |
COCOSeg21 | MobileNetV2+FPNLite              | 512x512   | 3.357  |       |   |
COCOSeg21 | RegNetX800MF+FPNLite             | 512x512   | 7.864  | 61.15 | Y |
Cityscapes| MobileNetV2S16+DeepLabV3Lite     | 768x384   | 3.54   | 69.13 |   |
Cityscapes| MobileNetV2+UNetLite             | 768x384   | 2.20   | 68.94 |   |
Cityscapes| MobileNetV2+FPNLite              | 768x384   | 3.84   | 70.39 |   |
Cityscapes| MobileNetV2+FPNLite              | 1536x768  | 15.07  | 74.61 |   |
Cityscapes| MobileNetV2S16+DeepLabV3Lite-QAT | 768x384   | 3.54   | 68.77 |   | QAT*
Cityscapes| MobileNetV2+UNetLite-QAT         | 768x384   | 2.20   | 68.18 |   | QAT*
Cityscapes| MobileNetV2+FPNLite-QAT          | 768x384   | 3.84   | 69.88 |   | QAT*
Cityscapes| RegNetX800MF+FPNLite             | 768x384   | 8.84   | 72.01 |   |
Cityscapes| RegNetX1.6GF+FPNLite             | 1024x512  | 24.29  | 75.84 |   |
Cityscapes| RegNetX3.2FF+FPNLite             | 1536x768  | 111.16 | 78.90 |   |
Cityscapes| RegNetX400MF+FPNLite             | 768x384   | 6.09   | 68.03 |   |
Cityscapes| RegNetX400MF+FPNLite             | 1536x768  | 24.37  | 73.96 |   |
VOC2012   | deeplabv3_mnv2_dm05[10]          | 512x512   | 2.77   | 66.94 | Y |
VOC2012   | deeplabv3_mnv2[10]               | 512x512   | 8.60   | 72.66 | Y |
VOC2012   | deeplabv3_xception[10]           | 512x512   | 171.77 | 81.74 |   |
Cityscapes| MobileNetV2+DeepLab[10]          | 769x769   | 21.27  | 70.71 |   |
Cityscapes| MobileNetV3+DeepLab[10]          | 769x769   | 15.95  | 72.41 |   |
Cityscapes| Xception65+DeepLab[10]           | 769x769   | 418.64 | 78.79 |   |
COCOSeg21 | LR-ASPP MobileNetV3-Large[11]    | 520x520   |        | 57.9  |   |
COCOSeg21 | DeepLabV3 MobileNetV3-Large[11]  | 520x520   |        | 60.3  |   |
COCOSeg21 | DeepLabV3 ResNet50[11]           | 520x520   |        | 66.4  |   |
Cityscapes| ResNet50+FCN[3,11]               | 1040x520  | 285.4  | 71.6  |   |
Cityscapes| ResNet50+DeepLabV3[5,11]         | 1040x520  | 337.5  | 73.5  |   |
Cityscapes| ERFNet[8]                        | 1024x512  | 27.705 | 69.7  |   |
Cityscapes| MobileNetV2+SwiftNet[9]          | 2048x1024 | 41.0   | 75.3  |   |
"""
SECTIONS = [
    ("Edge AI Lite models", 22),
    ("TensorFlow DeepLab models", 6),
    ("torchvision models", 5),
    ("Other models", 2),
]
GROUPS = [
    ("ADE20K32 dataset models", 6),
    ("COCOSeg21 dataset models", 4),
    ("Cityscapes dataset models", 12),
    ("Our modified models", 3),
    ("Original DeepLab models", 3),
    ("COCOSeg21 dataset models", 3),
    ("Cityscapes dataset models", 2),
    (None, 2),
]
FIRST_AUTHORS = ["Everingham", "Cordts", "Long", "Lin", "Chen", "Ronneberger", "Chen", "Romera", "Oršić"]


def page_rows() -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in PAGE.strip().splitlines()]


def test_every_value_is_the_page_s() -> None:
    rows = zoo.load_catalog()
    told = [
        [
            row.dataset,
            row.published_name,
            f"{row.input_width}x{row.input_height}",
            None if pd.isna(row.gmacs) else row.gmacs,
            None if pd.isna(row.miou) else row.miou,
            "Y" if row.available else "",
            "QAT*" if row.qat else "",
        ]
        for row in rows.itertuples()
    ]
    printed = [
        [*cells[:3], *(float(cell) if cell else None for cell in cells[3:5]), *cells[5:]]
        for cells in page_rows()
    ]
    assert told == printed
    assert len(rows) == 35


def test_sections_and_groups_are_the_page_s() -> None:
    rows = zoo.load_catalog()
    assert rows["section"].tolist() == [name for name, count in SECTIONS for _ in range(count)]
    groups = [None if pd.isna(group) else group for group in rows["group"]]
    assert groups == [name for name, count in GROUPS for _ in range(count)]


def test_ids_models_and_references_follow_from_the_printed_names() -> None:
    for cells, (row_id, row) in zip(page_rows(), zoo.load_catalog().iterrows(), strict=True):
        name, _, footnotes = cells[1].rstrip("]").partition("[")
        model = name.removesuffix("-QAT").replace("3.2FF", "3.2GF")
        assert row["model"] == model
        assert (None if pd.isna(row["references"]) else row["references"]) == (footnotes or None)
        words = [cells[0], model, *(["qat"] if row["qat"] else []), cells[2]]
        assert row_id == "-".join(re.sub("[^a-z0-9]+", "-", word.lower()) for word in words)


def test_what_is_odd_on_the_page_is_told_in_a_note() -> None:
    notes = zoo.load_catalog()["notes"]
    assert notes.filter(like="-qat-").str.contains("QAT*", regex=False).all()
    assert notes.filter(like="-520x520").str.contains("520x520").sum() == 3
    assert "RegNetX3.2FF" in notes["cityscapes-regnetx3-2gf-fpnlite-1536x768"]
    assert notes[["cityscapes-erfnet-1024x512", "cityscapes-mobilenetv2-swiftnet-2048x1024"]].notna().all()


def test_types() -> None:
    types = zoo.load_catalog().dtypes
    assert (types[["input_width", "input_height"]] == "int64").all()
    assert (types[["gmacs", "miou"]] == "float64").all()
    assert (types[["available", "qat"]] == "bool").all()


def test_a_caller_cannot_change_the_catalog_of_others() -> None:
    mine = zoo.load_catalog()
    mine["gmacs"] = 0.0
    assert (zoo.load_catalog()["gmacs"].dropna() > 0).all()


def test_references() -> None:
    references = PUBLISHED.references
    assert references.index.tolist() == list(range(1, 12))
    assert [authors.split(",")[0] for authors in references["authors"][:9]] == FIRST_AUTHORS
    cited = zoo.load_catalog()["references"].dropna().str.split(",").explode().astype(int)
    assert set(cited) <= set(references.index)


def test_every_data_set_has_its_classes() -> None:
    counts = {"ADE20K32": 32, "COCOSeg21": 21, "Cityscapes": 19, "VOC2012": 21, "CamVid": 11, "ADE20K": 150}
    datasets = load_datasets()
    assert counts.items() <= datasets["num_classes"].to_dict().items()
    for dataset, count in counts.items():
        classes = dataset_classes(dataset)
        assert len(classes) == count
        named = zip(classes.names, classes.palette, strict=True)
        alike = [name for name, colour in named if classes.palette.count(colour) > 1]
        # The usual palette of the 150 classes gives these two the same grey.
        assert alike == (["road", "skyscraper"] if dataset == "ADE20K" else [])
    first = dataset_classes("Cityscapes")
    assert (first.names[0], first.palette[0], first.void) == ("road", (128, 64, 128), 255)


def test_terms_families_and_audit_cover_the_table() -> None:
    rows = zoo.load_catalog()
    assert {"Lite", "QAT", "GigaMACs", "mIoU", "Available"} <= set(PUBLISHED.notes.index)
    assert set(rows["family"]) <= set(families())
    audit = PUBLISHED.audit
    assert audit.index.tolist() == rows.index.tolist()
    assert audit["published_at"].dropna().to_dict() == dict.fromkeys(
        rows.filter(like="-769x769", axis=0).index, "2049x1025"
    )


@pytest.mark.parametrize(
    "row_id", [None, 3, 2.5, "", "nothing-like-it", "x" * 1_000_000, ["a"], "a\nb", b"id"]
)
def test_an_unknown_id_is_one_short_line(row_id: object) -> None:
    with pytest.raises(UnknownIdError, match="python -m zoo list") as refused:
        catalog.find_row(row_id)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 600


def test_a_mistyped_id_names_what_was_meant() -> None:
    with pytest.raises(UnknownIdError, match="Did you mean cityscapes-erfnet-1024x512"):
        catalog.find_row("cityscapes-erfnet-1024x521")


def test_a_row_by_its_id() -> None:
    row = catalog.find_row("cityscapes-erfnet-1024x512")
    assert (row.model, row.gmacs, row.id) == ("ERFNet", 27.705, "cityscapes-erfnet-1024x512")


def test_an_unknown_data_set_names_all() -> None:
    with pytest.raises(UnknownIdError, match="Did you mean Cityscapes"):
        dataset_classes("cityscape")
    with pytest.raises(UnknownIdError, match="There are ADE20K32, COCOSeg21"):
        dataset_classes("../classes/VOC2012")


OWN = """id,dataset,model,input_width,input_height,gmacs,miou
mine-a,Orchard,Mine,320,240,0.5,61.2
mine-b,VOC2012,Mine,320,240,,
"""


def test_own_rows_need_seven_columns(tmp_path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(OWN)
    both = PUBLISHED.with_own(path)
    assert len(both.rows) == 37
    own = both.table.iloc[35:]
    assert own.dtypes.to_dict() == PUBLISHED.table.dtypes.to_dict()
    assert own["gmacs"].isna().tolist() == [False, True]
    assert own["section"].unique().tolist() == ["Own rows"]
    assert own["catalog"].unique().tolist() == ["own"]
    assert not own["available"].any()
    assert own["published_name"].tolist() == ["Mine", "Mine"]
    assert both.row("mine-a").network is None
    with pytest.raises(NotOursError, match="mine-a names no network"):
        zoo.build_model(both.row("mine-a"))


def test_own_rows_may_have_all_columns() -> None:
    text = (catalog.CATALOGS / "published" / "catalog.csv").read_text(encoding="utf-8")
    for dataset in zoo.load_catalog()["dataset"].unique():
        text = re.sub(rf"^{dataset.lower()}-", f"own-{dataset.lower()}-", text, flags=re.MULTILINE)
    own = catalog.read_own_rows(text.encode()).table[catalog.COLUMNS]
    pd.testing.assert_frame_equal(own, zoo.load_catalog().rename(index=lambda row_id: f"own-{row_id}"))


def test_an_own_row_cannot_take_a_published_id() -> None:
    data = OWN.replace("mine-a", "cityscapes-erfnet-1024x512").encode()
    with pytest.raises(TableError, match=r"cityscapes-erfnet-1024x512 is a row of Published table already"):
        PUBLISHED.with_own(data)


NETWORK = """id,dataset,model,input_width,input_height,gmacs,miou,family,encoder,decoder,num_classes
mine,Orchard,Mine,320,240,0.5,61.2,edgeailite,MobileNetV2,UNetLite,7
"""


def test_an_own_row_of_our_network_is_counted_and_costed() -> None:
    row = PUBLISHED.with_own(NETWORK.encode()).row("mine")
    live = zoo.count(row, 640, 480)
    assert live.macs == macs_over(row, [640], [480])[0]
    assert live.params == costs_of(row).params
    assert zoo.build_model(row, device="meta")(torch.empty(1, 3, 64, 96, device="meta")).shape[1] == 7


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (
            NETWORK.replace("MobileNetV2,", "VGG,"),
            "column encoder: 'VGG' is not known .* it has Mobile",
        ),
        (NETWORK.replace("UNetLite", "PSP"), "column decoder: 'PSP' .* DeepLabV3Lite, UNetLite, FPNLite"),
        (NETWORK.replace("edgeailite", "edgeai"), "column family: 'edgeai' .* one of edgeailite, deeplab"),
        (NETWORK.replace(",7", ","), "say how many classes it has in a column num_classes"),
    ],
)
def test_an_own_network_that_does_not_exist_is_told_what_there_is(wrong: str, told: str) -> None:
    with pytest.raises(TableError, match=told) as refused:
        PUBLISHED.with_own(wrong.encode())
    assert "\n" not in str(refused.value)
