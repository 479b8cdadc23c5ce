"""Which weights a row can run with, where they are, and what must be said of them wherever they are used.

Three kinds: `bundled` ones ship in data/weights and give CamVid's classes on whatever row they are used;
`published` ones are listed in data/checkpoints.csv and lie in the cache folder once downloaded; `own` ones
are a file of the visitor's. There is never a fourth: without weights there is no mask.
"""

from __future__ import annotations

import colorsys
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pandas as pd

from zoo import limits
from zoo.catalog import get_row, load_catalog, load_classes, load_families
from zoo.errors import CheckpointError, DownloadError, ModelFileError, WeightsMissingError, shown_name
from zoo.limits import Size, parse_size
from zoo.tables import DATA, load_table

Kind = Literal["bundled", "published", "own"]
Colour = tuple[int, int, int]

CACHE_VARIABLE = "SEGSELECT_CACHE"
BUNDLED_DATASET = "CamVid"
BUNDLED_NOTICE = (
    "Trained for this project on CamVid (Brostow, Fauqueur, Cipolla; the 11-class split of Badrinarayanan, "
    "Kendall, Cipolla), which is for personal and research use only, and so are these weights. "
    "They are not the published weights of any row."
)
OWN_NOTICE = "Your own file: its terms are yours to know."
_FORMATS = {".pth": "pth", ".pt": "pth", ".safetensors": "safetensors", ".onnx": "onnx", ".tflite": "tflite"}
_THREE_NUMBERS = r"^\d+(\.\d+)?( \d+(\.\d+)?){2}\Z"


@dataclass(frozen=True)
class Checkpoint:
    """Weights for a row: a file, what its outputs mean, and the words that go with every use of it."""

    row_id: str
    kind: Kind
    path: Path
    format: str
    """pth, safetensors, onnx or tflite."""
    source: str
    """Whose weights these are, in words."""
    notice: str
    """Licence and terms, in words."""
    trusted: bool
    """False: the file must be read and run with the precautions for an upload."""
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    """A float input is (x - mean) / std, RGB, in units of 0..255."""
    input_size: Size | None = None
    """The one size that the file takes, where it is known to be fixed."""
    classes: tuple[str, ...] = ()
    """Names in id order; empty for an own file until `with_class_count` has been told their number."""
    palette: tuple[Colour, ...] = ()
    class_list: str = "class list not read yet"
    """Whose class list it is, in words."""

    @property
    def label(self) -> str:
        """Whose weights and which class list, in one phrase."""
        return f"{self.source}; {self.class_list}"

    @cached_property
    def sha256(self) -> str:
        """The file's SHA-256, 64 hex digits."""
        return hash_file(self.path)

    def with_class_count(self, count: int) -> Checkpoint:
        """Return the checkpoint with names and colours for the number of classes that its file really has.

        The names are the row's if the count matches, else "class 0", "class 1", ...
        """
        if count == len(self.classes):
            return self
        named = name_classes(self.row_id, count)
        return replace(self, classes=named.names, palette=named.palette, class_list=named.words)


class NamedClasses(NamedTuple):
    """A class list: names and colours in id order, and whose it is in words."""

    names: tuple[str, ...]
    palette: tuple[Colour, ...]
    words: str


@dataclass(frozen=True)
class Bundled:
    """A network that ships with the product."""

    model: str
    """The catalog's name of the architecture."""
    path: Path
    figures: Mapping[str, Any] = field(repr=False)
    """What it measured on CamVid, in percent: `val` and `test`, each with miou, accuracy and iou by class."""


def resolve(row_id: str, weights: str | os.PathLike[str] | None = None) -> Checkpoint:
    """Return the weights to run a row with.

    `weights`: None takes the best there is (published if downloaded, else bundled), "published" and "bundled"
    ask for one kind, and anything else is the path of a visitor's own file.
    Raises WeightsMissingError with the ways to get some, DownloadError for a downloaded file that has
    changed, CheckpointError or ModelFileError for an own file that cannot be one, UnknownIdError for the row.
    """
    row = get_row(row_id)
    if weights is None:
        found = _published(row_id) or _bundled(row_id)
        if found is None:
            raise WeightsMissingError(f"there are no weights for {row_id} here: {_ways(row)}.")
        return found
    if weights == "published":
        found = _published(row_id)
        if found is None:
            raise WeightsMissingError(f"the published weights of {row_id} are not here: {_ways(row)}.")
        return found
    if weights == "bundled":
        found = _bundled(row_id)
        if found is None:
            raise WeightsMissingError(f"no weights are bundled for {row_id}: {_ways(row)}.")
        return found
    return _own(row_id, Path(weights))


def status(row_id: str | None = None) -> pd.DataFrame:
    """Return what weights there are, for one row or all: columns id, kind, status, path, verified.

    `status` is bundled, downloaded, missing (it can be downloaded), or unavailable (no address is known).
    `path` is the file's, or None. `verified` is whether a hash from outside vouches for the file.
    """
    ids = load_catalog().index if row_id is None else [get_row(row_id).name]
    lines = [line for one in ids for line in _status_of(str(one))]
    return pd.DataFrame(lines, columns=["id", "kind", "status", "path", "verified"], dtype=object)


