"""Start the app at a moment of its own, and let the timers run by hand until nothing is left to do."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

import httpx

from devtools.demo.findings import StoryEndedError
from devtools.demo.holdings import Stores
from devtools.demo.rights.staff import Staff
from devtools.local_platform import Platform

RUN, SWEEP = "retention", "sweep"
_RUN_SECONDS = 60.0
_LOOK_SECONDS = 0.05
_MOST_TURNS = 40  # of a timer that goes on where its last turn ended


class Clockwork:
    """The host of a platform, moment by moment; its timers run when they are told to.

    Args:
        platform: Stores run, the host does not.
        client: Connections to share.
        stores: Bare clients, to see whether the queues are empty.
        staff: Their tokens follow the app's clock.
    """

    def __init__(self, platform: Platform, client: httpx.AsyncClient, stores: Stores, staff: Staff) -> None:
        self._platform = platform
        self._client = client
        self._stores = stores
        self._staff = staff
        self._starts = 0

    async def start(self, at: datetime) -> None:
        """Stop the host, if it runs, and start it with its clock at a moment."""
        if self._starts:
            await asyncio.to_thread(self._platform.stop_host)
            log = self._platform.logs / "functions.log"
            log.rename(log.with_name(f"functions-{self._starts}.log"))  # the next start empties it
        self._starts += 1
        ahead_seconds = round((at - datetime.now(UTC)).total_seconds())
        self._staff.ahead_seconds = ahead_seconds
        settings = {"CLOCK_OFFSET_SECONDS": str(ahead_seconds)}
        await asyncio.to_thread(self._platform.start_host, options=["--no-timers"], settings=settings)

    async def run(self, timer: str) -> int:
        """Trigger a timer, see everything through that it began, and again until it begins nothing more.

        Return how many turns that took.

        Raises:
            StoryEndedError: a function failed, or it never ends.
        """
        for turn in range(_MOST_TURNS):
            before = await self._counts()
            url = f"{self._platform.functions_url}/admin/functions/{timer}"
            (await self._client.post(url, json={"input": ""})).raise_for_status()
            await self._wait_for(timer, before)
            await self.quiet()
            after = await self._counts()
            if after["failed"] > before["failed"]:
                raise StoryEndedError(f"the timer {timer} or what it began failed")
            if after["succeeded"] == before["succeeded"] + 1:
                return turn + 1
        raise StoryEndedError(f"the timer {timer} has more to do each time")

    async def quiet(self) -> None:
        """Wait until no function runs and no message waits.

        Raises:
            StoryEndedError: it takes too long.
        """
        deadline = time.monotonic() + _RUN_SECONDS
        while True:
            is_idle = (await self._counts())["idle"]
            if is_idle and not await self._stores.waiting_messages() and (await self._counts())["idle"]:
                return
            if time.monotonic() > deadline:
                raise StoryEndedError(f"messages are left: {await self._stores.waiting_messages()}")
            await asyncio.sleep(_LOOK_SECONDS)

    async def _wait_for(self, timer: str, before: dict[str, Any]) -> None:
        ran = _runs(before, timer)
        deadline = time.monotonic() + _RUN_SECONDS
        while _runs(await self._counts(), timer) == ran:
            if time.monotonic() > deadline:
                raise StoryEndedError(f"the timer {timer} did not end")
            await asyncio.sleep(_LOOK_SECONDS)

    async def _counts(self) -> dict[str, Any]:
        found = await self._client.get(f"{self._platform.functions_url}/admin/local/idle")
        return dict(found.json())


def _runs(counts: dict[str, Any], name: str) -> int:
    one = counts["functions"].get(name, {"succeeded": 0, "failed": 0})
    return int(one["succeeded"]) + int(one["failed"])
