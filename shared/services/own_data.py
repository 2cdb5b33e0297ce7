"""Delete data of our own whose decided period is over: closed cases, and documents with days of their own.

Once a day, page by page, from where the last message stopped. What a hold or a restriction of a person covers
waits for the next day. Nothing is deleted of which nobody decided how long it stays.
Source: GDPR articles 5(1)(e) and 18; docs/adr/0023.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from shared.datamap.models import CaseDeletion, DocumentDeletion, DocumentStore, OwnData
from shared.datamap.own_data import OWN_RECORDS
from shared.datamap.treatment import value_at
from shared.domain.errors import CannotTell, Conflict, Invalid, NotFound, Permanent
from shared.domain.retention import Term, erase_on_by
from shared.domain.retention_runs import bound_by
from shared.domain.times import after, copenhagen_day, moment_of
from shared.domain.walks import Walk
from shared.ports.cases import Case, Write
from shared.ports.documents import Change, Changed, DueSearch
from shared.ports.walks import StoredWalk
from shared.services.context import Context
from shared.services.forgetting import forget
from shared.services.governing import governed, held
from shared.services.progress import Budget

WALK = "own-data"
_PAGE = 50
_REQUEST = "request"


@dataclass(frozen=True, kw_only=True)
class _Page:
    """What came of a page: looked at, gone, not to be told, and where the next begins."""

    seen: int
    gone: int
    unclear: int
    cursor: str | None


async def delete_due(context: Context) -> Walk | None:
    """Go on with today's deletion of our own data, or begin it; None: nothing is decided.

    A day's deletion that is done stays done until the next. Of two workers at once one gives way. It rests as
    scheduled deletion does, and keeps to its budget.

    Raises:
        Retryable: a store did not answer; the next call does the page again.
    """
    now = context.clock.now()
    today = copenhagen_day(now)
    decided = {one.id: one for one in context.datamap.own_data if bound_by(one.terms, today)}
    stored = await context.walks.read(WALK) if decided else None
    if not decided or (stored is not None and stored.walk.is_done and stored.walk.day >= today):
        return stored.walk if stored else None
    if stored is None or stored.walk.is_done:
        walk = Walk(name=WALK, day=today, store_ids=tuple(decided), started_at=now)
        stored = StoredWalk(walk=walk, etag=stored.etag if stored else None)
    budget = Budget(context)
    async with governed(context):
        while not stored.walk.is_done and not budget.is_spent and await held(context) is None:
            try:
                walk = await _walked(context, stored.walk, decided, today, budget)
                etag = await context.walks.write(StoredWalk(walk=walk, etag=stored.etag))
            except Conflict:
                return stored.walk
            stored = StoredWalk(walk=walk, etag=etag)
            if walk.is_done and walk.unclear:
                await context.operators.alarm("own_data_left", details=f"unclear {walk.unclear}")
    return stored.walk


async def _walked(
    context: Context, walk: Walk, decided: Mapping[str, OwnData], today: date, budget: Budget
) -> Walk:
    one = decided.get(walk.store_ids[0])
    page = _Page(seen=0, gone=0, unclear=0, cursor=None)  # its decision is gone: so is its turn
    if one is not None and isinstance(one.deletes, CaseDeletion):
        page = await _cases(context, one.terms, today, walk.cursor)
    elif one is not None and isinstance(one.deletes, DocumentDeletion):
        page = await _documents(context, one.deletes, one.terms, today, walk.cursor)
    budget.spend(page.seen)
    left = walk.store_ids if page.cursor is not None else walk.store_ids[1:]
    return walk.model_copy(
        update={
            "store_ids": left,
            "cursor": page.cursor,
            "seen": walk.seen + page.seen,
            "filed": walk.filed + page.gone,
            "unclear": walk.unclear + page.unclear,
            "ended_at": None if left else context.clock.now(),
        }
    )


async def _cases(context: Context, terms: Sequence[Term], today: date, cursor: str | None) -> _Page:
    found, following = await context.cases.closed_before(bound_by(terms, today), cursor=cursor, limit=_PAGE)
    gone = unclear = 0
    for request_id in found:
        try:
            gone += await _case(context, request_id, terms, today)
        except (Conflict, NotFound):
            continue  # somebody is at it
        except (Permanent, CannotTell, Invalid) as error:
            unclear += 1
            await context.operators.alarm("own_data_unreadable", request_id=request_id, details=error.code)
    return _Page(seen=len(found), gone=gone, unclear=unclear, cursor=following)


async def _case(context: Context, request_id: str, terms: Sequence[Term], today: date) -> bool:
    """Delete a closed case with everything in its partition, the request last, so that it is found again."""
    case = await context.cases.load(request_id)
    request = case.request
    if not request.is_final or request.closed_at is None or request.wake_at is not None:
        return False  # open, or there is work left
    closed_on = copenhagen_day(request.closed_at)
    if erase_on_by(terms, closed_on, copenhagen_day(request.received_at)) > today:
        return False
    if await _is_kept(context, request.subject_keys):
        return False
    await _claimed(context, case)
    for copy_id in request.copies:
        await context.packages.delete(copy_id)
    names = await context.cases.document_ids(request_id)
    await forget(context, request_id, [name for name in names if name != _REQUEST])
    await context.cases.commit(request_id, [], deletes=[_REQUEST])
    return True


async def _claimed(context: Context, case: Case) -> None:
    """Save that the case is being deleted: whoever else has it in hand finds it changed."""
    until = after(context.clock.now(), seconds=context.limits.wake_seconds)
    claimed = case.request.with_(wake_at=until)
    await context.cases.commit(claimed.request_id, [Write(document=claimed, etag=case.etags[claimed.id])])


async def _documents(
    context: Context, deletes: DocumentDeletion, terms: Sequence[Term], today: date, cursor: str | None
) -> _Page:
    _, store = context.datamap.store(deletes.store)
    if not isinstance(store, DocumentStore):
        raise Permanent("walk_not_documents", store.id)
    wanted = DueSearch(path=deletes.path, until=bound_by(terms, today))
    page = await context.documents.search(store, wanted, cursor=cursor, limit=_PAGE)
    due: list[Change] = []
    unclear = 0
    for document in page.documents:
        counted_on = _day(document.body, deletes.path)
        if counted_on is None:
            unclear += 1
        elif erase_on_by(terms, counted_on, counted_on) <= today:
            keys = (str(document.partition),)
            if not await _is_kept(context, keys, at_work_too=True):
                due.append(Change(document=document))
    changed = await context.documents.change(store, due) if due else ()
    gone = sum(one is not Changed.CHANGED for one in changed)
    return _Page(seen=len(page.documents), gone=gone, unclear=unclear, cursor=page.cursor)


def _day(record: Mapping[str, Any], path: str) -> date | None:
    moment = moment_of(value_at(record, path))
    return None if moment is None else copenhagen_day(moment)


async def _is_kept(context: Context, subject_keys: Sequence[str], *, at_work_too: bool = False) -> bool:
    """Whether a hold or a restriction of a person covers our own records.

    `at_work_too`: also while a request of the person is open, which may be about these records.
    """
    asked = [one.controls for one in await context.controls.read(subject_keys)] if subject_keys else []
    return any(
        one.restricts(OWN_RECORDS)
        or any(hold.covers(OWN_RECORDS) for hold in one.holds)
        or (at_work_too and bool(one.claims or one.open_requests))
        for one in asked
    )
