"""Packages in the `packages` container: one block blob a request, nothing readable before it is committed."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import (
    BlobBlock,
    BlobSasPermissions,
    ContentSettings,
    UserDelegationKey,
    generate_blob_sas,
)
from azure.storage.blob.aio import BlobClient

from shared.adapters._azure_errors import error_code, translating
from shared.adapters.blob_store import LOST_BLOCKS, encoded
from shared.adapters.storage import Storage
from shared.domain.errors import Conflict, NotFound
from shared.ports.packages import Content

_CONTAINER = "packages"
_CLOCK_SKEW = timedelta(minutes=5)
_DELEGATION = timedelta(hours=1)
_BLOCK_BYTES = 4 * 1024 * 1024


class BlobPackages:
    """The `packages` container."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._delegation: tuple[datetime, UserDelegationKey] | None = None

    async def stage(self, request_id: str, block_id: str, data: bytes) -> None:
        with translating("packages.stage"):
            await self._client(request_id).stage_block(encoded(block_id), data)

    async def publish(self, request_id: str, block_ids: Sequence[str]) -> None:
        with translating("packages.publish"):
            try:
                await self._client(request_id).commit_block_list(
                    [BlobBlock(encoded(block_id)) for block_id in block_ids],
                    content_settings=ContentSettings(
                        content_type="application/zip", cache_control="no-store"
                    ),
                )
            except HttpResponseError as error:
                if error_code(error) in LOST_BLOCKS:
                    raise Conflict("blocks_lost", "packages.publish") from error
                raise

    async def delete(self, request_id: str) -> None:
        client = self._client(request_id)
        with translating("packages.delete"):
            # An empty commit drops blocks that were staged and never published; they would stay for a week.
            await client.commit_block_list([])
            try:
                await client.delete_blob(delete_snapshots="include")
            except ResourceNotFoundError:
                return  # a twin deleted it

    async def download_url(self, request_id: str, *, file_name: str, minutes: int) -> str:
        client = self._client(request_id)
        now = datetime.now(UTC)  # a signature's life is the platform's time, not a rule's
        options: dict[str, Any] = {
            "permission": BlobSasPermissions(read=True),
            "start": now - _CLOCK_SKEW,
            "expiry": now + timedelta(minutes=minutes),
            "content_disposition": f'attachment; filename="{file_name}"',
        }
        with translating("packages.download_url"):
            if not await client.exists():
                raise NotFound("package_gone")
            if self._storage.signs_with_account_key:
                options["account_key"] = self._storage.blob_service.credential.account_key
            else:
                options["user_delegation_key"] = await self._delegation_key(now)
        signature = generate_blob_sas(str(client.account_name), _CONTAINER, client.blob_name, **options)
        return f"{client.url}?{signature}"

    async def read(self, request_id: str) -> Content:
        client = self._client(request_id)
        with translating("packages.read"):
            try:
                found = await client.get_blob_properties()
            except ResourceNotFoundError:
                raise NotFound("package_gone") from None

        # One bounded read a block: whoever takes the bytes may be slow, and no connection waits for that.
        async def chunks() -> AsyncIterator[bytes]:
            for offset in range(0, found.size, _BLOCK_BYTES):
                yield await _block(client, offset, etag=found.etag)

        return Content(size_bytes=found.size, chunks=chunks)

    async def _delegation_key(self, now: datetime) -> UserDelegationKey:
        if self._delegation is None or self._delegation[0] < now + _CLOCK_SKEW * 2:
            until = now + _DELEGATION
            key = await self._storage.blob_service.get_user_delegation_key(now - _CLOCK_SKEW, until)
            self._delegation = (until, key)
        return self._delegation[1]

    def _client(self, request_id: str) -> BlobClient:
        return self._storage.container(_CONTAINER).get_blob_client(f"{request_id}.zip")


async def _block(client: BlobClient, offset: int, *, etag: str) -> bytes:
    with translating("packages.read"):
        try:
            stream = await client.download_blob(
                offset=offset,
                length=_BLOCK_BYTES,
                etag=etag,
                match_condition=MatchConditions.IfNotModified,
            )
            return bytes(await stream.readall())
        except ResourceNotFoundError:
            raise NotFound("package_gone") from None
        except ResourceModifiedError:
            if not await client.exists():  # a condition on what is gone fails, too
                raise NotFound("package_gone") from None
            raise Conflict("changed_meanwhile", "packages.read") from None
