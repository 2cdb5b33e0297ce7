"""Where the walks over everybody's records stand."""

from typing import Protocol

from pydantic import BaseModel, ConfigDict

from shared.domain.walks import Walk


class StoredWalk(BaseModel):
    """A walk as read. `etag` None: it is to be created."""

    model_config = ConfigDict(frozen=True)

    walk: Walk
    etag: str | None


class Walks(Protocol):
    """One walk of each name, the latest."""

    async def read(self, name: str) -> StoredWalk | None:
        """Return the walk of a name. None: there never was one."""
        ...

    async def write(self, stored: StoredWalk) -> str:
        """Save a walk if nobody changed it since it was read, and return its new ETag.

        Raises:
            Conflict: somebody did: another worker is at it, leave it to them.
        """
        ...
