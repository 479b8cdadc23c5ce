"""`predict`, `weights` and `cache`: masks of images, the weights that make them, and where both are kept."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.catalog import Catalog, all_shipped
from zoo.cli.output import (
    SIZE,
    catalog_option,
    find_images,
    json_option,
    precision_option,
    print_json,
    print_table,
    records,
)
from zoo.errors import ImageError, InferenceError, InputError, shown_name
from zoo.limits import MEGABYTE
from zoo.runtimes import RUNTIMES
from zoo.sizes import Size

if TYPE_CHECKING:
    from zoo.prediction import Prediction
    from zoo.weights.download import DownloadProgress

_PATH = click.Path(path_type=Path)
_NEVER = " and ".join(name for name, runtime in RUNTIMES.items() if runtime.by_name_only)


@click.command()
@click.argument("row_id", metavar="ID|F.onnx")
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True, type=_PATH)
@click.option("--size", type=SIZE, help="Input size, width x height; the row's own if left out.")
@click.option("--fit", type=click.Choice(["stretch", "pad"]), default="stretch", show_default=True)
@click.option(
    "--runtime",
    type=click.Choice(list(RUNTIMES)),
    help=f"What runs the network; the first of these that can if left out, {_NEVER} never.",
)
@click.option(
    "--weights", metavar="FILE", help="published, bundled, or a file of your own; the best if left out."
)
@precision_option
@click.option("--out", type=_PATH, metavar="F|DIR", help="Write the mask, a PNG of class ids.")
@click.option("--overlay", type=_PATH, metavar="F|DIR", help="Write the image with the mask on it, a PNG.")
@catalog_option
@json_option
def predict(
    row_id: str,
    images: tuple[Path, ...],
    size: Size | None,
    fit: str,
    runtime: str | None,
    weights: str | None,
    precision: str | None,
    out: Path | None,
    overlay: Path | None,
    catalog: Catalog | None,
    as_json: bool,
) -> int:
    """Masks of images: IMAGE may be several, or a folder of them.

    A folder given to --out and --overlay gets STEM.png and STEM_overlay.png. With several images, one that
    cannot be read does not stop the others; the exit status is then 1.

    \b
    Examples:
      python -m zoo predict cityscapes-mobilenetv2-unetlite-768x384 street.jpg --out mask.png
      python -m zoo predict cityscapes-mobilenetv2-fpnlite-768x384 photos --out masks --overlay masks
      python -m zoo predict network.onnx street.jpg --overlay overlay.png
    """
    from zoo.own import named_row
    from zoo.prediction import predict as predict_one
    from zoo.weights.checkpoints import resolve

    row = named_row(row_id, catalog or all_shipped(), size)
    checkpoint = resolve(row, weights, precision)  # once: without weights there is nothing to do
    paths = find_images(images)
    targets = _targets(paths, out, overlay)
    lines: list[dict[str, Any]] = []
    notes: list[str] = []
    failed = False
    with _bar(paths) as remaining:
        for path, (mask_path, overlay_path) in zip(remaining, targets, strict=True):
            try:
                found = predict_one(
                    row,
                    path,
                    weights=weights,
                    size=size,
                    fit=fit,
                    runtime=runtime,
                    precision=precision,
                )
            except (ImageError, InferenceError) as error:
                if len(paths) == 1:
                    raise
                click.echo(f"zoo: {error}", err=True)
                failed = True
                continue
            _write(found, mask_path, overlay_path)
            lines.append(_line(row_id, path, found))
            notes += [f"{shown_name(path)}: {note}" for note in found.notes]
    if as_json:
        print_json(lines)
    elif lines:
        print_table([_for_people(line) for line in lines])
        said = f"Weights: {lines[-1]['weights']}. {checkpoint.calibration} {checkpoint.notice}"
        for note in (*notes, said.replace("  ", " ")):
            click.echo(note)
    return 1 if failed else 0


def _targets(
    images: Sequence[Path], out: Path | None, overlay: Path | None
) -> list[tuple[Path | None, Path | None]]:
    """Return where each image's mask and overlay go, and refuse what would overwrite an image or a result."""
    masks = _places(images, out, "--out", "")
    overlays = _places(images, overlay, "--overlay", "_overlay")
    taken = {image.resolve() for image in images}
    for place in (*masks, *overlays):
        if place is None:
            continue
        if place.resolve() in taken:
            raise InputError(
                f"{shown_name(place)} would be written over an image or another result: "
                "give another folder, or images with different names."
            )
        taken.add(place.resolve())
    return list(zip(masks, overlays, strict=True))


def _places(images: Sequence[Path], target: Path | None, option: str, ending: str) -> Sequence[Path | None]:
    """Return one file for each image: `target` itself, or files in it where it is a folder."""
    if target is None:
        return [None] * len(images)
    if target.suffix.lower() == ".png" and not target.is_dir():
        if len(images) > 1:
            raise InputError(
                f"{option} {shown_name(target)} is one file for {len(images)} images: give a folder."
            )
        return [target]
    if target.suffix and not target.is_dir():
        raise InputError(
            f"{option} {shown_name(target)} cannot be written: give a name in .png, or a folder."
        )
    target.mkdir(parents=True, exist_ok=True)
    return [target / f"{image.stem}{ending}.png" for image in images]


