"""Controls in Cosmos DB: one document a pseudonym, read by several at once."""

from collections.abc import Sequence
from typing import Any

from azure.core import MatchConditions
from azure.cosmos.exceptions import CosmosResourceNotFoundError
from pydantic import ValidationError

from shared.adapters._azure_errors import translating
from shared.adapters.cosmos import CosmosDatabases
from shared.domain.controls import Controls
from shared.domain.errors import CannotTell
from shared.ports.controls import StoredControls

_ID = "controls"


class CosmosControls:
    """The `controls` container."""

    def __init__(self, databases: CosmosDatabases) -> None:
        self._databases = databases

    async def read(self, subject_keys: Sequence[str]) -> tuple[StoredControls, ...]:
        rows: list[dict[str, Any]]
        with translating("controls.read"):
            if len(subject_keys) == 1:
                rows = await self._one(subject_keys[0])
            else:
                rows = list(await self._container.read_items([(_ID, key) for key in subject_keys]))
        found = {row["subject_key"]: row for row in rows}
        return tuple(_stored(key, found.get(key)) for key in subject_keys)

    async def write(self, stored: StoredControls) -> str:
        body = {"id": _ID, **stored.controls.model_dump(mode="json")}
        with translating("controls.write"):
            if stored.etag is None:
                row = await self._container.create_item(body)
            else:
                row = await self._container.replace_item(
                    _ID, body, etag=stored.etag, match_condition=MatchConditions.IfNotModified
                )
        return str(row["_etag"])

    async def keys_with_hold(self, hold_id: str) -> tuple[str, ...]:
        query = (
            "SELECT VALUE c.subject_key FROM c WHERE "
            "EXISTS(SELECT VALUE h FROM h IN c.holds WHERE h.hold_id = @hold_id)"
        )
        with translating("controls.keys_with_hold"):
            rows = self._container.query_items(query, parameters=[{"name": "@hold_id", "value": hold_id}])
            return tuple([str(key) async for key in rows])

    async def held(self, *, limit: int) -> tuple[Controls, ...]:
        query = "SELECT * FROM c WHERE EXISTS(SELECT VALUE h FROM h IN c.holds WHERE IS_NULL(h.released_at))"
        found: list[Controls] = []
        with translating("controls.held"):
            async for row in self._container.query_items(query, max_item_count=limit):
                found.append(_stored(row["subject_key"], row).controls)
                if len(found) == limit:
                    break
        return tuple(found)

    async def _one(self, key: str) -> list[dict[str, Any]]:
        try:
            return [await self._container.read_item(_ID, key)]
        except CosmosResourceNotFoundError:
            return []

    @property
    def _container(self) -> Any:
        return self._databases.container("compliance", "controls")


def _stored(key: str, row: dict[str, Any] | None) -> StoredControls:
    if row is None:
        return StoredControls(controls=Controls(subject_key=key), etag=None)
    content = {name: value for name, value in row.items() if name != "id" and not name.startswith("_")}
    try:
        return StoredControls(controls=Controls.model_validate(content), etag=row["_etag"])
    except ValidationError:
        raise CannotTell("document_unreadable", "controls") from None
