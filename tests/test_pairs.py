"""Pictures and labels matched by name."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from zoo.errors import InputError
from zoo.pairs import Pairing, Source, match, pair_folders, pair_zip, split, upload_sources, values_named


def sources(*paths: str) -> list[Source]:
    return [Source(PurePosixPath(path), lambda: b"") for path in paths]


def names(pairing: Pairing) -> list[tuple[str, str]]:
    return [(pair.image.name, pair.labels.name) for pair in pairing.pairs]


@pytest.mark.parametrize(
    ("image", "label"),
    [
        ("a.jpg", "a.png"),
        ("A.JPG", "a.png"),
        ("a.png", "a_L.png"),
        ("a.jpg", "a_mask.png"),
        ("a.jpg", "a_labels.tif"),
        ("a_leftImg8bit.png", "a_gtFine_labelTrainIds.png"),
        ("a_leftImg8bit.png", "a_gtFine_color.png"),
        ("val/city/a_leftImg8bit.png", "city/a_gtCoarse_labelIds.png"),
    ],
)
def test_names_match_without_what_their_data_set_adds(image: str, label: str) -> None:
    found = match(sources(image), sources(label))
    assert names(found) == [(PurePosixPath(image).name, PurePosixPath(label).name)]
    assert found.unmatched() == ""


def test_what_does_not_match_is_listed() -> None:
    found = match(sources("b.jpg", "a.jpg", "c.jpg"), sources("a.png", "b.png", "d.png", "e.png"))
    assert names(found) == [("a.jpg", "a.png"), ("b.jpg", "b.png")]
    assert (found.images_left, found.labels_left) == (("c.jpg",), ("d.png", "e.png"))
    assert found.unmatched() == (
        "Not matched by name: 1 images without labels (c.jpg); 2 labels without an image (d.png, e.png)."
    )


def test_a_folder_of_cityscapes_gives_one_label_map_an_image() -> None:
    labels = [f"a/a_gtFine_{kind}.png" for kind in ("color", "instanceIds", "labelIds", "labelTrainIds")]
    found = match(sources("a/a_leftImg8bit.png"), sources(*labels))
    assert names(found) == [("a_leftImg8bit.png", "a_gtFine_labelTrainIds.png")]
    assert found.labels_left == ()
    assert values_named([pair.labels for pair in found.pairs]) == "class ids"
    assert values_named(sources("a_gtFine_labelIds.png")) == "label ids"
    assert values_named(sources("a.png")) is None


def test_equal_names_in_several_folders_match_by_folder() -> None:
    found = match(sources("one/1.jpg", "two/1.jpg"), sources("two/1.png", "one/1.png"))
    assert [(str(pair.image.path), str(pair.labels.path)) for pair in found.pairs] == [
        ("one/1.jpg", "one/1.png"),
        ("two/1.jpg", "two/1.png"),
    ]


@pytest.mark.parametrize(
    ("images", "labels", "reason"),
    [
        (["a.jpg"], ["b.png"], "no label file has the name of an image"),
        (["a.jpg"], [], "no label file"),
        (["a.jpg", "a.png"], ["a.png"], r"a\.jpg and a\.png have the same name"),
        (["a.jpg"], ["a.png", "a_L.png"], r"a\.png and a_L\.png have the same name"),
    ],
)
def test_what_cannot_be_matched_is_one_line(images: list[str], labels: list[str], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        match(sources(*images), sources(*labels))


@pytest.mark.parametrize(
    ("files", "labels"),
    [
        (["images/a.jpg", "labels/a.png"], ["labels/a.png"]),
        (["leftImg8bit/a_leftImg8bit.png", "gtFine/a_gtFine_labelIds.png"], ["gtFine/a_gtFine_labelIds.png"]),
        (["test/a.png", "testannot/a.png"], ["testannot/a.png"]),
        (["a.jpg", "a_L.png", "b.png", "b_L.png"], ["a_L.png", "b_L.png"]),
        (["a.jpg", "a.png", "b.webp", "b.png"], ["a.png", "b.png"]),
    ],
)
def test_one_heap_of_files_falls_into_images_and_labels(files: list[str], labels: list[str]) -> None:
    found_images, found_labels = split(sources(*files))
    assert [str(source.path) for source in found_labels] == labels
    assert [str(source.path) for source in found_images] == [file for file in files if file not in labels]
    assert len(match(found_images, found_labels).pairs) == len(labels)


def test_folders_and_zips_are_read_when_asked(tmp_path: Path) -> None:
    (tmp_path / "images" / "sub").mkdir(parents=True)
    (tmp_path / "images" / "sub" / "a.jpg").write_bytes(b"picture")
    (tmp_path / "images" / ".hidden.jpg").write_bytes(b"")
    (tmp_path / "images" / "notes.txt").write_text("none")
    with zipfile.ZipFile(tmp_path / "labels.zip", "w") as archive:
        archive.writestr("x/a.png", b"labels")
    found = pair_folders(tmp_path / "images", tmp_path / "labels.zip")
    assert names(found) == [("a.jpg", "a.png")]
    assert (found.pairs[0].image.read(), found.pairs[0].labels.read()) == (b"picture", b"labels")


def test_one_zip_holds_both() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("set/images/a.jpg", b"picture")
        archive.writestr("set/labels/a.png", b"labels")
    found = pair_zip(file, "set.zip")
    assert [(pair.image.read(), pair.labels.read()) for pair in found.pairs] == [(b"picture", b"labels")]


def test_uploads_match_by_name_and_never_become_paths() -> None:
    images = upload_sources([("../../a.jpg", io.BytesIO(b"1"))])
    found = match(images, upload_sources([("C:\\x\\a.png", io.BytesIO(b"2"))]))
    assert names(found) == [("a.jpg", "a.png")]
    assert found.pairs[0].labels.read() == b"2"


@pytest.mark.parametrize(("name", "reason"), [("absent", "is not a folder"), ("empty", "holds no image")])
def test_a_folder_without_images_is_refused(name: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=f"{name} {reason}"):
        pair_folders(tmp_path / name, tmp_path)
