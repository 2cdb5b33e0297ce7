"""Days and years as a Danish court would count them, written without a look at how the app does it.

No time zone database, no date library: the clock rule of the European Union and a pocket calendar.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(Z|[+-]\d\d:\d\d)")
_MARCH, _OCTOBER = 3, 10
_END_OF_TIME = datetime(9990, 1, 1, tzinfo=UTC)  # later ones leave the calendar when years are counted
_ONE_HOUR = timedelta(hours=1)


def last_sunday(year: int, month: int) -> date:
    """Return the last Sunday of a month that has 31 days."""
    day = date(year, month, 31)
    return day - timedelta(days=day.isoweekday() % 7)


def local_day(moment: datetime) -> date:
    """Return the day that a calendar on a wall in Copenhagen shows.

    One hour ahead of UTC, and two from 01:00 UTC of the last Sunday of March to that of October. Source:
    Directive 2000/84/EC.
    """
    utc = min(moment, _END_OF_TIME).astimezone(UTC)
    return (utc + _hours_ahead(utc) * _ONE_HOUR).date()


def moment_at(day: date, hour: int, minute: int = 0, second: int = 0) -> datetime:
    """Return the moment at which clocks in Copenhagen show this, which an hour in March never is."""
    wall = datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=UTC)
    for ahead in (2, 1):
        moment = wall - ahead * _ONE_HOUR
        if _hours_ahead(moment) == ahead:
            return moment
    raise ValueError(f"{day} {hour}:{minute:02d} does not exist")


def years_later(day: date, years: int) -> date:
    """Return the same date so many years on; the 29 February becomes the 28th where there is none."""
    try:
        return date(day.year + years, day.month, day.day)
    except ValueError:
        return date(day.year + years, day.month, day.day - 1)


def gone_from(day: date, years: int) -> date:
    """Return the first day on which data must not be there any more, counted from what began the period."""
    return years_later(day, years) + timedelta(days=1)


def begins_for(last_day: date, years: int) -> tuple[date, ...]:
    """Return the days whose period of so many years ends with this last day: none, one, or two."""
    near = [date(last_day.year - years, last_day.month, 1) + timedelta(days=number) for number in range(31)]
    return tuple(day for day in near if years_later(day, years) == last_day)


def day_in(value: object) -> date | None:
    """Return the day a stored text means; None: nobody can tell, also where the zone is missing."""
    if not isinstance(value, str):
        return None
    if found := _DAY.fullmatch(value):
        day = _date(*found.groups())
        return None if day is None else min(day, _END_OF_TIME.date())
    moment = moment_in(value)
    return None if moment is None else local_day(moment)


def moment_in(value: object) -> datetime | None:
    """Return the moment a stored text means; None: nobody can tell."""
    if not isinstance(value, str) or not (found := _MOMENT.fullmatch(value)):
        return None
    day = day_in(found[1])
    if day is None:
        return None
    try:
        wall = datetime(
            day.year, day.month, day.day, int(found[2]), int(found[3]), int(found[4] or 0), tzinfo=UTC
        )
        if found[5] == "Z":
            return wall
        sign = -1 if found[5][0] == "-" else 1
        return wall - sign * timedelta(hours=int(found[5][1:3]), minutes=int(found[5][4:]))
    except (ValueError, OverflowError):
        return None


def _date(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _hours_ahead(moment: datetime) -> int:
    begins = datetime.combine(last_sunday(moment.year, _MARCH), datetime.min.time(), UTC) + _ONE_HOUR
    ends = datetime.combine(last_sunday(moment.year, _OCTOBER), datetime.min.time(), UTC) + _ONE_HOUR
    return 2 if begins <= moment < ends else 1
