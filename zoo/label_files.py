"""The door for label files: class ids, a data set's own label ids, or colours become one label map.

Which of them a file holds is recognised from some of the files together, and stated. data/label_values.csv
lists what label files of a data set hold besides its class ids and its palette. A value that means nothing
is a LabelError that names file, value and place.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from zoo.classes import ClassList, Colour, dataset_classes
from zoo.datasets import load_datasets
from zoo.errors import LabelError, shown_name
from zoo.images import decoding, open_image, read_file, turned_upright
from zoo.metrics import VOID
from zoo.tables import DATA, load_table

LabelSource = str | os.PathLike[str] | bytes | npt.NDArray[np.integer[Any]]

CLASS_IDS, LABEL_IDS, COLOURS = "class ids", "label ids", "colours"
NO_COLOUR = 1 << 24
"""The colour of an id that a palette does not list."""
_EXACT_FORMATS = {"PNG", "BMP", "TIFF"}
_ID_MODES = {"1", "L", "P", "I", "I;16", "I;16L", "I;16B", "I;16N"}
_COLOUR_MODES = {"RGB", "RGBA"}


@dataclass(frozen=True)
class LabelValues:
    """One way of writing classes into label files."""

    kind: str
    """class ids, label ids or colours."""
    words: str
    """What the values are, for people."""
    classes: ClassList
    """What a label map read by it means."""
    codes: Mapping[int, int]
    """Class id, or VOID, of each value: an id, or a colour as 0xRRGGBB."""

    @property
    def allowed(self) -> str:
        """The values that it knows, in words."""
        if self.kind == COLOURS:
            return f"the {len(self.codes)} colours of its palette"
        ids = sorted(self.codes)
        runs = [[ids[0], ids[0]]]
        for value in ids[1:]:
            if value == runs[-1][1] + 1:
                runs[-1][1] = value
            else:
                runs.append([value, value])
        return ", ".join(str(low) if low == high else f"{low} to {high}" for low, high in runs)


@dataclass(frozen=True)
class RawLabels:
    """A label file as it was read."""

    name: str
    values: npt.NDArray[np.uint8 | np.uint32]
    """Ids, or colours as 0xRRGGBB, (H, W)."""
    coloured: bool
    palette: npt.NDArray[np.uint32] | None = None
    """Of a palette image, the colour of each id."""

    @property
    def in_colours(self) -> RawLabels:
        """A palette image with the colours in place of its ids."""
        if self.palette is None:
            return self
        return replace(self, values=self.palette[self.values], coloured=True, palette=None)


def possible_values(classes: ClassList) -> tuple[LabelValues, ...]:
    """Return the ways in which label files may hold these classes.

    Class ids always; label ids and colours where the classes are those of a data set of ours.
    """
    ids = {place: place for place in range(len(classes))}
    void = {VOID: VOID} if classes.void is None else {classes.void: VOID, VOID: VOID}
    dataset = dataset_of(classes)
    if dataset is None:
        return (LabelValues(CLASS_IDS, f"class ids of {classes.words}", classes, void | ids),)
    table = _value_table().loc[_value_table()["dataset"] == dataset]
    by_name = {name: place for place, name in enumerate(classes.names)}
    named = table[table["id"].notna()]
    trained = "training ids" if len(named) else "class ids"
    found = [LabelValues(CLASS_IDS, f"{dataset} {trained}", classes, void | ids)]
    if len(named):
        codes = {int(line["id"]): by_name.get(line["class"], VOID) for _, line in named.iterrows()}
        found.append(LabelValues(LABEL_IDS, f"{dataset} label ids", classes, {VOID: VOID} | codes))
    colours = {_code((line["red"], line["green"], line["blue"])): VOID for _, line in table.iterrows()}
    colours |= {_code(colour): place for place, colour in enumerate(classes.palette)}
    return (*found, LabelValues(COLOURS, f"colours of {dataset}", classes, colours))


def dataset_of(classes: ClassList) -> str | None:
    """Return the name of the data set of ours whose classes these are, or None."""
    lists = {str(name): dataset_classes(name) for name in load_datasets().index}
    same = [name for name, known in lists.items() if known.names == classes.names]
    return next((name for name in same if lists[name].words == classes.words), same[0] if same else None)


def recognise(
    samples: Iterable[RawLabels], possible: Sequence[LabelValues], kind: str | None = None
) -> LabelValues:
    """Return the way in which these label files are written.

    The first of `possible` that knows every value in them; `kind` says it beforehand. Where none does it is
    the first for ids or colours, as the files are: reading by it then names the value that it does not know.
    Raises LabelError where `kind`, or colours, are not possible.
    """
    samples = list(samples)
    if kind is not None:
        possible = [values for values in possible if values.kind == kind]
        if not possible:
            raise LabelError(f"{kind} are not known for these classes: give class ids.")
    coloured = bool(samples) and all(_is_coloured(sample, possible) for sample in samples)
    fitting = [values for values in possible if (values.kind == COLOURS) == coloured]
    if not fitting:
        name = samples[0].name if samples else "the labels"
        held, wanted = ("colours", "ids") if coloured else ("ids", "colours")
        raise LabelError(
            f"{name} holds {held}, and {wanted} are expected for {possible[0].classes.words}: "
            "save the labels as such, or give a mapping."
        )
    seen = {int(code) for sample in samples for code in _different(_codes_of(sample, coloured))}
    return next((values for values in fitting if seen <= set(values.codes)), fitting[0])


def _is_coloured(sample: RawLabels, possible: Sequence[LabelValues]) -> bool:
    """Return whether a file is to be read by its colours: RGB, or a palette whose order is not the classes'.

    A palette image holds class ids, unless its colours are the data set's and say something else.
    """
    if sample.palette is None:
        return sample.coloured
    colours = next((values.codes for values in possible if values.kind == COLOURS), {})
    ids = next((values.codes for values in possible if values.kind == CLASS_IDS), {})
    used = _different(sample.values)
    shown = sample.palette[used]
    grey = (shown & 255 == shown >> 16) & (shown & 255 == (shown >> 8) & 255)
    if grey.all() or not all(int(code) in colours for code in shown):
        return False
    return any(colours[int(code)] != ids.get(int(value)) for value, code in zip(used, shown, strict=True))


def _different(values: npt.NDArray[np.uint8 | np.uint32]) -> npt.NDArray[Any]:
    """Return the values that there are, in order; bytes are counted, a tenth of the time of sorting them."""
    if values.dtype == np.uint8:
        return np.flatnonzero(np.bincount(values.ravel(), minlength=256))
    return np.unique(values)


def _codes_of(raw: RawLabels, coloured: bool) -> npt.NDArray[np.uint8 | np.uint32]:
    return (raw.in_colours if coloured else raw).values


def decode(raw: RawLabels, values: LabelValues) -> npt.NDArray[np.uint8]:
    """Return a file's label map, uint8 (H, W), with VOID where it is no class.

    Raises LabelError that names the file, the first value that `values` does not know, and its place.
    """
    codes, table = coded(raw, values)
    return table.take(codes)


def coded(raw: RawLabels, values: LabelValues) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Return a file's bytes (H, W), and the class or VOID of each of 256, so that no pixel is looked up.

    Raises as `decode` does.
    """
    coloured = values.kind == COLOURS
    if coloured:
        raw = raw.in_colours
    if raw.coloured != coloured:
        held = "colours" if raw.coloured else "ids"
        raise LabelError(f"{raw.name} holds {held}, where the other labels are {values.words}.")
    known = np.array(sorted(values.codes), np.uint32)
    classes = np.array([values.codes[int(code)] for code in known], np.uint8)
    ids = raw.values
    if ids.dtype == np.uint8:
        allowed = known <= np.iinfo(np.uint8).max
        table = np.full(256, VOID, np.uint8)
        table[known[allowed]] = classes[allowed]
        if ids.tobytes().translate(None, known[allowed].astype(np.uint8).tobytes()):
            raise _unknown(raw, values, ~np.isin(ids, known))
        return ids.view(np.uint8), table
    places = np.minimum(np.searchsorted(known, ids), len(known) - 1)
    wrong = known[places] != ids
    if wrong.any():
        raise _unknown(raw, values, wrong)
    return classes[places], np.arange(256, dtype=np.uint8)


