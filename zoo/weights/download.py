"""Published weights into the cache folder: whole, checked, or not at all.

A file is written under a temporary name beside its place and gets its own name, which is the row's id and
the file's hash, only after every check. Whatever goes wrong leaves nothing behind and is one DownloadError.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pandas as pd

from zoo import limits
from zoo.cache import CACHE_VARIABLE, weights_dir, whole_file
from zoo.catalog import find_row
from zoo.errors import DownloadError, WeightsMissingError
from zoo.rows import Row
from zoo.weights.checkpoints import Checkpoint, resolve
from zoo.weights.published import published_list

if TYPE_CHECKING:
    import requests

DownloadProgress = Callable[[int, int | None], None]
"""Told the bytes that have come, and how many there will be where the server says so."""

CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 30.0
"""How long a server may say nothing before it is given up."""
_CHUNK_BYTES = 1 << 18


def download(row: str | Row, progress: DownloadProgress | None = None) -> Checkpoint:
    """Download a row's published weights anew, replacing those that are here, and return them.

    Raises DownloadError, WeightsMissingError where no address is known, and UnknownIdError.
    """
    row_id = find_row(row).id
    listed = published_list()
    if row_id not in listed.index:
        raise WeightsMissingError(
            f"no address to download weights of {row_id} from is known: "
            "see what there is with: python -m zoo weights"
        )
    entry: dict[Any, Any] = listed.loc[row_id].to_dict()
    with _temporary_file(row_id) as (path, file):
        digest = _fetch(entry["url"], file, row_id, progress)
        _check_hash(digest, entry, row_id)
        file.close()
        earlier = list(weights_dir().glob(f"{row_id}.*.{entry['format']}"))
        place = weights_dir() / f"{row_id}.{digest}.{entry['format']}"
        path.replace(place)
        for other in earlier:
            if other != place:
                other.unlink(missing_ok=True)
    return resolve(row_id, "published")


@contextmanager
def _temporary_file(row_id: str) -> Iterator[tuple[Path, IO[bytes]]]:
    """Give a new file in the weights folder that is gone afterwards unless it was renamed."""
    try:
        with whole_file(weights_dir(), f"{row_id}.") as given:
            yield given
    except OSError as error:
        raise DownloadError(
            f"the weights of {row_id} cannot be written to {weights_dir()}: {error.strerror or error}; "
            f"make room there, or name another folder in {CACHE_VARIABLE}."
        ) from error


def _fetch(url: str, file: IO[bytes], row_id: str, progress: DownloadProgress | None) -> str:
    """Write what the address gives into the file and return its SHA-256."""
    import requests

    host = url.split("/")[2]
    try:
        # Uncompressed, so that the length that the server states is the length that must arrive.
        with requests.get(
            url,
            stream=True,
            timeout=(CONNECT_SECONDS, SILENCE_SECONDS),
            headers={"Accept-Encoding": "identity"},
        ) as response:
            total = _check_response(response, host, row_id)
            return _copy(response.iter_content(_CHUNK_BYTES), file, host, row_id, total, progress)
    except (requests.exceptions.ChunkedEncodingError, requests.ConnectionError, requests.Timeout) as error:
        if isinstance(error, requests.exceptions.ChunkedEncodingError) or file.tell() > 0:
            raise DownloadError(
                f"the connection to {host} broke or fell silent before all of {row_id}'s weights had come: "
                "try again."
            ) from error
        raise DownloadError(
            f"{host} cannot be reached, so the weights of {row_id} cannot come: is this machine on the "
            "internet? Bundled weights and a file of your own need none."
        ) from error
    except requests.RequestException as error:
        reason = str(error).partition("\n")[0][:200]
        raise DownloadError(
            f"{host} gave no weights of {row_id} ({reason}): fetch {url} yourself and use --weights FILE."
        ) from error


def _check_response(response: requests.Response, host: str, row_id: str) -> int | None:
    """Return the length that the server states, if it does, or refuse what it sends."""
    if response.status_code != 200:
        raise DownloadError(
            f"{host} answered {response.status_code} for the weights of {row_id}: they may have moved; "
            "try again later, or get the file elsewhere and use --weights FILE."
        )
    if "html" in response.headers.get("Content-Type", "").lower():
        raise _web_page(host, row_id)
    length = response.headers.get("Content-Length", "")
    total = int(length) if length.isascii() and length.isdigit() else None
    if total is not None and total > limits.MODEL_BYTES:
        raise _too_large(host, row_id)
    return total


def _copy(
    chunks: Iterator[bytes],
    file: IO[bytes],
    host: str,
    row_id: str,
    total: int | None,
    progress: DownloadProgress | None,
) -> str:
    digest, done = hashlib.sha256(), 0
    for chunk in chunks:
        if done == 0 and chunk.lstrip()[:1] == b"<":
            raise _web_page(host, row_id)
        done += len(chunk)
        if done > limits.MODEL_BYTES:
            raise _too_large(host, row_id)
        file.write(chunk)
        digest.update(chunk)
        if progress is not None:
            progress(done, total)
    if done == 0:
        raise DownloadError(f"{host} sent an empty file for the weights of {row_id}: try again later.")
    # Written through to the disk before the file gets its name: a full disk may only show here.
    file.flush()
    os.fsync(file.fileno())
    return digest.hexdigest()


def _check_hash(digest: str, entry: dict[Any, Any], row_id: str) -> None:
    for column in ("sha256", "sha256_prefix"):
        expected = entry[column]
        if pd.notna(expected) and not digest.startswith(expected):
            raise DownloadError(
                f"what came for {row_id} has the SHA-256 {digest[: len(expected)]} where {expected} was "
                "expected, so it was thrown away: try again; if it repeats, the published file has changed."
            )


def _web_page(host: str, row_id: str) -> DownloadError:
    return DownloadError(
        f"{host} sent a web page instead of the weights of {row_id}: a login or a proxy may stand between; "
        "open the address in a browser, and use --weights FILE."
    )


def _too_large(host: str, row_id: str) -> DownloadError:
    return DownloadError(
        f"{host} sends more than {limits.MODEL_BYTES // limits.MEGABYTE} MB for the weights of {row_id}, "
        "the most a file of weights may have: it was thrown away."
    )
