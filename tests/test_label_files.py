"""Label files of every kind that is known, and what is said of those that are not."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from zoo.classes import ClassList, dataset_classes, numbered_classes
from zoo.errors import ImageError, LabelError
from zoo.label_files import RawLabels, check_size, decode, possible_values, read_raw, recognise
from zoo.metrics import VOID
from zoo.tables import DATA

CITYSCAPES = dataset_classes("Cityscapes")
CAMVID = dataset_classes("CamVid")
VOC = dataset_classes("VOC2012")
rng = np.random.default_rng(5)


def png(pixels: np.ndarray, palette: object = None, image_format: str = "PNG", **options: object) -> bytes:
    image = Image.fromarray(pixels)
    if palette is not None:
        image.putpalette(np.asarray(palette, np.uint8).ravel().tolist())
    file = io.BytesIO()
    image.save(file, image_format, **options)
    return file.getvalue()


def read(data: bytes, classes: ClassList) -> tuple[np.ndarray, str]:
    raw = read_raw(data, "a.png")
    values = recognise([raw], possible_values(classes))
    return decode(raw, values), values.words


def random_ids(classes: ClassList) -> np.ndarray:
    """Every class at least once, and void."""
    ids = rng.integers(0, len(classes), (24, 32)).astype(np.uint8)
    ids.ravel()[: len(classes)] = np.arange(len(classes))
    ids[-1] = VOID
    return ids


@pytest.mark.parametrize("image_format", ["PNG", "BMP", "TIFF"])
def test_class_ids_of_eight_bits(image_format: str) -> None:
    ids = random_ids(CITYSCAPES)
    labels, words = read(png(ids, image_format=image_format), CITYSCAPES)
    assert (labels == ids).all()
    assert words == "Cityscapes training ids"


def test_class_ids_of_sixteen_bits() -> None:
    ids = random_ids(VOC)
    labels, words = read(png(ids.astype(np.uint16)), VOC)
    assert labels.dtype == np.uint8
    assert (labels == ids).all()
    assert words == "VOC2012 class ids"


def test_a_palette_image_holds_ids_whatever_its_colours() -> None:
    ids = random_ids(VOC)
    for palette in (rng.integers(0, 256, (256, 3)), np.repeat(np.arange(256), 3), VOC.palette):
        assert (read(png(ids, palette), VOC)[0] == ids).all()


def test_a_palette_of_the_data_set_in_another_order_is_read_by_its_colours() -> None:
    ids = random_ids(CAMVID)
    ids[-1] = 11
    colours = [*CAMVID.palette, (0, 0, 0)]
    order = rng.permutation(12)
    moved = np.argsort(order)[ids].astype(np.uint8)
    labels, words = read(png(moved, [colours[place] for place in order]), CAMVID)
    assert words == "colours of CamVid"
    assert (labels == np.where(ids == 11, VOID, ids)).all()


def test_a_void_of_the_data_sets_own_is_void() -> None:
    ids = random_ids(CAMVID)
    ids[0, :3] = 11
    labels, _ = read(png(ids), CAMVID)
    assert (labels[0, :3] == VOID).all()
    assert (labels[1:] == ids[1:]).all()


# Typed from the data set's published definition: label ids of a few classes, and their training ids.
LABEL_IDS = {7: 0, 8: 1, 11: 2, 17: 5, 21: 8, 23: 10, 24: 11, 26: 13, 31: 16, 33: 18, 0: 255, 9: 255, 29: 255}


def test_cityscapes_label_ids_are_told_from_training_ids() -> None:
    ids = rng.choice(list(LABEL_IDS), (20, 20)).astype(np.uint8)
    labels, words = read(png(ids), CITYSCAPES)
    assert words == "Cityscapes label ids"
    assert (labels == np.vectorize(LABEL_IDS.get)(ids)).all()


def test_every_class_of_a_data_set_is_in_the_table_by_its_own_name() -> None:
    table = pd.read_csv(DATA / "label_values.csv")
    for dataset, lines in table.groupby("dataset"):
        names = set(dataset_classes(str(dataset)).names)
        assert set(lines["class"].dropna()) <= names
        if lines["id"].notna().any():
            assert set(lines["class"].dropna()) == names
            assert len(lines) == 34
    trained = table.dropna(subset=["class"])
    for _, line in trained.iterrows():
        place = CITYSCAPES.names.index(line["class"])
        assert CITYSCAPES.palette[place] == (line["red"], line["green"], line["blue"])


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize(
    ("dataset", "void"),
    [
        ("Cityscapes", (0, 0, 0)),
        ("CamVid", (0, 0, 0)),
        ("VOC2012", (224, 224, 192)),
        ("Cityscapes", (111, 74, 0)),
    ],
)
def test_colours_of_the_data_sets_palette(dataset: str, void: tuple[int, int, int], alpha: bool) -> None:
    classes = dataset_classes(dataset)
    ids = random_ids(classes)
    colours = np.zeros((256, 3), np.uint8)
    colours[: len(classes)] = classes.palette
    colours[VOID] = void
    pixels = colours[ids]
    if alpha:
        pixels = np.dstack([pixels, np.full(ids.shape, 255, np.uint8)])
    labels, words = read(png(pixels), classes)
    assert words == f"colours of {dataset}"
    assert (labels == ids).all()


def test_classes_of_nobody_are_ids_only() -> None:
    classes = numbered_classes(7)
    ids = random_ids(classes)
    labels, words = read(png(ids), classes)
    assert (labels == ids).all()
    assert "7 classes" in words
    with pytest.raises(LabelError, match="holds colours, and ids are expected"):
        read(png(np.zeros((20, 20, 3), np.uint8)), classes)


@pytest.mark.parametrize(
    ("value", "dtype", "classes"),
    [
        (19, np.uint8, CITYSCAPES),
        (254, np.uint8, CITYSCAPES),
        (12, np.uint8, CAMVID),
        (40000, np.uint16, VOC),
    ],
)
def test_an_unknown_id_names_file_value_and_place(value: int, dtype: type, classes: ClassList) -> None:
    ids = np.ones((20, 30), dtype)
    ids[0, 0] = 255  # with it, Cityscapes' are training ids
    ids[11, 7] = value
    raw = read_raw(png(ids), "folder/street.png")
    with pytest.raises(LabelError) as caught:
        decode(raw, possible_values(classes)[0])
    assert f"street.png: the value {value} at x 7, y 11" in str(caught.value)
    assert "255" in str(caught.value)


def test_an_unknown_colour_names_file_value_and_place() -> None:
    pixels = np.full((20, 30, 3), (128, 64, 128), np.uint8)
    pixels[3, 29] = (1, 2, 3)
    with pytest.raises(
        LabelError, match=r"a\.png: the colour \(1, 2, 3\) at x 29, y 3 is none of the colours"
    ):
        read(png(pixels), CITYSCAPES)


def test_what_was_recognised_holds_for_all_files() -> None:
    values = recognise([read_raw(png(random_ids(CITYSCAPES)), "a.png")], possible_values(CITYSCAPES))
    late = np.full((20, 20), 26, np.uint8)
    with pytest.raises(LabelError, match=r"b\.png: the value 26"):
        decode(read_raw(png(late), "b.png"), values)
    with pytest.raises(LabelError, match=r"c\.png holds colours, where the other labels are"):
        decode(read_raw(png(np.zeros((20, 20, 3), np.uint8)), "c.png"), values)
    # One file alone may fit both; all together tell.
    roads = np.full((20, 20), 7, np.uint8)
    both = [read_raw(png(roads), "d.png"), read_raw(png(late), "b.png")]
    assert recognise(both, possible_values(CITYSCAPES)).words == "Cityscapes label ids"
    assert recognise(both[:1], possible_values(CITYSCAPES)).words == "Cityscapes training ids"
    assert recognise(both[:1], possible_values(CITYSCAPES), "label ids").words == "Cityscapes label ids"


def test_a_kind_that_is_not_known_for_these_classes_is_refused() -> None:
    raw = read_raw(png(np.zeros((20, 20), np.uint8)), "a.png")
    with pytest.raises(LabelError, match="label ids are not known"):
        recognise([raw], possible_values(CAMVID), "label ids")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (png(np.zeros((20, 20), np.uint8), image_format="JPEG"), "JPEG, whose pixels are not exact"),
        (png(np.zeros((20, 20, 3), np.uint8), image_format="WEBP"), "WEBP, whose pixels are not exact"),
        (png(np.zeros((20, 20), np.float32), image_format="TIFF"), "cannot hold labels"),
        (b"", "is empty"),
        (b"text", "not an image"),
        (png(np.zeros((64, 64), np.uint8))[:-30], "cut short|damaged"),
        (png(np.zeros((4, 4), np.uint8)), "16 to 16384"),
    ],
)
def test_what_cannot_hold_labels_is_refused_by_name(data: bytes, reason: str) -> None:
    with pytest.raises(ImageError, match=reason) as caught:
        read_raw(data, "some/a<b>.png")
    assert str(caught.value).startswith("a<b>.png")
    assert "\n" not in str(caught.value)


def test_arrays_are_taken_as_they_are() -> None:
    ids = random_ids(VOC)
    values = possible_values(VOC)[0]
    for array in (ids, ids.astype(np.int64), ids.astype(np.uint16)):
        assert (decode(read_raw(array), values) == ids).all()
    for wrong in (ids.astype(float), ids[0], np.zeros((4, 4, 2), np.uint8)):
        with pytest.raises(LabelError, match="give whole numbers"):
            read_raw(wrong)


def test_another_size_than_the_pictures_is_refused_by_name() -> None:
    raw = RawLabels("a.png", np.zeros((20, 30), np.uint32), coloured=False)
    check_size(raw, np.zeros((20, 30, 3), np.uint8))
    with pytest.raises(LabelError, match=r"a\.png is 30x20, and its picture 20x30"):
        check_size(raw, np.zeros((30, 20, 3), np.uint8))


def test_a_label_file_is_turned_upright_like_its_picture() -> None:
    ids = random_ids(VOC)
    exif = Image.Exif()
    exif[0x0112] = 6
    assert (read(png(ids, exif=exif), VOC)[0] == np.rot90(ids, -1)).all()
