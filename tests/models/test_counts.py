"""What the networks cost against numbers measured elsewhere.

The numbers are typed from measurements of the public definitions, to their last printed digit. That the live
count is torch's own is tested in tests/complexity.
"""

import pytest

from zoo.catalog import load_catalog
from zoo.complexity import count
from zoo.models import build_model

# In the table's order, at the rows' own sizes; billions of multiply-accumulates.
COUNTED = [
    *("3.2162", "2.3491", "3.4032", "6.5358", "3.0765", "7.9105"),  # ADE20K32
    *("3.1614", "2.0092", "3.3571", "7.8643"),  # COCOSeg21
    *(
        "3.5454",
        "2.2043",
        "3.7673",
        "15.0692",
        "3.5454",
        "2.2043",
        "3.7673",
        "8.8379",
        "26.3667",
        "111.1573",
        "6.0917",
        "24.3668",
    ),  # Cityscapes
    *("2.735", "8.565", "171.594", "6.062", "4.597", "119.476"),  # TensorFlow DeepLab
    *("2.0862", "10.4364", "168.7312", "285.443", "337.458"),  # torchvision
    *("26.604", "38.154"),  # ERFNet and SwiftNet
]

# Whole Cityscapes images, for which the 769x769 rows' numbers were published.
AT_2049x1025 = {
    "cityscapes-mobilenetv2-deeplab-769x769": "21.233",
    "cityscapes-xception65-deeplab-769x769": "418.376",
    "cityscapes-mobilenetv3-deeplab-769x769": "16.09",
}

MILLION_PARAMETERS = {
    "ade20k32-mobilenetv2s16-deeplabv3lite-512x512": "2.4290",
    "ade20k32-mobilenetv2-unetlite-512x512": "2.4778",
    "ade20k32-mobilenetv2-fpnlite-512x512": "2.6727",
    "ade20k32-mobilenetv2-1-4-fpnlite-512x512": "5.1895",
    "ade20k32-regnetx400mf-fpnlite-384x384": "6.0215",
    "ade20k32-regnetx800mf-fpnlite-512x512": "8.3141",
    "cityscapes-regnetx1-6gf-fpnlite-1024x512": "10.7366",
    "cityscapes-regnetx3-2gf-fpnlite-1536x768": "18.0609",
    "cityscapes-mobilenetv2-swiftnet-2048x1024": "2.37",
}


def printed(value: float, like: str) -> str:
    return f"{value:.{len(like.partition('.')[2])}f}"


DISTINCT = load_catalog().drop_duplicates(["family", "encoder", "decoder", "options"]).index
# The audit's tests hold what the formula gives for the same networks with other classes, or at other sizes.
ROWS = [
    pytest.param(row_id, gmacs, marks=[] if row_id in DISTINCT else pytest.mark.slow)
    for row_id, gmacs in zip(load_catalog().index, COUNTED, strict=True)
]


@pytest.mark.parametrize(("row_id", "gmacs"), ROWS)
def test_gmacs_at_the_published_size(row_id, gmacs):
    row = load_catalog().loc[row_id]
    assert printed(count(row_id, row["input_width"], row["input_height"]).macs / 1e9, gmacs) == gmacs


@pytest.mark.parametrize(("row_id", "gmacs"), AT_2049x1025.items())
def test_gmacs_of_whole_cityscapes_images(row_id, gmacs):
    assert printed(count(row_id, 2049, 1025).macs / 1e9, gmacs) == gmacs


@pytest.mark.parametrize(("row_id", "millions"), MILLION_PARAMETERS.items())
def test_parameters(row_id, millions):
    network = build_model(row_id, device="meta")
    assert printed(sum(value.numel() for value in network.parameters()) / 1e6, millions) == millions
