"""Whole requests as people make them: HTTP, queues and mail on the running platform, in two bursts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil  # type: ignore[import-untyped]  # its stubs are not among the pins

from devtools.bench.figures import Figure
from devtools.bench.in_process import local_app
from devtools.bench.population import DOCUMENTS_EACH, documents_of, equal_people, store, warm_up
from devtools.bench.scale import Scale
from devtools.bench.traffic import Traffic, counted
from devtools.demo.holdings import Stores
from devtools.demo.mailbox import Mail, Mailbox
from devtools.demo.narration import Narrator
from devtools.demo.stranger import Stranger
from devtools.local_platform import Platform
from devtools.provision import provision
from devtools.sample_data import SamplePerson
from shared.domain.rights import Right

OVERRIDES = {
    "REQUESTS_PER_CLIENT_HOUR": "100000",
    "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:00.500",
}
# What the best-known open privacy engine took on two such cores, one web process and two workers.
PEER_CPU_SECONDS = {Right.ACCESS: 1.06, Right.ERASURE: 2.24}
PEER_PER_SECOND = {Right.ACCESS: 1.4, Right.ERASURE: 0.7}
TIMES_BETTER = 5
_PATIENCE_SECONDS = 600.0
_TRACED = 3
_SHOWN_OPERATIONS = 8


@dataclass(frozen=True, kw_only=True)
class Burst:
    """What one burst took. `cpu_seconds` goes by process: functions, cosmos, azurite."""

    requests: int
    seconds: float
    cpu_seconds: Mapping[str, float]


def measure(root: Path, scale: Scale, narrator: Narrator) -> list[Figure]:
    """Return requests per second and CPU per request of both bursts, and which operations a request needs."""
    with Platform(root, overrides=OVERRIDES) as platform:
        return asyncio.run(_measure(platform, scale, narrator))


async def _measure(platform: Platform, scale: Scale, narrator: Narrator) -> list[Figure]:
    environment = platform.environment
    await provision(platform.root, environment)
    everyone = equal_people(scale.people, seed="burst")
    stored = await store(environment, documents_of(everyone))
    narrator.step(f"{len(everyone):,} people with {stored:,} documents stored")
    await asyncio.to_thread(platform.start_host)
    spread = everyone[:: max(1, len(everyone) // scale.burst)][: scale.burst]
    rest = [one for one in everyone if one not in spread]
    # The first requests load the data map and the templates; a worker that serves does so once.
    await _burst(platform, rest[-2:], Right.ACCESS)
    figures: list[Figure] = []
    for right in (Right.ACCESS, Right.ERASURE):
        burst = await _burst(platform, spread, right)
        narrator.step(f"{burst.requests} {right} requests closed in {burst.seconds:.1f} s")
        figures += _figures(right, burst)
    await asyncio.to_thread(platform.stop_host)
    for right in (Right.ACCESS, Right.ERASURE):
        figures += await _operations(environment, rest[:_TRACED], right, narrator)
    return figures


async def _burst(platform: Platform, people: Sequence[SamplePerson], right: Right) -> Burst:
    async with Stores(platform.environment) as stores, httpx.AsyncClient(timeout=_PATIENCE_SECONDS) as client:
        mailbox = Mailbox(stores.blobs, patience_seconds=_PATIENCE_SECONDS)
        stranger = Stranger(client, f"{platform.functions_url}/api", patience_seconds=_PATIENCE_SECONDS)
        before = _cpu_seconds(platform)
        started = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for person in people:
                group.create_task(_whole(stranger, mailbox, person, right))
        seconds = time.perf_counter() - started
        after = _cpu_seconds(platform)
    return Burst(
        requests=len(people),
        seconds=seconds,
        cpu_seconds={name: after[name] - before[name] for name in after},
    )


async def _whole(stranger: Stranger, mailbox: Mailbox, person: SamplePerson, right: Right) -> None:
    """File one request, confirm it from its mail, and wait for the answer and for the closed case."""
    request_id = await stranger.ask(person.asks_as, [right], language=person.language)

    def is_first(mail: Mail) -> bool:
        return mail.request_id == request_id and "verification" in mail.links

    def is_answer(mail: Mail) -> bool:
        return mail.request_id == request_id and "verification" not in mail.links

    asked = await mailbox.wait(person.asks_as, is_first, what="the mail to confirm")
    await stranger.confirm(asked.links["verification"])
    await mailbox.wait(person.asks_as, is_answer, what="the answer")
    await stranger.wait_until_closed(request_id, what="a request of the burst")


def _cpu_seconds(platform: Platform) -> dict[str, float]:
    """Return the CPU time of each program so far, user and system, with its children."""
    found = {}
    for name, process in platform.processes.items():
        parent = psutil.Process(process.pid)
        times = [one.cpu_times() for one in (parent, *parent.children(recursive=True))]
        found[name] = sum(one.user + one.system for one in times)
    return found


def _figures(right: Right, burst: Burst) -> list[Figure]:
    each = {name: seconds / burst.requests for name, seconds in burst.cpu_seconds.items()}
    peer = PEER_CPU_SECONDS[right]
    return [
        Figure(
            what=f"{right}: requests per second (for scale: {PEER_PER_SECOND[right]})",
            value=burst.requests / burst.seconds,
            unit="1/s",
        ),
        Figure(
            what=f"{right}: CPU of the app per request (for scale: {peer})",
            value=each["functions"],
            unit="s",
            limit=round(peer / TIMES_BETTER, 3),
        ),
        Figure(what=f"{right}: CPU of the Cosmos DB emulator per request", value=each["cosmos"], unit="s"),
        Figure(what=f"{right}: CPU of Azurite per request", value=each["azurite"], unit="s"),
    ]


async def _operations(
    environment: Mapping[str, str], people: Sequence[SamplePerson], right: Right, narrator: Narrator
) -> list[Figure]:
    """Count in this process what the app asks of the stores for one request of people with equal data."""
    async with local_app(environment) as app:
        await warm_up(app, environment, right)
        ids = [await app.confirmed_request(person.asks_as, right) for person in people]
        started = time.process_time()
        with counted() as traffic:
            await app.work()
        seconds = (time.process_time() - started) / len(people)
        for request_id in ids:
            await app.finished(request_id)
    calls = traffic.requests.total() / len(people)
    narrator.step(f"{right} of a person with {DOCUMENTS_EACH} documents, without HTTP, queues and the host:")
    narrator.table(
        ("operation", "per request", "RU per request"),
        [
            (name, round(count / len(people), 1), round(traffic.charges[name] / len(people), 1))
            for name, count in traffic.requests.most_common()
        ],
    )
    return [
        Figure(what=f"{right}: CPU of planning to letter alone, per request", value=seconds, unit="s"),
        Figure(what=f"{right}: calls of the stores in it, per request", value=calls),
        Figure(what=f"{right}: CPU of it per call", value=1000 * seconds / calls, unit="ms"),
        Figure(what=f"{right}: RU in it, per request", value=traffic.request_units / len(people), unit="RU"),
        *_dearest(right, traffic, len(people)),
    ]


def _dearest(right: Right, traffic: Traffic, people: int) -> list[Figure]:
    return [
        Figure(what=f"{right}: {name}, per request", value=count / people)
        for name, count in traffic.requests.most_common(_SHOWN_OPERATIONS)
    ]
