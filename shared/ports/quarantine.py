"""Queue messages that could not be used, kept whole until somebody can."""

from collections.abc import Mapping
from typing import Any, Protocol

from shared.ports.evidence import Evidence


class Quarantine(Evidence, Protocol):
    """Records that are looked at again, and go when they were of use."""

    async def page(self, prefix: str, *, cursor: str | None) -> tuple[tuple[str, ...], str | None]:
        """Return names below a prefix, and where the next page starts (None: end)."""
        ...

    async def read(self, name: str) -> Mapping[str, Any]:
        """Return a record.

        Raises:
            NotFound: `quarantine_gone`: somebody was faster.
            CannotTell: `quarantine_unreadable`: it is no record of ours.
        """
        ...

    async def remove(self, name: str) -> None:
        """Remove a record; one that is gone is removed."""
        ...
