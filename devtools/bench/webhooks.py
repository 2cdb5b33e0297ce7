"""Take in bodies of a thousand events, against a bare function in the same host; and what an event costs."""

from __future__ import annotations

import asyncio
import itertools
import json
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx

from devtools.bench.deciding import percentile
from devtools.bench.event_costs import measure_costs
from devtools.bench.figures import Figure, Wanted
from devtools.bench.population import store
from devtools.bench.scale import Scale
from devtools.demo.narration import Narrator
from devtools.demo.newsletter import lists
from devtools.local_platform import Platform
from devtools.provision import provision

EVENTS = 1_000
LEAST_RATIO = 0.5
MOST_MILLISECONDS = 250.0
AT_ONCE = 4
_WARM_UP = 10
_ONLY_TAKEN_IN = {
    "PYTHON_SCRIPT_FILE_NAME": "devtools/bench/bare_webhook_app.py",
    # Working on the events is measured by itself; here it would compete for the same two cores.
    "AzureWebJobs_newsletter_webhook_Disabled": "true",
}


def measure(root: Path, scale: Scale, narrator: Narrator) -> list[Figure]:
    """Return rates and times of both doors and their ratio, then requests and RU of an event."""
    with Platform(root, overrides=lists.settings(), with_processors=True) as platform:
        asyncio.run(_prepare(platform))
        platform.start_host(options=["--no-timers"], settings=_ONLY_TAKEN_IN)
        figures = asyncio.run(_doors(platform.functions_url, scale, narrator))
        platform.stop_host()
        return figures + asyncio.run(measure_costs(platform, scale, narrator))


async def _prepare(platform: Platform) -> None:
    await provision(platform.root, platform.environment)
    await store(platform.environment, [])  # the containers of the systems of record


async def _doors(url: str, scale: Scale, narrator: Narrator) -> list[Figure]:
    app_url, bare_url = lists.webhook_url(f"{url}/api"), f"{url}/api/bench/bare-webhook"
    made = _bodies()
    app_ms: list[float] = []
    bare_ms: list[float] = []
    app_rates: list[float] = []
    bare_rates: list[float] = []
    limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
    async with httpx.AsyncClient(timeout=60, limits=limits) as client:

        def to(target: str) -> Callable[[bytes], Awaitable[float]]:
            return lambda body: _post(client, target, body)

        for target in (app_url, bare_url):
            await _one_by_one(to(target), list(itertools.islice(made, _WARM_UP)))
        for number in range(scale.webhook_rounds):
            pair = ((app_url, app_ms, app_rates), (bare_url, bare_ms, bare_rates))
            for target, times, rates in pair if number % 2 else reversed(pair):
                bodies = list(itertools.islice(made, scale.webhook_bodies))
                times.extend(await _one_by_one(to(target), bodies))
                bodies = list(itertools.islice(made, scale.webhook_bodies))
                rates.append(EVENTS / await _seconds_each(to(target), bodies))
    size = len(next(made)) / 1024
    narrator.step(
        f"{scale.webhook_rounds} rounds of {2 * scale.webhook_bodies} bodies to each door, "
        f"{EVENTS:,} events and {size:,.0f} KiB each"
    )
    ratios = [one / bare for one, bare in zip(app_rates, bare_rates, strict=True)]
    return [
        Figure(what="bare function, median", value=statistics.median(bare_ms), unit="ms"),
        Figure(what="bare function, p99", value=percentile(bare_ms, 99), unit="ms"),
        Figure(what="bare function, 4 at once", value=statistics.median(bare_rates), unit="events/s"),
        Figure(what="webhook, median", value=statistics.median(app_ms), unit="ms"),
        Figure(what="webhook, p99", value=percentile(app_ms, 99), unit="ms", limit=MOST_MILLISECONDS),
        Figure(what="webhook, 4 at once", value=statistics.median(app_rates), unit="events/s"),
        Figure(
            what="webhook / bare function, events a second",
            value=statistics.median(ratios),
            unit="times",
            side=Wanted.AT_LEAST,
            limit=LEAST_RATIO,
        ),
    ]


def _bodies() -> Iterator[bytes]:
    """Yield bodies as the processor sends them, each another one: the same again would be known."""
    for number in itertools.count():
        events = [_event(number, place) for place in range(EVENTS)]
        yield json.dumps({"ListID": lists.CONFIRMED, "Events": events}).encode()


def _event(number: int, place: int) -> dict[str, Any]:
    return {
        "Type": "Subscribe",
        "Date": "2026-01-31 09:15:00",
        "EmailAddress": f"person{place}.of{number}@bench.example",
        "Name": f"Made Up {place}",
        "SignupIPAddress": "192.0.2.10",
        "CustomFields": [{"Key": "[Language]", "Value": "da"}],
    }


async def _one_by_one(send: Callable[[bytes], Awaitable[float]], bodies: Sequence[bytes]) -> list[float]:
    """Return the milliseconds of each body, sent one after the other."""
    return [1000 * await send(body) for body in bodies]


async def _seconds_each(send: Callable[[bytes], Awaitable[float]], bodies: Sequence[bytes]) -> float:
    """Return the seconds that a body takes on average when some are sent at once."""
    started = time.perf_counter()
    await asyncio.gather(*(send(body) for body in bodies))
    return (time.perf_counter() - started) / len(bodies)


async def _post(client: httpx.AsyncClient, url: str, body: bytes) -> float:
    started = time.perf_counter()
    response = await client.post(url, content=body, headers={"Content-Type": "application/json"})
    seconds = time.perf_counter() - started
    if not response.is_success:
        raise RuntimeError(f"a body was answered {response.status_code}")
    return seconds