def cache_dir() -> Path:
    """Return the folder for downloads and exports: the user's cache folder, or what SEGSELECT_CACHE names."""
    import platformdirs

    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("segselect", appauthor=False)


def weights_dir() -> Path:
    """Return the folder of downloaded weights; it need not exist."""
    return cache_dir() / "weights"


def exports_dir() -> Path:
    """Return the folder of networks exported to ONNX; it need not exist."""
    return cache_dir() / "exports"


def downloaded_path(row_id: str) -> Path | None:
    """Return where the row's downloaded weights lie, or None. Their contents are not looked at.

    The name is ID.SHA256.FORMAT: a file carries the hash that it had when it came.
    """
    listed = published_list()
    if row_id not in listed.index:
        return None
    ending = str(listed.at[row_id, "format"])
    files = weights_dir().glob(f"{row_id}.{'[0-9a-f]' * 64}.{ending}")
    return max(files, key=lambda path: path.stat().st_mtime_ns, default=None)


def hash_file(path: Path) -> str:
    """Return a file's SHA-256 as 64 hex digits; a file that has not changed is read only once a process."""
    facts = path.stat()
    return _hash(path, facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=64)
def _hash(path: Path, _size: int, _mtime: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def published_list() -> pd.DataFrame:
    """Return data/checkpoints.csv, indexed by row id; what nobody states of a file is missing."""
    import pandera.pandas as pa

    def text(pattern: str, allowed: str, **options: Any) -> Any:
        return pa.Column(str, pa.Check.str_matches(pattern, error=allowed), **options)

    line = r"^[^\x00-\x1f]{1,500}\Z"
    schema = pa.DataFrameSchema(
        {
            "id": pa.Column(
                str, pa.Check.isin(list(load_catalog().index), error="a row of the catalog"), unique=True
            ),
            "format": text(r"^(pth|safetensors|onnx|tflite)\Z", "pth, safetensors, onnx or tflite"),
            "layout": text(r"^[a-z]+\Z", "a word in lower case"),
            "url": text(r"^https?://[!-~]{1,400}\Z", "an http or https address"),
            "megabytes": pa.Column(
                "float64", pa.Check.in_range(0, limits.MODEL_BYTES / limits.MEGABYTE), nullable=True
            ),
            "input_size": text(r"^\d+x\d+\Z", "width x height, such as 512x512", nullable=True),
            "mean": text(_THREE_NUMBERS, "three numbers separated by blanks"),
            "std": text(_THREE_NUMBERS, "three numbers separated by blanks"),
            "extra_class": text(line, "one line of text", nullable=True),
            "licence": text(line, "one line of text", nullable=True),
            "sha256": text(r"^[0-9a-f]{64}\Z", "64 hex digits", nullable=True),
            "sha256_prefix": text(r"^[0-9a-f]{8}\Z", "8 hex digits", nullable=True),
            "notes": text(line, "one line of text", nullable=True),
        },
        strict=True,
    )
    return load_table(DATA / "checkpoints.csv", schema).set_index("id")


@cache
def bundled_networks() -> Mapping[str, Bundled]:
    """Return what ships in data/weights, by the catalog's name of the architecture."""
    networks = {}
    for path in sorted((DATA / "weights").glob("*.json")):
        figures = json.loads(path.read_text(encoding="utf-8"))
        networks[figures["model"]] = Bundled(figures["model"], path.with_suffix(".safetensors"), figures)
    return networks


def name_classes(row_id: str, count: int) -> NamedClasses:
    """Return the class list for `count` classes on a row: the row's own if it fits, else numbers."""
    dataset = get_row(row_id)["dataset"]
    for named in (_dataset_classes(dataset), _dataset_classes(dataset, _extra_class(row_id))):
        if len(named.names) == count:
            return named
    # Hues a golden ratio apart stay distinct however many there are.
    hues = ((place * 0.618034) % 1 for place in range(count))
    colours = (colorsys.hsv_to_rgb(hue, 0.65, 0.9) for hue in hues)
    palette = tuple((round(255 * red), round(255 * green), round(255 * blue)) for red, green, blue in colours)
    names = tuple(f"class {place}" for place in range(count))
    return NamedClasses(names, palette, f"{count} classes without names")


def _extra_class(row_id: str) -> str | None:
    """Return the class that a row's published weights have beyond its data set's, such as ERFNet's void."""
    extra = published_list()["extra_class"].get(row_id)
    return extra if isinstance(extra, str) else None


def _dataset_classes(dataset: str, extra: str | None = None) -> NamedClasses:
    table = load_classes(dataset)
    names = tuple(table["name"])
    palette: list[Colour] = [
        (int(red), int(green), int(blue)) for red, green, blue in table[["red", "green", "blue"]].to_numpy()
    ]
    words = f"the {len(names)} classes of {dataset}"
    if extra is None:
        return NamedClasses(names, tuple(palette), words)
    return NamedClasses((*names, extra), (*palette, (0, 0, 0)), f"{words} and {extra}")


def _published(row_id: str) -> Checkpoint | None:
    """Return the row's downloaded weights, held against the hash that they came with, or None."""
    path = downloaded_path(row_id)
    if path is None:
        return None
    if hash_file(path) != path.name.split(".")[1]:
        raise DownloadError(
            f"the downloaded weights of {row_id} have changed since they came: "
            f"get them again with: python -m zoo weights get {row_id}"
        )
    entry: dict[Any, Any] = published_list().loc[row_id].to_dict()
    named = _dataset_classes(get_row(row_id)["dataset"], _extra_class(row_id))
    verified = is_verifiable(row_id)
    return Checkpoint(
        row_id=row_id,
        kind="published",
        path=path,
        format=entry["format"],
        source="published weights" if verified else "published weights, unverified (their hash is not known)",
        notice=_licence(entry["licence"]),
        trusted=verified,
        mean=_three(entry["mean"]),
        std=_three(entry["std"]),
        input_size=parse_size(entry["input_size"]) if pd.notna(entry["input_size"]) else None,
        classes=named.names,
        palette=named.palette,
        class_list=named.words,
    )


def is_verifiable(row_id: str) -> bool:
    """Return whether data/checkpoints.csv has a hash, in full or the first digits, of the row's weights."""
    return bool(published_list().loc[row_id, ["sha256", "sha256_prefix"]].notna().any())


def _licence(licence: object) -> str:
    if isinstance(licence, str):
        return f"Licence: {licence}."
    return "No licence is stated with these weights: ask their publisher before you do more than try them."


def _bundled(row_id: str) -> Checkpoint | None:
    network = bundled_networks().get(get_row(row_id)["model"])
    if network is None:
        return None
    named = _dataset_classes(BUNDLED_DATASET)
    mean, std = _preprocessing(row_id)
    return Checkpoint(
        row_id=row_id,
        kind="bundled",
        path=network.path,
        format="safetensors",
        source="bundled weights, trained for this project on CamVid (not this row's published ones)",
        notice=BUNDLED_NOTICE,
        trusted=True,
        mean=mean,
        std=std,
        classes=named.names,
        palette=named.palette,
        class_list=named.words,
    )


def _own(row_id: str, path: Path) -> Checkpoint:
    name = shown_name(path)
    file_format = _FORMATS.get(path.suffix.lower())
    if file_format is None:
        raise CheckpointError(
            f"{name}: weights are a file that ends in .pth, .pt, .safetensors, .onnx or .tflite, "
            "or one of the words published and bundled."
        )
    refusal = ModelFileError if file_format in ("onnx", "tflite") else CheckpointError
    try:
        size = path.stat().st_size if path.is_file() else None
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise refusal(f"{name} cannot be read: {reason}.") from error
    if size is None:
        raise refusal(f"{name}: there is no such file; give the path of your weights.")
    if size == 0:
        raise refusal(f"{name} is empty: give a file with weights in it.")
    if size > limits.MODEL_BYTES:
        raise refusal(
            f"{name} has {size / limits.MEGABYTE:,.0f} MB: "
            f"a file of weights may have {limits.MODEL_BYTES // limits.MEGABYTE} MB."
        )
    mean, std = _preprocessing(row_id)
    return Checkpoint(
        row_id=row_id,
        kind="own",
        path=path,
        format=file_format,
        source=f"your own weights ({name})",
        notice=OWN_NOTICE,
        trusted=False,
        mean=mean,
        std=std,
    )


def _preprocessing(row_id: str) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    family = load_families().loc[get_row(row_id)["family"]]
    return _three(family["mean"]), _three(family["std"])


def _three(text: str) -> tuple[float, float, float]:
    red, green, blue = map(float, re.split(" ", text))
    return red, green, blue


def _ways(row: pd.Series) -> str:
    """Return the three ways to get weights for a row, in words."""
    models = list(bundled_networks())
    bundled = (
        "use the bundled ones (--weights bundled)"
        if row["model"] in models
        else f"take a row with bundled ones ({', '.join(models)})"
    )
    download = (
        f"download the published ones (python -m zoo weights get {row.name})"
        if row.name in published_list().index
        else "no address to download them from is known"
    )
    own = "give a file of your own (--weights FILE, or upload it on the Demo page)"
    return f"{download}, {bundled}, or {own}"


def _status_of(row_id: str) -> Iterator[tuple[str, Kind, str, str | None, bool]]:
    network = bundled_networks().get(get_row(row_id)["model"])
    if network is not None:
        yield row_id, "bundled", "bundled", str(network.path), True
    if row_id not in published_list().index:
        yield row_id, "published", "unavailable", None, False
        return
    path = downloaded_path(row_id)
    if path is None:
        yield row_id, "published", "missing", None, False
    else:
        yield row_id, "published", "downloaded", str(path), is_verifiable(row_id)
