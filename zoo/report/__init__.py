"""A decision as one page that can be sent: question, answer, chart, table, masks, measured figures, rules.

The page is one HTML file that needs no network: Plotly's script, the figures and the images are in it. What
comes from outside (names, an evaluation's file) is escaped by the template, and in figures by their charts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pandas as pd
from jinja2 import Environment, StrictUndefined

import zoo
from zoo import limits
from zoo.catalog import PUBLISHED as PUBLISHED_TABLE
from zoo.catalog import Catalog, catalog_named
from zoo.charts import class_bars, confusion_heatmap, figure_json, measured_scatter, pareto, plotly_script
from zoo.charts.cards import cards
from zoo.comparison import LEAST, MOST, compare_figures
from zoo.costs import load_costs
from zoo.datasets import load_datasets
from zoo.errors import InputError
from zoo.evaluation.summary import Summary
from zoo.families import families
from zoo.images import Picture
from zoo.report.masks import Masks, make_masks
from zoo.rows import Row
from zoo.selection import PUBLISHED, Answer, answer, counted_at, excluded, rank, twins, with_counted
from zoo.sizes import Size
from zoo.words import Cost, format_gmacs, size_warnings

LOCAL_ADDRESS = "http://localhost:8501/"
"""Where the dashboard is when somebody starts it on the same machine."""

_TEMPLATE = Path(__file__).with_name("template.html")
_IMAGE_SIDES = (1000, 800, 640, 480, 320)
"""How wide masks may be: the first at which the page is small enough is taken."""


@dataclass(frozen=True)
class Decision:
    """What a report shows."""

    dataset: str
    max_gmacs: float
    size: Size | None = None
    """Where MACs are counted; None takes the published ones."""
    rows: tuple[str, ...] = ()
    """Ids that are looked at closely: compared, and run on the picture. The answer if there are none."""
    catalog: Catalog = field(default_factory=lambda: catalog_named(PUBLISHED_TABLE))
    picture: Picture | None = None
    """Of which masks are made."""
    masks: Masks | None = None
    """Those that were made already."""
    evaluations: tuple[Summary, ...] = ()
    address: str = LOCAL_ADDRESS
    """Of the dashboard, for the link that restores the view."""
    view: str | None = None
    """The whole address, where the dashboard itself makes the report."""

    @property
    def link(self) -> str:
        """The address that restores the view in the dashboard."""
        if self.view is not None:
            return self.view
        held: list[tuple[str, str]] = [("dataset", self.dataset), ("budget", f"{self.max_gmacs:.10g}")]
        if self.size is not None:
            held.append(("size", str(self.size)))
        if self.catalog.name != PUBLISHED_TABLE:
            held.append(("catalog", self.catalog.name))
        held += [("rows", row_id) for row_id in self.rows]
        return f"{self.address.rstrip('/')}/?{urlencode(held)}"


def make_report(decision: Decision) -> str:
    """Return a decision as one HTML document of at most limits.REPORT_BYTES.

    Raises UnknownIdError and BudgetError for what the catalog does not have, InputError for more than four
    rows, and what `zoo.predict` raises for the picture; rows without weights are named as such.
    """
    if len(decision.rows) > MOST:
        raise InputError(f"{len(decision.rows)} rows are too many for one report: name at most {MOST}.")
    cost = PUBLISHED if decision.size is None else counted_at(decision.size)
    table = with_counted(decision.catalog, decision.size)
    found = answer(table, decision.dataset, max_cost=decision.max_gmacs, cost=cost)
    ids = decision.rows or ((found.chosen,) if found.chosen else ())
    rows = [decision.catalog.row(row_id) for row_id in ids]
    masks = decision.masks
    if decision.picture is not None:
        masks = make_masks(rows, decision.picture, decision.size)
    context = _context(decision, cost, table, found, rows)
    for side in _IMAGE_SIDES:
        page = _render({**context, "masks": masks and masks.shown(side)})
        if len(page.encode()) <= limits.REPORT_BYTES:
            return page
    raise InputError("the report is larger than it may be: name fewer rows or evaluations.")


def _context(
    decision: Decision, cost: Cost, table: pd.DataFrame, found: Answer, rows: Sequence[Row]
) -> dict[str, Any]:
    of_dataset = table[table["dataset"] == decision.dataset]
    ranked = rank(of_dataset, decision.dataset, cost=cost)
    fitting = rank(of_dataset, decision.dataset, max_cost=decision.max_gmacs, cost=cost)
    ids = [row.id for row in rows]
    listed = pd.concat(
        [
            fitting,
            ranked.loc[[row_id for row_id in ids if row_id in ranked.index and row_id not in fitting.index]],
        ]
    )
    titles = {row.id: row.title for row in decision.catalog.rows}
    names = {row.id: row.name for row in decision.catalog.rows}
    reasons = excluded(of_dataset, cost)
    return {
        "decision": decision,
        "question": f"Which network for {decision.dataset} within {format_gmacs(decision.max_gmacs)} GMACs, "
        f"{cost.basis}?",
        "answer": found,
        "lines": [_line(row, decision.max_gmacs, cost, ids, found.chosen) for _, row in listed.iterrows()],
        "warnings": [said for said in size_warnings(listed) if said not in found.warnings],
        "excluded": [(titles[row_id], reason) for row_id, reason in reasons.items()],
        "counted": f"counted at {decision.size or 'own size'}",
        "compared": _compared(rows, decision.size),
        "sources": _sources(decision, listed),
        "measured": _measured(decision.evaluations, names),
        "evaluations": decision.evaluations,
        "names": names,
        "charts": _charts(decision, cost, ranked, ids, names, found.chosen),
        "dataset": load_datasets()["title"].get(decision.dataset, decision.dataset),
        "versions": _versions(),
    }


def _line(
    row: pd.Series, budget: float, cost: Cost, chosen: Sequence[str], best: str | None
) -> dict[str, Any]:
    return {
        "name": row["name"],
        "size": f"{row['input_width']}x{row['input_height']}",
        "gmacs": _gmacs(row["gmacs"]),
        "counted": _gmacs(row["counted_gmacs"]),
        "miou": f"{row['miou']:g}",
        "frontier": bool(row["on_frontier"]),
        "fits": bool(row[cost.column] <= budget),
        "answer": row.name == best,
        "chosen": row.name in chosen,
        "references": row["references"] if isinstance(row["references"], str) else "",
    }


def _compared(rows: Sequence[Row], size: Size | None) -> list[dict[str, Any]]:
    """Return the rows that are looked at closely, with their differences from the first."""
    if len(rows) < LEAST:
        return []
    table = compare_figures(rows, size)
    return [
        {
            "name": row.title,
            "gmacs": _gmacs(line["gmacs"]),
            "counted": _gmacs(line["counted_gmacs"]),
            "params": f"{line['params'] / 1e6:.2f}" if pd.notna(line["params"]) else "none",
            "miou": f"{line['miou']:g}" if pd.notna(line["miou"]) else "none",
            "more": _signed(line["counted_gmacs_difference"], " %"),
            "points": _signed(line["miou_difference"], ""),
        }
        for row, (_, line) in zip(rows, table.iterrows(), strict=True)
    ]


def _sources(decision: Decision, listed: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the references of the rows of the table."""
    cited = {int(number) for cell in listed["references"].dropna() for number in str(cell).split(",")}
    known = decision.catalog.references
    found = known.loc[known.index.isin(cited)]
    return [{"number": number, **entry.dropna().to_dict()} for number, entry in found.iterrows()]


