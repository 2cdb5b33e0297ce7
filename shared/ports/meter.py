"""What the database charges for the work at hand."""

from contextlib import AbstractContextManager
from typing import Protocol


class Spent(Protocol):
    """Request units since it was asked last."""

    def take(self) -> float:
        """Return what was charged since the last call."""
        ...


class Meter(Protocol):
    """Counts charges of everything that is awaited inside."""

    def measured(self) -> AbstractContextManager[Spent]:
        """Count from here on. Inside another measurement both count."""
        ...
