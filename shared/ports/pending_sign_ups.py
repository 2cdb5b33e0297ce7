"""Newsletter sign-ups that their person has yet to confirm."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from shared.domain.sign_ups import PendingSignUp


class StoredSignUp(BaseModel):
    """A sign-up as read. `etag` None: it is to be created."""

    model_config = ConfigDict(frozen=True)

    sign_up: PendingSignUp
    etag: str | None


class PendingSignUps(Protocol):
    """Pending sign-ups by their id."""

    async def read(self, sign_up_id: str) -> StoredSignUp | None:
        """Return a sign-up. None: there is none, or no more."""
        ...

    async def write(self, stored: StoredSignUp) -> StoredSignUp:
        """Save a sign-up if nobody changed it since it was read, and return it as stored.

        Raises:
            Conflict: somebody did; read again.
        """
        ...

    async def remove(self, sign_up_id: str) -> None:
        """Take a sign-up away. One that is gone already is no mistake."""
        ...

    async def waking(self, now: datetime, *, limit: int) -> Sequence[StoredSignUp]:
        """Return sign-ups whose time has come, at most `limit`, in no order."""
        ...
