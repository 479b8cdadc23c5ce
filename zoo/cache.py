"""The user's cache folder: downloads and exports, whole files only, bounded, shared by several servers."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO

CACHE_VARIABLE = "SEGSELECT_CACHE"
_PART = ".segselect-part"
"""Ours alone: an export goes to a folder of the user's, where others may have their own .part files."""
_PART_SECONDS = 3600
"""A temporary file older than this was left by a crash: nothing here takes so long to write."""


def cache_dir() -> Path:
    """Return the user's cache folder, or what SEGSELECT_CACHE names; it need not exist."""
    import platformdirs

    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("segselect", appauthor=False)


def weights_dir() -> Path:
    """Return the folder of downloaded weights; it need not exist."""
    return cache_dir() / "weights"


def exports_dir() -> Path:
    """Return the folder of networks exported to ONNX; it need not exist."""
    return cache_dir() / "exports"


def quantized_dir() -> Path:
    """Return the folder of networks in 8 bits; it need not exist."""
    return cache_dir() / "quantized"


def all_dirs() -> tuple[Path, ...]:
    """Return every folder that is ours to empty."""
    return weights_dir(), exports_dir(), quantized_dir()


@contextmanager
def whole_file(folder: Path, prefix: str = "") -> Iterator[tuple[Path, IO[bytes]]]:
    """Give a new file in the folder that is gone afterwards unless it was renamed.

    Under its name a file is whole. Raises OSError where it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sweep(folder)
    number, name = tempfile.mkstemp(prefix=prefix, suffix=_PART, dir=folder)
    path = Path(name)
    try:
        with os.fdopen(number, "wb") as file:
            yield path, file
    finally:
        path.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that nobody ever sees in part. Raises OSError where it cannot be written."""
    with whole_file(path.parent, f"{path.stem}.") as (part, file):
        file.write(content)
        # Written through to the disk before the file gets its name: a full disk may only show here.
        file.flush()
        os.fsync(file.fileno())
        file.close()
        part.replace(path)


def sweep(folder: Path) -> None:
    """Remove the temporary files that a crash left in a folder."""
    for part in folder.glob(f"*{_PART}"):
        try:
            if time.time() - part.stat().st_mtime > _PART_SECONDS:
                part.unlink(missing_ok=True)
        except FileNotFoundError:  # another server swept it first
            continue


def touch(path: Path) -> None:
    """Note that a file was used just now, which keeps it from being pruned; when it was written stays."""
    os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))


def prune(folder: Path, pattern: str, keep: int) -> None:
    """Remove all but the `keep` files of a pattern that were used last (see `touch`)."""
    used: list[tuple[float, Path]] = []
    for path in folder.glob(pattern):
        try:
            used.append((path.stat().st_atime, path))
        except FileNotFoundError:  # another server removed it first
            continue
    for _, path in sorted(used, reverse=True)[keep:]:
        path.unlink(missing_ok=True)


def hash_file(path: Path) -> str:
    """Return a file's SHA-256 as 64 hex digits; a file that has not changed is read only once a process."""
    facts = path.stat()
    return _hash(path, facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=64)
def _hash(path: Path, _size: int, _mtime: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
