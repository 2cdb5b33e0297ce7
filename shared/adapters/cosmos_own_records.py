"""Rows of our own about a person in Cosmos DB, one partition a pseudonym."""

from collections.abc import Mapping
from typing import Any

from shared.adapters._azure_errors import translating
from shared.adapters.cosmos import CosmosDatabases
from shared.ports.own_records import OwnContainer


class CosmosOwnRecords:
    """The containers `disclosures`, `lookups` and `notes`."""

    def __init__(self, databases: CosmosDatabases) -> None:
        self._databases = databases

    async def put(self, container: OwnContainer, row: Mapping[str, Any]) -> None:
        with translating("own_records.put"):
            await self._databases.container("compliance", container).upsert_item(dict(row))
