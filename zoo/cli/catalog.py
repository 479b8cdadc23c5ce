"""`list`, `show` and `pick`: the table, one row of it, and the row to take."""

from __future__ import annotations

from pathlib import Path

import click
import pandas as pd

from zoo.catalog import check_dataset, get_row, load_catalog, load_references, read_own_rows
from zoo.cli.output import catalog_option, json_option, print_json, print_table, records

LIST_FIELDS = ["id", "dataset", "model", "published_name", "input_width", "input_height"]
LIST_FIELDS += ["gmacs", "miou", "available", "qat"]


@click.command("list")
@click.option("--dataset", help="Only the rows of this data set.")
@catalog_option
@json_option
def list_command(dataset: str | None, own_rows: Path | None, as_json: bool) -> None:
    """The table's rows, in the table's order.

    \b
    Examples:
      python -m zoo list
      python -m zoo list --dataset Cityscapes
      python -m zoo list --catalog own.csv --json
    """
    table = _table(own_rows)
    if dataset is not None:
        table = table[table["dataset"] == check_dataset(dataset, table["dataset"].unique())]
    rows = records(table, LIST_FIELDS)
    if as_json:
        print_json(rows)
    else:
        print_table([_line(row) for row in rows], right=("GMACs", "mIoU %"))


@click.command()
@click.argument("row_id", metavar="ID")
@catalog_option
@json_option
def show(row_id: str, own_rows: Path | None, as_json: bool) -> None:
    """Everything that the table says of one row.

    \b
    Examples:
      python -m zoo show cityscapes-mobilenetv2-fpnlite-768x384
      python -m zoo show ade20k32-mobilenetv2-unetlite-512x512 --json
    """
    row = get_row(row_id, _table(own_rows))
    if as_json:
        print_json({"id": row_id, **row.to_dict()})
        return
    width = max(map(len, row.index))
    for name, value in {"id": row_id, **row}.items():
        shown = ("no", "yes")[value] if isinstance(value, bool) else "-" if pd.isna(value) else value
        click.echo(f"{name:<{width}}  {shown}")
    if pd.notna(row["references"]):
        for entry in (
            load_references().loc[[int(number) for number in row["references"].split(",")]].itertuples()
        ):
            click.echo(f"[{entry.Index}] {entry.authors} {entry.title}. {entry.venue}, {entry.year}.")


def _table(own_rows: Path | None) -> pd.DataFrame:
    table = load_catalog()
    return table if own_rows is None else pd.concat([table, read_own_rows(own_rows)])


def _line(row: dict[str, object]) -> dict[str, object]:
    """Return a row as people read it."""
    return {
        "id": row["id"],
        "data set": row["dataset"],
        "network": row["model"],
        "size": f"{row['input_width']}x{row['input_height']}",
        "GMACs": row["gmacs"],
        "mIoU %": row["miou"],
        "available": "Y" if row["available"] else "",
        "QAT": "Y" if row["qat"] else "",
    }
