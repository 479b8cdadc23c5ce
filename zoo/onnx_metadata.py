"""What our .onnx files say of themselves: whose weights, which classes, how their input is prepared.

The properties stand at the top level of the file (ModelProto.metadata_props), so that they are read without
onnx and without reading the network: protobuf says of each part how long it is, and the rest is skipped.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from zoo import limits
from zoo.classes import ClassList
from zoo.errors import ModelFileError, SizeError, shown_name
from zoo.sizes import Size, parse_size

PREFIX = "segselect."
_METADATA_PROPS = 14
"""The number of the field in ONNX' ModelProto; in each entry 1 is the key and 2 the value."""
_LINE, _NAME = 300, 60
"""Letters that are kept of a sentence and of a class name: text from outside is shown, and may be endless."""

Three = tuple[float, float, float]


@dataclass(frozen=True)
class FileFacts:
    """What a file of ours says of itself; what is missing is None or empty."""

    row_id: str = ""
    """The row whose network it holds."""
    weights: str = ""
    """Whose weights they are, in words."""
    notice: str = ""
    """Licence and terms, in words."""
    random: bool = False
    """Whether the weights are random: good for timing, not for masks."""
    size: Size | None = None
    """The input size for which it was exported."""
    mean: Three | None = None
    std: Three | None = None
    """A float input is (x - mean) / std, RGB, in units of 0..255."""
    classes: ClassList | None = None
    versions: str = ""
    """With what it was made."""
    prepared: str = "as the file says"
    """Who says so of mean and std, in words."""

    def as_properties(self) -> dict[str, str]:
        """Return the facts as an .onnx file's properties; `facts_of` reads them back."""
        found: dict[str, Any] = {"row": self.row_id, "weights": self.weights, "notice": self.notice}
        found |= {"random": "yes" if self.random else "", "size": str(self.size or "")}
        found |= {"mean": _numbers(self.mean), "std": _numbers(self.std), "versions": self.versions}
        if self.classes is not None:
            found["classes"] = json.dumps(self.classes.names, ensure_ascii=False)
            found["palette"] = json.dumps(self.classes.palette)
            found["class_list"] = self.classes.words
            found["void"] = "" if self.classes.void is None else str(self.classes.void)
        return {PREFIX + key: value for key, value in found.items() if value}


def file_facts(path: Path) -> FileFacts | None:
    """Return what an .onnx file says of itself, or None if it has no properties of ours.

    Raises ModelFileError for properties of ours that cannot be used.
    """
    try:
        with path.open("rb") as file:
            properties = dict(_properties(file, path.stat().st_size))
    except ValueError:  # not an ONNX file at all: whoever loads it says so
        return None
    except OSError as error:
        raise ModelFileError(f"{shown_name(path)} cannot be read: {error.strerror}.") from error
    try:
        return facts_of(properties)
    except ValueError as error:
        raise ModelFileError(
            f"{shown_name(path)} says of itself what cannot be used: {error}. Export it again."
        ) from error


def facts_of(properties: Mapping[str, str]) -> FileFacts | None:
    """Return the facts in an .onnx file's properties, or None if there are none of ours.

    Raises ValueError naming the property that cannot be used.
    """
    ours = {key.removeprefix(PREFIX): value for key, value in properties.items() if key.startswith(PREFIX)}
    if not ours:
        return None
    std = _three(ours, "std")
    if std is not None and min(std) <= 0:
        raise ValueError("std must be three numbers above 0")
    return FileFacts(
        row_id=_shown(ours.get("row", ""), _LINE),
        weights=_shown(ours.get("weights", ""), _LINE),
        notice=_shown(ours.get("notice", ""), 2 * _LINE),
        random=ours.get("random") == "yes",
        size=_size(ours),
        mean=_three(ours, "mean"),
        std=std,
        classes=_classes(ours),
        versions=_shown(ours.get("versions", ""), _LINE),
    )


