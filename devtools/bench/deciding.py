"""Decide what other systems ask before they use a person's data, against bare point reads of the same."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx

from devtools.bench.figures import Figure
from devtools.bench.in_process import local_app
from devtools.bench.scale import Scale
from devtools.demo.narration import Narrator
from devtools.local_platform import Platform
from devtools.provision import provision
from shared.adapters.cosmos import CosmosDatabases
from shared.adapters.credentials import Credentials
from shared.domain.controls import Consent, Controls, Objection, Restriction
from shared.ports.controls import StoredControls
from shared.services.context import Context
from shared.services.enforcing import decide_processing
from shared.settings import read as read_settings

MOST_TIMES_BARE_READ = 2.0
SYSTEM_KEY = "local-development-only-system-key"
PURPOSE = "member_newsletter"
OPERATION = "mail"
_PEOPLE = 50
_WARM_UP = 100
_PERCENT = 100


def measure(root: Path, scale: Scale, narrator: Narrator) -> list[Figure]:
    """Return how long decisions and bare point reads take at the 99th percentile, and through the door."""
    with Platform(root) as platform:
        return asyncio.run(_measure(platform, scale, narrator))


async def _measure(platform: Platform, scale: Scale, narrator: Narrator) -> list[Figure]:
    environment = platform.environment
    await provision(platform.root, environment)
    bare: list[list[float]] = []
    decided: list[list[float]] = []
    # The same options as the app's own client: the SDK's transport looks for proxies at each call otherwise.
    settings = read_settings(environment)
    databases = CosmosDatabases(settings, Credentials(settings))
    async with local_app(environment) as app, AsyncExitStack() as ending:
        ending.push_async_callback(databases.close)
        addresses = [f"person{number}@decisions.example" for number in range(_PEOPLE)]
        keys = [await _marked(app.context, address) for address in addresses]
        container = databases.container("compliance", "controls")

        async def read(number: int) -> None:
            await container.read_item("controls", keys[number % _PEOPLE])

        async def decide(number: int) -> None:
            identifiers = {"email": (addresses[number % _PEOPLE],)}
            await decide_processing(app.context, identifiers, PURPOSE, OPERATION)

        await _take_turns(_WARM_UP, read, decide)
        for _ in range(scale.decision_rounds):
            reads, decisions = await _take_turns(scale.decisions, read, decide)
            bare.append(reads)
            decided.append(decisions)
    narrator.step(f"{scale.decision_rounds} rounds of {scale.decisions:,} decisions and as many bare reads")
    await asyncio.to_thread(platform.start_host)
    through_door = await _through_the_door(platform.functions_url, addresses, scale)
    return _figures(bare, decided, through_door)


async def _marked(context: Context, address: str) -> str:
    """Store the controls of somebody who made use of some rights, and return the pseudonym."""
    key = context.keys.subject_key("email", address)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    controls = Controls(
        subject_key=key,
        restrictions=(Restriction(restriction_id="r-1", ground="accuracy", placed_at=at, lifted_at=at),),
        objections=(Objection(objection_id="o-1", kind="general", activity_ids=("usage",), placed_at=at),),
        consents=(Consent(consent_id="c-1", purpose_id=PURPOSE, given_at=at, policy_version="1"),),
    )
    await context.controls.write(StoredControls(controls=controls, etag=None))
    return key


async def _take_turns(
    count: int, read: Callable[[int], Awaitable[None]], decide: Callable[[int], Awaitable[None]]
) -> tuple[list[float], list[float]]:
    """Return the milliseconds of each. They alternate in turns: a slow moment slows both."""
    reads: list[float] = []
    decisions: list[float] = []
    for number in range(count):
        pair = ((read, reads), (decide, decisions))
        for work, taken in pair if number % 2 else reversed(pair):
            started = time.perf_counter()
            await work(number)
            taken.append(1000 * (time.perf_counter() - started))
    return reads, decisions


async def _through_the_door(url: str, addresses: Sequence[str], scale: Scale) -> list[float]:
    """Return the milliseconds of decisions asked over HTTP, one after the other on one connection."""
    taken: list[float] = []
    async with httpx.AsyncClient(headers={"x-system-key": SYSTEM_KEY}, timeout=60) as client:
        for number in range(_WARM_UP + scale.decisions):
            about = {"kind": "email", "value": addresses[number % _PEOPLE]}
            body = {"identifier": about, "purpose": PURPOSE, "operation": OPERATION}
            started = time.perf_counter()
            response = await client.post(f"{url}/api/processing-decisions", json=body)
            taken.append(1000 * (time.perf_counter() - started))
            if response.json().get("decision") != "allow":
                raise RuntimeError(f"the door answered {response.status_code} instead of allowing")
    return taken[_WARM_UP:]


def _figures(
    bare: Sequence[Sequence[float]], decided: Sequence[Sequence[float]], through_door: Sequence[float]
) -> list[Figure]:
    bare_p99 = [percentile(one, 99) for one in bare]
    ratios = [percentile(one, 99) / p99 for one, p99 in zip(decided, bare_p99, strict=True)]
    middle = [statistics.median(one) for one in decided]
    reads = [statistics.median(one) for one in bare]
    return [
        Figure(what="bare point read, median", value=statistics.median(reads), unit="ms"),
        Figure(what="bare point read, p99", value=statistics.median(bare_p99), unit="ms"),
        Figure(what="processing decision, median", value=statistics.median(middle), unit="ms"),
        Figure(
            what="processing decision, p99",
            value=statistics.median(percentile(one, 99) for one in decided),
            unit="ms",
        ),
        Figure(
            what="processing decision p99 / bare point read p99",
            value=statistics.median(ratios),
            unit="times",
            limit=MOST_TIMES_BARE_READ,
        ),
        Figure(what="through the door, median", value=statistics.median(through_door), unit="ms"),
        Figure(what="through the door, p99", value=percentile(through_door, 99), unit="ms"),
        Figure(
            what="through the door p99 / bare point read p99",
            value=percentile(through_door, 99) / statistics.median(bare_p99),
            unit="times",
        ),
    ]


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the smallest value that so many percent of all are not above."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // _PERCENT) - 1)]
