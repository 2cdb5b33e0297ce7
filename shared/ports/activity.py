"""When people last used the application: one clock a person and installation."""

from collections.abc import Sequence
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from shared.domain.activity import ActivityClock


class StoredClock(BaseModel):
    """A clock as read. `etag` None: it is to be created."""

    model_config = ConfigDict(frozen=True)

    clock: ActivityClock
    etag: str | None


class ActivityClocks(Protocol):
    """Clocks by pseudonym."""

    async def read(self, subject_keys: Sequence[str]) -> tuple[StoredClock, ...]:
        """Return every clock of these pseudonyms, in no order. Empty: nobody told of any use.

        Raises:
            Retryable: they could not be read; never take that for "not used".
        """
        ...

    async def write(self, stored: StoredClock) -> None:
        """Save a clock if nobody changed it since it was read.

        Raises:
            Conflict: somebody did; read again.
        """
        ...
