"""Following work through doors and queues, and handing on what is measured. Nothing of any person."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from shared.telemetry import Metric


class Step(Protocol):
    """A piece of work that is being traced."""

    def note(self, **labels: str) -> None:
        """Add labels of `shared.telemetry.LABELS`; what is no plain word is left as `-`."""
        ...


class Tracing(Protocol):
    """Spans of our own; those of vendors' libraries would name documents and addresses."""

    def step(self, name: str, *, parent: str | None = None) -> AbstractContextManager[Step]:
        """Trace a piece of work. `parent`: the `traceparent` of what caused it; a wrong one counts as none.

        An error that leaves it is noted by its code or its type, never by its text.
        """
        ...

    def traceparent(self) -> str | None:
        """Return the present step as W3C Trace Context writes it; None: nothing is traced."""
        ...

    def flush(self) -> None:
        """Send what is kept, for a worker that may be gone in a moment. It blocks for seconds at most."""
        ...


class Meter(Protocol):
    """Takes values of metrics."""

    def record(self, metric: Metric, value: float, labels: Mapping[str, str]) -> None:
        """Record one value. It never fails."""
        ...
