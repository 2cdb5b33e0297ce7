"""Rows of our own about a person in Cosmos DB, one partition a pseudonym."""

from collections.abc import Mapping
from typing import Any

from azure.cosmos.exceptions import CosmosResourceExistsError

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

    async def add(self, container: OwnContainer, row: Mapping[str, Any]) -> Mapping[str, Any]:
        rows = self._databases.container("compliance", container)
        with translating("own_records.add"):
            try:
                await rows.create_item(dict(row))
            except CosmosResourceExistsError:
                stands: dict[str, Any] = await rows.read_item(row["id"], partition_key=row["subject_key"])
                return stands
        return row
