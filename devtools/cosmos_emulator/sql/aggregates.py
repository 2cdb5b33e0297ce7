"""Aggregate functions as accumulators."""

from collections.abc import Callable
from typing import Any, Final, Protocol

from .values import RANKS, UNDEFINED, is_number, number_result, sort_key

_HIGHEST_SCALAR_RANK: Final = 4


class Accumulator(Protocol):
    """Take values one by one and tell the result at the end."""

    def add(self, value: Any) -> None:
        """Take one value, UNDEFINED included."""

    def result(self) -> Any:
        """Return the aggregate of what was taken."""


class _Count:
    def __init__(self) -> None:
        self._count = 0

    def add(self, value: Any) -> None:
        self._count += value is not UNDEFINED

    def result(self) -> Any:
        return self._count


class _CountIf(_Count):
    def add(self, value: Any) -> None:
        self._count += value is True


class _Sum:
    def __init__(self) -> None:
        self._sum: float = 0
        self._count = 0
        self._spoilt = False

    def add(self, value: Any) -> None:
        if is_number(value):
            self._sum += value
            self._count += 1
        elif value is not UNDEFINED:
            self._spoilt = True

    def result(self) -> Any:
        return UNDEFINED if self._spoilt else number_result(self._sum)


class _Average(_Sum):
    def result(self) -> Any:
        if self._spoilt or not self._count:
            return UNDEFINED
        return number_result(float(self._sum) / self._count)


class _Extreme:
    def __init__(self, *, largest: bool) -> None:
        self._largest = largest
        self._best: Any = UNDEFINED
        self._best_key = b""
        self._spoilt = False

    def add(self, value: Any) -> None:
        if value is UNDEFINED:
            return
        if RANKS[type(value)] > _HIGHEST_SCALAR_RANK:
            self._spoilt = True
            return
        key = sort_key(value)
        if self._best is UNDEFINED or (key > self._best_key if self._largest else key < self._best_key):
            self._best, self._best_key = value, key

    def result(self) -> Any:
        return UNDEFINED if self._spoilt else self._best


def _minimum() -> Accumulator:
    return _Extreme(largest=False)


def _maximum() -> Accumulator:
    return _Extreme(largest=True)


class _Collect:
    def __init__(self) -> None:
        self._items: list[Any] = []

    def add(self, value: Any) -> None:
        if value is not UNDEFINED:
            self._items.append(value)

    def result(self) -> Any:
        return self._items


AGGREGATES: Final[dict[str, Callable[[], Accumulator]]] = {
    "COUNT": _Count,
    "COUNTIF": _CountIf,
    "SUM": _Sum,
    "AVG": _Average,
    "MIN": _minimum,
    "MAX": _maximum,
    "ARRAY_AGG": _Collect,
}
"""Accumulator of each aggregate function."""

PLAN_NAMES: Final = {
    "COUNT": "Count",
    "COUNTIF": "CountIf",
    "SUM": "Sum",
    "AVG": "Average",
    "MIN": "Min",
    "MAX": "Max",
}
"""Name of each aggregate in a query plan; ARRAY_AGG has none."""
