"""Runs that compare the newsletter processor with our ledger, and what the webhooks last looked like."""

from collections.abc import Sequence
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from shared.domain.reconciliations import Reconciliation, Watch


class StoredRun(BaseModel):
    """A run as read. `etag` None: it is to be created."""

    model_config = ConfigDict(frozen=True)

    run: Reconciliation
    etag: str | None


class Reconciliations(Protocol):
    """Keeps runs for some weeks, and the last look at the webhooks."""

    async def read(self, run_id: str) -> StoredRun | None:
        """Return a run. None: there is none, or it is gone."""
        ...

    async def write(self, stored: StoredRun) -> str:
        """Save a run if nobody changed it since it was read, and return its new ETag.

        Raises:
            Conflict: another worker is at it, leave it to them.
        """
        ...

    async def latest(self, *, limit: int) -> Sequence[StoredRun]:
        """Return the newest runs, the newest first, at most `limit`."""
        ...

    async def watched(self) -> Watch | None:
        """Return the last look at the webhooks. None: nobody looked yet."""
        ...

    async def keep_watch(self, watch: Watch) -> None:
        """Save a look at the webhooks in place of the last one."""
        ...
