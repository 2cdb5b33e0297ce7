"""Which members were warned that their membership ends by time."""

from typing import Protocol

from pydantic import BaseModel, ConfigDict

from shared.domain.membership_warnings import MembershipWarning


class StoredWarning(BaseModel):
    """A warning as read. `etag` None: it is to be created."""

    model_config = ConfigDict(frozen=True)

    warning: MembershipWarning
    etag: str | None


class MembershipWarnings(Protocol):
    """Warnings by pseudonym."""

    async def read(self, subject_key: str, warning_id: str) -> StoredWarning | None:
        """Return one warning. None: nobody began to send it."""
        ...

    async def write(self, stored: StoredWarning) -> str:
        """Save a warning if nobody changed it since it was read, and return the new ETag.

        Raises:
            Conflict: somebody did; leave the letter to them.
        """
        ...
