"""`bench`: milliseconds on this machine, and what a board has measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.catalog import PUBLISHED, Catalog, catalog_named
from zoo.cli.output import SIZE, catalog_option, json_option, print_json, print_table
from zoo.errors import ZooError, shown_name
from zoo.limits import MEASUREMENTS_BYTES, MEGABYTE
from zoo.sizes import Size

if TYPE_CHECKING:
    from zoo.measurements import Measurements
    from zoo.measuring import Outcome

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("names", metavar="[ID|F.onnx ...]", nargs=-1)
@click.option("--all", "every_row", is_flag=True, help="Every row of the catalog, one after the other.")
@click.option("--size", type=SIZE, help="Input size, width x height; each row's own if left out.")
@click.option(
    "--threads", type=int, metavar="N", help="Threads of the runtime; all physical cores if left out."
)
@click.option(
    "--runtime", default="onnxruntime", show_default=True, metavar="R", help="onnxruntime, torch, ..."
)
@click.option(
    "--resume", is_flag=True, help="Take over what was timed here before at this size, runtime and threads."
)
@click.option("--out", type=_PATH, metavar="F.json", help="Write the measurements to a file.")
@click.option(
    "--read",
    "files",
    type=_PATH,
    multiple=True,
    metavar="F.json",
    help="Check and show a board's measurements.",
)
@catalog_option
@json_option
def bench(
    names: tuple[str, ...],
    every_row: bool,
    size: Size | None,
    threads: int | None,
    runtime: str,
    resume: bool,
    out: Path | None,
    files: tuple[Path, ...],
    catalog: Catalog | None,
    as_json: bool,
) -> int:
    """Milliseconds of one picture on this machine: median, 10th and 90th percentile after a warm-up.

    The network alone is timed, in a process of its own: reading and resizing the picture are not part of
    it. A row runs with random weights, which do not change its speed. What is done is kept in the cache
    folder and written to --out, also if you stop it; --resume goes on from there. For a board, copy
    zoo/benchmark.py there: it needs numpy and onnxruntime.

    \b
    Examples:
      python -m zoo bench cityscapes-mobilenetv2-unetlite-768x384 --threads 1
      python -m zoo bench --all --resume --out here.json
      python -m zoo bench mine.onnx --size 1280x720 --json
      python -m zoo bench --read board.json
    """
    if files:
        if names or every_row:
            raise click.UsageError("--read shows files of measurements: give no ids with it.")
        _show_files(files, as_json)
        return 0
    if every_row == bool(names):
        raise click.UsageError("give the ids of rows or .onnx files, or --all for every row.")
    rows = catalog or catalog_named(PUBLISHED)
    asked = [row.id for row in rows.rows if row.network] if every_row else list(names)
    done, failed, stopped = [], [], False
    try:
        for outcome in _outcomes(asked, rows, size, threads, runtime, resume):
            if outcome.measurement is None:
                failed.append(outcome)
                click.echo(f"zoo: {outcome.reason}", err=True)
                continue
            done.append(outcome.measurement)
            if len(asked) > 1:
                click.echo(f"  {outcome.measurement['median_ms']:.2f} ms", err=True)
    except KeyboardInterrupt:
        stopped = True
        again = "; --resume goes on from there" if every_row else ""
        click.echo(f"zoo: stopped: {len(done)} of {len(asked)} are timed{again}.", err=True)
    document = _document(done, failed)
    if out is not None and done:
        import json

        out.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    if as_json:
        print_json(document)
    elif done:
        print_table([_line(measurement) for measurement in done])
        click.echo(f"\n{document['machine']['processor']}. {document['conditions']}")
    return 1 if stopped or (failed and not every_row) else 0


def _outcomes(
    names: Sequence[str],
    catalog: Catalog,
    size: Size | None,
    threads: int | None,
    runtime: str,
    resume: bool,
) -> Iterator[Outcome]:
    """Time what was named, one after the other; what is asked wrongly stops all before anything runs."""
    from zoo.catalog import check_row_size
    from zoo.measuring import Outcome, measure_file, measure_rows

    rows = {name: catalog.row(name) for name in names if not name.lower().endswith(".onnx")}
    if len(names) == 1:  # one alone: what is wrong with it is an error
        for row in rows.values():
            check_row_size(row, *(size or row.size))
    for number, name in enumerate(names, 1):
        if len(names) > 1:
            click.echo(f"{number} of {len(names)}: {shown_name(name)}", err=True)
        if name in rows:
            yield from measure_rows([rows[name]], size, threads=threads, runtime=runtime, resume=resume)
            continue
        try:
            yield Outcome(name, measure_file(Path(name), size, threads=threads, macs=_macs(name, size)))
        except ZooError as error:
            if len(names) == 1:
                raise
            yield Outcome(name, None, str(error))


def _macs(name: str, size: Size | None) -> int | None:
    """Return what an .onnx counts at that size; None where its graph cannot be counted."""
    from zoo.own import read_own_network

    try:
        return read_own_network(Path(name), size).macs
    except ZooError:  # it can be timed all the same, and timing says what is wrong with the file
        return None


def _document(done: list[dict[str, Any]], failed: Sequence[Outcome]) -> dict[str, Any]:
    from zoo.benchmark import document

    skipped = [{"id": outcome.name, "reason": outcome.reason} for outcome in failed]
    return {**document(done), "skipped": skipped}


def _line(found: dict[str, Any]) -> dict[str, object]:
    rate, peak = found.get("gmacs_per_second"), found["peak_memory_bytes"]
    return {
        "id": found["id"] or found["file"],
        "size": f"{found['width']}x{found['height']}",
        "median ms": f"{found['median_ms']:.2f}",
        "p10": f"{found['p10_ms']:.2f}",
        "p90": f"{found['p90_ms']:.2f}",
        "GMAC/s": None if rate is None else f"{rate:.1f}",
        "peak MB": None if peak is None else f"{peak / MEGABYTE:.0f}",
        "threads": found["threads"],
        "runtime": found["runtime"],
        "weights": found["weights"],
    }


def _show_files(files: Sequence[Path], as_json: bool) -> None:
    import json

    read = [_read(path) for path in files]
    if as_json:
        print_json([json.loads(measurements.as_json()) for measurements in read])
        return
    for measurements in read:
        click.echo(f"{measurements.name}: {measurements.machine['processor']}, {measurements.measured_at}")
        print_table([_line(line) for line in measurements.table().to_dict("records")])
        for note in measurements.notes:
            click.echo(note)


def _read(path: Path) -> Measurements:
    from zoo.measurements import parse

    with path.open("rb") as file:
        return parse(file.read(MEASUREMENTS_BYTES + 1), path.name)
