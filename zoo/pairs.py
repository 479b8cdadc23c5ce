"""Pictures and their label files: from two folders, from uploads, or from a zip, matched by name.

How the files of a pair are told apart is data: data/label_names.csv lists the endings that name an image or a
label file besides the name that both have in common, and the folders that hold labels.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple

import pandas as pd

from zoo import limits
from zoo.archives import Archive, is_hidden
from zoo.errors import ImageError, InputError, shown_name
from zoo.tables import DATA, load_table

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".mpo", ".png", ".webp", ".bmp", ".tif", ".tiff"}
_ENDINGS = ", ".join(sorted(IMAGE_SUFFIXES))


class Source(NamedTuple):
    """A file that has not been read yet."""

    path: PurePosixPath
    """Its path within what was given."""
    read: Callable[[], bytes]
    """Returns its bytes; raises InputError if they cannot be had."""

    @property
    def name(self) -> str:
        """Its name, safe to show as text."""
        return shown_name(self.path)


class Pair(NamedTuple):
    """A picture and its labels."""

    image: Source
    labels: Source

    @property
    def name(self) -> str:
        """The picture's name."""
        return self.image.name


@dataclass(frozen=True)
class Pairing:
    """What was matched by name, and what was not."""

    pairs: tuple[Pair, ...]
    """In the order of the pictures' names."""
    images_left: tuple[str, ...] = ()
    """Names of pictures without labels."""
    labels_left: tuple[str, ...] = ()
    """Names of label files without a picture."""

    def unmatched(self, most: int = 5) -> str:
        """Return what was left over in one sentence, empty where nothing was."""
        parts = []
        for what, names in (
            ("images without labels", self.images_left),
            ("labels without an image", self.labels_left),
        ):
            if names:
                more = f" and {len(names) - most} more" if len(names) > most else ""
                parts.append(f"{len(names)} {what} ({', '.join(names[:most])}{more})")
        return f"Not matched by name: {'; '.join(parts)}." if parts else ""


def pair_folders(images: Path, labels: Path) -> Pairing:
    """Return the pairs in two folders and the folders in them; either may be a zip. Raises InputError."""
    return match(folder_sources(images), folder_sources(labels))


def pair_zip(file: Path | BinaryIO, name: str | None = None) -> Pairing:
    """Return the pairs in one zip that holds both, or raise InputError.

    A file that is given open must stay open as long as its pairs are read.
    """
    return match(*split(archive_sources(Archive(file, name))))


def folder_sources(folder: Path) -> list[Source]:
    """Return the image files in a folder, in the folders in it, or in a zip. Raises InputError."""
    if folder.is_file() and folder.suffix.lower() == ".zip":
        return archive_sources(Archive(folder))
    if not folder.is_dir():
        raise InputError(f"{shown_name(folder)} is not a folder or a zip: give one with image files in it.")
    found = []
    for path in sorted(folder.rglob("*")):
        inside = PurePosixPath(path.relative_to(folder).as_posix())
        if path.suffix.lower() in IMAGE_SUFFIXES and not is_hidden(inside) and path.is_file():
            found.append(Source(inside, _reader(path)))
    if not found:
        raise InputError(f"{shown_name(folder)} holds no image: files that end in {_ENDINGS} count.")
    return found


def archive_sources(archive: Archive) -> list[Source]:
    """Return the image files in a zip; each is read only when it is asked for."""

    def reader(file: PurePosixPath) -> Callable[[], bytes]:
        return lambda: archive.read(file, limits.IMAGE_BYTES)

    found = [
        Source(file, reader(file)) for file in sorted(archive.files) if file.suffix.lower() in IMAGE_SUFFIXES
    ]
    if not found:
        raise InputError(f"{archive.name} holds no image: files that end in {_ENDINGS} count.")
    return found


def upload_sources(files: Iterable[tuple[str, BinaryIO]]) -> list[Source]:
    """Return uploaded files, each a name and an open file, as sources: images, and what is in zips.

    The files must stay open as long as the sources are read. Raises InputError for more, or larger ones, than
    a zip may hold.
    """
    given = list(files)
    total = sum(file.seek(0, os.SEEK_END) for _, file in given)
    if total > limits.ZIP_BYTES or len(given) > limits.ZIP_ENTRIES:
        raise InputError(
            f"{len(given):,} files with {total / limits.MEGABYTE:,.0f} MB are too many: at most "
            f"{limits.ZIP_ENTRIES:,} files with {limits.ZIP_BYTES // limits.MEGABYTE} MB can be taken."
        )

    def reader(file: BinaryIO) -> Callable[[], bytes]:
        def read() -> bytes:
            file.seek(0)
            return file.read(limits.IMAGE_BYTES + 1)  # the door for pictures refuses what is longer

        return read

    found: list[Source] = []
    for name, file in given:
        if name.lower().endswith(".zip"):
            found += archive_sources(Archive(file, name))
        else:
            found.append(Source(PurePosixPath(shown_name(name, 200)), reader(file)))
    return found


def pair_uploads(
    images: Iterable[tuple[str, BinaryIO]], labels: Iterable[tuple[str, BinaryIO]] = ()
) -> Pairing:
    """Return the pairs in uploaded files or zips; without `labels` those of `images` are told apart."""
    of_images, of_labels = upload_sources(images), upload_sources(labels)
    return match(of_images, of_labels) if of_labels else match(*split(of_images))


