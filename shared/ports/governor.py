"""The shared tallies of what scheduled deletion draws of the database, and what this worker spends."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from shared.domain.budgets import Purses, Tally


@dataclass(frozen=True, kw_only=True)
class StoredTally:
    """A tally as it is stored. `etag` None: it is not there yet."""

    tally: Tally
    etag: str | None


class Governor(Protocol):
    """One small document a container, which all workers share, and this worker's purses."""

    @property
    def purses(self) -> Purses:
        """What this worker has drawn and not spent yet."""
        ...

    def governed(self) -> AbstractContextManager[None]:
        """Take what is awaited inside from the purses: it is work that nobody asked for."""
        ...

    async def read(self, container: str) -> StoredTally:
        """Return a container's tally; one that is not there is empty."""
        ...

    async def write(self, stored: StoredTally) -> None:
        """Save a tally if it is still as it was read.

        Raises:
            Conflict: another worker was faster; read it again.
        """
        ...
