"""`quantize`: a row's network in 8 bits, calibrated on images of one's own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli.output import SIZE, catalog_option, find_images, json_option, print_json, print_table
from zoo.errors import InputError, shown_name
from zoo.limits import CALIBRATION_PICTURES, MEGABYTE

if TYPE_CHECKING:
    from zoo.catalog import Catalog
    from zoo.quantization import LayerNoise, Quantized, Told
    from zoo.quantization.ranges import Method
    from zoo.sizes import Size

_PATH = click.Path(path_type=Path)
_SHOWN_LAYERS = 8


@click.command()
@click.argument("row_id", metavar="ID")
@click.option(
    "--images",
    type=_PATH,
    required=True,
    metavar="DIR",
    help=f"A folder of at least {CALIBRATION_PICTURES} images of the kind that the network will see.",
)
@click.option("--out", type=_PATH, required=True, metavar="F.onnx", help="The file to write.")
@click.option(
    "--weights", metavar="FILE", help="published, bundled, or a file of your own; the best if left out."
)
@click.option("--size", type=SIZE, help="Input size, width x height; the row's own if left out.")
@click.option(
    "--method",
    type=click.Choice(["percentile", "minmax", "entropy"]),
    default="percentile",
    show_default=True,
    help="How the range of each tensor is found.",
)
@catalog_option
@json_option
def quantize(
    row_id: str,
    images: Path,
    out: Path,
    weights: str | None,
    size: Size | None,
    method: Method,
    catalog: Catalog | None,
    as_json: bool,
) -> None:
    """A row's network in 8 bits, calibrated on your images.

    Static post-training quantization: weights symmetric per channel, activations per tensor, the last layer
    in float. The file takes raw pixels and gives logits at the network's own stride. `predict --precision
    8bit` with the same weights uses it from then on. 8 bits are not faster on every processor: `bench` it.

    \b
    Examples:
      python -m zoo quantize cityscapes-mobilenetv2-unetlite-768x384 --images photos --out unet_8bit.onnx
      python -m zoo quantize cityscapes-mobilenetv2-fpnlite-768x384 --images photos --size 480x352
        --method minmax --out fpn_8bit.onnx --json
    """
    from zoo.cache import write_whole
    from zoo.catalog import all_shipped
    from zoo.quantization.network import quantize as quantize_network

    if out.suffix.lower() != ".onnx" or out.is_dir():
        raise InputError(f"{shown_name(out)} cannot be written: give a name that ends in .onnx.")
    row = (catalog or all_shipped()).row(row_id)
    with _bar() as progress:
        found = quantize_network(
            row, find_images([images]), weights=weights, size=size, method=method, progress=progress
        )
    write_whole(out, found.model)
    if as_json:
        print_json(_record(row.id, out, found))
        return
    click.echo(
        f"{out}: {len(found.model) / MEGABYTE:.2f} MB, in float {found.float_bytes / MEGABYTE:.2f} MB.\n"
        f"{found.agreement:.2f} % of the positions get the same class as in float, on the {found.pictures} "
        f"images that it was calibrated on ({found.method}, {found.size}); it took {found.seconds:.0f} s, "
        f"{found.calibration_seconds:.0f} s of it for the ranges.\n\nThe layers with most noise:"
    )
    print_table([_for_people(layer) for layer in found.worst[:_SHOWN_LAYERS]])


def _record(row_id: str, out: Path, found: Quantized) -> dict[str, Any]:
    return {
        "id": row_id,
        "path": str(out),
        "bytes": len(found.model),
        "float_bytes": found.float_bytes,
        **found.calibration,
        "seconds": found.seconds,
        "calibration_seconds": found.calibration_seconds,
        "layers": [
            {"name": layer.name, "snr_db": layer.snr_db, "weights_snr_db": layer.weights_snr_db}
            for layer in found.layers
        ],
    }


def _for_people(layer: LayerNoise) -> dict[str, Any]:
    return {
        "layer": layer.name,
        "signal to noise dB": None if layer.snr_db is None else f"{layer.snr_db:.1f}",
        "of its weights dB": None if layer.weights_snr_db is None else f"{layer.weights_snr_db:.1f}",
    }


@contextmanager
def _bar() -> Iterator[Told]:
    """Give a progress callback that draws a bar on standard error for each pass over the images."""
    with ExitStack() as stack:
        bars: dict[str, Any] = {}

        def tell(words: str, done: int, total: int) -> None:
            if words not in bars:
                stack.close()
                bars[words] = stack.enter_context(
                    click.progressbar(length=total, label=words, file=sys.stderr)
                )
            bars[words].update(done + 1 - bars[words].pos)

        yield tell
