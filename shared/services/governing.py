"""The governor: when scheduled deletion may go on, and when it gives way to everybody else.

It rests while somebody has paused it and in the quiet hours, and it draws on a budget of the database that
all workers share. What is refused is sent again later; nothing waits inside a message. A person's own request
asks for none of this, and never waits for a case that rests: such a case gives its claims back.
"""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.domain.budgets import SLICE_SECONDS, slice_of
from shared.domain.cases import SubjectRequest
from shared.domain.controls import RETENTION_SWITCH_KEY, Hold
from shared.domain.errors import ComplianceError, Conflict
from shared.domain.messages import PlanRequest, RunTasks
from shared.domain.times import after
from shared.ports.cases import Case, Write
from shared.services import fencing
from shared.services.context import Context
from shared.services.drawing import budget_of, settle, slices_to_wait

_PAUSED_LOOK_SECONDS = 900
_HOUR_SECONDS = 3600
_BEGUN = "deletions_begun"
FILED = "deletions"
_LONGEST_WAIT_SECONDS = 60
_PAGE_SECONDS = 2
_UNITS_A_DOCUMENT = 10.0  # to read it and erase it, about
_LEAST_PAGE_DOCUMENTS = 10
_LATE_SECONDS = 1  # a queue's clock may be ahead of a worker's


class Rest(StrEnum):
    """Why scheduled deletion does not go on now."""

    PAUSED = "paused"
    QUIET_HOURS = "quiet_hours"
    BUDGET = "budget"  # of this slice, or the database throttled
    PACE = "pace"  # enough was begun in this hour


@dataclass(frozen=True, kw_only=True)
class Held:
    """Why work rests, and from when on to ask again."""

    why: Rest
    until: datetime

    @property
    def is_short(self) -> bool:
        """Whether claims on a person may stay meanwhile."""
        return self.why is Rest.BUDGET

    def seconds_from(self, now: datetime) -> int:
        """Return after how many full seconds to ask again."""
        return math.ceil(max(0.0, (self.until - now).total_seconds())) + _LATE_SECONDS


@asynccontextmanager
async def governed(context: Context) -> AsyncIterator[None]:
    """Charge what is awaited inside to scheduled deletion; what it spent beyond its chunks is noted then."""
    try:
        with context.governor.governed():
            yield
    finally:
        with suppress(ComplianceError):  # the work is done, and this worker pays at its next
            await settle(context)


def in_small_pages(context: Context) -> Context:
    """Return a context whose pages cost about as much as two seconds of the budget, where there is one."""
    budget = budget_of(context)
    most = context.limits.page_documents
    if budget.request_units:
        most = min(most, int(budget.request_units * _PAGE_SECONDS / _UNITS_A_DOCUMENT))
    if budget.requests:
        most = min(most, int(budget.requests * _PAGE_SECONDS))
    most = max(most, _LEAST_PAGE_DOCUMENTS)
    pages = replace(context.limits, page_documents=most, page_keys=most)
    return context if budget.is_unlimited else replace(context, limits=pages)


async def pause_of(context: Context) -> Hold | None:
    """Return the decision that has scheduled deletion paused. None: it is not."""
    (stored,) = await context.controls.read((RETENTION_SWITCH_KEY,))
    return next((hold for hold in stored.controls.holds if hold.released_at is None), None)


async def held(context: Context) -> Held | None:
    """Return why scheduled deletion has to rest now, having drawn on the budget if it has not.

    Raises:
        Retryable: what has to be asked does not answer; the queue delivers again.
    """
    return await _stopped(context) or await _without_budget(context)


async def _stopped(context: Context) -> Held | None:
    """Return what stops scheduled deletion for longer: a pause, or quiet hours."""
    now = context.clock.now()
    if await _is_paused(context, slice_of(now.timestamp())):
        return Held(why=Rest.PAUSED, until=after(now, seconds=_PAUSED_LOOK_SECONDS))
    quiet = context.limits.retention_quiet_hours
    ends = None if quiet is None else quiet.end_of(now)
    return None if ends is None else Held(why=Rest.QUIET_HOURS, until=ends)


