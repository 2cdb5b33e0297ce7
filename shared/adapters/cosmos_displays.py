"""Showings of the policy in Cosmos DB, one partition a pseudonym."""

from collections.abc import Sequence
from typing import Any

from azure.cosmos.exceptions import CosmosResourceExistsError
from pydantic import ValidationError

from shared.adapters._azure_errors import translating
from shared.adapters.cosmos import CosmosDatabases
from shared.domain.displays import Display, DisplayChannel
from shared.domain.errors import CannotTell


class CosmosDisplays:
    """The `policy_displays` container."""

    def __init__(self, databases: CosmosDatabases) -> None:
        self._databases = databases

    async def record(self, display: Display) -> None:
        with translating("displays.record"):
            try:
                await self._container.create_item(
                    {"id": display.display_id, **display.model_dump(mode="json")}
                )
            except CosmosResourceExistsError:
                return

    async def shown(self, subject_keys: Sequence[str]) -> tuple[Display, ...]:
        found: list[Display] = []
        with translating("displays.shown"):
            for key in dict.fromkeys(subject_keys):
                rows = self._container.query_items("SELECT * FROM c", partition_key=key)
                found += [_display(row) async for row in rows]
        return tuple(found)

    async def listing(self, *, after: str, limit: int) -> tuple[Display, ...]:
        query = "SELECT * FROM c WHERE c.subject_key > @after ORDER BY c.subject_key OFFSET 0 LIMIT @limit"
        parameters = [{"name": "@after", "value": after}, {"name": "@limit", "value": limit}]
        with translating("displays.listing"):
            rows = self._container.query_items(query, parameters=parameters)
            found = [_display(row) async for row in rows]
        if len(found) < limit:
            return tuple(found)
        last = found[-1].subject_key  # of whom there may be more
        whole = [one for one in found if one.subject_key != last]
        return (*whole, *await self.shown((last,)))

    async def count(self, number: str, channel: DisplayChannel) -> int:
        query = "SELECT VALUE COUNT(1) FROM c WHERE c.number = @number AND c.channel = @channel"
        parameters = [{"name": "@number", "value": number}, {"name": "@channel", "value": str(channel)}]
        with translating("displays.count"):
            return sum([part async for part in self._container.query_items(query, parameters=parameters)])

    @property
    def _container(self) -> Any:
        return self._databases.container("compliance", "policy_displays")


def _display(row: dict[str, Any]) -> Display:
    try:
        return Display.model_validate({name: row.get(name) for name in Display.model_fields})
    except ValidationError:
        raise CannotTell("document_unreadable", "policy_displays") from None
