"""Calendar periods: whole months and years, never multiples of thirty days."""

import calendar
import re
from datetime import date
from typing import Literal

_PERIOD = re.compile(r"P(\d+)([YM])", re.ASCII)
_MONTHS_IN_YEAR = 12


def add_months(day: date, months: int) -> date:
    """Return the same day number `months` later, or the last day of that month when it has none.

    Source: Regulation 1182/71 article 3(2)(c).
    """
    index = day.year * _MONTHS_IN_YEAR + (day.month - 1) + months
    year, month = divmod(index, _MONTHS_IN_YEAR)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def add_period(day: date, period: str) -> date:
    """Return `day` plus an ISO 8601 period of whole years or months, such as `P1Y` or `P18M`.

    Raises:
        ValueError: any other period; the data map's models let none through.
    """
    found = _PERIOD.fullmatch(period)
    if not found:
        raise ValueError(period)
    amount = int(found[1])
    return add_months(day, amount * _MONTHS_IN_YEAR if found[2] == "Y" else amount)


def last_day_kept(
    day: date, period: str, *, counted_from: Literal["date", "end_of_calendar_year"] = "date"
) -> date:
    """Return the last day of a keeping duty that starts at `day` or at the end of its year.

    Source: Danish Bookkeeping Act: five years from the end of the financial year.
    """
    start = date(day.year, _MONTHS_IN_YEAR, 31) if counted_from == "end_of_calendar_year" else day
    return add_period(start, period)
