"""Files of measurements (`zoo.benchmark`): those made here are kept in the cache folder, others are read.

A file from outside is text that somebody typed or a board wrote: its size, its schema, its units and what its
numbers imply are checked, it keeps its own name for its machine and never mixes with what was measured here.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from zoo import benchmark, limits
from zoo.cache import cache_dir, write_whole
from zoo.errors import MeasurementError, shown_name
from zoo.latency import COLUMN, TIMING, Measured
from zoo.rows import Row
from zoo.sizes import Size

FASTEST_GMACS_PER_SECOND = 1e6
"""More than any chip reaches on one picture: whoever claims it means another unit."""
FREE_NAME = r"[\w .,()@+:;#/*®™-]{1,120}"
"""Names of machines, processors and files: letters, digits and what stands in such names, no markup."""

Check = Callable[[Any], bool]


@dataclass(frozen=True)
class Measurements:
    """The measurements of one machine, checked."""

    machine: Mapping[str, Any]
    """name, processor, board, cores, memory_bytes, system, architecture."""
    versions: Mapping[str, str]
    measured_at: str
    """When the last of them was made, ISO 8601."""
    lines: tuple[Mapping[str, Any], ...]
    """As `zoo.benchmark.measure` gives them, without GMAC/s; each with `measured_at`."""
    imported: bool = False

    @property
    def name(self) -> str:
        """The machine's name for people: one from a file says so."""
        return f"{self.machine['name']} (imported)" if self.imported else str(self.machine["name"])

    @property
    def notes(self) -> tuple[str, ...]:
        """What has to be said of them, one sentence each."""
        if self.imported and self.machine["name"] == benchmark.machine()["name"]:
            return (
                f"The file calls its machine {self.machine['name']}, as this one is called; it was not "
                "measured by this installation, so it is kept apart as imported.",
            )
        return ()

    def as_json(self) -> str:
        """Return the document of `zoo.benchmark` that holds them."""
        head = {"format": benchmark.FORMAT, "version": benchmark.VERSION, "machine": dict(self.machine)}
        head |= {"versions": dict(self.versions), "measured_at": self.measured_at}
        head |= {"units": benchmark.UNITS, "conditions": benchmark.CONDITIONS}
        return json.dumps({**head, "measurements": [dict(line) for line in self.lines]}, indent=2) + "\n"

    def table(self) -> pd.DataFrame:
        """Return one line a measurement, with machine, imported and gmacs_per_second added."""
        table = pd.DataFrame(
            [{name: line.get(name) for name in _LINE} for line in self.lines], columns=[*_LINE]
        )
        table.insert(0, "machine", self.name)
        numbers = ["macs", "peak_memory_bytes", "base_memory_bytes"]
        table[numbers] = table[numbers].astype(float)
        table["gmacs_per_second"] = table["macs"] / table["median_ms"] / 1e6
        return table


class Setup(NamedTuple):
    """What makes latencies of one machine comparable."""

    machine: str
    runtime: str
    precision: str
    threads: int

    def __str__(self) -> str:
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        return f"{self.machine} ({self.precision}, {self.runtime}, {threads})"


def setups(table: pd.DataFrame) -> list[Setup]:
    """Return the setups in a table of measurements (one or several of `Measurements.table`)."""
    keys = table[list(Setup._fields)].drop_duplicates()
    return [Setup(*key) for key in keys.itertuples(index=False, name=None)]


def milliseconds(table: pd.DataFrame, setup: Setup, row_sizes: Mapping[str, Size]) -> Measured:
    """Return what rows take on a setup: at a row's own size where that was measured, else at another.

    `row_sizes`: the rows that count, with their own sizes.
    """
    chosen = table[(table[list(Setup._fields)] == list(setup)).all(axis=1)]
    chosen = chosen[chosen["id"].isin(row_sizes)].reset_index(drop=True)
    own = [
        (line.width, line.height) == row_sizes[line.id]
        for line in chosen[["id", "width", "height"]].itertuples()
    ]
    chosen = chosen.assign(own=own).sort_values("own", ascending=False, kind="stable").drop_duplicates("id")
    rows = chosen.rename(columns={"median_ms": COLUMN}).set_index("id")[["width", "height", COLUMN]]
    return Measured(str(setup), rows, precision=setup.precision)