async def _without_budget(context: Context) -> Held | None:
    """Draw on the budget; return until when there is none."""
    now = context.clock.now()
    slices = await slices_to_wait(context)
    if not slices:
        context.governor.purses.refusals = 0
        return None
    begins = (slice_of(now.timestamp()) + slices) * SLICE_SECONDS - now.timestamp()
    return Held(why=Rest.BUDGET, until=after(now, seconds=min(begins, _LONGEST_WAIT_SECONDS)))


async def held_of(context: Context, request: SubjectRequest) -> Held | None:
    """As `held`, for a case; one that a person's request may wait for has to wait for no budget.

    What is erased again after a restore is nothing that falls due: it only keeps to the budget.
    """
    stopped = await _stopped(context) if request.scope.rule_ids else None
    found = stopped or await _without_budget(context)
    if found is None or not found.is_short:
        return found
    controls = [one.controls for one in await context.controls.read(request.subject_keys)]
    others = any(other.request_id != request.request_id for one in controls for other in one.open_requests)
    return None if others else found


async def held_from_beginning(context: Context, request: SubjectRequest) -> Held | None:
    """Count the people of a case of scheduled deletion that rested, or begins again; enough has it wait.

    With what is filed in the hour it stays halfway below the cap that stops everybody's erasures, also when
    what rested begins together.
    """
    now, people = context.clock.now(), request.subject_count
    if not request.is_internal:
        return None
    if request.received_at >= after(next_hour(now), seconds=-_HOUR_SECONDS) and not request.runs:
        return None  # it was filed at this hour's pace
    pace, cap = context.limits.deletions_per_hour, context.limits.erasures_per_hour
    begun = await context.rate_limits.hit(_BEGUN, window_seconds=_HOUR_SECONDS, times=people)
    filed = await context.rate_limits.hit(FILED, window_seconds=_HOUR_SECONDS, times=0)
    if begun + min(filed, pace) <= max(pace, (pace + cap) // 2) or begun == people:
        return None  # the first of an hour begins, however many people it is about
    await context.rate_limits.hit(_BEGUN, window_seconds=_HOUR_SECONDS, times=-people)
    return Held(why=Rest.PACE, until=next_hour(now))


def next_hour(now: datetime) -> datetime:
    """Return when the next hour of pace begins, in UTC."""
    return after(now, seconds=_HOUR_SECONDS - now.timestamp() % _HOUR_SECONDS)


async def put_off(
    context: Context, request: SubjectRequest, found: Held, message: PlanRequest | RunTasks
) -> None:
    """Have a message come again when work may go on, and the sweep not before.

    A case that rests for longer gives its claims back: what a person asks for goes first. It has to be one
    that is planned anew.
    """
    if not found.is_short:
        await fencing.release(context, request, request.subject_keys)
    now = context.clock.now()
    delay_seconds = found.seconds_from(now)
    case = await context.cases.load(request.request_id)
    if found.why is Rest.PAUSED:  # nobody knows when that ends: the sweep asks
        await _sleep(context, case, found.until)
        return
    await _sleep(context, case, after(now, seconds=delay_seconds + context.limits.wake_seconds))
    await context.queue.send([message], delay_seconds=delay_seconds)


async def _sleep(context: Context, case: Case, until: datetime) -> None:
    """Move the moment of the sweep; a case whose moment is late enough is not written for it."""
    request = case.request
    half = context.limits.wake_seconds / 2
    if request.wake_at is None or after(request.wake_at, seconds=half) >= until:
        return
    with suppress(Conflict):  # another lane moved it, or somebody works on it
        await context.cases.commit(
            request.request_id,
            [Write(document=request.with_(wake_at=until), etag=case.etags[request.id])],
        )


async def _is_paused(context: Context, number: int) -> bool:
    """Whether scheduled deletion is paused, asked once a slice: at each page it would cost too much."""
    purses = context.governor.purses
    if purses.unpaused_slice == number:
        return False
    if await pause_of(context) is not None:
        return True
    purses.unpaused_slice = number
    return False
