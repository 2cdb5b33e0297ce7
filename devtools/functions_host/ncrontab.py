"""Timer schedules: NCRONTAB expressions of five or six fields, and .NET time spans. Always UTC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol

from devtools.functions_host.settings import parse_time_span

# The same day of month, month and weekday come back within 40 years, even on 29 February.
HORIZON_DAYS = 40 * 366

_MONTHS = (
    "january february march april may june july august september october november december".split()  # noqa: SIM905 - one readable line
)
_WEEKDAYS = "sunday monday tuesday wednesday thursday friday saturday".split()  # noqa: SIM905 - as above


class Schedule(Protocol):
    """Tells when a timer is due."""

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first due time strictly after an aware UTC moment, or None if there never is one."""
        ...


@dataclass(frozen=True, kw_only=True)
class CronSchedule:
    """Hold the allowed values of each field, ascending; a moment is due when all fields agree.

    Day of month and day of week must both fit, unlike in Unix cron.
    """

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first due time strictly after an aware UTC moment, or None if there never is one."""
        start = moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        first = start.date()
        for offset in range(HORIZON_DAYS):
            day = first + timedelta(days=offset)
            if not self._fits(day):
                continue
            found = self._time_from(start.time() if offset == 0 else time(0))
            if found is not None:
                return datetime.combine(day, found, UTC)
        return None

    def _fits(self, day: date) -> bool:
        # NCRONTAB counts from Sunday = 0, Python's isoweekday from Monday = 1 to Sunday = 7.
        return day.day in self.days and day.month in self.months and day.isoweekday() % 7 in self.weekdays

    def _time_from(self, earliest: time) -> time | None:
        for hour in self.hours:
            if hour < earliest.hour:
                continue
            for minute in self.minutes:
                if (hour, minute) < (earliest.hour, earliest.minute):
                    continue
                for second in self.seconds:
                    candidate = time(hour, minute, second)
                    if candidate >= earliest:
                        return candidate
        return None


@dataclass(frozen=True, kw_only=True)
class IntervalSchedule:
    """A fixed pause between two runs."""

    seconds: float

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the moment one pause later."""
        return moment + timedelta(seconds=self.seconds)


def parse_schedule(text: str) -> Schedule:
    """Return the schedule that a timer trigger's text means.

    Raises:
        ValueError: It is neither NCRONTAB nor a time span, or never comes due.
    """
    fields = text.split()
    if len(fields) == 1:
        seconds = parse_time_span(fields[0])
        if seconds <= 0:
            raise ValueError("the pause must be longer than nothing")
        return IntervalSchedule(seconds=seconds)
    if len(fields) == 5:  # noqa: PLR2004 - the classic form, without seconds
        fields = ["0", *fields]
    if len(fields) != 6:  # noqa: PLR2004 - the form with seconds
        raise ValueError(f"it has {len(fields)} fields; five or six are needed")
    schedule = CronSchedule(
        seconds=_values(fields[0], 0, 59),
        minutes=_values(fields[1], 0, 59),
        hours=_values(fields[2], 0, 23),
        days=frozenset(_values(fields[3], 1, 31)),
        months=frozenset(_values(fields[4], 1, 12, names=_MONTHS)),
        weekdays=frozenset(_values(fields[5], 0, 6, names=_WEEKDAYS)),
    )
    if schedule.next_after(datetime(2024, 1, 1, tzinfo=UTC)) is None:
        raise ValueError("it never comes due")
    return schedule


def fires_more_than_once_a_minute(schedule: Schedule, moment: datetime) -> bool:
    """Tell whether the next two runs are less than a minute apart."""
    first = schedule.next_after(moment)
    second = schedule.next_after(first) if first is not None else None
    return first is not None and second is not None and second - first < timedelta(minutes=1)


def _values(text: str, lowest: int, highest: int, *, names: Sequence[str] = ()) -> tuple[int, ...]:
    found: set[int] = set()
    for part in text.split(","):
        span, _, step_text = part.partition("/")
        step = max(_number(step_text), 1) if step_text else 1
        if span == "*":
            first, last = lowest, highest
        elif "-" in span:
            first, last = (_value(end, lowest, highest, names) for end in span.split("-", 1))
            # NCRONTAB swaps a range written backwards instead of wrapping around.
            first, last = min(first, last), max(first, last)
        else:
            first = _value(span, lowest, highest, names)
            last = highest if "/" in part else first
        found.update(range(first, last + 1, step))
    return tuple(sorted(found))


def _value(text: str, lowest: int, highest: int, names: Sequence[str]) -> int:
    if text[:1].isalpha() and names:
        for index, name in enumerate(names):
            if name.startswith(text.lower()):
                return index + lowest
        raise ValueError(f"{text!r} is not a known name")
    number = _number(text)
    if not lowest <= number <= highest:
        raise ValueError(f"{number} is not between {lowest} and {highest}")
    return number


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{text!r} is not a number")
    return int(text)
