"""Telling the people who run the service that something needs them."""

from typing import Protocol

from shared.telemetry import Metric


class Operators(Protocol):
    """Alarms, without personal data."""

    async def alarm(self, code: str, *, request_id: str | None = None, details: str = "") -> None:
        """Raise one alarm; the same one again is allowed."""
        ...

    def measure(self, metric: Metric, value: float, **labels: str) -> None:
        """Record one value of a metric; it never fails and may be lost with the worker.

        Labels are those of `shared.telemetry.LABELS`; one that is not a plain word leaves as `-`.
        """
        ...
