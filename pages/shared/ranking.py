"""The ranked table: what fits, best first, then what is over the budget; selected rows are chosen."""

from pages.shared.exploring import View, ranked
from pages.shared.loaders import weights_of
from pages.shared.tables import MEGABYTES, chosen_from
from zoo.latency import COLUMN
from zoo.words import Cost

COLUMNS = ["rank", "title", "cost", "miou", "on_frontier", "weights", "params_m", *MEGABYTES]
GREY = "color: #7a8591"


def ranking(view: View, dataset: str, budget: float, cost: Cost) -> None:
    """Draw the ranked table of a data set; a selected row goes to the chosen ones."""
    rows = ranked(view, dataset, budget)
    rows = rows.assign(weights=weights_of(rows))
    over = rows["rank"].isna()
    chosen_from(
        rows,
        [COLUMN if name == "cost" and cost.column == COLUMN else name for name in COLUMNS],
        key=f"explore_ranking_{dataset}",
        alt=f"Rows of {dataset} within {cost.format(budget)}, the most accurate first, then those over it.",
        style=lambda shown: shown.style.apply(lambda _: [GREY if beyond else "" for beyond in over], axis=0),
    )
