"""The one door for pictures: a path, bytes, a Pillow image or an array becomes an upright 8-bit RGB picture.

Nothing is decoded before the header has been held against zoo.limits, and nothing is changed without being
said: what was rotated, rescaled or flattened comes back as sentences. Whatever is wrong with a file is an
ImageError of one line that names it.
"""

from __future__ import annotations

import ctypes
import io
import os
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL
from PIL import Image, ImageCms, UnidentifiedImageError

from zoo import limits
from zoo.errors import ImageError, shown_name

ImageSource = str | os.PathLike[str] | bytes | Image.Image | npt.NDArray[np.uint8]

READABLE = "JPEG, PNG, WebP, BMP or TIFF"
_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_PLAIN_MODES = {"1", "L", "P", "RGB", "RGBX", "YCbCr"}
_ALPHA_MODES = {"LA", "PA", "RGBA", "RGBa"}
_GREY16_MODES = {"I;16", "I;16L", "I;16B", "I;16N"}
# Kinds of file that people do try, told by their first bytes, so that the message can name them.
_OTHER_FILES = (
    (0, b"GIF8", "a GIF"),
    (0, b"%!PS", "an EPS drawing"),
    (0, b"\xc5\xd0\xd3\xc6", "an EPS drawing"),
    (0, b"%PDF", "a PDF"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000"),
    (8, b"avi", "an AVIF photo"),
    (8, b"heic", "a HEIC photo"),
    (8, b"heix", "a HEIC photo"),
    (8, b"hevc", "a HEIC photo"),
    (8, b"mif1", "a HEIC photo"),
    (8, b"msf1", "a HEIC photo"),
)


# Of a picture's size Pillow only warns, on standard error, where zoo.limits refuses or allows.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


@dataclass(frozen=True)
class Picture:
    """A picture as every part of the product takes it."""

    rgb: npt.NDArray[np.uint8]
    """RGB, uint8, shape (height, width, 3), upright."""
    changes: tuple[str, ...]
    """What was done to it on the way in, one sentence each."""
    name: str
    """Its file's name, safe to show as text."""
    seconds: float = 0.0
    """What it took to read."""


def read_image(source: ImageSource, name: str | None = None) -> Picture:
    """Turn an image from outside into a Picture.

    `source` is a path, the bytes of a file, a Pillow image, or uint8 RGB of shape (height, width, 3).
    `name` is what messages call it where the source has no name of its own.
    Raises ImageError, one line, for whatever cannot be used (zoo.limits has the limits).
    """
    start = time.perf_counter()
    picture = _read(source, name)
    return replace(picture, seconds=time.perf_counter() - start)


def _read(source: ImageSource, name: str | None) -> Picture:
    if isinstance(source, np.ndarray):
        return _from_array(source, shown_name(name or "the array"))
    if isinstance(source, Image.Image):
        return _from_pillow(source, shown_name(name or getattr(source, "filename", "") or "the image"))
    if isinstance(source, bytes):
        shown = shown_name(name or "the image")
        return _from_pillow(open_image(source, shown), shown)
    shown = shown_name(name or os.fspath(source))
    return _from_pillow(open_image(read_file(source, shown), shown), shown)


def read_file(source: str | os.PathLike[str], name: str) -> bytes:
    """Return the bytes of an image file, `name` in messages, or raise ImageError."""
    path = Path(source)
    try:
        if path.is_dir():
            raise ImageError(f"{name} is a folder: name an image file ({READABLE}).")
        if not path.exists():
            raise ImageError(f"{name} does not exist: check the path.")
        if not path.is_file():
            raise ImageError(f"{name} is not a file: name an image file ({READABLE}).")
        _check_bytes(path.stat().st_size, name)
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or "unknown reason"
        raise ImageError(f"{name} cannot be read ({reason}): check the path and its permissions.") from error


def _check_bytes(size: int, name: str) -> None:
    if size == 0:
        raise ImageError(f"{name} is empty: send the image again.")
    if size > limits.IMAGE_BYTES:
        raise ImageError(
            f"{name} has {size / limits.MEGABYTE:.1f} MB, and at most "
            f"{limits.IMAGE_BYTES // limits.MEGABYTE} MB can be taken: save it smaller, as a JPEG."
        )


def _check_pixels(width: int, height: int, name: str) -> None:
    low, high = limits.IMAGE_MIN_SIDE, limits.IMAGE_MAX_SIDE
    if not (low <= width <= high and low <= height <= high):
        raise ImageError(
            f"{name} is {width}x{height}, and each side must have {low} to {high} pixels: resize it."
        )
    if width * height > limits.IMAGE_PIXELS:
        raise ImageError(
            f"{name} is {width}x{height}, and at most "
            f"{limits.IMAGE_PIXELS // 1_000_000} megapixels can be taken: make it smaller."
        )
    if max(width, height) > limits.IMAGE_MAX_ASPECT * min(width, height):
        raise ImageError(
            f"{name} is {width}x{height}, and one side may be at most "
            f"{limits.IMAGE_MAX_ASPECT} times the other: crop it."
        )


def _from_array(array: npt.NDArray[np.uint8], name: str) -> Picture:
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3:
        raise ImageError(
            f"{name} has shape {array.shape} and type {array.dtype}: "
            "give uint8 RGB of shape (height, width, 3)."
        )
    _check_pixels(array.shape[1], array.shape[0], name)
    return Picture(np.ascontiguousarray(array), (), name)


def open_image(data: bytes, name: str) -> Image.Image:
    """Return a file's image, not decoded yet: its header is within zoo.limits, a PNG's check sums are right.

    `name` is what messages call it. Raises ImageError, one line.
    """
    _check_bytes(len(data), name)
    image = _open(data, name)
    _check_pixels(*image.size, name)
    if image.format == "PNG":
        # Pillow's decoder passes over the check sums of the pixels; verify() does not, and spends the image.
        with decoding(name):
            image.verify()
        image = _open(data, name)
    return image


@cache
def _silence_libtiff() -> None:
    """Keep libtiff from writing to standard error by itself: what is wrong with a file comes as an exception.

    Pillow's wheels bring the library along; another build of Pillow goes on writing.
    """
    home = Path(PIL.__file__).parent
    for library in [*home.glob(".dylibs/libtiff*"), *home.parent.glob("pillow.libs/libtiff*")]:
        ctypes.CDLL(os.fspath(library)).TIFFSetErrorHandler(None)


def _open(data: bytes, name: str) -> Image.Image:
    """Read the header, trying no format but the listed ones: others run more code, Ghostscript even."""
    if data[:2] in (b"II", b"MM"):
        _silence_libtiff()
    try:
        return Image.open(io.BytesIO(data), formats=limits.IMAGE_FORMATS)
    except UnidentifiedImageError as error:
        raise ImageError(_unidentified(data, name)) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(
            f"{name} holds more than the {limits.IMAGE_PIXELS // 1_000_000} megapixels that can be taken: "
            "make it smaller."
        ) from error
    except Exception as error:  # any exception at all: a header made to break the parser
        raise ImageError(f"{name} is damaged: its header cannot be read. Send the original again.") from error


def _unidentified(data: bytes, name: str) -> str:
    for offset, signature, kind in _OTHER_FILES:
        if data[offset:].startswith(signature) and (offset == 0 or data[4:8] == b"ftyp"):
            return f"{name} is {kind}, which cannot be read here: save it as JPEG or PNG."
    if data[:2] == b"\xff\xd8" or data[:4] in (b"\x89PNG", b"RIFF", b"II*\x00", b"MM\x00*"):
        return f"{name} is damaged: its header cannot be read. Send the original again."
    return f"{name} is not an image that can be read: send {READABLE}."


@contextmanager
def decoding(name: str) -> Iterator[None]:
    """Whatever a decoder raises on the way means that the file is cut short or damaged."""
    try:
        yield
    except Exception as error:  # the decoders raise anything from OSError to struct.error on bad data
        fault = "is cut short" if "truncated" in str(error).lower() else "is damaged"
        raise ImageError(f"{name} {fault}: send the original again.") from error


def _from_pillow(image: Image.Image, name: str) -> Picture:
    _check_pixels(*image.size, name)
    changes: list[str] = []
    if getattr(image, "is_animated", False):
        changes.append("It holds several pictures: only the first one is used.")
    if image.mode not in _PLAIN_MODES | _ALPHA_MODES | _GREY16_MODES | {"CMYK"}:
        raise ImageError(
            f"{name} has pixels of a kind that cannot be shown (Pillow calls it {image.mode}): "
            "save it as an 8-bit JPEG or PNG."
        )
    orientation = _orientation(image)
    with decoding(name):
        image.load()
        upright = turned_upright(image, _as_rgb(image, changes))
    if orientation in _UPRIGHT:
        changes.append("It was turned upright, as its camera noted.")
    return Picture(np.array(upright), tuple(changes), name)


def turned_upright(loaded: Image.Image, converted: Image.Image) -> Image.Image:
    """Return `converted`, made from `loaded`, turned as the camera's notes in that one ask."""
    # Asked after loading: Pillow turns a TIFF by itself then, and forgets the tag.
    turn = _UPRIGHT.get(_orientation(loaded))
    return converted if turn is None else converted.transpose(turn)


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 (upright) where there is none that can be read."""
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # the picture itself is fine: only its notes are damaged, in any way at all
        return 1


def _as_rgb(image: Image.Image, changes: list[str]) -> Image.Image:
    if image.mode in _GREY16_MODES:
        changes.append("Its 16-bit grey was rescaled to 8 bits.")
        grey = np.asarray(image).astype(np.uint32)
        return Image.fromarray(((grey * 255 + 32767) // 65535).astype(np.uint8)).convert("RGB")
    if image.mode == "CMYK":
        changes.append("Its print colours (CMYK) were converted to RGB.")
        return _from_cmyk(image)
    if image.mode in _ALPHA_MODES or "transparency" in image.info:
        return _on_white(image, changes)
    return image if image.mode == "RGB" else image.convert("RGB")


def _from_cmyk(image: Image.Image) -> Image.Image:
    """Convert by the file's own colour profile; without a usable one, by the plain formula."""
    profile = image.info.get("icc_profile")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(
                image, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, OSError):
            pass  # a damaged profile does not spoil the picture
    return image.convert("RGB")


def _on_white(image: Image.Image, changes: list[str]) -> Image.Image:
    rgba = image.convert("RGBA")
    if rgba.getchannel("A").getextrema() == (255, 255):
        return rgba.convert("RGB")
    changes.append("Its transparent parts were put on white.")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
