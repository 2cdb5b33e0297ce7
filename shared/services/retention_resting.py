"""A run of scheduled deletion that rests: why and until when, noted in the run, and how much waits."""

from contextlib import suppress
from datetime import datetime

from shared.domain.errors import Conflict
from shared.domain.retention_runs import Run, Search
from shared.ports.meter import Spent
from shared.ports.retention_runs import StoredRun
from shared.services.context import Context
from shared.services.governing import Held, Rest, next_hour
from shared.services.retention_looking import documents_of
from shared.services.retention_searches import search_of

_BY_DAY = frozenset({Search.NEWLY_OLD, Search.WRITTEN_LATE, Search.OVER})


async def rest(context: Context, stored: StoredRun, found: Held, spent: Spent) -> tuple[Run, int | None]:
    """Note why a run rests; return it, and after how many seconds a message goes on. None: the timer does.

    A run that rests for the same still is not saved again.
    """
    run = stored.run
    until = None if found.why is Rest.PAUSED else found.until
    delay_seconds = found.seconds_from(context.clock.now()) if found.is_short else None
    if run.waits_for == found.why and (found.is_short or run.waits_until == until):
        return run, delay_seconds
    waiting = await _waiting(context, run) if found.why is Rest.PACE else run.waiting
    run = run.model_copy(update={"waits_for": found.why.value, "waits_until": until, "waiting": waiting})
    run = run.model_copy(update={"request_units": round(run.request_units + spent.take(), 2)})
    run = run.counting("rests", {found.why.value: 1})
    with suppress(Conflict):  # another worker goes on with it
        await context.retention_runs.write(StoredRun(run=run, etag=stored.etag))
    return run, delay_seconds


def of_pace(context: Context) -> Held:
    """Return that enough was filed in this hour."""
    return Held(why=Rest.PACE, until=next_hour(context.clock.now()))


def is_at_pace(run: Run, now: datetime) -> bool:
    """Whether a run has used up its hour, so that to look at the same people again would file none."""
    return run.waits_for == Rest.PACE and run.waits_until is not None and now < run.waits_until


def going_on(run: Run) -> Run:
    """Return a run that rests no more; when every search is done, nothing waits to be looked at."""
    waiting = run.waiting if run.sources else 0
    return run.model_copy(update={"waits_for": "", "waits_until": None, "waiting": waiting})


async def _waiting(context: Context, run: Run) -> int:
    """Count what the searches that are left find. Of a person's many events none is counted."""
    found = 0
    for source in run.sources:
        if source.search in _BY_DAY:
            store = documents_of(context, source.store_id)
            found += await context.documents.tally(store, search_of(context.datamap, run, source))
    return found
