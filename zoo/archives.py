"""The door for zips: entries are listed, and read one at a time in memory; none is ever written to disk."""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from zoo import limits
from zoo.errors import ArchiveError, shown_name

_END = b"PK\x05\x06"
_END_BYTES = 22
_LONGEST_COMMENT = 65_535
_END64_LOCATOR = b"PK\x06\x07"
_END64_LOCATOR_BYTES = 20


class Archive:
    """A zip that may be read, from several threads too; its file is let go with the last who uses it."""

    def __init__(self, source: Path | BinaryIO, name: str | None = None) -> None:
        """Open the zip at a path or in a binary file.

        Raises ArchiveError for what is no zip, an empty one, one beyond zoo.limits packed or unpacked, and
        one with a path that leaves it.
        """
        self.name = shown_name(name or (source if isinstance(source, Path) else "the zip"))
        try:
            file = source.open("rb") if isinstance(source, Path) else source
        except OSError as error:
            raise ArchiveError(f"{self.name} cannot be read: {error.strerror or error}.") from error
        self._owned = file if isinstance(source, Path) else None
        try:
            _check_directory(file, self.name)
            with _unpacking(self.name):
                self._zip = zipfile.ZipFile(file)
            self._entries = _checked_entries(self._zip.infolist(), self.name)
        except BaseException:
            self.close()
            raise

    @property
    def files(self) -> tuple[PurePosixPath, ...]:
        """What is in it, without folders, hidden files and what macOS adds."""
        return tuple(self._entries)

    def read(self, file: PurePosixPath, most: int) -> bytes:
        """Return one file's bytes, or raise ArchiveError if it is damaged or has more than `most` bytes."""
        shown = f"{shown_name(file)} in {self.name}"
        with _unpacking(shown), self._zip.open(self._entries[file]) as entry:
            data = entry.read(most + 1)
        if len(data) > most:
            raise ArchiveError(
                f"{shown} has more than {most // limits.MEGABYTE} MB unpacked, the most a file may have."
            )
        return data

    def close(self) -> None:
        """Let the file go, if it was opened here."""
        if self._owned is not None:
            self._owned.close()

    def __del__(self) -> None:
        if hasattr(self, "_owned"):
            self.close()


def _check_directory(file: BinaryIO, name: str) -> None:
    """Refuse a zip by its last bytes: the library would read a list of entries of any length into memory."""
    total = file.seek(0, os.SEEK_END)
    if total == 0:
        raise ArchiveError(f"{name} is empty: send the zip again.")
    if total > limits.ZIP_BYTES:
        raise ArchiveError(
            f"{name} has {total / limits.MEGABYTE:,.0f} MB, and a zip may have "
            f"{limits.ZIP_BYTES // limits.MEGABYTE} MB: send fewer images at a time."
        )
    start = max(0, total - _END_BYTES - _LONGEST_COMMENT - _END64_LOCATOR_BYTES)
    file.seek(start)
    tail = file.read()
    place = tail.rfind(_END)
    if place < 0 or len(tail) < place + _END_BYTES:
        raise ArchiveError(f"{name} is not a zip, or is cut short: send the original again.")
    entries, directory = struct.unpack_from("<HI", tail, place + 10)
    locator = place - _END64_LOCATOR_BYTES
    if locator >= 0 and tail.startswith(_END64_LOCATOR, locator):
        file.seek(min(struct.unpack_from("<Q", tail, locator + 8)[0], total))
        record = file.read(56)
        if len(record) < 56:
            raise ArchiveError(f"{name} is damaged: send the original again.")
        entries, directory = struct.unpack_from("<QQ", record, 32)
    if entries > limits.ZIP_ENTRIES or directory > limits.ZIP_DIRECTORY_BYTES:
        raise _too_many(name)


def _checked_entries(entries: list[zipfile.ZipInfo], name: str) -> dict[PurePosixPath, zipfile.ZipInfo]:
    if len(entries) > limits.ZIP_ENTRIES:
        raise _too_many(name)
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > limits.ZIP_UNPACKED_BYTES:
        raise ArchiveError(
            f"{name} unpacks to {unpacked / limits.MEGABYTE:,.0f} MB, and at most "
            f"{limits.ZIP_UNPACKED_BYTES // limits.MEGABYTE:,} MB can be taken: send fewer images at a time."
        )
    files: dict[PurePosixPath, zipfile.ZipInfo] = {}
    for entry in entries:
        path = PurePosixPath(entry.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in entry.filename or ":" in entry.filename:
            raise ArchiveError(
                f"{name} holds the path {shown_path(entry.filename)}, which leaves the zip: pack it again "
                "with plain names."
            )
        if entry.flag_bits & 1:
            raise ArchiveError(f"{name} is encrypted: pack it again without a password.")
        if entry.is_dir() or is_hidden(path):
            continue
        if path in files:
            raise ArchiveError(f"{name} holds two files {shown_path(entry.filename)}: pack it again.")
        files[path] = entry
    if not files:
        raise ArchiveError(f"{name} holds no files: pack the images and their labels into it.")
    return files


def is_hidden(path: PurePosixPath) -> bool:
    """Return whether a path is one that systems add and people do not see."""
    return any(part.startswith(".") or part == "__MACOSX" for part in path.parts)


def shown_path(path: str) -> str:
    """Return a path from outside as a message may show it."""
    return ascii(path[:60])


def _too_many(name: str) -> ArchiveError:
    return ArchiveError(
        f"{name} holds more than {limits.ZIP_ENTRIES:,} entries, the most a zip may have: "
        "send fewer images at a time."
    )


@contextmanager
def _unpacking(name: str) -> Iterator[None]:
    """Whatever the library raises on the way means that the zip is damaged, or packed in a way of its own."""
    try:
        yield
    except NotImplementedError as error:
        raise ArchiveError(f"{name} is packed in a way that cannot be read: pack it again as zip.") from error
    except Exception as error:  # bad data raises anything, from BadZipFile to zlib.error and struct.error
        raise ArchiveError(f"{name} is damaged: send the original again.") from error
