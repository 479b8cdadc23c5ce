"""`evaluate`: what rows reach on labelled images of one's own."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zoo.catalog import Catalog, all_shipped
from zoo.cli.output import (
    SIZE,
    catalog_option,
    json_option,
    precision_option,
    print_json,
    print_table,
)
from zoo.errors import InputError
from zoo.sizes import Size
from zoo.words import format_gmacs

if TYPE_CHECKING:
    from zoo.evaluation import EvaluationProgress, Items
    from zoo.evaluation.summary import Summary

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("ids", metavar="ID|F.onnx...", nargs=-1, required=True)
@click.option("--images", type=_PATH, required=True, metavar="DIR", help="A folder of images, or a zip.")
@click.option(
    "--labels",
    type=_PATH,
    metavar="DIR",
    help="A folder of their labels, or a zip; left out where the zip of images has both.",
)
@click.option("--size", type=SIZE, help="Input size, width x height; each row's own if left out.")
@click.option(
    "--weights", metavar="FILE", help="published, bundled, or a file of your own; the best if left out."
)
@precision_option
@click.option(
    "--mapping",
    type=_PATH,
    metavar="F.csv",
    help="Columns label and class: what each label (a class, an id, a colour such as #804080) means in the "
    "classes of the weights. An empty class leaves the label out.",
)
@click.option(
    "--labels-of", metavar="DATASET", help="The data set whose labels these are; by default the weights' own."
)
@catalog_option
@json_option
def evaluate(
    ids: tuple[str, ...],
    images: Path,
    labels: Path | None,
    size: Size | None,
    weights: str | None,
    precision: str | None,
    mapping: Path | None,
    labels_of: str | None,
    catalog: Catalog | None,
    as_json: bool,
) -> int:
    """IoU of rows on labelled images, matched by name.

    Labels are PNG, BMP or TIFF: class ids, Cityscapes label ids, or the colours of the data set's palette;
    which of them is recognised and said. An image that cannot be used does not stop the others; the exit
    status is then 1. Ctrl-C gives the result so far, exit status 1.

    \b
    Examples:
      python -m zoo evaluate cityscapes-mobilenetv2-fpnlite-768x384 --images test --labels testannot
      python -m zoo evaluate cityscapes-mobilenetv2-fpnlite-768x384 cityscapes-mobilenetv2-unetlite-768x384
        --images labelled.zip --size 480x352 --json
    """
    from zoo.evaluation import Candidate, evaluate_all
    from zoo.evaluation.summary import as_record, summarise
    from zoo.own import named_row

    rows = [named_row(row_id, catalog or all_shipped(), size) for row_id in ids]
    if len(set(ids)) < len(ids):
        raise InputError("the same id is given twice: name each row once.")
    work = _items(images, labels)
    if work.unmatched:
        click.echo(f"zoo: {work.unmatched}", err=True)
    with (
        _interrupts() as interrupted,
        click.progressbar(length=len(work.items), label="Images", file=sys.stderr) as bar,
    ):

        def show(progress: EvaluationProgress) -> None:
            bar.update(progress.done - bar.pos)

        found = evaluate_all(
            [Candidate(row, weights, size, precision=precision) for row in rows],
            work,
            mapping=mapping,
            labels_of=labels_of,
            progress=show,
            cancel=interrupted.is_set,
        )
    first = found[0]
    for refusal in first.refused:
        click.echo(f"zoo: left out: {refusal.reason}", err=True)
    if not first.complete:
        click.echo(
            f"zoo: stopped: this is the result so far, of {first.images} of {first.total} images.", err=True
        )
    summaries = [summarise(each) for each in found]
    if as_json:
        records = [as_record(summary) for summary in summaries]
        print_json(records[0] if len(records) == 1 else records)
    else:
        _print(summaries)
    return 0 if first.complete and not first.refused else 1


def _items(images: Path, labels: Path | None) -> Items:
    from zoo.evaluation.items import items_from, items_of
    from zoo.pairs import pair_zip

    if labels is not None:
        return items_of(images, labels)
    if images.suffix.lower() != ".zip":
        raise click.UsageError("give --labels, a folder with the labels of these images.")
    return items_from(pair_zip(images))


@contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """Give an event that Ctrl-C sets; a second Ctrl-C stops at once."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # only it may say what a signal does
        yield asked
        return
    before = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: object) -> None:
        asked.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, note)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)


def _print(summaries: Sequence[Summary]) -> None:
    """Print the rows with their means, then IoU by class, then the rules."""
    print_table([_line(summary) for summary in summaries])
    click.echo()
    names = list(dict.fromkeys(figure.name for summary in summaries for figure in summary.classes))
    by_class = [{figure.name: figure for figure in summary.classes} for summary in summaries]
    lines: list[dict[str, object]] = []
    for name in names:
        pixels = next(figures[name].pixels for figures in by_class if name in figures)
        line: dict[str, object] = {"class": name, "pixels": f"{pixels:,}"}
        for summary, figures in zip(summaries, by_class, strict=True):
            line[f"IoU % {summary.id}"] = _percent(figures[name].iou if name in figures else None)
        lines.append(line)
    print_table(lines)
    click.echo()
    for rule, words in summaries[0].rules.items():
        click.echo(f"{rule}: {words}")
    for label in dict.fromkeys(summary.weights for summary in summaries):
        click.echo(f"weights: {label}")


def _line(summary: Summary) -> dict[str, object]:
    low_high = summary.interval and " to ".join(f"{bound:.2f}" for bound in summary.interval)
    return {
        "id": summary.id,
        "input": str(summary.size),
        "GMACs": summary.counted_gmacs and format_gmacs(summary.counted_gmacs),
        "mIoU %": _percent(summary.miou),
        "95 % interval": low_high,
        "accuracy %": _percent(summary.accuracy),
        "mean accuracy %": _percent(summary.mean_accuracy),
        "mIoU per image %": _percent(summary.miou_per_image),
        "images": summary.images,
    }


def _percent(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f}"
