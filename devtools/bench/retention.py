"""A run of scheduled deletion over many people of whom few are due: its pace, and what its cost follows."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from azure.cosmos.aio import CosmosClient

from devtools.bench.figures import Figure, Wanted
from devtools.bench.in_process import LocalApp, local_app
from devtools.bench.population import store
from devtools.bench.scale import Scale
from devtools.bench.traffic import Traffic, counted
from devtools.demo.narration import Narrator
from devtools.local_platform import Platform
from devtools.provision import provision
from devtools.sample_data import Record
from shared.domain.retention_runs import Run
from shared.domain.rights import Right

LEAST_TIMES_BARE = 0.6
MOST_OF_FIRST_RUN = 0.01
MOST_TIMES_OF_HALF = 1.1
_DUE_IN = 20  # one person of so many is due
_BATCH = 100
_NOBODY = "nobody@bench.example"  # of whom no system knows


def measure(root: Path, scale: Scale, narrator: Narrator) -> list[Figure]:
    """Return the pace beside a bare loop, and what a second run and twice the people cost."""
    rounds = []
    for _ in range(scale.retention_rounds):
        with Platform(root) as platform:
            rounds.append(asyncio.run(_round(platform, scale, narrator)))
    with Platform(root) as platform:
        twice = asyncio.run(_run_beside(platform, scale, narrator, times=2))
    people, each = scale.retention_people, scale.retention_documents
    due = _due_of(scale)
    first, bare = rounds[0].run, rounds[0].bare
    return [
        Figure(
            what=f"run: {due:,} of {people * each:,} documents are due",
            value=statistics.median(one.run_seconds for one in rounds),
            unit="s",
        ),
        Figure(
            what="bare loop: query them, delete in batches of 100",
            value=statistics.median(one.bare_seconds for one in rounds),
            unit="s",
        ),
        Figure(
            what="documents a second, run / bare loop",
            value=statistics.median(one.bare_seconds / one.run_seconds for one in rounds),
            unit="times",
            side=Wanted.AT_LEAST,
            limit=LEAST_TIMES_BARE,
        ),
        Figure(what="run: Cosmos DB requests", value=first.of_cosmos(), unit=""),
        Figure(what="bare loop: Cosmos DB requests", value=bare.of_cosmos(), unit=""),
        Figure(what="run: RU per erased document", value=first.request_units / due, unit="RU"),
        Figure(what="bare loop: RU per document", value=bare.request_units / due, unit="RU"),
        Figure(what="a second run of the day, RU", value=rounds[0].again.request_units, unit="RU"),
        Figure(
            what="second run / first run, RU",
            value=rounds[0].again.request_units / first.request_units,
            unit="times",
            limit=MOST_OF_FIRST_RUN,
        ),
        Figure(what="RU of a run beside twice as many who are not due", value=twice.request_units, unit="RU"),
        Figure(
            what="the same, twice / once",
            value=twice.request_units / first.request_units,
            unit="times",
            limit=MOST_TIMES_OF_HALF,
        ),
    ]


@dataclass(frozen=True, kw_only=True)
class _Round:
    """What one platform showed: a run, a second one on the same day, and a bare loop over the same data."""

    run_seconds: float
    bare_seconds: float
    run: Traffic
    again: Traffic
    bare: Traffic


def _due_of(scale: Scale) -> int:
    return scale.retention_people // _DUE_IN * scale.retention_documents


async def _round(platform: Platform, scale: Scale, narrator: Narrator) -> _Round:
    environment = platform.environment
    await provision(platform.root, environment)
    people, each, due = scale.retention_people, scale.retention_documents, _due_of(scale)
    await store(environment, _records(people, each, is_due=_is_due))
    narrator.step(f"{people * each:,} documents of {people} people, {due:,} of them due")
    await _warm_up(environment)
    seconds, run, first = await _by_the_app(environment)
    _require(sum(run.erased.values()) == due, f"{run.erased} of {due} documents were erased")
    narrator.step(f"the run erased them in {seconds:.2f} s")
    _, again, second = await _by_the_app(environment)
    _require(again.day == run.day, "the second run was of another day")
    await store(environment, _records(people, each, is_due=_is_due, only_due=True))
    bare_seconds, bare = await _bare(environment, due)
    narrator.step(f"a bare loop of batches did it in {bare_seconds:.2f} s")
    return _Round(run_seconds=seconds, bare_seconds=bare_seconds, run=first, again=second, bare=bare)


async def _at_home(app: LocalApp) -> None:
    """Let a worker do something else first: it lives long, and a run is not the first thing it does."""
    await app.context.retention_runs.past(limit=1)
    await app.confirmed_request(_NOBODY, Right.ERASURE)
    await app.work()


async def _warm_up(environment: Mapping[str, str]) -> None:
    """Let the local server make its indexes: it does at the first query, Cosmos DB does when it writes."""
    async with CosmosClient(
        environment["COSMOS_ENDPOINT"], credential=environment["COSMOS_KEY"], enable_endpoint_discovery=False
    ) as client:
        database = client.get_database_client(environment["COSMOS_SYSTEMS_DATABASE"])
        for name, condition in (
            *(("usage_events", "c.at < '1900'"), ("installations", "c.last_used_at < '1900'")),
            *((one, "c.user_id IN ('nobody', 'no one')") for one in ("usage_events", "installations")),
        ):
            found = database.get_container_client(name).query_items(f"SELECT c.id FROM c WHERE {condition}")  # noqa: S608
            _require(not [row async for row in found], "somebody is as old as that")


async def _run_beside(platform: Platform, scale: Scale, narrator: Narrator, *, times: int) -> Traffic:
    """Return what a run costs with the same people due beside more who are not."""
    environment = platform.environment
    await provision(platform.root, environment)
    people, each, due = scale.retention_people, scale.retention_documents, _due_of(scale)
    others = people - people // _DUE_IN
    await store(environment, _records(people + (times - 1) * others, each, is_due=_due_among(people)))
    _, run, traffic = await _by_the_app(environment)
    _require(sum(run.erased.values()) == due, f"{run.erased} of {due} documents were erased")
    narrator.step(f"beside {times} times as many others it cost {traffic.request_units:,.0f} RU")
    return traffic


async def _by_the_app(environment: Mapping[str, str]) -> tuple[float, Run, Traffic]:
    """Do what the timer and the queues do until the run is done; return the time, the run and the traffic."""
    async with local_app(environment) as app:
        await _at_home(app)
        with counted() as traffic:
            started = time.perf_counter()
            run = await app.run_of_the_day()
            seconds = time.perf_counter() - started
    return seconds, run, traffic


async def _bare(environment: Mapping[str, str], due: int) -> tuple[float, Traffic]:
    """Find what is due with one query a container, and delete it in batches."""
    cutoff = _moment(366)
    async with CosmosClient(
        environment["COSMOS_ENDPOINT"], credential=environment["COSMOS_KEY"], enable_endpoint_discovery=False
    ) as client:
        database = client.get_database_client(environment["COSMOS_SYSTEMS_DATABASE"])
        deleted = 0
        with counted() as traffic:
            started = time.perf_counter()
            for name, path in (("usage_events", "at"), ("installations", "last_used_at")):
                container = database.get_container_client(name)
                rows: Any = container.query_items(
                    f"SELECT c.id, c.user_id FROM c WHERE c.{path} < @cutoff",  # noqa: S608  two known paths
                    parameters=[{"name": "@cutoff", "value": cutoff}],
                )
                found: defaultdict[str, list[str]] = defaultdict(list)
                async for row in rows:
                    found[row["user_id"]].append(row["id"])
                for user_id, names in found.items():
                    for first in range(0, len(names), _BATCH):
                        operations = [("delete", (one,)) for one in names[first : first + _BATCH]]
                        await container.execute_item_batch(operations, partition_key=user_id)
                    deleted += len(names)
            seconds = time.perf_counter() - started
    _require(deleted == due, f"the bare loop deleted {deleted} of {due}")
    return seconds, traffic


def _records(people: int, each: int, *, is_due: Any, only_due: bool = False) -> Iterator[Record]:
    """Yield the telemetry of made-up people: one installation and events, all old or all new."""
    for number in range(people):
        old = is_due(number)
        if only_due and not old:
            continue
        user_id, days = f"u-bench-{number:05d}", 500 if old else 3
        owners = frozenset({user_id})
        yield Record(
            container="installations",
            body={
                "id": f"i-{user_id}",
                "user_id": user_id,
                "installation_id": f"inst-{number:05d}",
                "customer_id": "cust-bench",
                "first_seen_at": _moment(days + 90),
                "last_used_at": _moment(days),
            },
            owners=owners,
        )
        for event in range(each - 1):
            yield Record(
                container="usage_events",
                body={
                    "id": f"e-{user_id}-{event:05d}",
                    "user_id": user_id,
                    "installation_id": f"inst-{number:05d}",
                    "kind": "feature",
                    "feature": "record",
                    "at": _moment(days + event % 80),
                },
                owners=owners,
            )


def _is_due(number: int) -> bool:
    return number % _DUE_IN == 0


def _due_among(people: int) -> Any:
    return lambda number: number < people and number % _DUE_IN == 0


def _moment(days_ago: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _require(is_so: bool, otherwise: str) -> None:  # noqa: FBT001
    if not is_so:
        raise RuntimeError(f"{otherwise}; the figure would mean nothing")
