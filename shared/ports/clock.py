"""The present moment, passed in so that rules never read it."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...

    def elapsed_seconds(self) -> float:
        """Return seconds on a clock that only moves forward, to bound the work of one message."""
        ...
