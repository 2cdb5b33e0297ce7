"""The days on which the scenario looks, chosen where calendars go wrong: an hour apart around midnight."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from devtools.demo.retention.civil import moment_at


@dataclass(frozen=True, kw_only=True)
class Stop:
    """A moment at which the app wakes up. `is_back`: its clock is wrong, and the products' is not."""

    at: datetime
    title: str
    is_back: bool = False


@dataclass(frozen=True, kw_only=True)
class Midnight:
    """Two stops an hour apart: the last half hour of a day, and the first one of the next."""

    eve: date
    day: date
    title: str

    @property
    def stops(self) -> tuple[Stop, Stop]:
        """Return both."""
        return (
            Stop(at=moment_at(self.eve, 23, 30), title=f"{self.eve} 23:30, the eve of {self.title}"),
            Stop(at=moment_at(self.day, 0, 30), title=f"{self.day} 00:30, an hour later"),
        )


START = Stop(at=moment_at(date(2026, 11, 2), 10), title="2026-11-02, the first day")
SUMMER_TIME = Midnight(eve=date(2027, 3, 27), day=date(2027, 3, 28), title="the day that summer time begins")
WINTER_TIME = Midnight(eve=date(2027, 10, 31), day=date(2027, 11, 1), title="the day after summer time ended")
NEW_YEAR = Midnight(eve=date(2027, 12, 31), day=date(2028, 1, 1), title="a new year")
NO_LEAP_DAY = Midnight(
    eve=date(2029, 2, 28), day=date(2029, 3, 1), title="the day that stands in for 29 February"
)
MIDNIGHTS = (SUMMER_TIME, WINTER_TIME, NEW_YEAR, NO_LEAP_DAY)
LEAP_DAY = Stop(at=moment_at(date(2028, 2, 29), 12), title="2028-02-29, a leap day")
SET_BACK = Stop(
    at=moment_at(date(2028, 6, 1), 12), title="the app's clock is wrong and says 2028-06-01", is_back=True
)
LATER = Stop(at=moment_at(date(2030, 3, 31), 1), title="2030-03-31, an hour before the clock is changed")
END = Stop(at=moment_at(date(2030, 11, 2), 10), title="2030-11-02, four years later")
STOPS = (
    START,
    *SUMMER_TIME.stops,
    *WINTER_TIME.stops,
    *NEW_YEAR.stops,
    LEAP_DAY,
    *NO_LEAP_DAY.stops,
    SET_BACK,
    LATER,
    END,
)