def _unknown(raw: RawLabels, values: LabelValues, wrong: npt.NDArray[np.bool_]) -> LabelError:
    """Return what to say of the first value of a file that means nothing."""
    row, column = np.unravel_index(int(wrong.argmax()), wrong.shape)
    value = int(raw.values[row, column])
    shown = f"the colour {_colour(value)}" if values.kind == COLOURS else f"the value {value}"
    return LabelError(
        f"{raw.name}: {shown} at x {column}, y {row} is none of the {values.words} "
        f"({values.allowed}): correct the file, or give a mapping."
    )


def read_raw(source: LabelSource, name: str | None = None) -> RawLabels:
    """Read a label file as it is: a path, bytes, or an array of ids (H, W) or colours (H, W, 3).

    Raises LabelError or ImageError, one line, for what cannot hold labels.
    """
    if isinstance(source, np.ndarray):
        return _from_array(source, shown_name(name or "the label array"))
    if not isinstance(source, bytes):
        name = name or os.fspath(source)
        source = read_file(source, shown_name(name))
    shown = shown_name(name or "the label file")
    image = open_image(source, shown)
    if image.format not in _EXACT_FORMATS:
        raise LabelError(f"{shown} is a {image.format}, whose pixels are not exact: save labels as PNG.")
    if image.mode not in _ID_MODES | _COLOUR_MODES:
        raise LabelError(
            f"{shown} has pixels of a kind that cannot hold labels (Pillow calls it {image.mode}): "
            "save it as PNG with 8-bit or 16-bit ids, a palette, or RGB colours."
        )
    with decoding(shown):
        image.load()
        pixels = np.asarray(turned_upright(image, image))
    if image.mode in _COLOUR_MODES:
        return _from_array(pixels[..., :3], shown)
    return replace(_from_array(pixels, shown), palette=_palette(image))


