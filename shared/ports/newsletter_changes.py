"""Changes that are on their way to the newsletter processor."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from shared.domain.newsletter_changes import NewsletterChange


class StoredChange(BaseModel):
    """A change as read. `etag` None: it is to be created."""

    model_config = ConfigDict(frozen=True)

    change: NewsletterChange
    etag: str | None


class NewsletterChanges(Protocol):
    """Open changes, one for an address in a list."""

    async def read(self, subject_key: str, list_id: str) -> StoredChange | None:
        """Return the open change. None: nothing is open."""
        ...

    async def write(self, stored: StoredChange) -> str:
        """Save a change if nobody changed it since it was read, and return its new ETag.

        Raises:
            Conflict: somebody did; read again.
        """
        ...

    async def close(self, stored: StoredChange) -> None:
        """Take away a change that is done. One that is gone already is no mistake.

        Raises:
            Conflict: it was asked for anew meanwhile; look again.
        """
        ...

    async def waking(self, now: datetime, *, limit: int) -> Sequence[StoredChange]:
        """Return changes whose time has come and that no person has to look at, at most `limit`."""
        ...

    async def waiting_for_staff(self, *, limit: int) -> Sequence[StoredChange]:
        """Return changes that a person has to look at, at most `limit`."""
        ...
