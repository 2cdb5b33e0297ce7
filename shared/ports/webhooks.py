"""Bodies of webhooks as they came, and their receipts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from shared.domain.webhook_bodies import Receipt


class StoredReceipt(BaseModel):
    """A receipt as read. `etag` None: it is to be created."""

    model_config = ConfigDict(frozen=True)

    receipt: Receipt
    etag: str | None


class Webhooks(Protocol):
    """Keeps bodies until they are of no use any more, and receipts for some weeks longer."""

    async def keep(self, body_id: str, data: bytes) -> None:
        """Save a body as it came. The same one again is saved once."""
        ...

    async def body(self, body_id: str) -> tuple[bytes, datetime] | None:
        """Return a body and when it came first. None: it is gone, or never came."""
        ...

    async def forget(self, body_id: str) -> None:
        """Remove a body. One that is gone is removed."""
        ...

    async def kept_before(self, moment: datetime, *, limit: int, after: str = "") -> Sequence[str]:
        """Return bodies from before a moment that are still kept, by name, at most `limit` behind `after`."""
        ...

    async def receipt(self, body_id: str) -> StoredReceipt | None:
        """Return how far a body is. None: nobody began it."""
        ...

    async def write(self, stored: StoredReceipt) -> str:
        """Save a receipt if nobody changed it since it was read, and return its new ETag.

        Raises:
            Conflict: another worker is at it.
        """
        ...

    async def to_look_at(self, *, limit: int) -> Sequence[Receipt]:
        """Return receipts of bodies that staff have to look at, at most `limit`."""
        ...
