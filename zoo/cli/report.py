"""`report`: a decision as one page to send."""

from __future__ import annotations

from pathlib import Path

import click

from zoo.catalog import PUBLISHED, Catalog, catalog_named
from zoo.cli.output import SIZE, catalog_option, json_option, print_json
from zoo.errors import InputError, shown_name
from zoo.sizes import Size

_PATH = click.Path(path_type=Path)


@click.command()
@click.option("--dataset", required=True, help="The data set among whose rows to choose.")
@click.option("--max-gmacs", type=float, required=True, help="The budget.")
@click.option("--size", type=SIZE, help="Count MACs at this input size; published ones if left out.")
@click.option("--image", type=_PATH, metavar="F", help="Show the masks of this image.")
@click.option(
    "--rows",
    "ids",
    multiple=True,
    metavar="ID",
    help="Rows to look at closely, up to four: --rows ID --rows ID, or --rows ID,ID. The answer if left out.",
)
@click.option(
    "--evaluation",
    "evaluations",
    type=_PATH,
    multiple=True,
    metavar="F.json",
    help="Measured figures, as evaluate --json prints them.",
)
@click.option("--address", metavar="URL", help="Of the dashboard, for the link that restores the view.")
@click.option("--out", type=_PATH, required=True, metavar="F.html", help="Write the page here.")
@catalog_option
@json_option
def report(
    dataset: str,
    max_gmacs: float,
    size: Size | None,
    image: Path | None,
    ids: tuple[str, ...],
    evaluations: tuple[Path, ...],
    address: str | None,
    out: Path,
    catalog: Catalog | None,
    as_json: bool,
) -> None:
    """A decision as one page: question, answer, chart, table, masks, measured figures, rules.

    The page is one HTML file that needs no network.

    \b
    Examples:
      python -m zoo report --dataset Cityscapes --max-gmacs 4 --out report.html
      python -m zoo report --dataset Cityscapes --max-gmacs 4 --image street.jpg --evaluation mine.json
        --rows cityscapes-mobilenetv2-unetlite-768x384,cityscapes-mobilenetv2-fpnlite-768x384
        --out report.html
    """
    from zoo.evaluation.summary import read_summaries
    from zoo.images import read_image
    from zoo.report import LOCAL_ADDRESS, Decision, make_report

    if out.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"--out {shown_name(out)} cannot be written: give a name in .html.")
    if not (address or LOCAL_ADDRESS).startswith(("http://", "https://")):
        raise InputError("--address must begin with http:// or https://.")
    page = make_report(
        Decision(
            dataset=dataset,
            max_gmacs=max_gmacs,
            size=size,
            rows=tuple(row_id for group in ids for row_id in group.split(",")),
            catalog=catalog or catalog_named(PUBLISHED),
            picture=None if image is None else read_image(image),
            evaluations=tuple(summary for path in evaluations for summary in read_summaries(path)),
            address=address or LOCAL_ADDRESS,
        )
    ).encode()
    out.write_bytes(page)
    if as_json:
        print_json({"path": str(out), "bytes": len(page)})
    else:
        click.echo(f"{out}: {len(page) / 1e6:.1f} MB, opens in any browser, needs no network.")
