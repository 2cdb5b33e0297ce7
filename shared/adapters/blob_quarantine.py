"""The container `quarantine`: unreadable messages, written once, read again and removed."""

import json
from collections.abc import Mapping
from typing import Any

from azure.core.exceptions import ResourceNotFoundError

from shared.adapters._azure_errors import translating
from shared.adapters.blob_evidence import BlobEvidence
from shared.adapters.storage import Storage
from shared.domain.errors import CannotTell, NotFound

_PER_PAGE = 100
_MAX_BYTES = 1024 * 1024


class BlobQuarantine(BlobEvidence):
    """One container."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage, "quarantine")

    async def page(self, prefix: str, *, cursor: str | None) -> tuple[tuple[str, ...], str | None]:
        container = self._storage.container(self._container)
        with translating("quarantine.page"):
            pages: Any = container.list_blobs(name_starts_with=prefix, results_per_page=_PER_PAGE).by_page(
                continuation_token=cursor
            )
            names = tuple([blob.name async for blob in await anext(pages)])
            return names, pages.continuation_token or None

    async def read(self, name: str) -> Mapping[str, Any]:
        client = self._storage.container(self._container).get_blob_client(name)
        with translating("quarantine.read"):
            try:
                stream = await client.download_blob()
                data = await stream.readall() if stream.size <= _MAX_BYTES else b""
            except ResourceNotFoundError:
                raise NotFound("quarantine_gone") from None
        try:
            found = json.loads(data)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise CannotTell("quarantine_unreadable")
        return found

    async def remove(self, name: str) -> None:
        client = self._storage.container(self._container).get_blob_client(name)
        with translating("quarantine.remove"):
            try:
                await client.delete_blob()
            except ResourceNotFoundError:
                return
