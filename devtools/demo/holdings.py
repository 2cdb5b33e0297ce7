"""Read everything there is, with the bare SDKs: all documents, all blobs, all messages, all log lines.

Nothing of the app is used here, so that the app's mistakes cannot hide from it.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from azure.cosmos.aio import ContainerProxy, CosmosClient
from azure.storage.blob.aio import BlobServiceClient
from azure.storage.queue.aio import QueueServiceClient

_MOST_PEEKED = 32  # the service shows no more of a queue's messages at once


@dataclass(frozen=True, kw_only=True, order=True)
class Place:
    """Where a document is. `partition` is the partition key's value as JSON."""

    database: str
    container: str
    partition: str
    document_id: str

    def __str__(self) -> str:
        return f"document {self.database}/{self.container}/{self.document_id} of partition {self.partition}"


@dataclass(frozen=True, kw_only=True)
class StoredBlob:
    """One blob or snapshot. `data` None: blocks without a blob, which nobody can read."""

    container: str
    name: str
    snapshot: str
    etag: str
    content_type: str
    metadata: Mapping[str, str]
    data: bytes | None = field(repr=False)

    def __str__(self) -> str:
        return f"blob {self.container}/{self.name}" + (f" at {self.snapshot}" if self.snapshot else "")


@dataclass(kw_only=True)
class Holdings:
    """All there was at one moment.

    Attributes:
        documents: Bodies with the service's own fields, by place.
        blobs: By container, name and snapshot.
        messages: Queue name and text of each message that could be seen.
        unseen_messages: By queue, how many messages there are that could not be seen.
        logs: Text by file name.
    """

    documents: dict[Place, dict[str, Any]] = field(default_factory=dict)
    blobs: dict[tuple[str, str, str], StoredBlob] = field(default_factory=dict)
    messages: list[tuple[str, str]] = field(default_factory=list)
    unseen_messages: dict[str, int] = field(default_factory=dict)
    logs: dict[str, str] = field(default_factory=dict)


class Stores:
    """The bare clients of one platform; use it as an async context manager."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        connection = environment["STORAGE_CONNECTION"]
        self.cosmos = CosmosClient(
            environment["COSMOS_ENDPOINT"],
            credential=environment["COSMOS_KEY"],
            enable_endpoint_discovery=False,
        )
        self.blobs = BlobServiceClient.from_connection_string(connection)
        self.queues = QueueServiceClient.from_connection_string(connection)

    async def __aenter__(self) -> Self:
        await self.cosmos.__aenter__()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.queues.close()
        await self.blobs.close()
        await self.cosmos.close()

    async def read_all(self, logs: Path | None = None) -> Holdings:
        """Read everything there is now; `logs` is the directory of the programs' log files."""
        holdings = Holdings()
        await self._read_documents(holdings)
        await self._read_blobs(holdings)
        await self._read_queues(holdings)
        if logs is not None:
            holdings.logs = read_logs(logs)
        return holdings

    async def read_systems(self, database: str, containers: Collection[str]) -> Holdings:
        """Read the systems of record alone: every document of a database, every blob of some containers."""
        holdings = Holdings()
        await self._read_database(holdings, database)
        for name in containers:
            await self._read_blob_container(holdings, name, {})
        return holdings

    async def waiting_messages(self) -> dict[str, int]:
        """Return how many messages each queue holds, seen or hidden; queues without any are left out."""
        waiting: dict[str, int] = {}
        async for queue in self.queues.list_queues():
            properties = await self.queues.get_queue_client(queue.name).get_queue_properties()
            if properties.approximate_message_count:
                waiting[queue.name] = properties.approximate_message_count
        return waiting

    async def _read_documents(self, holdings: Holdings) -> None:
        async for database in self.cosmos.list_databases():
            await self._read_database(holdings, database["id"])

    async def _read_database(self, holdings: Holdings, name: str) -> None:
        proxy = self.cosmos.get_database_client(name)
        async for container in proxy.list_containers():
            (path,) = container["partitionKey"]["paths"]
            client = proxy.get_container_client(container["id"])
            await _read_container(holdings, client, name, path)

    async def _read_blobs(self, holdings: Holdings) -> None:
        async for container in self.blobs.list_containers(include_metadata=True):
            await self._read_blob_container(holdings, container.name, container.metadata or {})

    async def _read_blob_container(self, holdings: Holdings, name: str, metadata: Mapping[str, str]) -> None:
        client = self.blobs.get_container_client(name)
        readable = {name async for name in client.list_blob_names()}
        async for blob in client.list_blobs(include=["metadata", "snapshots", "uncommittedblobs"]):
            data: bytes | None = None
            if blob.snapshot or blob.name in readable:
                one = client.get_blob_client(blob.name, snapshot=blob.snapshot)
                data = await (await one.download_blob()).readall()
            holdings.blobs[name, blob.name, blob.snapshot or ""] = StoredBlob(
                container=name,
                name=blob.name,
                snapshot=blob.snapshot or "",
                etag=blob.etag or "",
                content_type=blob.content_settings.content_type or "",
                metadata={**metadata, **(blob.metadata or {})},
                data=data,
            )

    async def _read_queues(self, holdings: Holdings) -> None:
        async for queue in self.queues.list_queues(include_metadata=True):
            client = self.queues.get_queue_client(queue.name)
            if queue.metadata:
                holdings.messages.append((queue.name, json.dumps(dict(queue.metadata))))
            peeked = await client.peek_messages(max_messages=_MOST_PEEKED)
            holdings.messages += [(queue.name, _decoded(message.content)) for message in peeked]
            count = (await client.get_queue_properties()).approximate_message_count or 0
            if count > len(peeked):
                holdings.unseen_messages[queue.name] = count - len(peeked)


def read_logs(directory: Path) -> dict[str, str]:
    """Return the text of every file below a directory, by its path in there."""
    return {
        str(path.relative_to(directory)): path.read_text(encoding="utf-8", errors="replace")
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


async def _read_container(
    holdings: Holdings, client: ContainerProxy, database: str, partition_path: str
) -> None:
    async for row in client.read_all_items():
        value: Any = row
        for name in partition_path.split("/")[1:]:
            value = value.get(name) if isinstance(value, dict) else None
        place = Place(
            database=database, container=client.id, partition=json.dumps(value), document_id=row["id"]
        )
        holdings.documents[place] = row


def _decoded(content: object) -> str:
    """Return a message's text; the Functions host writes it as Base64."""
    text = str(content)
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return text
