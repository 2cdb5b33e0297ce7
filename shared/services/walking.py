"""Walk over everybody's records page by page, within one message's budget, from where the last one stopped.

Each page is done whole before its place is saved, so a record may be looked at twice and never not at all.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from shared.datamap.models import DocumentStore
from shared.domain.errors import Conflict, Permanent
from shared.domain.times import copenhagen_day
from shared.domain.walks import Walk
from shared.ports.walks import StoredWalk
from shared.services.context import Context
from shared.services.governing import FILED
from shared.services.progress import Budget

_PAGE_RECORDS = 100  # a page is done whole, and each record may be a person to look at closely
_HOUR_SECONDS = 3600

Look = Callable[[Context, Walk, DocumentStore, Mapping[str, Any]], Awaitable[Walk]]


class PacedError(Exception):
    """As much was filed in this hour as may be; the walk goes on in the next, from the same page."""


async def paced(context: Context, wanted: int) -> int:
    """Count erasures that nobody asked for, and return how many of them may be filed in this hour.

    It stays well below the cap that throws the kill switch, so that a backlog stops nobody's request.
    """
    if not wanted:
        return 0
    filed = await context.rate_limits.hit(FILED, window_seconds=_HOUR_SECONDS, times=wanted)
    return max(0, wanted - max(0, filed - context.limits.deletions_per_hour))


async def pace(context: Context) -> None:
    """Count one more erasure that nobody asked for.

    Raises:
        PacedError: enough for this hour.
    """
    if not await paced(context, 1):
        raise PacedError


async def proceed(context: Context, name: str, store_ids: tuple[str, ...], look: Look) -> Walk:
    """Go on with the walk of a name, or begin the one of today; return it as it was saved last.

    A walk that is done stays done until the next day. Of two workers at once one gives way.
    """
    now = context.clock.now()
    today = copenhagen_day(now)
    stored = await context.walks.read(name)
    if stored is None or (stored.walk.is_done and stored.walk.day < today):
        walk = Walk(name=name, day=today, store_ids=store_ids, started_at=now)
        stored = StoredWalk(walk=walk, etag=stored.etag if stored else None)
    budget = Budget(context)
    while not stored.walk.is_done and not budget.is_spent:
        try:
            walk = await _page(context, stored.walk, look, budget)
            stored = StoredWalk(
                walk=walk, etag=await context.walks.write(stored.model_copy(update={"walk": walk}))
            )
        except (Conflict, PacedError):
            break
        if walk.is_done and (walk.undated or walk.unclear):
            details = f"undated {walk.undated}, unclear {walk.unclear}"
            await context.operators.alarm(f"{name}_left_records", details=details)
    return stored.walk


async def _page(context: Context, walk: Walk, look: Look, budget: Budget) -> Walk:
    _, store = context.datamap.store(walk.store_ids[0])
    if not isinstance(store, DocumentStore):
        raise Permanent("walk_not_documents", store.id)
    page = await context.documents.walk(store, cursor=walk.cursor, limit=_PAGE_RECORDS)
    budget.spend(len(page.documents))
    for document in page.documents:
        walk = await look(context, walk, store, document.body)
    walk = walk.model_copy(update={"seen": walk.seen + len(page.documents), "cursor": page.cursor})
    if page.cursor is not None:
        return walk
    left = walk.store_ids[1:]
    return walk.model_copy(update={"store_ids": left, "ended_at": None if left else context.clock.now()})