def _measured(summaries: Sequence[Summary], names: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "name": each.title(names),
            "size": str(each.size or "size not said"),
            "counted": "none" if each.counted_gmacs is None else format_gmacs(each.counted_gmacs),
            "miou": _percent(each.miou),
            "interval": each.interval and " to ".join(f"{bound:.2f}" for bound in each.interval),
            "accuracy": _percent(each.accuracy),
            "images": each.images,
        }
        for each in summaries
    ]


def _charts(
    decision: Decision,
    cost: Cost,
    ranked: pd.DataFrame,
    ids: Sequence[str],
    names: dict[str, str],
    best: str | None,
) -> dict[str, str]:
    """Return the figures as JSON, by the name of their place in the template."""
    labels = {key: facts.label for key, facts in families().items()}
    points = ranked.assign(
        family_label=ranked["family"].map(labels).fillna("own row"), twins=twins(ranked, cost)
    )
    points = points.assign(card=cards(points))
    figures = {}
    if not points.empty:
        figures["frontier"] = pareto(points, cost=cost, budget=decision.max_gmacs, chosen=ids, answer=best)
    if any(each.counted_gmacs and each.miou is not None for each in decision.evaluations):
        figures["measured"] = measured_scatter(decision.evaluations, names)
    if decision.evaluations:
        figures["classes"] = class_bars(decision.evaluations, names)
    first = next((each for each in decision.evaluations if each.confusion), None)
    if first is not None:
        figures["confusion"] = confusion_heatmap(first.confusion, [line.name for line in first.classes])
    return {name: figure_json(figure) for name, figure in figures.items()}


def _versions() -> dict[str, str]:
    counter = "; ".join(sorted(load_costs()["ptflops_version"].unique()))
    return {
        "SegSelect": zoo.__version__,
        "MAC counter": f"ptflops {counter}",
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }


def _render(context: dict[str, Any]) -> str:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    return template.render(context, plotly=plotly_script() if context["charts"] else "")


def _gmacs(gmacs: float) -> str:
    return "none" if pd.isna(gmacs) else format_gmacs(gmacs)


def _percent(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f}"


def _signed(difference: float, unit: str) -> str:
    return "none" if pd.isna(difference) else f"{difference:+.2f}{unit}"


__all__ = ["LOCAL_ADDRESS", "Decision", "Masks", "make_report"]