def _from_array(pixels: npt.NDArray[Any], name: str) -> RawLabels:
    if pixels.dtype == np.bool_:
        pixels = pixels.astype(np.uint8)
    if pixels.dtype.kind not in "ui" or pixels.ndim not in (2, 3) or pixels.shape[2:] not in ((), (3,)):
        raise LabelError(
            f"{name} has shape {pixels.shape} and type {pixels.dtype}: give whole numbers of shape "
            "(height, width), or RGB (height, width, 3)."
        )
    if pixels.ndim == 2:
        fits = pixels.dtype == np.uint8
        return RawLabels(name, pixels if fits else pixels.astype(np.uint32), coloured=False)
    red, green, blue = np.moveaxis(pixels.astype(np.uint32), 2, 0)
    return RawLabels(name, (red << 16) | (green << 8) | blue, coloured=True)


def _palette(image: Image.Image) -> npt.NDArray[np.uint32] | None:
    """Return the colour of each of 256 ids, NO_COLOUR where the file gives none."""
    if image.mode != "P":
        return None
    codes = np.full(256, NO_COLOUR, np.uint32)
    given = np.array(image.getpalette("RGB") or [], np.uint32).reshape(-1, 3)[:256]
    codes[: len(given)] = (given[:, 0] << 16) | (given[:, 1] << 8) | given[:, 2]
    return codes


def check_size(raw: RawLabels, rgb: npt.NDArray[np.uint8]) -> None:
    """Raise LabelError unless a label file has the size of its picture (H, W, 3)."""
    height, width = raw.values.shape
    if (height, width) != rgb.shape[:2]:
        raise LabelError(
            f"{raw.name} is {width}x{height}, and its picture {rgb.shape[1]}x{rgb.shape[0]}: "
            "give both the same size."
        )


def _code(colour: Sequence[Any]) -> int:
    red, green, blue = (int(value) for value in colour)
    return (red << 16) | (green << 8) | blue


def _colour(code: int) -> Colour:
    return code >> 16, (code >> 8) & 255, code & 255


@cache
def _value_table() -> pd.DataFrame:
    import pandera.pandas as pa

    from zoo.schemas import one_of, schema, text, whole_number

    byte = {channel: whole_number(0, 255) for channel in ("red", "green", "blue")}
    return load_table(
        DATA / "label_values.csv",
        schema(
            dataset=one_of(load_datasets().index),
            id=pa.Column("Int64", pa.Check.in_range(0, 65535, error="0 to 65535"), nullable=True),
            name=text(),
            **{"class": text(nullable=True)},
            **byte,
        ),
    )
