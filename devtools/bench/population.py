"""People with a chosen number of documents, and the way they get into the containers."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from azure.cosmos.aio import ContainerProxy, CosmosClient

from devtools.bench.in_process import LocalApp
from devtools.sample_data import CONTAINERS, Installation, Record, Role, SamplePerson, Volume, by_role, people
from devtools.sample_data.loading import create_containers
from devtools.sample_data.records import own_documents
from shared.domain.rights import Right

SIX_CONTAINERS = ("usage_events", "cloud_activity", "author_behaviour", "authors", "members", "usage_links")
DOCUMENTS_EACH = 100
_BATCH = 100
_AT_ONCE = 8
_GATHERED = 20_000
_KEYS = {container.name: container.partition_key.removeprefix("/") for container in CONTAINERS}
# 60 + 25 + 12 events, one registration, one membership and one link between them are a hundred documents.
_EACH = Volume(
    usage_events=60, cloud_activity=25, author_behaviour=12, archive_lines=0, log_lines=0, author_files=0
)


def big_author(documents: int, *, seed: str) -> tuple[SamplePerson, Iterator[Record]]:
    """Return an author with this many telemetry documents under one user id, and these documents."""
    volume = Volume(
        usage_events=documents - 1,
        cloud_activity=0,
        author_behaviour=0,
        archive_lines=0,
        log_lines=0,
        author_files=0,
    )
    found = by_role(people(len(Role) - 1, seed=seed, volume=volume), Role.AUTHOR_BY_USER_ID)
    author = dataclasses.replace(found, email=f"{seed}.{found.email}")
    return author, _only(own_documents(author), ("usage_events", "authors"))


def equal_people(count: int, *, seed: str) -> list[SamplePerson]:
    """Return people who each have `DOCUMENTS_EACH` documents in `SIX_CONTAINERS`."""
    return [
        dataclasses.replace(
            person,
            role=Role.ORDINARY,
            other_email=None,
            user_id=f"u-{person.key}-{seed}",
            author_id=f"a-{person.key}-{seed}",
            member_id=f"m-{person.key}-{seed}",
            email=f"{seed}.{person.email.lower()}",
            customers=person.customers[:1],
            installations=(_place(person),),
            is_linked=True,
        )
        for person in people(max(count, len(Role) - 1), seed=seed, volume=_EACH)[:count]
    ]


def documents_of(everyone: Iterable[SamplePerson]) -> Iterator[Record]:
    """Yield the documents of equal people."""
    for person in everyone:
        yield from _only(own_documents(person), SIX_CONTAINERS)


async def warm_up(app: LocalApp, environment: Mapping[str, str], right: Right) -> None:
    """Let the app work on one small request: a worker lives long, and its first one costs more.

    That is when it learns what the containers are, asks for query plans and compiles templates.
    """
    (person,) = equal_people(1, seed=f"warm{time.monotonic_ns()}")
    await store(environment, documents_of([person]))
    await app.confirmed_request(person.asks_as, right)
    await app.work()


async def store(environment: Mapping[str, str], records: Iterable[Record]) -> int:
    """Write documents with the bare SDK, in batches where they share a partition; return how many."""
    written = 0
    async with CosmosClient(
        environment["COSMOS_ENDPOINT"], credential=environment["COSMOS_KEY"], enable_endpoint_discovery=False
    ) as client:
        database = await create_containers(client, database=environment["COSMOS_SYSTEMS_DATABASE"])
        proxies = {name: database.get_container_client(name) for name in _KEYS}
        remaining = iter(records)
        free = asyncio.Semaphore(_AT_ONCE)
        while gathered := list(itertools.islice(remaining, _GATHERED)):
            async with asyncio.TaskGroup() as group:
                for name, partition, bodies in _batches(gathered):
                    group.create_task(_write(free, proxies[name], partition, bodies))
            written += len(gathered)
    return written


def _place(person: SamplePerson) -> Installation:
    customer = person.customers[0]
    return Installation(
        installation_id=customer.installation_ids[0],
        customer_id=customer.customer_id,
        device_id=f"dev-{person.key}",
    )


async def _write(free: asyncio.Semaphore, proxy: ContainerProxy, partition: str, bodies: list[Any]) -> None:
    async with free:
        if len(bodies) == 1:
            await proxy.upsert_item(bodies[0])
        else:
            operations = [("upsert", (body,)) for body in bodies]
            await proxy.execute_item_batch(operations, partition_key=partition)


def _batches(records: list[Record]) -> Iterator[tuple[str, str, list[Any]]]:
    partitions: defaultdict[tuple[str, str], list[Any]] = defaultdict(list)
    for record in records:
        partitions[record.container, record.body[_KEYS[record.container]]].append(record.body)
    for (name, partition), bodies in partitions.items():
        for first in range(0, len(bodies), _BATCH):
            yield name, partition, bodies[first : first + _BATCH]


def _only(records: Iterable[Record], containers: tuple[str, ...]) -> Iterator[Record]:
    return (record for record in records if record.container in containers)
