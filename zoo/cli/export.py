"""`export`: a row's network as an .onnx file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from zoo.cli.output import SIZE, json_option, print_fields, print_json
from zoo.errors import shown_name
from zoo.limits import MEGABYTE
from zoo.sizes import Size


@click.command()
@click.argument("row_id", metavar="ID")
@click.option("--size", type=SIZE, help="Input size, width x height; the row's own if left out.")
@click.option(
    "--weights", metavar="FILE", help="published, bundled, or a file of your own; the best if left out."
)
@click.option("--dynamic", is_flag=True, help="Leave height and width free: about a tenth slower.")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), metavar="F.onnx", help="The file to write."
)
@json_option
def export(
    row_id: str, size: Size | None, weights: str | None, dynamic: bool, out: Path, as_json: bool
) -> None:
    """A row's network as an .onnx file, with its weights, class names and preprocessing in it.

    The file is run in onnxruntime and compared with torch before it gets its name. Where there are no weights
    they are random, and standard error and the file itself say so.

    \b
    Examples:
      python -m zoo export cityscapes-mobilenetv2-unetlite-768x384 --out unetlite.onnx
      python -m zoo export cityscapes-erfnet-1024x512 --size 640x480 --dynamic --out erfnet.onnx
    """
    from zoo.export import export as export_network

    done = export_network(row_id, out, weights=weights, size=size, dynamic=dynamic)
    facts = done.facts
    if facts.random:
        click.echo(
            f"zoo: {shown_name(out)} has random weights, since no others are here: for counting and timing, "
            "not for masks. With --weights FILE it gets yours.",
            err=True,
        )
    fields: dict[str, Any] = {
        "id": done.row.id,
        "path": str(done.path),
        "width": done.size.width,
        "height": done.size.height,
        "dynamic": done.dynamic,
        "weights": facts.weights,
        "random": facts.random,
        "notice": facts.notice or None,
        "classes": None if facts.classes is None else list(facts.classes.names),
        "mean": facts.mean,
        "std": facts.std,
        "bytes": done.file_bytes,
        "largest_difference": done.largest_difference,
        "versions": facts.versions,
    }
    if as_json:
        print_json(fields)
        return
    words = {"classes": ", ".join(fields["classes"] or []), "bytes": f"{done.file_bytes / MEGABYTE:.1f} MB"}
    words["largest_difference"] = f"{done.largest_difference:.1e} of the largest logit"
    print_fields(fields | words)
