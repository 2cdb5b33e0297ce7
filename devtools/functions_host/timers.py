"""Run timer functions on their schedules, and remember when they ran."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from devtools.functions_host.ncrontab import Schedule, fires_more_than_once_a_minute

# A longer sleep would not notice that the machine was suspended meanwhile.
LONGEST_SLEEP_SECONDS = 30.0

logger = logging.getLogger("host.timers")

RunTimer = Callable[[bool, dict[str, str]], Awaitable[None]]


class Clock(Protocol):
    """Tells the time and waits for it."""

    def now(self) -> datetime:
        """Return the current aware UTC time."""
        ...

    async def sleep_until(self, moment: datetime) -> None:
        """Return when the moment has come."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep_until(self, moment: datetime) -> None:
        while (remaining := (moment - self.now()).total_seconds()) > 0:  # noqa: ASYNC110 - waits for a time
            await asyncio.sleep(min(remaining, LONGEST_SLEEP_SECONDS))


@dataclass(frozen=True, kw_only=True)
class TimerStatus:
    """Hold when a timer ran and is due.

    Attributes:
        last: Its last run; None before the first.
        next: The following due time.
        updated: When this was written.
    """

    last: datetime | None
    next: datetime
    updated: datetime

    def as_json(self) -> dict[str, str]:
        """Return the three times as the real status blob spells them."""
        never = "0001-01-01T00:00:00+00:00"
        return {
            "Last": self.last.isoformat() if self.last else never,
            "Next": self.next.isoformat(),
            "LastUpdated": self.updated.isoformat(),
        }


class TimerStatusFile:
    """Keeps the status of all timers of one app in a JSON file.

    Args:
        path: The file; None keeps them in memory only, which makes every start a first start.
    """

    def __init__(self, path: Path | None) -> None:
        """Read what is there."""
        self._path = path
        self._entries: dict[str, dict[str, str]] = {}
        if path is not None and path.exists():
            self._entries = json.loads(path.read_text(encoding="utf-8"))

    def get(self, name: str) -> TimerStatus | None:
        """Return the status of one timer, or None if it has none yet."""
        entry = self._entries.get(name)
        if entry is None:
            return None
        last = datetime.fromisoformat(entry["Last"])
        return TimerStatus(
            last=None if last.year == 1 else last,
            next=datetime.fromisoformat(entry["Next"]),
            updated=datetime.fromisoformat(entry["LastUpdated"]),
        )

    def put(self, name: str, status: TimerStatus) -> None:
        """Keep the status of one timer."""
        self._entries[name] = status.as_json()
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(".new")
        draft.write_text(json.dumps(self._entries, indent=2), encoding="utf-8")
        draft.replace(self._path)


class TimerListener:
    """Runs one timer function, one run at a time; ticks that pass during a run are skipped.

    Args:
        name: The function's name.
        schedule: When it is due.
        use_monitor: Whether missed runs are noticed after a restart.
        run_on_startup: Whether it also runs at every start.
        run: Runs the function: past due or not, and its status; it must not raise.
        statuses: Where the status is kept.
        clock: The time.
    """

    def __init__(
        self,
        *,
        name: str,
        schedule: Schedule,
        use_monitor: bool,
        run_on_startup: bool,
        run: RunTimer,
        statuses: TimerStatusFile,
        clock: Clock,
    ) -> None:
        """Keep everything; `listen` begins."""
        self._name = name
        self._schedule = schedule
        self._run_on_startup = run_on_startup
        self._run = run
        self._statuses = statuses
        self._clock = clock
        self._use_monitor = use_monitor and not fires_more_than_once_a_minute(schedule, clock.now())

    async def listen(self) -> None:
        """Run the function whenever it is due, until cancelled."""
        due = await self._start()
        while due is not None:
            await self._clock.sleep_until(due)
            due = await self._fire(due, past_due=False)

    async def _start(self) -> datetime | None:
        now = self._clock.now()
        status = self._statuses.get(self._name) if self._use_monitor else None
        if status is not None:
            expected = self._schedule.next_after(status.updated)
            if expected != status.next:
                # The schedule was changed since; what the old one missed does not count.
                status = None
            elif status.next <= now:
                return await self._fire(status.next, past_due=True)
        if status is None and self._use_monitor:
            self._save(last=None, now=now)
        if self._run_on_startup:
            return await self._fire(now, past_due=False)
        return status.next if status is not None else self._schedule.next_after(now)

    async def _fire(self, due: datetime, *, past_due: bool) -> datetime | None:
        started = self._clock.now()
        status = self._statuses.get(self._name) if self._use_monitor else None
        await self._run(past_due, status.as_json() if status else {})
        # A clock that woke slightly early must not make the same instant due again.
        last = max(started, due)
        now = max(self._clock.now(), last)
        following = self._schedule.next_after(now)
        if self._use_monitor and following is not None:
            self._statuses.put(self._name, TimerStatus(last=last, next=following, updated=now))
        return following

    def _save(self, *, last: datetime | None, now: datetime) -> None:
        following = self._schedule.next_after(now)
        if following is not None:
            self._statuses.put(self._name, TimerStatus(last=last, next=following, updated=now))


def timer_document(*, past_due: bool, status: dict[str, str]) -> str:
    """Return the JSON text that the library decodes into a `TimerRequest`."""
    document: dict[str, Any] = {"Schedule": {"AdjustForDST": True}, "IsPastDue": past_due}
    if status:
        document["ScheduleStatus"] = status
    return json.dumps(document)
