"""Move the app to another day: its host starts again with a clock that is so many days ahead."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

import httpx

from devtools.demo.findings import StoryEndedError
from devtools.demo.narration import Narrator
from devtools.demo.rights.staff import Staff
from devtools.local_platform import Platform

DAY_SECONDS = 86_400
_TIMER_SECONDS = 60.0


class Days:
    """The host of a platform, day by day. Timers run by hand only, so that nothing else falls due meanwhile.

    Args:
        platform: Stores run, the host does not.
        client: Connections to share.
        staff: Their tokens follow the day.
        settings: App settings of every start.
    """

    def __init__(
        self,
        platform: Platform,
        client: httpx.AsyncClient,
        narrator: Narrator,
        staff: Staff,
        settings: Mapping[str, str],
    ) -> None:
        self._platform = platform
        self._client = client
        self._narrator = narrator
        self._staff = staff
        self._settings = dict(settings)
        self._started = 0

    async def begin(self) -> None:
        """Start the host on the present day."""
        await self._start(0)

    async def move_to(self, days: int) -> None:
        """Stop the host and start it on a later day, then let it do what that day brings."""
        self._narrator.chapter("A day later" if days == 1 else f"{days} days later")
        await asyncio.to_thread(self._platform.stop_host)
        log = self._platform.logs / "functions.log"
        log.rename(log.with_name(f"functions-{self._started}.log"))  # the next start empties it
        await self._start(days)
        await self.sweep()

    async def sweep(self) -> None:
        """Run the timer that takes up what is due, and wait until it has run.

        Raises:
            StoryEndedError: it failed, or did not end.
        """
        await self.run_timer("sweep")

    async def run_timer(self, name: str) -> None:
        """Run a timer function by hand, and wait until it has run.

        Raises:
            StoryEndedError: it failed, or did not end.
        """
        before = await self._runs(name)
        url = f"{self._platform.functions_url}/admin"
        (await self._client.post(f"{url}/functions/{name}", json={"input": ""})).raise_for_status()
        deadline = time.monotonic() + _TIMER_SECONDS
        while (now := await self._runs(name)) == before:
            if time.monotonic() > deadline:
                raise StoryEndedError(f"the timer {name} did not end")
            await asyncio.sleep(0.1)
        if now[1] > before[1]:
            raise StoryEndedError(f"the timer {name} failed")

    def log(self) -> str:
        """Return what the host has written on the present day."""
        return (self._platform.logs / "functions.log").read_text(encoding="utf-8", errors="replace")

    async def _runs(self, name: str) -> tuple[int, int]:
        found = await self._client.get(f"{self._platform.functions_url}/admin/local/idle")
        counts = found.json()["functions"].get(name, {"succeeded": 0, "failed": 0})
        return int(counts["succeeded"]), int(counts["failed"])

    async def _start(self, days: int) -> None:
        self._started += 1
        self._staff.ahead_seconds = days * DAY_SECONDS
        settings = {**self._settings, "CLOCK_OFFSET_SECONDS": str(days * DAY_SECONDS)}
        await asyncio.to_thread(self._platform.start_host, options=["--no-timers"], settings=settings)
