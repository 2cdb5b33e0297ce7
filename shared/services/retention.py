"""A day's run of scheduled deletion: find whose data fell due, have it erased, and say what came of it.

The timer only sends word; each message does a bounded part and saves where the run stands. What falls due is
found by the day that started its period, so a run costs what is due and newly old. Whoever was found and is
not due, because of a later use, a hold or a restriction, is watched: looked at again on the day on which
that may come to something else.
Source: policy section 5; GDPR article 5(1)(e).
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import date, timedelta
from functools import partial

from shared.datamap.models import DocumentStore
from shared.domain.errors import CannotTell, Conflict
from shared.domain.messages import GoOnWithRun
from shared.domain.retention_runs import Run, Source, Step
from shared.domain.times import copenhagen_day
from shared.ports.documents import DocumentPage, StoredDocument
from shared.ports.meter import Spent
from shared.ports.retention_runs import StoredRun, watch_key
from shared.services.context import Context
from shared.services.governing import governed, held
from shared.services.progress import Budget
from shared.services.retention_doubts import count_doubts
from shared.services.retention_looking import (
    Candidate,
    documents_of,
    holds_events,
    look_at,
    of_watched,
    unknown_of,
)
from shared.services.retention_resting import going_on, is_at_pace, of_pace, rest
from shared.services.retention_searches import (
    bounds,
    leads_to_events,
    search_of,
    sources,
    still_there,
    uses_in,
    versions,
)
from shared.services.retention_settling import let_go_of_ended, settle
from shared.services.side_by_side import all_of
from shared.telemetry import (
    RETENTION_ERASED,
    RETENTION_FAILED,
    RETENTION_FINISHED,
    RETENTION_KEPT,
    RETENTION_LOOKED_AT,
    RETENTION_OLDEST_OVERDUE_DAYS,
    RETENTION_REQUEST_UNITS,
    RETENTION_SECONDS,
)

_PAGE_RECORDS = 100  # a page is done whole, and each record may be a person to look at closely
_PAGE_EVENTS = 1_000  # of which many lead to the same person, who is looked at once
_SEARCHES_AT_ONCE = 8
_PACED = frozenset({Step.FINDING, Step.WATCHING, Step.LEFT_OVER})  # in which a run files
_A_DAY = timedelta(days=1)


async def tick(context: Context) -> None:
    """Send word if there is work: a run to begin, or one that is not done."""
    stored = await context.retention_runs.latest()
    today = copenhagen_day(context.clock.now())
    if stored is None or not stored.run.is_done or stored.run.day < today:
        await context.queue.send([GoOnWithRun()])


async def go_on(context: Context) -> Run:
    """Do one message's work on the run, and send word if another message can go on at once.

    What waits, for its cases or for the next hour, is taken up by the timer. Of two workers one gives way.
    """
    run, delay_seconds = await _advanced(context)
    if delay_seconds is not None:
        await context.queue.send([GoOnWithRun()], delay_seconds=delay_seconds)
    return run


async def daily(context: Context) -> Run:
    """Go on with the run of today, or begin it; return it as it was saved last.

    A run that is done stays done until the next day, and one that did not end on its day ends before the next
    begins. A clock that was set back begins nothing.
    """
    run, _ = await _advanced(context)
    return run


async def _advanced(context: Context) -> tuple[Run, int | None]:
    """Do one message's work; return the run, and after how many seconds another message can go on."""
    stored = await _at_hand(context)
    if is_at_pace(stored.run, context.clock.now()):
        return stored.run, None
    budget = Budget(context)
    async with governed(context):
        with context.meter.measured() as spent:
            while not stored.run.is_done and not budget.is_spent:
                if (found := await held(context)) is not None:
                    return await rest(context, stored, found, spent)
                files = stored.run.step in _PACED
                try:
                    run, goes_on = await _step(context, stored.run, budget)
                    stored = await _saved(context, stored, going_on(run), spent)
                except Conflict:
                    await let_go_of_ended(context)
                    return stored.run, None
                if run.is_done:
                    await _tell(context, run)
                if not goes_on and files:
                    return await rest(context, stored, of_pace(context), spent)
                if not goes_on:
                    return stored.run, None
    return stored.run, None if stored.run.is_done else 0


async def _at_hand(context: Context) -> StoredRun:
    now = context.clock.now()
    today = copenhagen_day(now)
    stored = await context.retention_runs.latest()
    if stored is not None and (not stored.run.is_done or stored.run.day >= today):
        return stored
    last = None if stored is None else stored.run
    found = tuple(sources(context.datamap, today, last=None if last is None else last.day))
    run = Run(
        day=today,
        started_at=now,
        sources=tuple(one for one in found if not leads_to_events(context.datamap, one)),
        later=tuple(one for one in found if leads_to_events(context.datamap, one)),
        bounds=bounds(context.datamap, today, {} if last is None else last.bounds),
        old_bounds={} if last is None else last.bounds,
        versions=versions(context.datamap),
        looks_at_all=last is not None and last.versions not in ({}, versions(context.datamap)),
        written_since_seconds=None if last is None else last.began_seconds,
    )
    return await _begun(context, run)


async def _begun(context: Context, run: Run) -> StoredRun:
    """Save a run that begins, and note when by the database's clock, which dates what products write."""
    with suppress(Conflict):  # a twin was faster: go on with its run
        await context.retention_runs.write(StoredRun(run=run, etag=None))
    stored = await context.retention_runs.latest()
    if stored is None:
        raise CannotTell("run_unreadable")
    if stored.run.began_seconds:
        return stored
    began = stored.run.model_copy(update={"began_seconds": stored.saved_seconds})
    return stored.model_copy(update={"run": began})


