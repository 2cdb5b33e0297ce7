"""Measure what alarms and the workbook read: queues, cases near their days, the retention run, health."""

from collections import Counter
from datetime import date, timedelta

from shared.domain.ageing import Ageing
from shared.domain.errors import Permanent
from shared.domain.messages import QUEUES
from shared.domain.request_states import RequestState
from shared.domain.times import copenhagen_day
from shared.ports.cases import CaseRow
from shared.services.context import Context
from shared.services.overview import open_cases
from shared.telemetry import (
    APP_HEALTHY,
    CASES_DUE_SOON,
    CASES_OPEN,
    CASES_OVERDUE,
    CASES_TARGET_PASSED,
    CASES_WAITING,
    POISON_MESSAGES,
    QUEUE_MESSAGES,
    QUEUE_OLDEST_SECONDS,
    RETENTION_UNFINISHED,
)

_LATE_DAYS = 2  # a walk of the day before yesterday that is not done
_OF_AGE = {
    Ageing.DUE_SOON: CASES_DUE_SOON,
    Ageing.TARGET_PASSED: CASES_TARGET_PASSED,
    Ageing.OVERDUE: CASES_OVERDUE,
}


async def measure(context: Context) -> None:
    """Record every figure once. It reads and changes nothing; a second call records the same again.

    Raises:
        NotFound, Retryable: a queue or the database does not answer; the next tick measures again, and an
            alarm tells when none does.
    """
    record = context.operators.measure
    record(APP_HEALTHY, 1 if _is_healthy(context) else 0)
    for queue in QUEUES:
        depth = await context.queue.depth(queue)
        record(QUEUE_MESSAGES, depth.messages, queue=queue)
        record(QUEUE_OLDEST_SECONDS, depth.oldest_seconds, queue=queue)
        poison = await context.queue.depth(f"{queue}-poison")
        record(POISON_MESSAGES, poison.messages, queue=queue)
    today = copenhagen_day(context.clock.now())
    rows = await open_cases(context)
    ages = Counter(age(row, today, due_soon_days=context.limits.due_soon_days) for row in rows)
    record(CASES_OPEN, len(rows))
    for one, metric in _OF_AGE.items():
        record(metric, ages[one])
    for code, number in Counter(row.attention for row in rows if row.attention).items():
        record(CASES_WAITING, number, code=code)
    record(RETENTION_UNFINISHED, 0 if await _retention_is_on_time(context, today) else 1)


async def require_retention_on_time(context: Context) -> None:
    """See that scheduled deletion runs. An installation in which it never ran yet is not late.

    Raises:
        Permanent: `retention_late`: no run came for two days, or one does not end; the detail is its day.
    """
    today = copenhagen_day(context.clock.now())
    stored = await context.retention_runs.latest()
    if stored is not None and not await _retention_is_on_time(context, today):
        raise Permanent("retention_late", stored.run.day.isoformat())


def age(row: CaseRow, today: date, *, due_soon_days: int) -> Ageing:
    """Return how near a listed case is to its dates. One that nobody confirmed has none, nor has our own."""
    unconfirmed = row.state is RequestState.RECEIVED and not row.question_open
    if unconfirmed or row.channel == "retention":
        return Ageing.ON_TRACK
    target_on = row.target_on or row.due_on
    if today > row.due_on:
        return Ageing.OVERDUE
    if today > target_on:
        return Ageing.TARGET_PASSED
    return Ageing.DUE_SOON if (target_on - today).days <= due_soon_days else Ageing.ON_TRACK


def _is_healthy(context: Context) -> bool:
    try:
        context.contacts.require_complete()
    except Permanent:
        return False
    return True


async def _retention_is_on_time(context: Context, today: date) -> bool:
    """Whether the walk of yesterday or today is done, or the one before it still may be."""
    stored = await context.retention_runs.latest()
    if stored is None:
        return False
    run = stored.run
    return today - run.day < timedelta(days=_LATE_DAYS) and (run.is_done or run.day == today)
