"""Deliver events to webhooks as badly as wished: batched, and by seed lost, repeated and out of order."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp

from devtools.stand_ins.newsletter_webhooks import ON, Event, Webhook, Webhooks

LARGEST_BODY = 1000
_JSON = {"Content-Type": "application/json; charset=utf-8"}
_PATIENCE = aiohttp.ClientTimeout(total=30)
_SUCCESS = range(200, 300)


@dataclass(frozen=True, kw_only=True)
class Weather:
    """How deliveries go.

    Attributes:
        seed: Same seed and events, same bodies.
        automatic: Whether events are delivered by themselves, soon after they happened.
        batch: Most events of a body, at most 1,000.
        dropped: Share of events that are lost.
        repeated: Share of events that are delivered again, in some later body.
        resent: Share of bodies that are sent twice as they are, also though the first was accepted.
        reach: How many places an event may come too early or too late; 0: in order.
        at_once: How many bodies are under way at the same time.
    """

    seed: int = 0
    automatic: bool = False
    batch: int = LARGEST_BODY
    dropped: float = 0.0
    repeated: float = 0.0
    resent: float = 0.0
    reach: int = 0
    at_once: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.batch <= LARGEST_BODY or self.at_once < 1:
            raise ValueError("a body has 1 to 1,000 events")


def bodies(events: Sequence[Event], weather: Weather) -> list[list[Event]]:
    """Return the bodies that are sent for events in the order of things, and mark those that are lost."""
    chance = random.Random(f"{weather.seed} {events[0].number if events else 0}")
    places: list[tuple[float, Event]] = []
    for place, event in enumerate(events):
        if chance.random() < weather.dropped:
            event.dropped = True
            continue
        places.append((place + chance.uniform(0, weather.reach), event))
        if chance.random() < weather.repeated:
            places.append((place + chance.uniform(0, len(events)), event))
    ordered = [event for _, event in sorted(places, key=lambda one: (one[0], one[1].number))]
    sent = [ordered[first : first + weather.batch] for first in range(0, len(ordered), weather.batch)]
    again = [body for body in sent if chance.random() < weather.resent]
    return sorted([*sent, *again], key=lambda _: chance.random()) if weather.reach else [*sent, *again]


class Deliveries:
    """Sends what webhooks wait for.

    Attributes:
        weather: How deliveries go from now on.
        slowest_seconds: The longest that an answer took.

    Args:
        webhooks: Whose.
        automatic: Whether it sends by itself until the weather changes.
    """

    def __init__(self, webhooks: Webhooks, *, automatic: bool = False) -> None:
        self.weather = Weather(automatic=automatic)
        self.slowest_seconds = 0.0
        self._webhooks = webhooks
        self._sending = asyncio.Lock()

    async def run(self) -> None:
        """Deliver again and again, as long as the weather says so, until cancelled."""
        while True:
            await asyncio.sleep(0.1)
            if self.weather.automatic:
                await self.flush()

    async def flush(self) -> dict[str, int]:
        """Deliver everything that waits; return how many bodies and events were taken, and bodies not.

        What is not taken comes again after a minute of the account's own time.
        """
        taken = {"bodies": 0, "events": 0, "refused": 0}
        async with self._sending, aiohttp.ClientSession() as client:
            free = asyncio.Semaphore(self.weather.at_once)
            for webhook in list(self._webhooks):
                if webhook.status != ON:
                    continue
                now = self._webhooks.now()
                pending, webhook.pending = webhook.pending, []
                due = [one.events for one in webhook.take_due(now)]
                due += bodies(pending, self.weather)
                results = await asyncio.gather(*(self._send(client, free, webhook, one) for one in due))
                for events, was_taken in zip(due, results, strict=True):
                    taken["bodies"] += was_taken
                    taken["events"] += len(events) * was_taken
                    taken["refused"] += not was_taken
        return taken

    async def test(self, webhook: Webhook) -> tuple[int, str]:
        """Send the test body of a list that nobody has; return status and text, 0 where nothing answered."""
        body = {"ListID": "0" * 32, "Events": []}
        async with aiohttp.ClientSession() as client:
            return await self._post(client, webhook.url, body)

    async def _send(
        self, client: aiohttp.ClientSession, free: asyncio.Semaphore, webhook: Webhook, events: list[Event]
    ) -> bool:
        body = {"ListID": webhook.list_id, "Events": [one.body for one in events]}
        async with free:
            status, _ = await self._post(client, webhook.url, body)
        was_taken = status in _SUCCESS
        for event in events:
            event.accepted += was_taken
            event.refused += not was_taken
        if was_taken:
            webhook.failing_since = None
        else:
            webhook.failed(events, self._webhooks.now())
        return was_taken

    async def _post(self, client: aiohttp.ClientSession, url: str, body: dict[str, Any]) -> tuple[int, str]:
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with client.post(
                url, data=json.dumps(body), headers=_JSON, allow_redirects=False, timeout=_PATIENCE
            ) as response:
                return response.status, (await response.text(errors="replace"))[:500]
        except (aiohttp.ClientError, TimeoutError):
            return 0, HTTPStatus.GATEWAY_TIMEOUT.phrase
        finally:
            self.slowest_seconds = max(self.slowest_seconds, loop.time() - started)
