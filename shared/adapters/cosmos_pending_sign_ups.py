"""Unconfirmed newsletter sign-ups in Cosmos DB, one partition each."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from azure.core import MatchConditions
from azure.cosmos.exceptions import CosmosResourceNotFoundError
from pydantic import ValidationError

from shared.adapters._azure_errors import translating
from shared.adapters.cosmos import CosmosDatabases
from shared.domain.errors import CannotTell
from shared.domain.sign_ups import PendingSignUp
from shared.domain.times import utc_text
from shared.ports.pending_sign_ups import StoredSignUp

_CONTAINER = "pending_sign_ups"
_WAKING = "SELECT * FROM c WHERE c.wake_at <= @now OFFSET 0 LIMIT @limit"


class CosmosPendingSignUps:
    """The container `pending_sign_ups`."""

    def __init__(self, databases: CosmosDatabases) -> None:
        self._databases = databases

    async def read(self, sign_up_id: str) -> StoredSignUp | None:
        with translating("pending_sign_ups.read"):
            try:
                return _stored(await self._container.read_item(sign_up_id, sign_up_id))
            except CosmosResourceNotFoundError:
                return None

    async def write(self, stored: StoredSignUp) -> StoredSignUp:
        sign_up = stored.sign_up
        body = {"id": sign_up.sign_up_id, **sign_up.model_dump(mode="json", exclude={"sign_up_id"})}
        body["wake_at"] = utc_text(sign_up.wake_at)  # compared as text
        with translating("pending_sign_ups.write"):
            if stored.etag is None:
                row = await self._container.create_item(body)
            else:
                row = await self._container.replace_item(
                    body["id"], body, etag=stored.etag, match_condition=MatchConditions.IfNotModified
                )
        return StoredSignUp(sign_up=sign_up, etag=str(row["_etag"]))

    async def remove(self, sign_up_id: str) -> None:
        with translating("pending_sign_ups.remove"):
            try:
                await self._container.delete_item(sign_up_id, sign_up_id)
            except CosmosResourceNotFoundError:
                return

    async def waking(self, now: datetime, *, limit: int) -> Sequence[StoredSignUp]:
        parameters: list[dict[str, Any]] = [
            {"name": "@now", "value": utc_text(now)},
            {"name": "@limit", "value": limit},
        ]
        with translating("pending_sign_ups.waking"):
            return [_stored(row) async for row in self._container.query_items(_WAKING, parameters=parameters)]

    @property
    def _container(self) -> Any:
        return self._databases.container("compliance", _CONTAINER)


def _stored(row: dict[str, Any]) -> StoredSignUp:
    known = {name: row[name] for name in PendingSignUp.model_fields if name in row}
    try:
        sign_up = PendingSignUp.model_validate({**known, "sign_up_id": row["id"]})
    except ValidationError:
        raise CannotTell("document_unreadable", _CONTAINER) from None
    return StoredSignUp(sign_up=sign_up, etag=row["_etag"])
