"""Checks of numbers that a person gives: budgets, accuracies, whole numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real
from typing import SupportsIndex, TypeGuard

import numpy as np

from zoo.errors import BudgetError


def is_whole(value: object) -> TypeGuard[SupportsIndex]:
    """Return whether a value is one whole number, of Python or numpy; a truth value and an array are none."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def check_number(value: object, what: str, allowed: str, holds: Callable[[float], bool]) -> float:
    """Return a finite number for which `holds`, or raise BudgetError that says `what` it should be."""
    try:
        number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or not holds(number):
        raise BudgetError(f"{str(value)[:40]!r} is not {what}: give a number {allowed}.")
    return number


def check_positive(value: object, what: str, example: str) -> float:
    """Return a finite number above zero, or raise BudgetError."""
    return check_number(value, what, f"above 0, such as {example}", lambda number: number > 0)


def check_budget(budget: object, unit: str = "GigaMACs") -> float:
    """Return a budget, or raise BudgetError unless it is a finite number above zero."""
    return check_positive(budget, f"a budget in {unit}", "4")


def check_miou(percent: object) -> float:
    """Return an accuracy in percent, or raise BudgetError unless it is a number from 0 to 100."""
    return check_number(
        percent, "an mIoU in percent", "from 0 to 100, such as 72", lambda number: 0 <= number <= 100
    )


def budget_from_chip(tops: object, utilisation: object, frames_per_second: object) -> float:
    """Return the GigaMACs that a chip can spend on one frame.

    `tops`: the chip's peak in 10^12 operations a second; a multiply-accumulate is two operations.
    `utilisation`: the share of the peak that a network reaches, above 0 and up to 1.
    Raises BudgetError for numbers that are none, or that are out of range.
    """
    peak = check_positive(tops, "a peak in TOPS", "8")
    share = check_number(utilisation, "a utilisation", "above 0, up to 1", lambda number: 0 < number <= 1)
    rate = check_positive(frames_per_second, "frames a second", "30")
    return check_budget(peak * 1000 / 2 * share / rate)
