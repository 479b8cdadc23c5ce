"""`macs`: count networks live, at the published size or at any other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import click
import pandas as pd

from zoo.audit import audit
from zoo.catalog import PUBLISHED, Catalog, all_shipped, catalog_named, check_row_size
from zoo.cli.output import SIZE, catalog_option, json_option, print_json, print_table
from zoo.costs import costs_of
from zoo.errors import SizeError
from zoo.own import named_row
from zoo.rows import Row
from zoo.sizes import Size
from zoo.words import format_gmacs

LINE = "{id:{width}}  {size:>9}  {gmacs:>9}  {params:>8}  {published:>9}  {error:>8}  {verdict}"
"""A line for people: its widths are fixed, so that each can be shown as soon as its row is counted."""
OF_OWN_FILES = {"published_gmacs": None, "error_pct": None, "verdict": "not published", "explanation": None}


@click.command()
@click.argument("ids", metavar="[ID|F.onnx ...]", nargs=-1)
@click.option("--all", "every_row", is_flag=True, help="Every row of the table, shown as they are counted.")
@click.option("--size", type=SIZE, help="Count at this input size, not at each row's published one.")
@click.option("--layers", "with_layers", is_flag=True, help="Each layer too, and what is not counted.")
@catalog_option
@json_option
def macs(
    ids: tuple[str, ...],
    every_row: bool,
    size: Size | None,
    with_layers: bool,
    catalog: Catalog | None,
    as_json: bool,
) -> None:
    """Count a network's MACs at any size.

    Networks are built, and counted live by ptflops, without bias additions. The published GigaMACs, the
    verdict and its reason always concern the published size. With --all, rows that no network of ours stands
    for are left out.

    An .onnx file in place of an ID is counted from its graph, in a process of its own, at the size that it
    takes or was exported for, else at 1024x512.

    \b
    Examples:
      python -m zoo macs cityscapes-erfnet-1024x512
      python -m zoo macs cityscapes-mobilenetv2-fpnlite-768x384 --size 1280x720 --layers
      python -m zoo macs network.onnx --size 1024x512 --layers
      python -m zoo macs --all --json
    """
    if every_row == bool(ids):
        raise click.UsageError("give the ids of rows or .onnx files, or --all for every row.")
    source = catalog or (catalog_named(PUBLISHED) if every_row else all_shipped())
    rows = (
        [row for row in source.rows if row.network]
        if every_row
        else [named_row(row_id, source, size) for row_id in ids]
    )
    if not every_row:
        for row in rows:
            check_row_size(row, *(size or row.size))
    for own in (row.own for row in rows if row.own is not None and row.own.missed):
        told = (
            f"zoo: {own.name} multiplies in {', '.join(own.missed)} too, which is not counted: it costs more."
        )
        click.echo(told, err=True)
    results = _results(rows, size, audit(source), with_layers)
    if as_json:
        print_json(list(results))
    else:
        _show(results, max(len(str(row.own.path) if row.own else row.id) for row in rows))


def _results(
    rows: Sequence[Row], size: Size | None, published: pd.DataFrame, with_layers: bool
) -> Iterator[dict[str, Any]]:
    """Yield what `--json` prints of a row as soon as it is counted; no MACs where it refuses the size."""
    from zoo.complexity import count

    for row in rows:
        asked = size or row.size
        try:
            counted = count(row, *asked)
        except SizeError:  # asked for by name, it was refused before
            counted = None
        known = OF_OWN_FILES if row.own else published.loc[row.id]
        fields = {
            "id": row.id if row.own is None else str(row.own.path),
            "width": asked.width,
            "height": asked.height,
            "macs": counted and counted.macs,
            "params": costs_of(row).params if counted is None else counted.params,
            "published_gmacs": known["published_gmacs"],
            "error_pct": known["error_pct"] if counted is not None and asked == row.size else None,
            "verdict": known["verdict"],
            "explanation": known["explanation"],
        }
        if with_layers:
            fields["layers"] = [] if counted is None else counted.layers.to_dict("records")
            fields["uncounted"] = {} if counted is None else counted.uncounted
        yield fields


def _show(results: Iterable[dict[str, Any]], width: int) -> None:
    """Print each row as soon as it is counted, and then the reasons for differences."""
    titles = {"size": "size", "gmacs": "GMACs", "params": "params M", "published": "published"}
    click.echo(LINE.format(id="id", width=width, **titles, error="error %", verdict="verdict"))
    ids_of: dict[str, list[str]] = {}
    for fields in results:
        click.echo(_line(fields, width))
        if fields.get("layers"):
            print_table([_layer_line(layer) for layer in fields["layers"]])
            not_counted = ", ".join(f"{name} {times}" for name, times in fields["uncounted"].items())
            click.echo(f"not counted: {not_counted or 'nothing'}\n")
        if pd.notna(fields["explanation"]):
            ids_of.setdefault(fields["explanation"], []).append(fields["id"])
    for explanation, ids in ids_of.items():
        click.echo(f"\n{', '.join(ids)}:\n  {explanation}")


def _line(fields: dict[str, Any], width: int) -> str:
    error, published = fields["error_pct"], fields["published_gmacs"]
    return LINE.format(
        id=fields["id"],
        width=width,
        size=f"{fields['width']}x{fields['height']}",
        gmacs="refused" if fields["macs"] is None else format_gmacs(fields["macs"] / 1e9),
        params=f"{fields['params'] / 1e6:.4f}",
        published="-" if pd.isna(published) else format_gmacs(published),
        error="-" if pd.isna(error) else f"{error:+.2f}",
        verdict=fields["verdict"],
    )


def _layer_line(layer: dict[str, Any]) -> dict[str, object]:
    """Return a layer as people read it: shapes as channels and width x height."""
    shapes = {key: _shape(layer[f"{key}_shape"]) for key in ("input", "output")}
    names = ("name", "kind", "kernel", "stride", "dilation", "groups")
    figures = {
        "macs": f"{layer['macs']:,}",
        "params": f"{layer['params']:,}",
        "share %": f"{layer['share']:.2f}",
    }
    return {**{name: layer[name] for name in names}, **shapes, **figures}


def _shape(shape: tuple[int, ...]) -> str:
    channels, *sides = shape[1:]
    return "x".join(map(str, [channels, *reversed(sides)]))
