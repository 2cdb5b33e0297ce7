"""Open changes for the newsletter processor in Cosmos DB, one partition a pseudonym."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from azure.core import MatchConditions
from azure.cosmos.exceptions import CosmosResourceNotFoundError
from pydantic import ValidationError

from shared.adapters._azure_errors import translating
from shared.adapters.cosmos import CosmosDatabases
from shared.domain.errors import CannotTell
from shared.domain.newsletter_changes import NewsletterChange
from shared.domain.times import utc_text
from shared.ports.newsletter_changes import StoredChange

_CONTAINER = "newsletter_changes"
_WAKING = 'SELECT * FROM c WHERE c.attention = "" AND c.wake_at <= @now OFFSET 0 LIMIT @limit'
_WAITING = 'SELECT * FROM c WHERE c.attention != "" OFFSET 0 LIMIT @limit'


class CosmosNewsletterChanges:
    """The container `newsletter_changes`."""

    def __init__(self, databases: CosmosDatabases) -> None:
        self._databases = databases

    async def read(self, subject_key: str, list_id: str) -> StoredChange | None:
        with translating("newsletter_changes.read"):
            try:
                return _stored(await self._container.read_item(list_id, subject_key))
            except CosmosResourceNotFoundError:
                return None

    async def write(self, stored: StoredChange) -> str:
        body = {"id": stored.change.change_id, **stored.change.model_dump(mode="json")}
        with translating("newsletter_changes.write"):
            if stored.etag is None:
                row = await self._container.create_item(body)
            else:
                row = await self._container.replace_item(
                    body["id"], body, etag=stored.etag, match_condition=MatchConditions.IfNotModified
                )
        return str(row["_etag"])

    async def close(self, stored: StoredChange) -> None:
        with translating("newsletter_changes.close"):
            try:
                await self._container.delete_item(
                    stored.change.change_id,
                    stored.change.subject_key,
                    etag=stored.etag,
                    match_condition=MatchConditions.IfNotModified,
                )
            except CosmosResourceNotFoundError:
                return

    async def waking(self, now: datetime, *, limit: int) -> Sequence[StoredChange]:
        parameters: list[dict[str, Any]] = [
            {"name": "@now", "value": utc_text(now)},
            {"name": "@limit", "value": limit},
        ]
        return await self._found(_WAKING, parameters, "newsletter_changes.waking")

    async def waiting_for_staff(self, *, limit: int) -> Sequence[StoredChange]:
        parameters = [{"name": "@limit", "value": limit}]
        return await self._found(_WAITING, parameters, "newsletter_changes.waiting_for_staff")

    async def _found(self, query: str, parameters: list[dict[str, Any]], where: str) -> list[StoredChange]:
        with translating(where):
            return [_stored(row) async for row in self._container.query_items(query, parameters=parameters)]

    @property
    def _container(self) -> Any:
        return self._databases.container("compliance", _CONTAINER)


def _stored(row: dict[str, Any]) -> StoredChange:
    known = {name: row[name] for name in NewsletterChange.model_fields if name in row}
    try:
        return StoredChange(change=NewsletterChange.model_validate(known), etag=row["_etag"])
    except ValidationError:
        raise CannotTell("document_unreadable", _CONTAINER) from None
