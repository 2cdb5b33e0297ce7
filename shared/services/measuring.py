"""Measure what alarms and the workbook read: queues, cases near their days, the retention run, health."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from shared.domain.ageing import Ageing
from shared.domain.errors import Permanent
from shared.domain.messages import QUEUES
from shared.domain.quiet_hours import QuietHours
from shared.domain.request_states import RequestState
from shared.domain.times import copenhagen_day, start_of
from shared.ports.cases import CaseRow
from shared.services.context import Context
from shared.services.governing import pause_of
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

_LATE_DAYS = 2  # a run of the day before yesterday, and none since
_A_DAY = timedelta(days=1)
_TICKS = timedelta(minutes=15)  # for the first run after quiet hours to begin
_MOST_QUIET = timedelta(days=4)  # a run that is older is looked at no further back
RetentionState = Literal["running", "quiet_hours", "paused"]
_OF_AGE = {
    Ageing.DUE_SOON: CASES_DUE_SOON,
    Ageing.TARGET_PASSED: CASES_TARGET_PASSED,
    Ageing.OVERDUE: CASES_OVERDUE,
}


@dataclass(frozen=True, kw_only=True)
class RetentionStatus:
    """Where scheduled deletion stands. `overdue_since` None: the last run found nothing that was.

    `waiting`: records still to be looked at when the last hour's pace was used up.
    """

    state: RetentionState
    overdue_since: date | None
    waiting: int


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
    record(RETENTION_UNFINISHED, 0 if await _retention_is_on_time(context) else 1)


async def require_retention_on_time(context: Context) -> None:
    """See that scheduled deletion runs. An installation in which it never ran yet is not late.

    Raises:
        Permanent: `retention_late`: no run came for two days, or one does not end; the detail is its day, and
            since when it is overdue or paused, where it is.
    """
    stored = await context.retention_runs.latest()
    if stored is None or await _retention_is_on_time(context):
        return
    run, paused = stored.run, await pause_of(context)
    details = [run.day.isoformat()]
    if run.oldest_overdue_on is not None:
        details.append(f"overdue since {run.oldest_overdue_on.isoformat()}")
    if run.waiting:
        details.append(f"{run.waiting} wait")
    if paused is not None:
        details.append(f"paused on {copenhagen_day(paused.placed_at).isoformat()}")
    raise Permanent("retention_late", ", ".join(details))


async def retention_status(context: Context) -> RetentionStatus:
    """Tell whether scheduled deletion is at work, or rests and why, and what is overdue."""
    stored = await context.retention_runs.latest()
    quiet = context.limits.retention_quiet_hours
    state: RetentionState = "running"
    if await pause_of(context) is not None:
        state = "paused"
    elif quiet is not None and quiet.has(context.clock.now()):
        state = "quiet_hours"
    return RetentionStatus(
        state=state,
        overdue_since=None if stored is None else stored.run.oldest_overdue_on,
        waiting=0 if stored is None else stored.run.waiting,
    )


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


async def _retention_is_on_time(context: Context) -> bool:
    """Whether the run of yesterday or today is done, or the one before it still may be.

    What quiet hours alone delay is not late, nor what is paused until somebody has to look at the pause.
    """
    stored = await context.retention_runs.latest()
    if stored is None:
        return False
    now, run = context.clock.now(), stored.run
    paused = await pause_of(context)
    if paused is not None and copenhagen_day(now) <= paused.review_on:
        return True
    if run.is_done:
        return now < _next_must_begin(context.limits.retention_quiet_hours, run.day)
    ends = start_of(run.day + _A_DAY)
    if now < ends:
        return True
    quiet = context.limits.retention_quiet_hours
    since = max(run.started_at, now - _MOST_QUIET)
    rested = timedelta(minutes=quiet.minutes_within(since, now)) if quiet else timedelta(0)
    return now < ends + rested


def _next_must_begin(quiet: QuietHours | None, day: date) -> datetime:
    """Return by when another run has to be there after one that is done: in quiet hours none begins."""
    latest = start_of(day + _LATE_DAYS * _A_DAY)
    ends = quiet.end_of(latest) if quiet else None
    return latest if ends is None else ends + _TICKS
