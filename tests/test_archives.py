"""Zips that people send, good and bad."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from zoo import limits
from zoo.archives import Archive
from zoo.errors import ArchiveError


def packed(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def opened(data: bytes) -> Archive:
    return Archive(io.BytesIO(data), "photos.zip")


def test_files_are_read_one_at_a_time_and_nothing_else_counts(tmp_path: Path) -> None:
    path = tmp_path / "photos.zip"
    files = {"a/1.png": b"one", "a/": b"", "__MACOSX/a/._1.png": b"x", ".DS_Store": b"x", "b.png": b"two"}
    path.write_bytes(packed(files))
    archive = Archive(path)
    assert [str(file) for file in archive.files] == ["a/1.png", "b.png"]
    assert archive.read(PurePosixPath("b.png"), 10) == b"two"
    assert archive.read(PurePosixPath("a/1.png"), 3) == b"one"
    assert [item.name for item in tmp_path.iterdir()] == ["photos.zip"]


def encrypted() -> bytes:
    data = bytearray(packed({"a.png": b"a"}))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def with_count(entries: int, directory: int) -> bytes:
    """Return a zip whose last record says that it has so many entries, in a list of so many bytes."""
    data = bytearray(packed({"a.png": b"a"}))
    struct.pack_into("<HI", data, data.index(b"PK\x05\x06") + 10, entries, directory)
    return bytes(data)


def with_count64(entries: int) -> bytes:
    """Return a zip with a Zip64 record that says so, which the library believes more than the other."""
    data = packed({"a.png": b"a"})
    place = data.index(b"PK\x05\x06")
    record = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, entries, entries, 100, 0)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, place, 1)
    return data[:place] + record + locator + data[place:]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"no zip at all", "is not a zip"),
        (packed({"a.png": b"a" * 500})[:-8], "is not a zip, or is cut short"),
        (packed({}), "holds no files"),
        (packed({"a/": b"", ".DS_Store": b"x"}), "holds no files"),
        (packed({"../a.png": b"a"}), "leaves the zip"),
        (packed({"a/../../b.png": b"a"}), "leaves the zip"),
        (packed({"/etc/passwd": b"a"}), "leaves the zip"),
        (packed({"C:/a.png": b"a"}), "leaves the zip"),
        (packed({"..\\a.png": b"a"}), "leaves the zip"),
        (packed({"a.png": b"a", "./a.png": b"a"}), "two files"),
        (encrypted(), "encrypted"),
        (with_count(limits.ZIP_ENTRIES + 1, 100), "more than 20,000 entries"),
        (with_count(1, limits.ZIP_DIRECTORY_BYTES + 1), "more than 20,000 entries"),
        (with_count64(limits.ZIP_ENTRIES + 1), "more than 20,000 entries"),
    ],
)
def test_what_cannot_be_taken_is_refused_in_one_line(data: bytes, reason: str) -> None:
    with pytest.raises(ArchiveError, match=reason) as caught:
        opened(data)
    assert "\n" not in str(caught.value)
    assert "photos.zip" in str(caught.value)


def test_more_entries_than_allowed_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ZIP_ENTRIES", 3)
    assert len(opened(packed({f"{place}.png": b"" for place in range(3)})).files) == 3
    with pytest.raises(ArchiveError, match="more than 3 entries"):
        opened(packed({f"{place}.png": b"" for place in range(4)}))


def test_a_zip_beyond_its_size_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    data = packed({"a.png": b"a"})
    monkeypatch.setattr(limits, "ZIP_BYTES", len(data) - 1)
    with pytest.raises(ArchiveError, match="a zip may have"):
        opened(data)


def test_what_unpacks_to_more_than_the_limit_is_refused_before_it_is_unpacked() -> None:
    bomb = packed({f"{place}.png": bytes(21_000_000) for place in range(2)})
    archive = opened(bomb)
    assert len(bomb) < 100_000
    with pytest.raises(ArchiveError, match="more than 20 MB unpacked"):
        archive.read(PurePosixPath("1.png"), limits.IMAGE_BYTES)
    sizes = bytearray(bomb)
    struct.pack_into("<I", sizes, sizes.index(b"PK\x01\x02") + 24, 2_000_000_000)
    with pytest.raises(ArchiveError, match="unpacks to 2,021 MB"):
        opened(bytes(sizes))


def test_an_entry_that_lies_about_its_size_is_damaged() -> None:
    data = bytearray(packed({"a.png": b"a" * 5000}))
    struct.pack_into("<I", data, data.index(b"PK\x01\x02") + 24, 10)
    with pytest.raises(ArchiveError, match=r"a\.png in photos\.zip is damaged"):
        opened(bytes(data)).read(PurePosixPath("a.png"), 10_000)


def test_a_flipped_byte_is_damage_and_the_others_stay() -> None:
    data = bytearray(packed({"a.png": b"good", "b.png": bytes(range(200))}, zipfile.ZIP_STORED))
    data[data.index(bytes(range(200))) + 50] ^= 1
    archive = opened(bytes(data))
    with pytest.raises(ArchiveError, match=r"b\.png in photos\.zip is damaged"):
        archive.read(PurePosixPath("b.png"), 1000)
    assert archive.read(PurePosixPath("a.png"), 1000) == b"good"


def test_names_are_text_in_messages() -> None:
    with pytest.raises(ArchiveError) as caught:
        opened(packed({"../<b>\n\x1b[31m" + "x" * 500: b"a"}))
    assert len(str(caught.value)) < 250
    assert str(caught.value).isprintable()


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=r"absent\.zip cannot be read"):
        Archive(tmp_path / "absent.zip")
