"""Every line of the trust list about pictures, on files that the tests make."""

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from zoo import limits
from zoo.errors import ImageError, shown_name
from zoo.images import Picture, read_image

rng = np.random.default_rng(1)
PHOTO = np.kron(rng.integers(0, 256, (12, 16, 3)), np.ones((8, 8, 1))).astype(np.uint8)  # 128x96


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def photo(kind: str = "JPEG", **options: object) -> bytes:
    return encoded(Image.fromarray(PHOTO), kind, **options)


def refusal(source: object, name: str | None = "holiday.png") -> str:
    with pytest.raises(ImageError) as caught:
        read_image(source, name)
    message = str(caught.value)
    assert "\n" not in message
    assert name is None or shown_name(name) in message
    return message


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_header(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(b"\0" * 10))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
def test_each_format_is_read(kind: str, tmp_path: Path) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    path = tmp_path / f"street.{kind.lower()}"
    path.write_bytes(photo(kind, **options))
    picture = read_image(path)
    assert picture.name == path.name
    assert picture.changes == ()
    assert picture.rgb.dtype == np.uint8
    assert np.abs(picture.rgb.astype(int) - PHOTO).mean() <= (20 if kind == "JPEG" else 0)


def test_path_text_bytes_pillow_and_array_are_the_same_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(photo("PNG"))
    for source in (path, str(path), path.read_bytes(), Image.open(path), Image.fromarray(PHOTO), PHOTO):
        assert (read_image(source).rgb == PHOTO).all()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"these are words, not pixels\n" * 20, "is not an image"),
        (photo("GIF"), "is a GIF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n", "is an EPS"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 100, "save it as JPEG"),
        (photo("AVIF"), "save it as JPEG"),
        (photo("PPM"), "is not an image that can be read"),
        (png_header(30_000, 30_000), "40 megapixels"),
        (png_header(10_000, 10_000), "40 megapixels"),
        (png_header(8_000, 6_000), "8000x6000"),
        (png_header(1, 65_535), "1x65535"),
        (png_header(15, 100), "15x100"),
        (png_header(16_385, 1_000), "16385x1000"),
        (png_header(2_000, 99), "20 times"),
        (png_header(100, 100), "is "),
        (b"\xff\xd8\xff\xe0", "is damaged"),
        (b"x" * (limits.IMAGE_BYTES + 1), "at most 20 MB"),
        (encoded(Image.fromarray(np.ones((32, 32), np.float32)), "TIFF"), "pixels of a kind"),
        (encoded(Image.fromarray(np.ones((32, 32), np.int32)), "TIFF"), "pixels of a kind"),
    ],
)
def test_refused_with_its_cause(data: bytes, words: str) -> None:
    assert words in refusal(data)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
@pytest.mark.parametrize("part", [0.5, 0.9])
def test_half_a_file_is_no_picture(kind: str, part: float) -> None:
    data = photo(kind)
    assert "is cut short" in (message := refusal(data[: int(len(data) * part)])) or "is damaged" in message


def test_half_a_jpeg_is_called_cut_short() -> None:
    for options in ({}, {"progressive": True}):
        data = photo("JPEG", quality=95, **options)
        assert "is cut short" in refusal(data[: len(data) // 2])


def test_any_flipped_byte_of_a_png_is_noticed() -> None:
    data = photo("PNG")
    end = data.index(b"IEND") - 4  # the end mark itself carries nothing
    for place in range(0, end, 7):
        flipped = data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :]
        assert "is " in refusal(flipped), place


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    kind=st.sampled_from(["JPEG", "PNG", "WEBP", "BMP", "TIFF"]),
    changes=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=6
    ),
    part=st.floats(0.01, 1),
)
def test_a_damaged_file_is_a_picture_or_one_line(
    kind: str, changes: list[tuple[float, int]], part: float
) -> None:
    data = bytearray(photo(kind))
    for place, value in changes:
        data[int(place * len(data))] = value
    message = ""
    try:
        assert isinstance(read_image(bytes(data[: int(part * len(data)) + 1]), "x.png"), Picture)
    except ImageError as error:
        message = str(error)
    assert "\n" not in message


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_rescaled(kind: str) -> None:
    ramp = np.linspace(0, 65_535, 64, dtype=np.uint16)
    picture = read_image(encoded(Image.fromarray(np.tile(ramp, (32, 1))), kind))
    assert np.abs(picture.rgb[0, :, 0].astype(float) - ramp / 257).max() <= 0.51
    assert "16-bit" in " ".join(picture.changes)


def test_cmyk_keeps_its_colours() -> None:
    orange = Image.new("RGB", (64, 64), (230, 120, 20))
    cmyk = orange.convert("CMYK")
    for kind in ("JPEG", "TIFF"):
        picture = read_image(encoded(cmyk, kind))
        assert np.abs(picture.rgb[30, 30].astype(int) - (230, 120, 20)).max() < 8
        assert "CMYK" in " ".join(picture.changes)


def test_a_damaged_colour_profile_does_not_spoil_cmyk() -> None:
    data = encoded(Image.new("CMYK", (64, 64), (0, 255, 255, 0)), "JPEG", icc_profile=b"no profile")
    assert read_image(data).rgb[0, 0, 0] > 240


