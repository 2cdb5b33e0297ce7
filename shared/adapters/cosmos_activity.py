"""Clocks of last use in Cosmos DB, one partition a pseudonym and one document an installation."""

import hashlib
from collections.abc import Sequence
from typing import Any

from azure.core import MatchConditions
from pydantic import ValidationError

from shared.adapters._azure_errors import translating
from shared.adapters.cosmos import CosmosDatabases
from shared.domain.activity import ActivityClock
from shared.domain.errors import CannotTell
from shared.ports.activity import StoredClock


class CosmosActivityClocks:
    """The `activity_clocks` container."""

    def __init__(self, databases: CosmosDatabases) -> None:
        self._databases = databases

    async def read(self, subject_keys: Sequence[str]) -> tuple[StoredClock, ...]:
        found: list[StoredClock] = []
        with translating("activity.read"):
            for key in dict.fromkeys(subject_keys):
                rows = self._container.query_items("SELECT * FROM c", partition_key=key)
                found += [_stored(row) async for row in rows]
        return tuple(found)

    async def write(self, stored: StoredClock) -> None:
        body = {"id": _id(stored.clock), **stored.clock.model_dump(mode="json")}
        with translating("activity.write"):
            if stored.etag is None:
                await self._container.create_item(body)
            else:
                await self._container.replace_item(
                    body["id"], body, etag=stored.etag, match_condition=MatchConditions.IfNotModified
                )

    @property
    def _container(self) -> Any:
        return self._databases.container("compliance", "activity_clocks")


def _id(clock: ActivityClock) -> str:
    """Return a key that holds whatever an installation is called."""
    return hashlib.sha256(f"{clock.installation_id}\n{clock.customer_id}".encode()).hexdigest()


def _stored(row: dict[str, Any]) -> StoredClock:
    try:
        clock = ActivityClock.model_validate(
            {name: row[name] for name in ActivityClock.model_fields if name in row}
        )
    except ValidationError:
        raise CannotTell("document_unreadable", "activity_clocks") from None
    return StoredClock(clock=clock, etag=row["_etag"])
