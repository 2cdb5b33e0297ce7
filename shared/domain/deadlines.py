"""When an answer is due, by the European calendar rules."""

from datetime import date, datetime, timedelta
from functools import cache

import holidays

from shared.domain.periods import add_months
from shared.domain.times import copenhagen_day

_SATURDAY = 5


@cache
def _danish_holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("DK", years=year))


def next_working_day(day: date) -> date:
    """Return `day`, or the first day after it that is no weekend and no Danish public holiday.

    Source: Regulation 1182/71 article 3(4).
    """
    while day.weekday() >= _SATURDAY or day in _danish_holidays(day.year):
        day += timedelta(days=1)
    return day


def due_on(received_at: datetime, *, months: int = 1) -> date:
    """Return the last day on which an answer is on time, in Copenhagen days.

    The day of receipt does not count; the period ends on the same day number `months` later.
    Source: GDPR article 12(3); Regulation 1182/71 article 3(2)(c) and 3(4).
    """
    return next_working_day(add_months(copenhagen_day(received_at), months))
