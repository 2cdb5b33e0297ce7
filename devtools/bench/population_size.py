"""Whether a person costs more because others are many: one request beside few documents and beside many."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from devtools.bench.figures import Figure
from devtools.bench.in_process import local_app
from devtools.bench.population import DOCUMENTS_EACH, documents_of, equal_people, store, warm_up
from devtools.bench.scale import Scale
from devtools.bench.traffic import Traffic, counted
from devtools.demo.narration import Narrator
from devtools.local_platform import Platform
from devtools.provision import provision
from shared.domain.rights import Right

MOST_TIMES = 1.1


def measure(root: Path, scale: Scale, narrator: Narrator) -> list[Figure]:
    """Return requests and request units of the same erasure and access beside few and many documents."""
    with Platform(root) as platform:
        return asyncio.run(_measure(platform, scale, narrator))


async def _measure(platform: Platform, scale: Scale, narrator: Narrator) -> list[Figure]:
    environment = platform.environment
    await provision(platform.root, environment)
    few, many = scale.others_documents
    others = equal_people(many // DOCUMENTS_EACH, seed="others")
    first = few // DOCUMENTS_EACH
    found: dict[Right, list[Traffic]] = {Right.ACCESS: [], Right.ERASURE: []}
    for number, part in enumerate((others[:first], others[first:])):
        stored = await store(environment, documents_of(part))
        narrator.step(f"{stored:,} more documents of other people stored")
        for right, traffics in found.items():
            traffics.append(await _one(environment, right, seed=f"{right}{number}"))
    figures = []
    for right, (small, large) in found.items():
        title = f"{right} of a person with {DOCUMENTS_EACH} documents"
        figures += [
            Figure(what=f"{title} beside {few:,} others", value=small.request_units, unit="RU"),
            Figure(what=f"{title} beside {many:,} others", value=large.request_units, unit="RU"),
            Figure(
                what=f"{right}: RU, many / few",
                value=large.request_units / small.request_units,
                unit="times",
                limit=MOST_TIMES,
            ),
            Figure(
                what=f"{right}: Cosmos DB requests, many / few",
                value=large.of_cosmos() / small.of_cosmos(),
                unit="times",
                limit=MOST_TIMES,
            ),
            Figure(
                what=f"{right}: Cosmos DB requests per document", value=large.of_cosmos() / DOCUMENTS_EACH
            ),
            Figure(what=f"{right}: RU per document", value=large.request_units / DOCUMENTS_EACH, unit="RU"),
        ]
    return figures


async def _one(environment: Mapping[str, str], right: Right, *, seed: str) -> Traffic:
    (person,) = equal_people(1, seed=seed)
    await store(environment, documents_of([person]))
    async with local_app(environment) as app:
        await warm_up(app, environment, right)
        request_id = await app.confirmed_request(person.asks_as, right)
        with counted() as traffic:
            await app.work()
        request = await app.finished(request_id)
        records = request.outcomes[right].records
        if records < DOCUMENTS_EACH:
            raise RuntimeError(f"only {records} of {DOCUMENTS_EACH} records were found")
    return traffic