@contextmanager
def _bar(paths: Sequence[Path]) -> Iterator[Any]:
    """Give the paths one by one, with a progress bar on standard error where there are several."""
    if len(paths) == 1:
        yield paths
        return
    with click.progressbar(paths, label="Images", file=sys.stderr) as bar:
        yield bar


def _write(found: Prediction, mask_path: Path | None, overlay_path: Path | None) -> None:
    from zoo.overlay import indexed_png, overlay_png

    if mask_path is not None:
        mask_path.write_bytes(indexed_png(found.label_map))
    if overlay_path is not None:
        overlay_path.write_bytes(overlay_png(found.rgb, found.label_map))


def _line(row_id: str, path: Path, found: Prediction) -> dict[str, Any]:
    height, width = found.labels.shape
    return {
        "image": str(path),
        "id": row_id,
        "weights": found.weights.label,
        "width": width,
        "height": height,
        "seconds": found.seconds,
        "shares": dict(zip(found.classes, found.shares, strict=True)),
    }


def _for_people(line: dict[str, Any]) -> dict[str, Any]:
    largest = sorted(line["shares"].items(), key=lambda share: -share[1])[:5]
    return {
        "image": shown_name(line["image"]),
        "size": f"{line['width']}x{line['height']}",
        "seconds": f"{line['seconds']:.2f}",
        "shares": ", ".join(f"{name} {share:.1f} %" for name, share in largest if share > 0),
    }


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def weights(context: click.Context, as_json: bool) -> None:
    """Which weights are bundled, downloaded and missing.

    Where both are here, downloaded ones are used before bundled ones.

    \b
    Examples:
      python -m zoo weights
      python -m zoo weights get cocoseg21-lr-aspp-mobilenetv3-large-520x520
    """
    if context.invoked_subcommand is None:
        from zoo.weights.bundled import BUNDLED_NOTICE
        from zoo.weights.checkpoints import status

        table = status()
        if as_json:
            print_json(records(table.set_index("id"), ["id", "kind", "status", "path"]))
            return
        unverified = (table["status"] == "downloaded") & ~table["verified"].astype(bool)
        table.loc[unverified, "status"] = "downloaded, unverified"
        print_table(records(table.set_index("id"), ["id", "kind", "status", "path"]))
        click.echo(f"Bundled weights give CamVid's classes on whatever row they are used. {BUNDLED_NOTICE}")


@weights.command("get")
@click.argument("row_id", metavar="ID")
@click.option("--again", is_flag=True, help="Download even if the weights are here.")
@json_option
def get(row_id: str, again: bool, as_json: bool) -> None:
    """Download a row's published weights into the cache folder.

    \b
    Example:
      python -m zoo weights get cocoseg21-lr-aspp-mobilenetv3-large-520x520
    """
    from zoo.errors import DownloadError, WeightsMissingError
    from zoo.weights.checkpoints import resolve
    from zoo.weights.download import download

    try:
        found = None if again else resolve(row_id, "published")
    except (WeightsMissingError, DownloadError):  # not here, or changed since it came
        found = None
    if found is None:
        with _download_bar() as progress:
            found = download(row_id, progress)
    if as_json:
        print_json({"id": row_id, "kind": found.kind, "status": "downloaded", "path": str(found.path)})
        return
    click.echo(f"{found.path}\n{found.label}. {found.notice}")
    if not found.verified:
        click.echo(f"SHA-256 {found.sha256}: kept, and checked whenever the file is used.")


@contextmanager
def _download_bar() -> Iterator[DownloadProgress]:
    """Give a progress callback that draws a bar on standard error once it knows how much will come."""
    with ExitStack() as stack:
        bars: list[Any] = []

        def tell(done: int, total: int | None) -> None:
            if total is None:
                return
            if not bars:
                bar = click.progressbar(length=total, label="Downloading", file=sys.stderr)
                bars.append(stack.enter_context(bar))
            bars[0].update(done - bars[0].pos)

        yield tell


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def cache(context: click.Context, as_json: bool) -> None:
    """What the cache folder holds: downloaded weights, exported networks and networks in 8 bits.

    \b
    Examples:
      python -m zoo cache
      python -m zoo cache clear
    """
    if context.invoked_subcommand is None:
        _print_cache(as_json, "")


@cache.command("clear")
@json_option
def clear(as_json: bool) -> None:
    """Empty the cache folder. Downloaded weights must then be downloaded again."""
    from zoo.cache import all_dirs

    _print_cache(as_json, "Removed: ")
    # Only what is ours: SEGSELECT_CACHE may name a folder with other things in it.
    for folder in all_dirs():
        if folder.exists():
            shutil.rmtree(folder)


def _print_cache(as_json: bool, heading: str) -> None:
    from zoo.cache import all_dirs

    contents: list[dict[str, Any]] = []
    for folder in all_dirs():
        sizes = [file.stat().st_size for file in folder.rglob("*") if file.is_file()]
        contents.append({"path": str(folder), "files": len(sizes), "bytes": sum(sizes)})
    if as_json:
        print_json(contents)
        return
    for part in contents:
        click.echo(f"{heading}{part['path']}: {part['files']} files, {part['bytes'] / MEGABYTE:.1f} MB")