def split(mixed: Sequence[Source]) -> tuple[list[Source], list[Source]]:
    """Return which of the files are images and which are labels, by the names of folders and files.

    Of two files with one name and nothing else to tell them apart, the PNG holds the labels.
    """
    labels = {source.path for source in mixed if _is_label(source)}
    if not labels:
        by_stem = defaultdict(list)
        for source in mixed:
            by_stem[source.path.stem.lower()].append(source.path)
        twins = (path for group in by_stem.values() if len(group) == 2 for path in group)
        labels = {path for path in twins if path.suffix.lower() == ".png"}
    return (
        [source for source in mixed if source.path not in labels],
        [source for source in mixed if source.path in labels],
    )


def _is_label(source: Source) -> bool:
    if _ending(source.path.stem, "label suffix") or _ending(source.path.stem, "other suffix"):
        return True
    folders = {part.lower() for part in source.path.parts[:-1]}
    return any(name.lower() in folders for name in _names("label folder"))


def match(images: Sequence[Source], labels: Sequence[Source]) -> Pairing:
    """Return images and labels matched by name, without the endings of data/label_names.csv.

    Names are compared without their folders where that tells all files of a side apart, else with them.
    Raises InputError where nothing matches, or where two files of a side have the same name.
    """
    labels = _one_kind([source for source in labels if not _ending(source.path.stem, "other suffix")])
    for key in (_stem, _path_and_stem):
        of_image, of_label = _by_key(images, key, "image suffix"), _by_key(labels, key, "label suffix")
        if _unique(of_image) and _unique(of_label) and set(of_image) & set(of_label):
            break
    _refuse_doubles(of_image)
    _refuse_doubles(of_label)
    shared = [name for name in of_image if name in of_label]
    if not shared:
        raise InputError(
            f"no label file has the name of an image: there are {len(images)} images such as "
            f"{_example(images)} and {len(labels)} label files such as {_example(labels)}; "
            "give both the same name."
        )
    return Pairing(
        tuple(Pair(of_image[name][0], of_label[name][0]) for name in sorted(shared)),
        tuple(of_image[name][0].name for name in sorted(of_image) if name not in of_label),
        tuple(of_label[name][0].name for name in sorted(of_label) if name not in of_image),
    )


def values_named(labels: Sequence[Source]) -> str | None:
    """Return what the names of the label files say their values are, such as "label ids", or None."""
    said = {_names("label suffix").get(_ending(source.path.stem, "label suffix")) for source in labels}
    return said.pop() if len(said) == 1 else None


def _one_kind(labels: Sequence[Source]) -> list[Source]:
    """Where a data set gives each label map in several kinds, return those of the first kind of the list."""
    by_ending = defaultdict(list)
    for source in labels:
        by_ending[_ending(source.path.stem, "label suffix")].append(source)
    kinds = [name for name, values in _names("label suffix").items() if values and name in by_ending]
    return by_ending[kinds[0]] if kinds else list(labels)


def _stem(source: Source, kind: str) -> str:
    stem = source.path.stem
    ending = _ending(stem, kind)
    return (stem[: -len(ending)] if ending else stem).lower()


def _path_and_stem(source: Source, kind: str) -> str:
    folders = [part.lower() for part in source.path.parts[:-1]]
    known = {name.lower() for name in _names("label folder")} | {"images", "image"}
    return "/".join([*(part for part in folders if part not in known), _stem(source, kind)])


def _by_key(
    sources: Iterable[Source], key: Callable[[Source, str], str], kind: str
) -> dict[str, list[Source]]:
    found = defaultdict(list)
    for source in sources:
        found[key(source, kind)].append(source)
    return dict(found)


def _unique(by_key: Mapping[str, Sequence[Source]]) -> bool:
    return all(len(group) == 1 for group in by_key.values())


def _refuse_doubles(by_key: Mapping[str, Sequence[Source]]) -> None:
    for group in by_key.values():
        if len(group) > 1:
            raise InputError(
                f"{group[0].name} and {group[1].name} have the same name: leave one out, or rename it."
            )


def _example(sources: Sequence[Source]) -> str:
    return sources[0].name if sources else "none"


def _ending(stem: str, kind: str) -> str:
    """Return the longest listed ending that the stem has, "" for none; more than the ending must be left."""
    endings = [name for name in _names(kind) if stem.lower().endswith(name.lower()) and len(stem) > len(name)]
    return max(endings, key=len, default="")


def _names(kind: str) -> Mapping[str, str | None]:
    return _name_table().get(kind, {})


@cache
def _name_table() -> dict[str, dict[str, str | None]]:
    from zoo.schemas import one_of, schema, text

    kinds = ["image suffix", "label suffix", "other suffix", "label folder"]
    table = load_table(
        DATA / "label_names.csv",
        schema(
            kind=one_of(kinds),
            name=text(r"[A-Za-z0-9_]+", "letters, digits and underscores"),
            values=one_of(["class ids", "label ids", "colours"], nullable=True),
        ),
    )
    return {
        kind: {
            str(name): (str(values) if pd.notna(values) else None)
            for name, values in zip(lines["name"], lines["values"], strict=True)
        }
        for kind, lines in table.groupby("kind", sort=False)
    }


def _reader(path: Path) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            with path.open("rb") as file:
                return file.read(limits.IMAGE_BYTES + 1)  # the door for pictures refuses what is longer
        except OSError as error:
            raise ImageError(f"{shown_name(path)} cannot be read: {error.strerror or error}.") from error

    return read
