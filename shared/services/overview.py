"""Lists of cases for staff, and which of them will be late at the present pace. Nothing of any person."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.domain.ageing import LateCase, OpenCase, forecast
from shared.domain.errors import Invalid
from shared.domain.request_states import FINAL, RequestState
from shared.domain.stops import stops
from shared.domain.times import copenhagen_day
from shared.domain.working_days import is_working_day
from shared.ports.cases import CasePage, CaseRow
from shared.services.context import Context
from shared.services.reminding import REMINDERS

PACE_DAYS = 28
MOST_CASES = 5_000
OPEN = tuple(state for state in RequestState if state not in FINAL and state is not RequestState.STANDING)


async def listing(
    context: Context,
    *,
    states: Sequence[RequestState] = (),
    attention: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> CasePage:
    """Return a page of cases, those of the states named, or all that are not closed.

    Those that a recipient still waits for are listed closed too.

    Raises:
        Invalid: `attention_unknown`: no request is ever put aside for that; `cursor_invalid`.
    """
    known = (*stops(one.id for one in context.datamap.policy.identifiers), *REMINDERS)
    if attention is not None and attention not in known:
        raise Invalid("attention_unknown", f"choose from: {', '.join(known)}", field="attention")
    if not states and attention not in REMINDERS:
        states = (*OPEN, RequestState.STANDING)
    return await context.cases.listing(states=states, attention=attention, cursor=cursor, limit=limit)


async def forecast_late(context: Context) -> tuple[float, tuple[LateCase, ...]]:
    """Return how many cases are answered on a working day, over four weeks, and those that will be late.

    What waits for the person to confirm takes no place: nobody here can answer it, and it ends by itself.
    """
    now = context.clock.now()
    today = copenhagen_day(now)
    since = now - timedelta(days=PACE_DAYS)
    closed = await _all(context, states=tuple(FINAL), closed_since=since)
    answered = [row for row in closed if row.state not in (RequestState.EXPIRED, RequestState.JOINED)]
    days = sum(is_working_day(today - timedelta(days=number)) for number in range(1, PACE_DAYS + 1))
    pace = len(answered) / days
    waiting = [row for row in await open_cases(context) if row.state is not RequestState.RECEIVED]
    return pace, forecast(
        [OpenCase(request_id=row.request_id, legal_due_on=row.due_on) for row in waiting],
        answered_per_working_day=pace,
        today=today,
    )


async def open_cases(context: Context) -> list[CaseRow]:
    """Return every case that is not answered, the first `MOST_CASES` of them."""
    return await _all(context, states=OPEN)


async def every_row(
    context: Context, *, states: Sequence[RequestState], closed_since: datetime | None = None
) -> tuple[list[CaseRow], bool]:
    """Return the lines of all cases of these states, at most 5,000, and whether these are all."""
    found: list[CaseRow] = []
    cursor: str | None = None
    while True:
        page = await context.cases.listing(states=states, closed_since=closed_since, cursor=cursor, limit=500)
        found += page.rows
        cursor = page.cursor
        if cursor is None or len(found) >= MOST_CASES:
            return found[:MOST_CASES], cursor is None and len(found) <= MOST_CASES


async def _all(
    context: Context, *, states: Sequence[RequestState], closed_since: datetime | None = None
) -> list[CaseRow]:
    rows, _ = await every_row(context, states=states, closed_since=closed_since)
    return rows
