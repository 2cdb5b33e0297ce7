"""Which days are working days in Denmark."""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache

import holidays

_SATURDAY = 5
_ONE_DAY = timedelta(days=1)


@cache
def _public_holidays(year: int) -> frozenset[date]:
    # The category is named: the optional one holds 1 May, 5 June, 24 and 31 December, which extend nothing.
    return frozenset(holidays.country_holidays("DK", years=year, categories=(holidays.PUBLIC,)))


def is_working_day(day: date) -> bool:
    """Whether `day` is no weekend and no Danish public holiday.

    Holidays are those set by law: 1 January, Maundy Thursday, Good Friday, Easter Sunday and Monday,
    Ascension, Whit Sunday and Monday, 25 and 26 December, and the Great Prayer Day up to 2023.
    Source: Regulation 1182/71 article 2.
    """
    return day.weekday() < _SATURDAY and day not in _public_holidays(day.year)


def next_working_day(day: date) -> date:
    """Return `day`, or the first day after it that is no weekend and no Danish public holiday.

    Source: Regulation 1182/71 article 3(4).
    """
    while not is_working_day(day):
        day += _ONE_DAY
    return day


def working_days_from(day: date) -> Iterator[date]:
    """Yield every working day from `day` on, itself included when it is one; it never ends."""
    while True:
        day = next_working_day(day)
        yield day
        day += _ONE_DAY


def working_days_later(day: date, working_days: int) -> date:
    """Return the working day so many after `day`, which is not counted itself; none later: `day`."""
    for _ in range(working_days):
        day = next_working_day(day + _ONE_DAY)
    return day
