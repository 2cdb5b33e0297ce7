"""What must be asked before anything happens to a person's data: one small document per pseudonym."""

from collections.abc import Sequence
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from shared.domain.controls import Controls


class StoredControls(BaseModel):
    """Controls as read. `etag` None: there are none yet, and writing them creates the document."""

    model_config = ConfigDict(frozen=True)

    controls: Controls
    etag: str | None


class ControlsStore(Protocol):
    """Controls by pseudonym."""

    async def read(self, subject_keys: Sequence[str]) -> tuple[StoredControls, ...]:
        """Return the controls of each pseudonym, in the order asked; empty ones where none are stored.

        Raises:
            Retryable: they could not be read; never take that for "no hold".
        """
        ...

    async def write(self, stored: StoredControls) -> str:
        """Save controls if nobody changed them since they were read, and return the new ETag.

        Raises:
            Conflict: somebody did; read again.
        """
        ...

    async def keys_with_hold(self, hold_id: str) -> tuple[str, ...]:
        """Return the pseudonyms a hold stands under, released or not. Empty: there is no such hold."""
        ...

    async def held(self, *, limit: int) -> tuple[Controls, ...]:
        """Return controls with a hold in force, at most `limit`, in no order."""
        ...