def test_a_profile_of_another_space_does_not_spoil_cmyk() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encoded(Image.new("CMYK", (64, 64), (0, 255, 255, 0)), "JPEG", icc_profile=srgb)
    assert read_image(data).rgb[0, 0, 0] > 240


def test_transparency_is_put_on_white_and_said() -> None:
    rgba = np.zeros((32, 32, 4), np.uint8)
    rgba[:, :16] = (10, 200, 30, 255)
    rgba[:, 16:] = (0, 0, 0, 128)
    for kind in ("PNG", "TIFF"):
        picture = read_image(encoded(Image.fromarray(rgba), kind))
        assert (picture.rgb[0, 0] == (10, 200, 30)).all()
        assert np.abs(picture.rgb[0, 31].astype(int) - 127).max() <= 1
        assert "white" in " ".join(picture.changes)
    assert read_image(encoded(Image.fromarray(rgba[:, :16]), "PNG")).changes == ()


def test_a_transparent_palette_colour_is_put_on_white() -> None:
    palette = Image.new("P", (32, 32), 1)
    palette.putpalette([0, 0, 255, 255, 0, 0])
    palette.paste(0, (0, 0, 16, 32))
    picture = read_image(encoded(palette, "PNG", transparency=0))
    assert (picture.rgb[0, 0] == 255).all()
    assert (picture.rgb[0, 31] == (255, 0, 0)).all()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photo_comes_upright(kind: str, orientation: int) -> None:
    # What a camera held that way writes: the inverse of the turn that the tag asks for, by numpy.
    stored = {
        1: PHOTO,
        2: PHOTO[:, ::-1],
        3: PHOTO[::-1, ::-1],
        4: PHOTO[::-1],
        5: PHOTO.transpose(1, 0, 2),
        6: np.rot90(PHOTO, 1),
        7: np.rot90(PHOTO.transpose(1, 0, 2), 2),
        8: np.rot90(PHOTO, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 100, "subsampling": 0}}.get(kind, {})
    picture = read_image(encoded(Image.fromarray(np.ascontiguousarray(stored)), kind, exif=exif, **options))
    assert picture.rgb.shape == PHOTO.shape
    assert np.abs(picture.rgb.astype(int) - PHOTO).max() <= 12
    assert bool(picture.changes) == (orientation != 1)


def test_damaged_notes_do_not_spoil_a_photo() -> None:
    assert read_image(photo("JPEG", exif=b"Exif\0\0nonsense" + b"\xff" * 50)).rgb.shape == PHOTO.shape


@pytest.mark.parametrize("kind", ["WEBP", "PNG", "TIFF", "MPO"])
def test_several_pictures_give_the_first_and_say_so(kind: str) -> None:
    red, blue = (Image.new("RGB", (32, 32), colour) for colour in ("red", "blue"))
    picture = read_image(encoded(red, kind, save_all=True, append_images=[blue]))
    assert np.abs(picture.rgb[5, 5].astype(int) - (255, 0, 0)).max() < 5
    assert "first" in " ".join(picture.changes)


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    assert "is a folder" in refusal(tmp_path, None)
    assert "does not exist" in refusal(tmp_path / "none.png", None)
    assert "does not exist" in refusal("a\0b.png", None)


@pytest.mark.parametrize(
    "array",
    [np.zeros((64, 64), np.uint8), np.zeros((64, 64, 4), np.uint8), np.zeros((64, 64, 3), np.float32)],
)
def test_arrays_that_are_not_uint8_rgb(array: np.ndarray) -> None:
    assert "uint8 RGB of shape" in refusal(array, "frame")


def test_names_from_outside_stay_text() -> None:
    message = refusal(b"", "../../etc/evil\n<script>" + "x" * 5000)
    assert "etc" not in message
    assert len(message) < 200


def test_an_error_is_one_line_on_standard_error(tmp_path: Path) -> None:
    """Pillow warns of large pictures, and libtiff writes by itself, both into the middle of ours."""
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (99, 99, 3), np.uint8)).save(
        file, "TIFF", compression="tiff_lzw"
    )
    damaged = bytearray(file.getvalue())
    for place in range(len(damaged) // 3, len(damaged) // 3 + 40):
        damaged[place] ^= 0xFF
    (tmp_path / "damaged.tif").write_bytes(damaged)
    Image.new("1", (10_000, 10_000)).save(tmp_path / "large.png")
    code = (
        "import sys\n"
        "from zoo.errors import ImageError\n"
        "from zoo.images import read_image\n"
        "for name in sys.argv[1:]:\n"
        "    try:\n"
        "        read_image(name)\n"
        "    except ImageError as error:\n"
        "        print(error, file=sys.stderr)\n"
    )
    names = [str(tmp_path / "damaged.tif"), str(tmp_path / "large.png")]
    done = subprocess.run([sys.executable, "-c", code, *names], capture_output=True, text=True, check=True)
    lines = done.stderr.splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["damaged.tif", "large.png"]
    assert "is damaged" in lines[0]
    assert "10000x10000" in lines[1]


def test_what_reading_takes_is_told() -> None:
    assert read_image(np.zeros((900, 900, 3), np.uint8)).seconds > 0
