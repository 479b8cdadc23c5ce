"""`list`, `show` and `pick`: the table, one row of it, and the row to take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
import pandas as pd

from zoo.catalog import COLUMNS, SOURCES, Catalog, all_shipped, catalog_named
from zoo.catalog import PUBLISHED as PUBLISHED_TABLE
from zoo.checks import check_budget, check_miou
from zoo.chips import FLOAT, Setup, milliseconds
from zoo.cli.output import SIZE, catalog_option, json_option, print_fields, print_json, print_table, records
from zoo.datasets import check_dataset
from zoo.latency import size_notes, with_milliseconds
from zoo.selection import COUNTED, PUBLISHED, answer, counted_at, rank, with_counted
from zoo.sizes import Size
from zoo.words import format_gmacs, size_warnings

LIST_FIELDS = ["id", "dataset", "model", "published_name", "input_width", "input_height"]
LIST_FIELDS += ["gmacs", "miou", "available", "qat"]
PICK_FIELDS = [*LIST_FIELDS, "counted_gmacs", "on_frontier", "rank"]


@click.command("list")
@click.option("--dataset", help="Only the rows of this data set.")
@catalog_option
@json_option
def list_command(dataset: str | None, catalog: Catalog | None, as_json: bool) -> None:
    """The table's rows, in the table's order.

    \b
    Examples:
      python -m zoo list
      python -m zoo list --dataset Cityscapes
      python -m zoo list --catalog own.csv --json
    """
    table = (catalog or catalog_named(PUBLISHED_TABLE)).table
    if dataset is not None:
        table = table[table["dataset"] == check_dataset(dataset, table["dataset"].unique())]
    if as_json:
        print_json(records(table, LIST_FIELDS))
        return
    print_table([_line(row) for _, row in table.iterrows()])
    _print_warnings(table)


@click.command()
@click.argument("row_id", metavar="ID")
@catalog_option
@json_option
def show(row_id: str, catalog: Catalog | None, as_json: bool) -> None:
    """Everything that the table says of one row.

    \b
    Examples:
      python -m zoo show cityscapes-mobilenetv2-fpnlite-768x384
      python -m zoo show ade20k32-mobilenetv2-unetlite-512x512 --json
    """
    catalog = catalog or all_shipped()
    row = catalog.row(row_id)
    fields = {"id": row_id, **catalog.table.loc[row_id, [*COLUMNS, *SOURCES]]}
    if as_json:
        print_json(fields)
        return
    print_fields(fields)
    for number, entry in catalog.references[catalog.references.index.isin(row.references)].iterrows():
        address = entry.get("address")
        where = f" {address}" if isinstance(address, str) else ""
        click.echo(
            f"[{number}] {entry['authors']}: {entry['title']}. {entry['venue']}, {entry['year']}.{where}"
        )
    _print_warnings(catalog.table.loc[[row_id]])


class _Number(click.ParamType[float]):
    """A number that `check` accepts; its error says what is allowed."""

    name = "N"

    def __init__(self, check: Callable[[object], float]) -> None:
        self.check = check

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            number = float(value)
        except ValueError:
            number = value  # which `check` refuses as the text it is
        return self.check(number)


@click.command()
@click.option(
    "--dataset", required=True, help="Choose among its rows: mIoU does not compare across data sets."
)
@click.option(
    "--max-gmacs", type=_Number(check_budget), help="The budget; the most accurate row comes first."
)
@click.option(
    "--min-miou", type=_Number(check_miou), help="The accuracy to reach, in percent; cheapest first."
)
@click.option("--max-ms", type=_Number(check_budget), help="The budget in milliseconds; needs --device.")
@click.option("--device", metavar="D", help="Rank by milliseconds measured there; see the command chips.")
@click.option("--precision", metavar="P", default=FLOAT, show_default=True, help="Of --device's latencies.")
@click.option("--runtime", metavar="R", default="onnx", show_default=True, help="Of --device's latencies.")
@click.option("--size", type=SIZE, help="Rank by the MACs counted at this input size, not by the published.")
@click.option(
    "--counted",
    is_flag=True,
    help="Rank by the MACs counted at each row's own size: rows without a published cost take part.",
)
@catalog_option
@json_option
def pick(
    dataset: str,
    max_gmacs: float | None,
    min_miou: float | None,
    max_ms: float | None,
    device: str | None,
    precision: str,
    runtime: str,
    size: Size | None,
    counted: bool,
    catalog: Catalog | None,
    as_json: bool,
) -> None:
    """Which network to take under a budget, or for an accuracy.

    Only rows with both an mIoU and GigaMACs take part. The mIoU is always the published one, at the published
    size; with --size the MACs are counted at that size, with --counted at each row's own.

    \b
    Examples:
      python -m zoo pick --dataset Cityscapes --max-gmacs 4
      python -m zoo pick --dataset Cityscapes --min-miou 72
      python -m zoo pick --dataset ADE20K32 --max-gmacs 4 --size 640x480 --json
      python -m zoo pick --dataset Cityscapes --max-gmacs 40 --catalog both --counted
      python -m zoo pick --dataset Cityscapes --catalog both --device "Samsung Galaxy S25" --max-ms 20
    """
    if max_gmacs is not None and min_miou is not None:
        raise click.UsageError("--max-gmacs and --min-miou exclude each other: give one of them.")
    if counted and size is not None:
        raise click.UsageError("--size counts already: leave --counted out.")
    if device is None and max_ms is not None:
        raise click.UsageError("--max-ms is a budget on a device: give --device too.")
    if device is not None and (max_gmacs is not None or counted or size is not None):
        raise click.UsageError("--device ranks by milliseconds: leave --max-gmacs, --size and --counted out.")
    if max_ms is not None and min_miou is not None:
        raise click.UsageError("--max-ms and --min-miou exclude each other: give one of them.")
    cost = counted_at(size) if counted or size is not None else PUBLISHED
    table = with_counted(catalog or catalog_named(PUBLISHED_TABLE), size)
    if device is not None:
        measured = milliseconds(Setup(device, precision, runtime))
        cost, table, max_gmacs = measured.cost, with_milliseconds(table, measured), max_ms
    found = answer(table, dataset, max_cost=max_gmacs, min_miou=min_miou, cost=cost)
    fitting = rank(table, dataset, max_cost=max_gmacs, min_miou=min_miou, cost=cost)
    if found.chosen is None:
        cheapest = f" Its id is {found.cheapest}." if found.cheapest else ""
        click.echo(f"{found.text}{cheapest}", err=True)
    if as_json:
        fields = [*PICK_FIELDS, cost.column, "measured_at"] if device else PICK_FIELDS
        print_json(records(fitting, fields))
    elif found.chosen is not None:
        click.echo(f"{found.text}\n")
        times = fitting[cost.column].map(format_gmacs)
        lines = [_ranked_line(row, size) for _, row in fitting.iterrows()]
        print_table([line | {"ms": ms} if device else line for line, ms in zip(lines, times, strict=True)])
        if device is not None:
            click.echo("".join(f"\n{note}" for note in size_notes(fitting)))
        _print_warnings(fitting)


def _line(row: pd.Series) -> dict[str, object]:
    """Return a row as people read it."""
    return {
        "id": row.name,
        "data set": row["dataset"],
        "network": row["name"],
        "size": f"{row['input_width']}x{row['input_height']}",
        "GMACs": _gmacs(row["gmacs"]),
        "mIoU %": row["miou"],
        "available": row["available"],
    }


def _ranked_line(row: pd.Series, size: Size | None) -> dict[str, object]:
    """Return a row of `pick` as people read it."""
    counted = {f"counted at {size}" if size else "counted": _gmacs(row[COUNTED.column])}
    return {"rank": row["rank"], **_line(row), **counted, "frontier": row["on_frontier"]}


def _gmacs(gmacs: float) -> str | None:
    return None if pd.isna(gmacs) else format_gmacs(gmacs)


def _print_warnings(table: pd.DataFrame) -> None:
    if warnings := size_warnings(table):
        click.echo("\n" + "\n".join(warnings))
