"""Blob and queue clients, built on first use and kept for the worker."""

from typing import Any
from urllib.parse import urlsplit

from azure.storage.blob.aio import BlobServiceClient, ContainerClient
from azure.storage.queue import TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient

from shared.adapters.credentials import Credentials
from shared.adapters.paid_requests import payer
from shared.adapters.proxies import through_proxy
from shared.settings import Settings

_BUSY = 503  # how storage throttles
OWN_CONTAINERS = ("packages", "evidence", "quarantine", "outbox", "webhooks")


class Storage:
    """The storage account's services."""

    def __init__(self, settings: Settings, credentials: Credentials) -> None:
        self._settings = settings
        self._credentials = credentials
        self._blobs: BlobServiceClient | None = None
        self._containers: dict[str, ContainerClient] = {}
        self._queues: dict[str, QueueClient] = {}

    @property
    def blob_service(self) -> BlobServiceClient:
        """The blob service."""
        if self._blobs is None:
            connection = self._settings.storage_connection
            transport: dict[str, Any] = {
                "use_env_settings": through_proxy(),
                "raw_response_hook": self._note_request,
            }
            if connection:
                self._blobs = BlobServiceClient.from_connection_string(connection, **transport)
            else:
                credential = self._credentials.token()
                uri = self._settings.storage_blob_uri
                self._blobs = BlobServiceClient(uri, credential=credential, **transport)
        return self._blobs

    def _note_request(self, response: Any) -> None:
        """Tell whoever pays of one request to a blob container; the client calls it with each."""
        pays = payer()
        if pays is None:
            return
        path = urlsplit(response.http_request.url).path.strip("/").split("/")
        container = (
            path[1:2] if self.signs_with_account_key else path[:1]
        )  # the emulator's account comes first
        if container and container[0]:
            is_throttled = response.http_response.status_code == _BUSY
            pays(f"blobs.{container[0]}", 0.0, is_throttled=is_throttled)

    @property
    def signs_with_account_key(self) -> bool:
        """Whether links are signed with the emulator's key, and not with the identity's delegation key."""
        return bool(self._settings.storage_connection)

    def container(self, name: str) -> ContainerClient:
        """Return a blob container."""
        if name not in self._containers:
            self._containers[name] = self.blob_service.get_container_client(name)
        return self._containers[name]

    def queue(self, name: str) -> QueueClient:
        """Return a queue whose messages are Base64, as the Functions host reads them."""
        if name not in self._queues:
            policy: dict[str, Any] = {
                "message_encode_policy": TextBase64EncodePolicy(),
                "use_env_settings": through_proxy(),
            }
            connection = self._settings.storage_connection
            if connection:
                client = QueueClient.from_connection_string(connection, name, **policy)
            else:
                client = QueueClient(
                    self._settings.storage_queue_uri, name, credential=self._credentials.token(), **policy
                )
            self._queues[name] = client
        return self._queues[name]

    async def close(self) -> None:
        """Close every connection; the next use opens them again."""
        for queue in self._queues.values():
            await queue.close()
        if self._blobs is not None:
            await self._blobs.close()
        self._queues, self._containers, self._blobs = {}, {}, None