def timings(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of measurements as `zoo.latency.near_sizes` takes it: one line each, with its setup."""
    where = [str(Setup(*key)) for key in table[list(Setup._fields)].itertuples(index=False)]
    return table.assign(where=where).rename(columns={"median_ms": COLUMN})[list(TIMING)]


def kept() -> Measurements | None:
    """Return what was measured on this machine and kept, or None. A damaged file counts as none."""
    path = _path()
    if not path.is_file():
        return None
    try:
        return parse(path.read_bytes(), path.name, imported=False)
    except MeasurementError:
        path.unlink(missing_ok=True)  # it would be in the way of every later one
        return None


def keep(lines: Iterable[Mapping[str, Any]]) -> Measurements:
    """Keep measurements made on this machine just now; each replaces an older one of the same conditions."""
    found = merged(kept(), lines)
    write_whole(_path(), found.as_json().encode())
    return found


def merged(before: Measurements | None, lines: Iterable[Mapping[str, Any]]) -> Measurements:
    """Return measurements of this machine with more of them; nothing is written.

    Each replaces an older one of the same conditions; one that does not say when it was made is of now.
    """
    document = benchmark.document([dict(line) for line in lines])
    now = document["measured_at"]
    by_key = {_key(line): line for line in (before.lines if before else ())}
    by_key |= {_key(line): {"measured_at": now, **line} for line in document["measurements"]}
    newest = list(by_key.values())[-limits.MEASUREMENTS :]
    return Measurements(document["machine"], document["versions"], now, tuple(newest))


def together(files: Iterable[Measurements]) -> pd.DataFrame:
    """Return the measurements of several files in one table; machines of one name never share it.

    A second machine that another file calls the same gets a number behind its name.
    """
    named: dict[str, list[Mapping[str, Any]]] = {}
    tables = []
    for measurements in files:
        same = named.setdefault(measurements.name, [])
        if measurements.machine not in same:
            same.append(measurements.machine)
        number = same.index(measurements.machine)
        name = f"{measurements.name} {number + 1}" if number else measurements.name
        tables.append(measurements.table().assign(machine=name))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["machine", *_LINE])


def own_digest(row: Row) -> str:
    """Return the SHA-256 that tells an own row's network: of its file, or of what it names of ours."""
    if row.own is not None:
        return row.own.sha256
    return hashlib.sha256(repr((row.built, row.num_classes)).encode()).hexdigest()


def of_own(table: pd.DataFrame, own: Mapping[str, str]) -> pd.DataFrame:
    """Return measurements with a visitor's own networks under their ids, and none that only claims one.

    `own`: ids by SHA-256, the only thing that says which network was measured: names and ids can be typed.
    """
    found = table["sha256"].map(own)
    claimed = found.isna() & table["id"].isin(own.values())
    return table.assign(id=found.where(found.notna(), table["id"]))[~claimed]


def _path() -> Any:
    name = re.sub(r"[^A-Za-z0-9]+", "-", benchmark.machine()["name"]).strip("-").lower() or "machine"
    return cache_dir() / "measurements" / f"{name[:60]}.json"


def _key(line: Mapping[str, Any]) -> tuple[object, ...]:
    conditions = ("runtime", "provider", "threads", "precision", "width", "height")
    return (line.get("id") or line.get("file"), *(line.get(name) for name in conditions))


def parse(content: bytes, name: str, *, imported: bool = True) -> Measurements:
    """Return the measurements in a file's bytes; `name` is what messages call it.

    Raises MeasurementError with one line: the field, its value, what is allowed.
    """
    shown = shown_name(name)
    if len(content) > limits.MEASUREMENTS_BYTES:
        most = limits.MEASUREMENTS_BYTES // limits.MEGABYTE
        raise MeasurementError(f"{shown} is larger than {most} MB, the most a file of measurements may have.")
    document = _read(content, shown)
    _check_head(document, shown)
    machine = _fields(document["machine"], _MACHINE, shown, "machine")
    versions = document.get("versions")
    known = {} if not isinstance(versions, dict) else versions
    lines = document.get("measurements")
    if not isinstance(lines, list) or not 1 <= len(lines) <= limits.MEASUREMENTS:
        raise MeasurementError(f"{shown} must list 1 to {limits.MEASUREMENTS:,} measurements.")
    measured_at = _fields(document, {"measured_at": _TIME}, shown, "")["measured_at"]
    checked = [
        _measurement(line, shown, f"measurement {number}", measured_at)
        for number, line in enumerate(lines, 1)
    ]
    return Measurements(
        machine,
        {key: text for key, text in known.items() if _VERSION.holds(key) and _VERSION.holds(text)},
        str(measured_at),
        tuple(checked),
        imported,
    )


def _read(content: bytes, shown: str) -> dict[str, Any]:
    def refuse(constant: str) -> float:
        raise ValueError(constant)

    try:
        document = json.loads(content.decode("utf-8-sig"), parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise MeasurementError(f"{shown} is not a JSON file that `bench` wrote.") from error
    if not isinstance(document, dict) or document.get("format") != benchmark.FORMAT:
        raise MeasurementError(
            f"{shown} is not a file of measurements: its format is not {benchmark.FORMAT}."
        )
    return document


def _check_head(document: dict[str, Any], shown: str) -> None:
    if document.get("version") != benchmark.VERSION:
        version = _short(document.get("version"))
        raise MeasurementError(
            f"{shown} has version {version}, and version {benchmark.VERSION} is read: measure again."
        )
    if document.get("units") != benchmark.UNITS:
        wanted = ", ".join(f"{what} in {unit}" for what, unit in benchmark.UNITS.items())
        raise MeasurementError(f"{shown} has units {_short(document.get('units'))}; allowed is {wanted}.")
    if not isinstance(document.get("machine"), dict):
        raise MeasurementError(f"{shown} does not say on which machine it was measured.")


def _measurement(line: Any, shown: str, where: str, measured_at: object) -> dict[str, Any]:
    if not isinstance(line, dict):
        raise MeasurementError(f"{shown}, {where}: {_short(line)} is no measurement.")
    found = _fields({"measured_at": measured_at, **line}, _LINE, shown, where)
    if not found["p10_ms"] <= found["median_ms"] <= found["p90_ms"]:
        raise MeasurementError(f"{shown}, {where}: its median is not between its 10th and 90th percentile.")
    if found["id"] is None and found["file"] is None:
        raise MeasurementError(f"{shown}, {where}: it names neither a row (id) nor a file.")
    if found["macs"] is not None:
        rate = found["macs"] / found["median_ms"] / 1e6
        if rate > FASTEST_GMACS_PER_SECOND:
            raise MeasurementError(
                f"{shown}, {where}: {found['median_ms']:g} ms would be {rate:.3g} GMAC/s, which no chip "
                "reaches: give milliseconds."
            )
    return found


class _Field(NamedTuple):
    holds: Check
    allowed: str
    optional: bool = False


def _number(least: float, most: float, *, optional: bool = False) -> _Field:
    def holds(value: Any) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most

    return _Field(holds, f"a number from {least:g} to {most:g}", optional)


def _whole(least: int, most: int, *, optional: bool = False) -> _Field:
    def holds(value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most

    return _Field(holds, f"a whole number from {least} to {most:g}", optional)


def _text(pattern: str, allowed: str, *, optional: bool = False) -> _Field:
    return _Field(
        lambda value: isinstance(value, str) and bool(re.fullmatch(pattern, value)), allowed, optional
    )


_NAME = _text(FREE_NAME, "letters, digits and .,()@+:;#/*- without markup, at most 120")
_MAYBE_NAME = _NAME._replace(optional=True)
_MS = _number(1e-4, 3.6e6)
_VERSION = _text(r"[\w.+ -]{1,60}", "a version")
_TIME = _text(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", "a time such as 2026-01-31T12:00:00Z"
)
_BYTES = _whole(0, 10**15, optional=True)
_MACHINE = {
    "name": _NAME,
    "processor": _NAME,
    "board": _MAYBE_NAME,
    "cores": _whole(1, 100_000),
    "memory_bytes": _BYTES,
    "system": _NAME,
    "architecture": _NAME,
}
_LINE = {
    "id": _text(r"[a-z0-9][a-z0-9._-]{0,199}", "a row's id", optional=True),
    "file": _MAYBE_NAME,
    "sha256": _text(r"[0-9a-f]{64}", "64 hex digits", optional=True),
    "runtime": _NAME,
    "provider": _MAYBE_NAME,
    "threads": _whole(1, 100_000),
    "precision": _NAME,
    "width": _whole(limits.SIZE_MIN_SIDE, limits.SIZE_MAX_SIDE),
    "height": _whole(limits.SIZE_MIN_SIDE, limits.SIZE_MAX_SIDE),
    "weights": _MAYBE_NAME,
    "median_ms": _MS,
    "p10_ms": _MS,
    "p90_ms": _MS,
    "min_ms": _MS,
    "runs": _whole(1, 10**7),
    "warmup_runs": _whole(0, 10**7),
    "macs": _whole(1, 10**15, optional=True),
    "peak_memory_bytes": _BYTES,
    "base_memory_bytes": _BYTES,
    "measured_at": _TIME,
}


def _fields(
    values: Mapping[str, Any], fields: Mapping[str, _Field], shown: str, where: str
) -> dict[str, Any]:
    """Return the known fields of a mapping, checked; what else stands there is dropped."""
    found: dict[str, Any] = {}
    for name, field in fields.items():
        value = values.get(name)
        if value is None and field.optional:
            found[name] = None
        elif field.holds(value):
            found[name] = value
        else:
            place = f"{shown}, {where}" if where else shown
            raise MeasurementError(
                f"{place}: {name} {_short(value)} cannot be used; allowed is {field.allowed}."
            )
    return found


def _short(value: Any) -> str:
    text = (
        "nothing" if value is None else ascii(value) if isinstance(value, str) else ascii(repr(value))[1:-1]
    )
    return text if len(text) <= 60 else f"{text[:57]}..."
