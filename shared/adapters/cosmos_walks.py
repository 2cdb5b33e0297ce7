"""Walks in Cosmos DB: one document a name."""

from typing import Any

from azure.core import MatchConditions
from azure.cosmos.exceptions import CosmosResourceNotFoundError
from pydantic import ValidationError

from shared.adapters._azure_errors import translating
from shared.adapters.cosmos import CosmosDatabases
from shared.domain.errors import Permanent
from shared.domain.walks import Walk
from shared.ports.walks import StoredWalk

_ID = "walk"


class CosmosWalks:
    """The `walks` container."""

    def __init__(self, databases: CosmosDatabases) -> None:
        self._databases = databases

    async def read(self, name: str) -> StoredWalk | None:
        with translating("walks.read"):
            try:
                row = await self._container.read_item(_ID, name)
            except CosmosResourceNotFoundError:
                return None
        content = {key: value for key, value in row.items() if key != "id" and not key.startswith("_")}
        try:
            return StoredWalk(walk=Walk.model_validate(content), etag=row["_etag"])
        except ValidationError:
            raise Permanent("document_unreadable", "walks") from None

    async def write(self, stored: StoredWalk) -> str:
        body = {"id": _ID, **stored.walk.model_dump(mode="json")}
        with translating("walks.write"):
            if stored.etag is None:
                row = await self._container.create_item(body)
            else:
                row = await self._container.replace_item(
                    _ID, body, etag=stored.etag, match_condition=MatchConditions.IfNotModified
                )
        return str(row["_etag"])

    @property
    def _container(self) -> Any:
        return self._databases.container("compliance", "walks")
