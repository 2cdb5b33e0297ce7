"""The governor: when scheduled deletion may go on, and when it gives way to everybody else.

It rests while somebody has paused it and in the quiet hours, and it draws on a budget of the database that
all workers share. What is refused is sent again later; nothing waits inside a message. A person's own request
asks for none of this, and never waits for a case that rests: such a case gives its claims back.
"""

import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.domain.budgets import NOTHING, SLICE_SECONDS, Amount, Purse, Tally, slice_of
from shared.domain.cases import SubjectRequest
from shared.domain.controls import RETENTION_SWITCH_KEY, Hold
from shared.domain.errors import ComplianceError, Conflict
from shared.domain.messages import PlanRequest, RunTasks
from shared.domain.times import after
from shared.ports.cases import Case, Write
from shared.ports.governor import StoredTally
from shared.services import fencing
from shared.services.context import Context

_WRITE_ATTEMPTS = 5
_PAUSED_LOOK_SECONDS = 900
_HOUR_SECONDS = 3600
_BEGUN = "deletions_begun"
FILED = "deletions"
EVERYTHING = (
    "everything"  # the one tally where there is no budget: work rests when any container is throttled
)
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
            await _settle(context)


def in_small_pages(context: Context) -> Context:
    """Return a context whose pages cost about as much as two seconds of the budget, where there is one."""
    budget = _budget(context)
    most = context.limits.page_documents
    if budget.request_units:
        most = min(most, int(budget.request_units * _PAGE_SECONDS / _UNITS_A_DOCUMENT))
    if budget.requests:
        most = min(most, int(budget.requests * _PAGE_SECONDS))
    pages = replace(context.limits, page_documents=max(most, _LEAST_PAGE_DOCUMENTS))
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
    now = context.clock.now()
    if await _is_paused(context, slice_of(now.timestamp())):
        return Held(why=Rest.PAUSED, until=after(now, seconds=_PAUSED_LOOK_SECONDS))
    quiet = context.limits.retention_quiet_hours
    ends = None if quiet is None else quiet.end_of(now)
    if ends is not None:
        return Held(why=Rest.QUIET_HOURS, until=ends)
    slices = await _drawn(context)
    if not slices:
        context.governor.purses.refusals = 0
        return None
    begins = (slice_of(now.timestamp()) + slices) * SLICE_SECONDS - now.timestamp()
    return Held(why=Rest.BUDGET, until=after(now, seconds=min(begins, _LONGEST_WAIT_SECONDS)))


async def held_of(context: Context, request: SubjectRequest) -> Held | None:
    """As `held`, for a case; one that a person's request may wait for has to wait for no budget."""
    found = await held(context)
    if found is None or not found.is_short:
        return found
    controls = [one.controls for one in await context.controls.read(request.subject_keys)]
    others = any(other.request_id != request.request_id for one in controls for other in one.open_requests)
    return None if others else found


async def held_from_beginning(context: Context, request: SubjectRequest) -> Held | None:
    """Count the people of one more case that rested, or begins again; enough in an hour has it wait.

    With what is filed in the hour it stays halfway below the cap that stops everybody's erasures, also when
    what rested begins together.
    """
    now, people = context.clock.now(), request.subject_count
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


async def _drawn(context: Context) -> int:
    """Fill the purses that are empty, and return for how many slices to wait; 0: there is enough."""
    purses = context.governor.purses
    number = slice_of(context.clock.now().timestamp())
    if _budget(context).is_unlimited:
        purses.gather(EVERYTHING)
    slices = 0
    for container, purse in list(purses.by_container.items()):
        if not purse.is_throttled:
            if purse.slice == number and purse.left.of_it_is_left:
                continue
            if not purse.is_used and purse.slice < number:  # its work is elsewhere by now
                purses.by_container.pop(container, None)
                continue
            if number < purse.refused_until_slice:  # asked and refused before
                slices = max(slices, purse.refused_until_slice - number)
                continue
        slices = max(slices, await _fill(context, container, purse, number))
    if slices:
        purses.refusals += 1  # the more messages are refused, the later the next of them asks
        slices += purses.refusals // 4
    return slices


async def _fill(context: Context, container: str, purse: Purse, number: int) -> int:
    """Draw a chunk for a purse; return for how many slices to wait if there is none."""
    drawn = await _changed(context, container, purse, number, lambda tally, budget: tally.draw(budget))
    if drawn is None:  # others keep writing: they have drawn what there is
        purse.refused_until_slice = number + 1
        return 1
    tally, chunk = drawn
    if not chunk.of_it_is_left and purse.slice == number and purse.left.of_it_is_left:
        return 0  # another message of this worker was faster
    if not chunk.of_it_is_left:
        wait = max(0, tally.slice - number) + tally.slices_to_wait(_budget(context))
        purse.refused_until_slice = number + wait
        return wait
    left = purse.left if purse.slice == number else NOTHING.less(purse.left.owed)
    purse.slice, purse.left, purse.is_used = number, left.plus(chunk), left.owed != NOTHING
    return 0


async def _settle(context: Context) -> None:
    """Note what the purses owe, so that whoever comes next pays it, and draw for more of the same."""
    number = slice_of(context.clock.now().timestamp())
    purses = context.governor.purses
    if _budget(context).is_unlimited:
        if not any(purse.is_throttled for purse in purses.by_container.values()):
            return
        purses.gather(EVERYTHING)
    for container, purse in list(purses.by_container.items()):
        if purse.is_throttled or purse.left.owed != NOTHING:
            if purse.is_throttled or number >= purse.refused_until_slice:
                await _fill(context, container, purse, number)
            else:
                await _changed(context, container, purse, number, lambda tally, _: (tally, NOTHING))


async def _changed(
    context: Context,
    container: str,
    purse: Purse,
    number: int,
    change: Callable[[Tally, Amount], tuple[Tally, Amount]],
) -> tuple[Tally, Amount] | None:
    """Write down what a purse owes and what else changes, if nobody else wrote. None: others keep writing."""
    budget = _budget(context)
    owed, is_throttled = purse.left.owed, purse.is_throttled
    # Taken before anything is awaited: another message of this worker must not note it as well.
    purse.left, purse.is_throttled = purse.left.plus(owed), False
    try:
        for _ in range(_WRITE_ATTEMPTS):
            stored = await context.governor.read(container)
            tally = stored.tally.at(number, budget)
            if not budget.is_unlimited:
                tally = tally.with_drawn(owed)
            if is_throttled:
                tally = tally.throttled(budget)
            tally, chunk = change(tally, budget)
            try:
                if tally != stored.tally and not _says_the_same(tally, stored.tally):
                    await context.governor.write(StoredTally(tally=tally, etag=stored.etag))
            except Conflict:
                continue
            owed, is_throttled, was_throttled = NOTHING, False, is_throttled
            if was_throttled:  # what is left of the chunk is not for a database that is busy
                purse.left = NOTHING.less(purse.left.owed)
            return tally, chunk
        return None
    finally:
        purse.left = purse.left.less(owed)
        purse.is_throttled = purse.is_throttled or is_throttled


def _says_the_same(one: Tally, other: Tally) -> bool:
    """Whether two tallies differ by the number of their slice alone, and nothing is drawn in either."""
    return one.drawn == other.drawn == NOTHING and (one.level, one.level_slice) == (
        other.level,
        other.level_slice,
    )


def _budget(context: Context) -> Amount:
    return Amount(
        request_units=float(context.limits.retention_units_per_second),
        requests=float(context.limits.retention_requests_per_second),
    )
