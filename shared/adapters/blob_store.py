"""Blobs of the systems of record."""

import base64
from collections.abc import Sequence
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobBlock, BlobProperties, BlobType, StandardBlobTier
from azure.storage.blob.aio import BlobClient

from shared.adapters._azure_errors import error_code, translating
from shared.adapters.storage import Storage
from shared.domain.errors import Conflict, NotFound
from shared.ports.blobs import BlobPage, BlobRef

LOST_BLOCKS = frozenset({"InvalidBlockList", "InvalidBlobOrBlock"})
_WRITABLE_TIERS = frozenset({StandardBlobTier.HOT, StandardBlobTier.COOL, StandardBlobTier.COLD})
_PAST_THE_END, _NOT_AS_LISTED = 416, 412


class AzureBlobs:
    """Any container of the account."""

    def __init__(self, storage: Storage, *, with_versions: bool) -> None:
        self._storage = storage
        # Azurite refuses to list versions: it keeps none
        self._include = ["snapshots", "versions"] if with_versions else ["snapshots"]

    async def page(self, container: str, prefix: str, *, cursor: str | None, limit: int) -> BlobPage:
        with translating("blobs.page"):
            pages: Any = (
                self._storage.container(container)
                .list_blobs(name_starts_with=prefix, include=self._include, results_per_page=limit)
                .by_page(cursor)
            )
            try:
                async for page in pages:
                    blobs = tuple([_ref(container, found) async for found in page])
                    return BlobPage(blobs=blobs, cursor=pages.continuation_token or None)
            except ResourceNotFoundError:
                pass  # no container: no blobs
        return BlobPage(blobs=(), cursor=None)

    async def read(self, blob: BlobRef, *, offset: int, length: int) -> bytes:
        if offset >= blob.size_bytes:
            return b""
        with translating("blobs.read"):
            try:
                stream = await self._client(blob).download_blob(
                    offset=offset,
                    length=length,
                    etag=blob.etag,
                    match_condition=MatchConditions.IfNotModified,
                )
                return bytes(await stream.readall())
            except HttpResponseError as error:
                if error.status_code in (_PAST_THE_END, _NOT_AS_LISTED):
                    await self._require(blob, "blobs.read")
                    raise Conflict("changed_meanwhile", "blobs.read") from error
                raise

    async def stage(self, container: str, name: str, block_id: str, data: bytes) -> None:
        with translating("blobs.stage"):
            client = self._storage.container(container).get_blob_client(name)
            await client.stage_block(encoded(block_id), data)

    async def commit(self, blob: BlobRef, block_ids: Sequence[str]) -> None:
        with translating("blobs.commit"):
            client = self._client(blob)
            kept = await client.get_blob_properties()
            try:
                await client.commit_block_list(
                    [BlobBlock(encoded(block_id)) for block_id in block_ids],
                    content_settings=kept.content_settings,
                    metadata=kept.metadata,
                    # The service counts the tags; fetching them takes a permission that nothing else does.
                    tags=await client.get_blob_tags() if kept.tag_count else None,
                    standard_blob_tier=_tier_set(kept),
                    etag=blob.etag,
                    match_condition=MatchConditions.IfNotModified,
                )
            except HttpResponseError as error:
                if error_code(error) in LOST_BLOCKS:
                    raise Conflict("blocks_lost", "blobs.commit") from error
                raise

    async def erase(self, blob: BlobRef) -> bool:
        options: dict[str, Any] = {}
        if blob.is_current:
            options = {"etag": blob.etag, "match_condition": MatchConditions.IfNotModified}
            options["delete_snapshots"] = "include"
        with translating("blobs.erase"):
            try:
                await self._client(blob).delete_blob(**options)
            except ResourceNotFoundError:
                return False
            except ResourceModifiedError:
                if await self._client(blob).exists():
                    raise
                return False
        return True

    async def _require(self, blob: BlobRef, where: str) -> None:
        """Tell a blob that is gone from one that was written: a failed condition alone means either."""
        if not await self._client(blob).exists():
            raise NotFound("not_found", where)

    def _client(self, blob: BlobRef) -> BlobClient:
        return self._storage.container(blob.container).get_blob_client(
            blob.name, snapshot=blob.snapshot, version_id=blob.version
        )


def encoded(block_id: str) -> str:
    """Return a block id as the service wants it: Base64 of text that has one length throughout a blob."""
    return base64.b64encode(block_id.encode()).decode()


def _tier_set(kept: BlobProperties) -> StandardBlobTier | None:
    """Return the access tier somebody set; None: it is the account's own."""
    if kept.blob_tier_inferred or kept.blob_tier not in _WRITABLE_TIERS:
        return None
    return StandardBlobTier(kept.blob_tier)


def _ref(container: str, found: BlobProperties) -> BlobRef:
    is_old_version = bool(found.version_id) and not found.is_current_version
    return BlobRef(
        container=container,
        name=found.name,
        etag=found.etag,
        size_bytes=found.size,
        snapshot=found.snapshot,
        version=found.version_id if is_old_version else None,
        is_block_blob=found.blob_type == BlobType.BLOCKBLOB,
    )
