"""Telling the people who run the service that something needs them."""

from typing import Protocol


class Operators(Protocol):
    """Alarms, without personal data."""

    async def alarm(self, code: str, *, request_id: str | None = None, details: str = "") -> None:
        """Raise one alarm; the same one again is allowed."""
        ...
