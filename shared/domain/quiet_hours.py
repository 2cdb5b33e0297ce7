"""Hours of the day in which scheduled deletion rests, as clocks in Copenhagen show them. Pure.

Written `07:00-18:00`; the second may be earlier than the first, and then midnight lies between. On the days
on which the clocks change it is quiet whenever they show such a time: twice, longer, shorter or never.
"""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from shared.domain.times import COPENHAGEN

_FORM = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_A_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class QuietHours:
    """From the minute `begins` until before the minute `ends`, every day."""

    begins: time
    ends: time

    def has(self, moment: datetime) -> bool:
        """Return whether a moment is quiet."""
        shown = moment.astimezone(COPENHAGEN).time()
        if self.begins < self.ends:
            return self.begins <= shown < self.ends
        return shown >= self.begins or shown < self.ends

    def end_of(self, moment: datetime) -> datetime | None:
        """Return when the quiet hours that a moment lies in end. None: it lies in none."""
        if not self.has(moment):
            return None
        found = moment.replace(second=0, microsecond=0)
        while self.has(found):  # clocks change at full minutes, so a look at each is right on every day
            found += _A_MINUTE
        return found

    def minutes_within(self, since: datetime, until: datetime) -> int:
        """Return about how many minutes between two moments are quiet; it looks at each."""
        found, quiet = since, 0
        while found < until:
            quiet += self.has(found)
            found += _A_MINUTE
        return quiet


def quiet_hours(text: str) -> QuietHours | None:
    """Read quiet hours; an empty text is none.

    Raises:
        ValueError: not two times of day, or twice the same: a whole day would never let anything go.
    """
    if not text:
        return None
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError("must be hours such as 07:00-18:00")
    begin_hour, begin_minute, end_hour, end_minute = map(int, found.groups())
    begins, ends = time(begin_hour, begin_minute), time(end_hour, end_minute)
    if begins == ends:
        raise ValueError("must leave some of the day")
    return QuietHours(begins, ends)
