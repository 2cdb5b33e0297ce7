"""Bodies of webhooks in the blob container `webhooks`, their receipts in Cosmos DB, one partition a body."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.cosmos.exceptions import CosmosResourceNotFoundError
from pydantic import ValidationError

from shared.adapters._azure_errors import translating
from shared.adapters.cosmos import CosmosDatabases
from shared.adapters.storage import Storage
from shared.domain.errors import CannotTell
from shared.domain.webhook_bodies import Receipt
from shared.ports.webhooks import StoredReceipt

_CONTAINER = "webhooks"
_RECEIPTS = "webhook_receipts"
_RECEIPT_SECONDS = 60 * 86_400  # the same body again is no news that long; it holds no personal data
_TO_LOOK_AT = (
    "SELECT * FROM c WHERE c.state = 'unreadable' OR ARRAY_LENGTH(c.set_aside) > 0 OFFSET 0 LIMIT @n"
)


class StoredWebhooks:
    """One container of each kind."""

    def __init__(self, storage: Storage, databases: CosmosDatabases) -> None:
        self._storage = storage
        self._databases = databases

    async def keep(self, body_id: str, data: bytes) -> None:
        with translating("webhooks.keep"):
            try:
                await self._blob(body_id).upload_blob(data, overwrite=False)
            except ResourceExistsError:
                return

    async def body(self, body_id: str) -> tuple[bytes, datetime] | None:
        with translating("webhooks.body"):
            try:
                stream = await self._blob(body_id).download_blob()
                return await stream.readall(), stream.properties.last_modified
            except ResourceNotFoundError:
                return None

    async def forget(self, body_id: str) -> None:
        with translating("webhooks.forget"):
            try:
                await self._blob(body_id).delete_blob()
            except ResourceNotFoundError:
                return

    async def kept_before(self, moment: datetime, *, limit: int, after: str = "") -> Sequence[str]:
        found: list[str] = []
        with translating("webhooks.kept_before"):
            async for blob in self._storage.container(_CONTAINER).list_blobs():
                if blob.name > after and blob.last_modified < moment:  # listed by name
                    found.append(blob.name)
                if len(found) == limit:
                    break
        return found

    async def receipt(self, body_id: str) -> StoredReceipt | None:
        with translating("webhooks.receipt"):
            try:
                row = await self._receipts.read_item(body_id, body_id)
            except CosmosResourceNotFoundError:
                return None
        return StoredReceipt(receipt=_receipt(row), etag=row["_etag"])

    async def write(self, stored: StoredReceipt) -> str:
        receipt = stored.receipt
        body = {"id": receipt.body_id, "ttl": _RECEIPT_SECONDS, **receipt.model_dump(mode="json")}
        with translating("webhooks.write"):
            if stored.etag is None:
                row = await self._receipts.create_item(body)
            else:
                row = await self._receipts.replace_item(
                    body["id"], body, etag=stored.etag, match_condition=MatchConditions.IfNotModified
                )
        return str(row["_etag"])

    async def to_look_at(self, *, limit: int) -> Sequence[Receipt]:
        parameters = [{"name": "@n", "value": limit}]
        with translating("webhooks.to_look_at"):
            return [
                _receipt(row) async for row in self._receipts.query_items(_TO_LOOK_AT, parameters=parameters)
            ]

    def _blob(self, body_id: str) -> Any:
        return self._storage.container(_CONTAINER).get_blob_client(body_id)

    @property
    def _receipts(self) -> Any:
        return self._databases.container("compliance", _RECEIPTS)


def _receipt(row: dict[str, Any]) -> Receipt:
    try:
        return Receipt.model_validate({name: row[name] for name in Receipt.model_fields if name in row})
    except ValidationError:
        raise CannotTell("document_unreadable", _RECEIPTS) from None