def _classes(ours: Mapping[str, str]) -> ClassList | None:
    if "classes" not in ours:
        return None
    names, palette = _json(ours, "classes"), _json(ours, "palette")
    if not 1 <= len(names) <= limits.MAX_CLASSES or not all(isinstance(name, str) for name in names):
        raise ValueError(f"classes must be 1 to {limits.MAX_CLASSES} names")
    if len(palette) != len(names) or not all(map(_is_colour, palette)):
        raise ValueError("palette must be one colour, three numbers from 0 to 255, for each class")
    void = ours.get("void", "")
    if void and not (void.isascii() and void.isdecimal() and int(void[:4]) <= 255):
        raise ValueError("void must be a label, 0 to 255")
    return ClassList(
        tuple(_shown(name, _NAME) for name in names),
        tuple((red, green, blue) for red, green, blue in palette),
        _shown(ours.get("class_list", ""), _LINE) or f"{len(names)} classes named in the file",
        int(void) if void else None,
    )


def _is_colour(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 3
        and all(isinstance(part, int) and not isinstance(part, bool) and 0 <= part <= 255 for part in value)
    )


def _json(ours: Mapping[str, str], key: str) -> list[Any]:
    try:
        value = json.loads(ours.get(key, ""))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{key} must be a list in JSON") from error
    if not isinstance(value, list):
        raise ValueError(f"{key} must be a list in JSON")
    return value


def _three(ours: Mapping[str, str], key: str) -> Three | None:
    if key not in ours:
        return None
    try:
        red, green, blue = map(float, ours[key].split())
    except ValueError as error:
        raise ValueError(f"{key} must be three numbers separated by blanks") from error
    if not all(math.isfinite(one) and abs(one) <= 1e6 for one in (red, green, blue)):
        raise ValueError(f"{key} must be three numbers of at most a million")
    return red, green, blue


def _numbers(three: Three | None) -> str:
    return "" if three is None else " ".join(f"{one!r}" for one in three)


def _size(ours: Mapping[str, str]) -> Size | None:
    try:
        return parse_size(ours["size"]) if "size" in ours else None
    except SizeError as error:
        raise ValueError("size must be width x height, such as 768x384") from error


def _shown(text: str, length: int) -> str:
    """Return a stranger's text as it may be shown: one line of printable letters."""
    line = "".join(letter if letter.isprintable() else " " for letter in text[: 2 * length])
    return " ".join(line.split())[:length]


def _properties(file: IO[bytes], end: int) -> Iterator[tuple[str, str]]:
    """Yield a model's properties. Raises ValueError for what is no protobuf message."""
    total = 0
    for number, start, length in _fields(file, end):
        if number != _METADATA_PROPS:
            continue
        total += length
        if total > limits.METADATA_BYTES:
            raise ValueError("its properties are too long")
        entry = {}
        file.seek(start)
        for part, at, size in _fields(file, start + length):
            file.seek(at)
            entry[part] = file.read(size).decode("utf-8", errors="replace")
        yield entry.get(1, ""), entry.get(2, "")


def _fields(file: IO[bytes], end: int) -> Iterator[tuple[int, int, int]]:
    """Yield number, place and length of each length-delimited field from where the file stands to `end`."""
    place = file.tell()
    for _ in range(limits.METADATA_FIELDS):
        if place >= end:
            return
        file.seek(place)
        tag = _varint(file)
        wire = tag & 7
        if wire == 2:
            length = _varint(file)
            start = file.tell()
            if start + length > end:
                raise ValueError("a part of it is longer than the file")
            yield tag >> 3, start, length
            place = start + length
        elif wire == 0:
            _varint(file)
            place = file.tell()
        elif wire in (1, 5):
            place = file.tell() + (8 if wire == 1 else 4)
        else:
            raise ValueError("it is no protobuf message")
    raise ValueError("it has too many parts")


def _varint(file: IO[bytes]) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            raise ValueError("it ends in the middle of a number")
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise ValueError("a number in it is too long")
