"""How near the open requests are to their dates, and which will be late at the present pace."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import chain, repeat, takewhile

from shared.domain.deadlines import Deadline
from shared.domain.errors import Invalid
from shared.domain.working_days import working_days_from

_ROUNDING = 1e-9  # a pace such as 0.29 a day makes 28.999999999999996 after a hundred days


class Ageing(StrEnum):
    """How near a request is to its dates."""

    ON_TRACK = "on_track"
    DUE_SOON = "due_soon"
    TARGET_PASSED = "target_passed"  # only a pause keeps the answer on time
    OVERDUE = "overdue"
    ANSWERED = "answered"


def ageing(deadline: Deadline, today: date, *, due_soon_days: int, answered_on: date | None = None) -> Ageing:
    """Return how near the request is to its dates `today`; the day of a date itself is still on time.

    `due_soon_days` are calendar days before the target; 0: due soon on the day of the target only.
    """
    if answered_on is not None:
        return Ageing.ANSWERED
    if today > deadline.legal_due_on:
        return Ageing.OVERDUE
    if today > deadline.target_on:
        return Ageing.TARGET_PASSED
    if (deadline.target_on - today).days <= due_soon_days:
        return Ageing.DUE_SOON
    return Ageing.ON_TRACK


@dataclass(frozen=True, kw_only=True)
class OpenCase:
    """A request that is not answered. `legal_due_on` None: its clock does not run."""

    request_id: str
    legal_due_on: date | None


@dataclass(frozen=True, kw_only=True)
class LateCase:
    """A request that will be late. `expected_on`: when its answer is expected; None: not to be foreseen."""

    request_id: str
    legal_due_on: date
    expected_on: date | None


def forecast(
    open_cases: Iterable[OpenCase], *, answered_per_working_day: float, today: date
) -> tuple[LateCase, ...]:
    """Return the open cases that will be answered after their legal date at this pace, the most urgent first.

    The model: one queue in the order of the legal dates, those of one day in the order of their ids, and no
    new cases. After `n` working days, `today` being the first when it is one, `n` times the pace of them are
    answered, whole cases only; weekends and Danish public holidays answer nothing. Dates stand as they are
    today: an open question may still move them. Cases without a date take no place in the queue. Cases that
    are overdue already are late too. A pace of zero answers nothing, so every case with a date is late.

    Raises:
        Invalid: `pace_impossible` for a pace below zero or without end.
    """
    if not 0 <= answered_per_working_day < math.inf:
        raise Invalid("pace_impossible", field="answered_per_working_day")
    dated = ((case.legal_due_on, case.request_id) for case in open_cases if case.legal_due_on is not None)
    queue = sorted(dated)
    last_on = max([today + timedelta(days=366), *(due for due, _ in queue[-1:])])
    pace = min(answered_per_working_day, float(len(queue)))
    expected = chain(_answer_days(pace, today, last_on), repeat(None))
    return tuple(
        LateCase(request_id=request_id, legal_due_on=due, expected_on=answer_on)
        for (due, request_id), answer_on in zip(queue, expected, strict=False)
        if answer_on is None or answer_on > due
    )


def _answer_days(pace: float, today: date, last_on: date) -> Iterator[date]:
    """Yield the day of every answer, one after the other, up to the last day looked at."""
    answered = 0
    for n, day in enumerate(takewhile(lambda one: one <= last_on, working_days_from(today)), 1):
        possible = math.floor(pace * n + _ROUNDING)
        yield from repeat(day, possible - answered)
        answered = possible
