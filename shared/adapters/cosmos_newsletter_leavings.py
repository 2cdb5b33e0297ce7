"""Leavings that were seen at the newsletter processor, in Cosmos DB, one partition a pseudonym."""

from datetime import timedelta
from typing import Any

from azure.cosmos.exceptions import CosmosResourceNotFoundError
from pydantic import ValidationError

from shared.adapters._azure_errors import translating
from shared.adapters.cosmos import CosmosDatabases
from shared.domain.errors import CannotTell
from shared.domain.newsletter_leavings import Seen
from shared.ports.newsletter_leavings import SEEN_DAYS

_CONTAINER = "newsletter_leavings"
_SECONDS = int(timedelta(days=SEEN_DAYS).total_seconds())


class CosmosNewsletterLeavings:
    """The container `newsletter_leavings`."""

    def __init__(self, databases: CosmosDatabases) -> None:
        self._databases = databases

    async def read(self, subject_key: str, list_id: str) -> Seen | None:
        with translating("newsletter_leavings.read"):
            try:
                row = await self._container.read_item(list_id, subject_key)
            except CosmosResourceNotFoundError:
                return None
        try:
            return Seen.model_validate({name: row.get(name) for name in Seen.model_fields})
        except ValidationError:
            raise CannotTell("document_unreadable", _CONTAINER) from None

    async def write(self, seen: Seen) -> None:
        body = {"id": seen.list_id, "ttl": _SECONDS, **seen.model_dump(mode="json")}
        with translating("newsletter_leavings.write"):
            await self._container.upsert_item(body)

    @property
    def _container(self) -> Any:
        return self._databases.container("compliance", _CONTAINER)
