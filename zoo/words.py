"""Words for people: names that are nearly right, numbers, sizes, and the answer's sentences."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from zoo.checks import check_budget, check_miou
from zoo.errors import UnknownIdError
from zoo.sizes import Size

MAX_SHOWN = 120
"""Letters of a name from outside that a message repeats."""


def unknown_name(kind: str, value: object, known: Iterable[str], next_step: str) -> UnknownIdError:
    """Return the one-line error for a name that does not exist, with the names that look most like it."""
    shown = (value if isinstance(value, str) else str(value))[:MAX_SHOWN]
    by_lower_case = {name.lower(): name for name in known}
    near = [by_lower_case[name] for name in difflib.get_close_matches(shown.lower(), by_lower_case)]
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    return UnknownIdError(f"There is no {kind} {shown!r}.{meant} {next_step}")


def format_gmacs(gmacs: float) -> str:
    """Return GigaMACs for people, with at most four decimals: the published page prints no more."""
    if not 0.001 <= gmacs < 1e9:
        return f"{gmacs:.3g}"
    return f"{gmacs:,.4f}".rstrip("0").rstrip(".")


def size_warnings(rows: pd.DataFrame) -> tuple[str, ...]:
    """Return a sentence for each row of a catalog's table whose published number belongs to another size."""
    if "published_at" not in rows:
        return ()
    elsewhere = rows[rows["published_at"].notna()]
    return tuple(warning for _, row in elsewhere.iterrows() for warning in size_warning(row))


def size_warning(row: pd.Series) -> tuple[str, ...]:
    """Return that sentence for one row, or nothing."""
    there = row.get("published_at")
    if pd.isna(there):
        return ()
    return (f"{row['name']}: its published number belongs to an input of {there}, not {own_size(row)}.",)


@dataclass(frozen=True)
class Cost:
    """How a cost is spoken of: the column that holds it, its unit, and where its numbers come from."""

    column: str
    unit: str = "GMACs"
    basis: str = "as published"
    """Said behind a row's numbers."""
    missing: str = "no GigaMACs published"
    """Said of a row that has none."""
    size: Size | None = None
    """The one size that all costs are for; None for each row's own."""
    noun: str = "GigaMACs"
    """The unit written out."""

    def format(self, cost: float) -> str:
        """Return a cost with its unit."""
        return f"{format_gmacs(cost)} {self.unit}"


def asked(dataset: str, cost: Cost, max_cost: object, min_miou: object) -> str:
    """Return what was asked for, as the beginning of a sentence."""
    limits = []
    if max_cost is not None:
        limits.append(f"under {cost.format(check_budget(max_cost, cost.noun))}")
    if min_miou is not None:
        limits.append(f"at {check_miou(min_miou):g} % mIoU or more")
    text = f"{' and '.join(limits) or 'without a budget'} on {dataset}"
    return text[0].upper() + text[1:]


def choice(cost: Cost, chosen: pd.Series, cheaper: pd.Series | None, better: pd.Series | None) -> str:
    """Return the chosen row and what is beside it, with every size beside the number that depends on it."""
    text = f"{_row(cost, chosen)}, {cost.basis}."
    text += " No row is cheaper." if cheaper is None else f" Next cheaper: {_row(cost, cheaper)}."
    if better is None:
        text += " No row is more accurate."
    else:
        points = f"{better['miou'] - chosen['miou']:.2f}".rstrip("0").rstrip(".")
        text += (
            f" {points} points more would cost {cost.format(better[cost.column])}: {_accuracy(cost, better)}."
        )
    return text + _caveat(cost, [chosen, cheaper, better])


def nothing_fits(cost: Cost, cheapest: pd.Series, best: pd.Series | None = None) -> str:
    """Return what the cheapest row would take, and the most accurate where an accuracy was asked for."""
    text = f"The cheapest is {_row(cost, cheapest)}, {cost.basis}"
    if best is not None:
        text += f"; the most accurate is {_row(cost, best)}"
    return f"{text}.{_caveat(cost, [cheapest, best])}"


def cost_of_8_bits(in_float: pd.Series, in_8_bits: pd.Series) -> str:
    """Return what 8 bits cost a network that was published in both, as a sentence."""
    points = in_float["miou"] - in_8_bits["miou"]
    told = f"{abs(points):.2f} points {'less' if points > 0 else 'more'} than" if points else "as much as"
    size = f"{in_float['input_width']:.0f}x{in_float['input_height']:.0f}"
    return (
        f"In 8 bits, trained for them, {in_float['model']} has {in_8_bits['miou']:g} % mIoU at {size}, "
        f"{told} in float."
    )


def hidden(cost: Cost, row: pd.Series) -> str:
    """Return that a filter hides the row that would be the answer."""
    return f"The filters hide a better one: {_row(cost, row)}."


def shown_cost(row: pd.Series, cost: Cost) -> str:
    """Return what a row costs with its unit; a published number with the digits that were printed."""
    printed = row.get(f"{cost.column}_printed")
    return f"{printed} {cost.unit}" if isinstance(printed, str) else cost.format(row[cost.column])


def headroom(row: pd.Series, budget: float, cost: Cost) -> str:
    """Return how far a row stays below a budget, or goes over it."""
    left = budget - row[cost.column]
    beyond = "below" if left >= 0 else "over"
    return f"{cost.format(abs(left))} ({abs(left) / budget:.0%}) {beyond} the budget".replace("%", " %")


def difference(first: pd.Series, row: pd.Series, cost: Cost) -> str:
    """Return by how much a row differs from the first: points of mIoU and cost, with their signs."""
    points, more = row["miou"] - first["miou"], row[cost.column] - first[cost.column]
    return f"{points:+.2f} points, {more:+,.2f} {cost.unit}"


def miou_at(row: pd.Series, table: pd.DataFrame, cost: Cost) -> str:
    """Return where a row's mIoU was published if costs are for another size, and the mIoU of its twins."""
    if cost.size is None or own_size(row) == cost.size:
        return ""
    twins = [table.loc[twin] for twin in row["twins"] if twin != row.name]
    also = "".join(f", {twin['miou']:.2f} % at {own_size(twin)}" for twin in twins)
    return f"mIoU published at {own_size(row)}{also}; none is claimed for {cost.size}"


def own_size(row: pd.Series) -> Size:
    """Return the size at which a row of a table was measured."""
    return Size(int(row["input_width"]), int(row["input_height"]))


def _row(cost: Cost, row: pd.Series) -> str:
    return f"{_accuracy(cost, row)} for {cost.format(row[cost.column])}"


def _accuracy(cost: Cost, row: pd.Series) -> str:
    if cost.size is None:
        return f"{row['name']} ({own_size(row)}), {row['miou']:g} % mIoU"
    return f"{row['name']}, {row['miou']:g} % mIoU (at {own_size(row)})"


def _caveat(cost: Cost, rows: Iterable[pd.Series | None]) -> str:
    if cost.size is None or all(row is None or own_size(row) == cost.size for row in rows):
        return ""
    return f" Each mIoU is the published one, at the size beside it; for {cost.size} none is claimed."
