"""The kinds of settings: numbers within bounds, on or off, texts, choices, input sizes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pages.shared.settings import Setting
from zoo.errors import BudgetError
from zoo.limits import SIZE_MAX_SIDE, SIZE_MIN_SIDE
from zoo.sizes import Size, parse_size

T = TypeVar("T")


class _Bounded(Setting[T]):
    """A number within bounds."""

    def __init__(self, key: str, default: T, least: float, most: float, unit: str) -> None:
        super().__init__(key, default)
        self.least, self.most = float(least), float(most)
        self.allowed = f"{least:g} to {most:g} {unit}"

    def widget_options(self) -> dict[str, Any]:
        """Return the bounds."""
        return {"min_value": self.least, "max_value": self.most}

    def _number(self, texts: list[str]) -> float:
        """Return the last number of a link."""
        number = float(texts[-1])
        if not math.isfinite(number) or not self.least <= number <= self.most:
            raise ValueError(texts[-1])
        return number


class Number(_Bounded[float]):
    """A number within bounds; without a default of its own, `Limit` is the class."""

    def read(self, texts: list[str]) -> float:
        """Return the last number of a link."""
        return self._number(texts)

    def texts(self, value: float) -> list[str]:
        """Return the number without needless digits."""
        return [f"{value:.10g}"]

    def check(self, number: float) -> float:
        """Return a number that was typed, or raise BudgetError if it is out of bounds."""
        if not math.isfinite(number) or not self.least <= number <= self.most:
            raise BudgetError(f"{number:g} cannot be used: give {self.allowed}.")
        return number

    def least_that_holds(self, number: float) -> float:
        """Return the least value with two decimals that is not below a number."""
        return min(max(math.ceil(round(number * 100, 6)) / 100, self.least), self.most)

    def nearest(self, number: float) -> float:
        """Return the number, moved into the bounds, with two decimals."""
        return min(max(round(number, 2), self.least), self.most)


class Limit(_Bounded[float | None]):
    """A number within bounds, or nothing."""

    def __init__(self, key: str, least: float, most: float, unit: str) -> None:
        super().__init__(key, None, least, most, unit)

    def read(self, texts: list[str]) -> float:
        """Return the last number of a link."""
        return self._number(texts)

    def texts(self, value: float | None) -> list[str]:
        """Return the number, or nothing."""
        return [] if value is None else [f"{value:.10g}"]


class Whole(_Bounded[int]):
    """A whole number within bounds."""

    def __init__(self, key: str, default: int, least: int, most: int, unit: str) -> None:
        super().__init__(key, default, least, most, unit)
        self.allowed = f"a whole number, {self.allowed}"

    def read(self, texts: list[str]) -> int:
        """Return the last number of a link."""
        number = self._number(texts)
        if not number.is_integer():
            raise ValueError(texts[-1])
        return int(number)

    def widget_options(self) -> dict[str, Any]:
        """Return the bounds."""
        return {"min_value": int(self.least), "max_value": int(self.most)}


class Flag(Setting[bool]):
    """On or off."""

    allowed = "true or false"

    def __init__(self, key: str, default: bool = False) -> None:
        super().__init__(key, default)

    def read(self, texts: list[str]) -> bool:
        """Return what the link says."""
        return {"true": True, "false": False}[texts[-1].lower()]

    def texts(self, value: bool) -> list[str]:
        """Return true or false."""
        return [str(value).lower()]


class Text(Setting[str]):
    """A line of text."""

    def __init__(self, key: str, most: int) -> None:
        super().__init__(key, "")
        self.most, self.allowed = most, f"at most {most} characters"

    def read(self, texts: list[str]) -> str:
        """Return the text, unless it is too long."""
        if len(texts[-1]) > self.most:
            raise ValueError(texts[-1])
        return texts[-1]

    def widget_options(self) -> dict[str, Any]:
        """Return the length."""
        return {"max_chars": self.most}


Options = Sequence[str] | Callable[[], Sequence[str]]


class Choice(Setting[str]):
    """One of some options; `options` may be a function, for options that are data."""

    def __init__(self, key: str, options: Options, default: str, allowed: str | None = None) -> None:
        super().__init__(key, default)
        self._options = options
        self._allowed = allowed

    @property
    def options(self) -> list[str]:
        """What there is to choose from."""
        return list(self._options() if callable(self._options) else self._options)

    @property
    def allowed(self) -> str:  # type: ignore[override]
        """What a link may hold, in words."""
        return self._allowed or " or ".join(option for option in self.options if option)

    @property
    def value(self) -> str:
        """What the visitor has set, while that is an option: options may go, as own rows do."""
        value = super().value
        return value if value == self.default or value in self.options else self.default

    def read(self, texts: list[str]) -> str:
        """Return the option that the link names."""
        if texts[-1] not in self.options:
            raise ValueError(texts[-1])
        return texts[-1]

    def widget_options(self) -> dict[str, Any]:
        """Return the options."""
        return {"options": self.options}


class Choices(Setting[list[str]]):
    """Any number of some options; `options` may be a function, for options that are data."""

    def __init__(self, key: str, options: Options, default: Sequence[str], allowed: str) -> None:
        super().__init__(key, list(default))
        self._options, self.allowed = options, allowed

    @property
    def options(self) -> list[str]:
        """What there is to choose from."""
        return list(self._options() if callable(self._options) else self._options)

    @property
    def value(self) -> list[str]:
        """What the visitor has set, of what there is now: another catalog has other rows."""
        value = super().value
        options = set(self.options) if value else set()
        there = [option for option in value if option in options]
        return there or [option for option in self.default if option in options] if value else []

    def read(self, texts: list[str]) -> list[str]:
        """Return the options that the link names; those that it may not name are told of."""
        options = set(self.options)
        known = [text for text in dict.fromkeys(texts) if text in options]
        for text in texts:
            if text not in options:
                self.ignore(text)
        return known or self.default

    def nothing(self) -> list[str]:
        """Return that none is chosen."""
        return []

    def texts(self, value: list[str]) -> list[str]:
        """Return the options; an empty text where none is chosen though some are by default."""
        return list(value) or [""]

    def widget_options(self) -> dict[str, Any]:
        """Return the options."""
        return {"options": self.options}


class InputSize(Setting[Size | None]):
    """An input size, or nothing for each row's own."""

    allowed = f"width x height, {SIZE_MIN_SIDE} to {SIZE_MAX_SIDE} a side"

    def __init__(self, key: str) -> None:
        super().__init__(key, None)

    def read(self, texts: list[str]) -> Size:
        """Return the size that the link names."""
        return parse_size(texts[-1])

    def texts(self, value: Size | None) -> list[str]:
        """Return the size, or nothing."""
        return [] if value is None else [str(value)]
