"""Puts made-up people into the systems of record, with the vendors' own SDKs and nothing of the app."""

import asyncio
import itertools
from collections import defaultdict
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import aiohttp
from azure.core.exceptions import ResourceExistsError
from azure.cosmos import PartitionKey
from azure.cosmos.aio import ContainerProxy, CosmosClient, DatabaseProxy
from azure.cosmos.exceptions import CosmosResourceExistsError
from azure.storage.blob.aio import BlobServiceClient

from devtools.sample_data.containers import BLOB_CONTAINERS, CONTAINERS, DATABASE
from devtools.sample_data.everything import SubjectKey, blobs, disclosures, documents
from devtools.sample_data.newsletter import subscribers
from devtools.sample_data.person import SamplePerson
from devtools.sample_data.records import Record

CONCURRENCY = 8
_BATCH = 100  # the most operations a transactional batch takes
_GATHERED = 20_000  # documents held at once to be sorted into batches
_DISCLOSURE_KEY = "/subject_key"


@dataclass(kw_only=True)
class Loaded:
    """How much was written."""

    documents: int = 0
    blobs: int = 0
    by_container: dict[str, int] = field(default_factory=lambda: defaultdict(int))


async def load(
    *,
    endpoint: str,
    key: str,
    blob_connection_string: str,
    people: Sequence[SamplePerson],
    subject_key: SubjectKey | None = None,
    database: str = DATABASE,
    compliance_database: str = "compliance",
) -> Loaded:
    """Create the systems of record and write everything about these people. Repeat: writes it again.

    With `subject_key` the disclosures are written too; the container for them has to be there already.
    """
    loaded = Loaded()
    async with CosmosClient(endpoint, credential=key, enable_endpoint_discovery=False) as client:
        proxy = await create_containers(client, database=database)
        keys = {container.name: container.partition_key for container in CONTAINERS}
        await _write_documents(proxy, documents(people), keys, loaded)
        if subject_key is not None:
            made = disclosures(people, subject_key)
            compliance = client.get_database_client(compliance_database)
            await _write_documents(compliance, made, {"disclosures": _DISCLOSURE_KEY}, loaded)
    async with BlobServiceClient.from_connection_string(blob_connection_string) as service:
        await _write_blobs(service, people, loaded)
    return loaded


async def load_subscribers(*, url: str, people: Sequence[SamplePerson]) -> int:
    """Sign these people up with the processor's stand-in, and return how many. Repeat: writes it again.

    `url` is the base of its API, such as `http://127.0.0.1:8082/api/v3.3`.
    """
    rows = list(subscribers(people))
    async with aiohttp.ClientSession(raise_for_status=True) as session:
        await session.put(urljoin(url, "/stand-in/subscribers"), json=rows)
    return len(rows)


async def create_containers(client: CosmosClient, *, database: str = DATABASE) -> DatabaseProxy:
    """Create the database of the systems of record with its containers, and return it."""
    created = await client.create_database_if_not_exists(database)
    for container in CONTAINERS:
        options: dict[str, Any] = {}
        if container.default_ttl_seconds is not None:
            options["default_ttl"] = container.default_ttl_seconds
        try:
            await created.create_container(
                container.name, partition_key=PartitionKey(path=container.partition_key), **options
            )
        except CosmosResourceExistsError:
            continue
    return created


async def _write_documents(
    database: DatabaseProxy, records: Iterable[Record], keys: dict[str, str], loaded: Loaded
) -> None:
    proxies = {name: database.get_container_client(name) for name in keys}
    remaining = iter(records)
    while gathered := list(itertools.islice(remaining, _GATHERED)):
        async with _at_once() as start:
            for name, partition, bodies in _batches(gathered, keys):
                await start(_write_batch(proxies[name], partition, bodies))
        for record in gathered:
            loaded.documents += 1
            loaded.by_container[record.container] += 1


def _batches(
    records: Sequence[Record], keys: dict[str, str]
) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    partitions: defaultdict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for record in records:
        partition = record.body[keys[record.container].removeprefix("/")]
        partitions[record.container, partition].append(record.body)
    for (name, partition), bodies in partitions.items():
        for first in range(0, len(bodies), _BATCH):
            yield name, partition, bodies[first : first + _BATCH]


async def _write_batch(container: ContainerProxy, partition: str, bodies: list[dict[str, Any]]) -> None:
    if len(bodies) == 1:
        await container.upsert_item(bodies[0])
        return
    operations = [("upsert", (body,)) for body in bodies]
    await container.execute_item_batch(operations, partition_key=partition)


async def _write_blobs(service: BlobServiceClient, people: Sequence[SamplePerson], loaded: Loaded) -> None:
    for name in BLOB_CONTAINERS:
        try:
            await service.create_container(name)
        except ResourceExistsError:
            continue
    async with _at_once() as start:
        for blob in blobs(people):
            client = service.get_blob_client(blob.container, blob.name)
            await start(client.upload_blob(blob.data, overwrite=True))
            loaded.blobs += 1
            loaded.by_container[blob.container] += 1


@asynccontextmanager
async def _at_once() -> AsyncIterator[Any]:
    """Run what is started, at most `CONCURRENCY` at a time; the first failure ends all."""
    free = asyncio.Semaphore(CONCURRENCY)
    async with asyncio.TaskGroup() as group:

        async def start(work: Coroutine[Any, Any, Any]) -> None:
            try:
                await free.acquire()
            except asyncio.CancelledError:
                work.close()  # another one failed, this one never begins
                raise
            task = group.create_task(work)
            task.add_done_callback(lambda _: free.release())

        yield start
