"""One measured figure, with what was wanted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Wanted(StrEnum):
    """On which side of its limit a figure should be."""

    AT_MOST = "≤"
    AT_LEAST = "≥"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure. `limit` None: it is there to be known, nothing in particular was wanted."""

    what: str
    value: float
    unit: str = ""
    side: Wanted = Wanted.AT_MOST
    limit: float | None = None

    @property
    def is_met(self) -> bool | None:
        """Whether it is as wanted; None where nothing was."""
        if self.limit is None:
            return None
        return self.value <= self.limit if self.side is Wanted.AT_MOST else self.value >= self.limit

    @property
    def shown(self) -> str:
        """The value with a sensible number of digits."""
        magnitude = abs(self.value)
        digits = 0 if magnitude >= 100 else 1 if magnitude >= 10 else 2 if magnitude >= 0.1 else 4  # noqa: PLR2004 - powers of ten
        return f"{self.value:,.{digits}f}"

    @property
    def wanted(self) -> str:
        """The limit as text; empty where there is none."""
        return "" if self.limit is None else f"{self.side} {self.limit:g}"

    @property
    def verdict(self) -> str:
        """`yes`, `MISSED`, or empty."""
        return {None: "", True: "yes", False: "MISSED"}[self.is_met]