async def _saved(context: Context, stored: StoredRun, run: Run, spent: Spent) -> StoredRun:
    run = run.model_copy(update={"request_units": round(run.request_units + spent.take(), 2)})
    etag = await context.retention_runs.write(StoredRun(run=run, etag=stored.etag))
    return StoredRun(run=run, etag=etag)


async def _step(context: Context, run: Run, budget: Budget) -> tuple[Run, bool]:
    """Do one page of what the run does now; return it, and whether there is more to do at once."""
    match run.step:
        case Step.FINDING | Step.LEFT_OVER:
            return await _find(context, run, budget)
        case Step.WATCHING:
            return await _watch(context, run, budget)
        case Step.SETTLING:
            run, goes_on = await settle(context, run, budget)
            return (await count_doubts(context, run) if run.is_done else run), goes_on
        case Step.DONE:
            return run, False


async def _find(context: Context, run: Run, budget: Budget) -> tuple[Run, bool]:
    """Search until something is found, and look at that; several searches are made at once.

    Returns the run, and whether another message can go on at once: not where enough was filed in this hour.
    A search that finds nothing costs no saving.
    """
    left = tuple(one for one in run.sources if still_there(context.datamap, one))
    if left[:1] != run.sources[:1]:
        run = run.model_copy(update={"cursor": None})  # the search it was in is gone with its rule
    run = run.model_copy(update={"sources": left})
    while run.sources:
        several = run.sources[:_SEARCHES_AT_ONCE]
        pages = await all_of(
            partial(_search, context, run, source, run.cursor if source is run.sources[0] else None)
            for source in several
        )
        budget.spend(sum(len(page.documents) for page in pages))
        for source, page in zip(several, pages, strict=True):
            store = documents_of(context, source.store_id)
            documents: Sequence[StoredDocument] = page.documents
            if holds_events(context.datamap, store):
                documents = await unknown_of(context, store, _one_a_person(context, store, documents))
            candidates = [Candidate(store=store, document=one) for one in documents]
            run, waits = await look_at(context, run, candidates)
            if waits:
                return run, False
            run = run.model_copy(
                update={
                    "seen": run.seen + len(page.documents),
                    "cursor": page.cursor,
                    "sources": run.sources if page.cursor is not None else run.sources[1:],
                }
            )
            if page.cursor is not None:  # the other searches wait for the rest of this one
                break
        if any(page.documents for page in pages):
            return run, True
    following = Step.WATCHING if run.step is Step.FINDING else Step.SETTLING
    return run.model_copy(update={"step": following, "looked_until": "", "cursor": None}), True


async def _search(context: Context, run: Run, source: Source, cursor: str | None) -> DocumentPage:
    store = documents_of(context, source.store_id)
    limit = _PAGE_EVENTS if holds_events(context.datamap, store) else _PAGE_RECORDS
    return await context.documents.search(
        store, search_of(context.datamap, run, source), cursor=cursor, limit=limit
    )


def _one_a_person(
    context: Context, store: DocumentStore, documents: Iterable[StoredDocument]
) -> Iterable[StoredDocument]:
    """Return one use and one other event of each person where the partition is the person.

    And all that name none.
    """
    key = next((field for field in store.fields if field.path == store.partition_key), None)
    if key is None or key.identifier is None:
        return documents
    is_use = uses_in(context.datamap, store.id)
    return {(_named(one) or one.document_id, is_use(one.body)): one for one in documents}.values()


def _named(document: StoredDocument) -> str:
    """Return the partition where it can be a person's, empty where it names none."""
    return document.partition.strip() if isinstance(document.partition, str) else ""


async def _watch(context: Context, run: Run, budget: Budget) -> tuple[Run, bool]:
    today = copenhagen_day(context.clock.now())
    until = date.max if run.looks_at_all else today  # another version may make anybody due
    page = await context.retention_runs.due(until, after=run.looked_until, limit=_PAGE_RECORDS)
    budget.spend(len(page))
    # What this run has filed is not looked at twice.
    looked_at = [one for one in page if one.look_on <= today or not one.request_ids]
    found = await all_of(partial(of_watched, context, one) for one in looked_at)
    for watched, (_, document) in zip(looked_at, found, strict=True):
        if document is None:
            await context.retention_runs.unwatch(watched)
    candidates = [
        Candidate(store=store, document=document, watched=watched)
        for watched, (store, document) in zip(looked_at, found, strict=True)
        if document is not None
    ]
    run, waits = await look_at(context, run, candidates)
    if waits:
        return run, False
    if len(page) < _PAGE_RECORDS:
        return run.model_copy(update={"step": Step.SETTLING, "looked_until": ""}), True
    return run.model_copy(update={"looked_until": watch_key(page[-1]), "seen": run.seen + len(page)}), True


async def _tell(context: Context, run: Run) -> None:
    """Alarm about what a person has to look at, and record the figures."""
    if run.alarmed_on == run.day:
        details = f"undated {run.undated}, unclear {run.unclear}, failed {run.failed}"
        await context.operators.alarm("retention_left_records", details=details)
    record = context.operators.measure
    record(RETENTION_LOOKED_AT, run.seen)
    record(RETENTION_FAILED, run.failed + run.undated + run.unclear)
    record(RETENTION_REQUEST_UNITS, run.request_units)
    for rule_id, number in run.by_rule.items():
        record(RETENTION_ERASED, number, rule=rule_id)
    for reason, number in run.kept.items():
        record(RETENTION_KEPT, number, code=reason)
    overdue = 0 if run.oldest_overdue_on is None else (run.day - run.oldest_overdue_on).days
    record(RETENTION_OLDEST_OVERDUE_DAYS, overdue)
    if run.ended_at is not None:
        record(RETENTION_SECONDS, (run.ended_at - run.started_at).total_seconds())
    record(RETENTION_FINISHED, 1)
