"""`chips`: latencies that others measured on chips."""

from __future__ import annotations

from typing import Any

import click

from zoo.chips import FLOAT, NOTICE, Setup, latencies, setups
from zoo.cli.output import json_option, print_json, print_table
from zoo.latency import COLUMN


@click.command()
@click.option("--device", metavar="D", help="Only this device; without it, an overview of all.")
@click.option("--precision", metavar="P", help="float, fp16, w8a8 or w8a16.")
@click.option("--runtime", metavar="R", help="onnx, qnn_dlc, tflite, TensorRT or Paddle-Lite.")
@json_option
def chips(device: str | None, precision: str | None, runtime: str | None, as_json: bool) -> None:
    """Milliseconds measured on phones, boards and cards, by others.

    Milliseconds of two devices, precisions or runtimes do not compare networks. The rank correlation says how
    far MACs put the rows of the catalogs in the order of their milliseconds: 1 in all of it, 0 in nothing.

    \b
    Examples:
      python -m zoo chips
      python -m zoo chips --device "Samsung Galaxy S25" --precision w8a8
      python -m zoo chips --device "NVIDIA Jetson AGX Orin" --json
    """
    found = latencies(device, precision, runtime)
    if as_json:
        print_json(found.where(found.notna(), None).to_dict("records"))
        return
    overview = setups()
    asked = zip(Setup._fields, (device, precision, runtime), strict=True)
    for column, value in ((column, value) for column, value in asked if value is not None):
        overview = overview[overview[column] == value]
    if device is None:
        print_table([_device_line(name, group) for name, group in overview.groupby("device", sort=True)])
    else:
        print_table([_line(line) for line in found.sort_values([*Setup._fields, COLUMN]).to_dict("records")])
        click.echo()
        print_table([_setup_line(line) for line in overview.to_dict("records")])
    click.echo(f"\n{NOTICE}")


def _device_line(device: object, group: Any) -> dict[str, object]:
    rho = group["rho"].dropna()
    return {
        "device": device,
        "precisions": ", ".join(sorted(set(group["precision"]), key=lambda name: (name != FLOAT, name))),
        "runtimes": ", ".join(sorted(set(group["runtime"]))),
        "latencies": int(group["networks"].sum()),
        "rank correlation": f"{rho.min():+.2f} to {rho.max():+.2f}" if len(rho) else "too few rows",
    }


def _line(line: dict[str, Any]) -> dict[str, object]:
    return {
        "network": line["network"],
        "size": f"{line['input_width']}x{line['input_height']}",
        **{name: line[name] for name in ("precision", "runtime", "compute_unit")},
        "ms": f"{line[COLUMN]:.2f}",
        "id": line["row_id"],
    }


def _setup_line(line: dict[str, Any]) -> dict[str, object]:
    rho = line["rho"]
    return {
        **{name: line[name] for name in Setup._fields},
        "networks": line["networks"],
        "catalog rows": line["rows"],
        "rank correlation": "too few rows" if rho != rho else f"{rho:+.2f}",
    }
