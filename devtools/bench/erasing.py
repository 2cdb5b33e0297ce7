"""Erase one person with very many documents: the whole service path against bare loops over the same data."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from azure.cosmos.aio import ContainerProxy, CosmosClient

from devtools.bench.figures import Figure, Wanted
from devtools.bench.in_process import local_app
from devtools.bench.population import big_author, store, warm_up
from devtools.bench.scale import Scale
from devtools.bench.traffic import Traffic, counted
from devtools.demo.narration import Narrator
from devtools.local_platform import Platform
from devtools.provision import provision
from devtools.sample_data import SamplePerson
from shared.domain.rights import Right

MOST_TIMES_BARE_BATCHES = 1.5
LEAST_TIMES_ONE_BY_ONE = 5.0
_BATCH = 100


def measure(root: Path, scale: Scale, narrator: Narrator) -> list[Figure]:
    """Return times, their ratios, and what an erased document costs in requests and request units."""
    with Platform(root) as platform:
        return asyncio.run(_measure(platform, scale, narrator))


async def _measure(platform: Platform, scale: Scale, narrator: Narrator) -> list[Figure]:
    environment = platform.environment
    await provision(platform.root, environment)
    app_seconds: list[float] = []
    batch_seconds: list[float] = []
    app_traffic = bare_traffic = Traffic()
    for number in range(scale.erase_rounds):
        seconds, app_traffic = await _by_the_app(environment, scale.erase_documents, seed=f"app{number}")
        app_seconds.append(seconds)
        narrator.step(f"the app erased {scale.erase_documents} documents in {seconds:.2f} s")
        seconds, bare_traffic = await _bare(
            environment, scale.erase_documents, seed=f"b{number}", batch=_BATCH
        )
        batch_seconds.append(seconds)
        narrator.step(f"a bare loop of batches did it in {seconds:.2f} s")
    one_by_one, _ = await _bare(environment, scale.erase_documents, seed="single", batch=1)
    narrator.step(f"a bare loop of single deletes did it in {one_by_one:.2f} s")
    app, batches = statistics.median(app_seconds), statistics.median(batch_seconds)
    documents = scale.erase_documents
    return [
        Figure(what=f"app: erase a person with {documents:,} documents", value=app, unit="s"),
        Figure(what="bare loop of 100-item batches", value=batches, unit="s"),
        Figure(what="bare loop of single deletes", value=one_by_one, unit="s"),
        Figure(what="app / bare batches", value=app / batches, unit="times", limit=MOST_TIMES_BARE_BATCHES),
        Figure(
            what="bare single deletes / app",
            value=one_by_one / app,
            unit="times",
            side=Wanted.AT_LEAST,
            limit=LEAST_TIMES_ONE_BY_ONE,
        ),
        Figure(what="app: RU per erased document", value=app_traffic.request_units / documents, unit="RU"),
        Figure(what="bare batches: RU per document", value=bare_traffic.request_units / documents, unit="RU"),
        Figure(
            what="app: Cosmos DB requests per 1,000 erased documents",
            value=1000 * app_traffic.of_cosmos() / documents,
        ),
        Figure(
            what="bare batches: Cosmos DB requests per 1,000 documents",
            value=1000 * bare_traffic.of_cosmos() / documents,
        ),
    ]


async def _by_the_app(environment: Mapping[str, str], documents: int, *, seed: str) -> tuple[float, Traffic]:
    """Erase through planning, lanes, the second look, proof and letter; return the time and the traffic."""
    person, records = big_author(documents, seed=seed)
    await store(environment, records)
    async with local_app(environment) as app:
        await warm_up(app, environment, Right.ERASURE)
        request_id = await app.confirmed_request(person.asks_as, Right.ERASURE)
        with counted() as traffic:
            started = time.perf_counter()
            await app.work()
            seconds = time.perf_counter() - started
        request = await app.finished(request_id)
        erased = request.outcomes[Right.ERASURE].records
        if erased != documents:
            raise RuntimeError(
                f"{erased} of {documents} documents were erased; the figure would mean nothing"
            )
    return seconds, traffic


async def _bare(
    environment: Mapping[str, str], documents: int, *, seed: str, batch: int
) -> tuple[float, Traffic]:
    """Erase with nothing but the SDK: look up the ids, delete them."""
    person, records = big_author(documents, seed=seed)
    await store(environment, records)
    async with CosmosClient(
        environment["COSMOS_ENDPOINT"], credential=environment["COSMOS_KEY"], enable_endpoint_discovery=False
    ) as client:
        database = client.get_database_client(environment["COSMOS_SYSTEMS_DATABASE"])
        events = database.get_container_client("usage_events")
        # Warm as well: the first use of a container reads its description.
        await events.read()
        with counted() as traffic:
            started = time.perf_counter()
            await _delete_all(events, person, batch=batch)
            await database.get_container_client("authors").delete_item(
                str(person.author_id), partition_key=str(person.author_id)
            )
            seconds = time.perf_counter() - started
    return seconds, traffic


async def _delete_all(events: ContainerProxy, person: SamplePerson, *, batch: int) -> None:
    rows: Any = events.query_items(
        "SELECT VALUE c.id FROM c WHERE c.user_id = @user",
        parameters=[{"name": "@user", "value": person.user_id}],
        partition_key=person.user_id,
    )
    waiting: list[str] = []
    async for document_id in rows:
        waiting.append(document_id)
        if len(waiting) == batch:
            await _delete(events, person, waiting)
            waiting = []
    if waiting:
        await _delete(events, person, waiting)


async def _delete(events: ContainerProxy, person: SamplePerson, names: list[str]) -> None:
    if len(names) == 1:
        await events.delete_item(names[0], partition_key=str(person.user_id))
        return
    operations = [("delete", (name,)) for name in names]
    await events.execute_item_batch(operations, partition_key=str(person.user_id))
