"""A day's run of scheduled deletion: find whose data fell due, have it erased, and say what came of it.

The timer only sends word; each message does a bounded part and saves where the run stands. What falls due is
found by the day that started its period, so a run costs what is due and newly old. Whoever was found and is
not due, because of a later use, a hold or a restriction, is watched: looked at again on the day on which
that may come to something else.
Source: policy section 5; GDPR article 5(1)(e).
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from shared.datamap.models import DataMap, DocumentStore, RetentionRule, Trigger
from shared.domain.errors import CannotTell, Conflict, Invalid, NotFound, Permanent
from shared.domain.messages import GoOnWithRun
from shared.domain.retention import DueState
from shared.domain.retention_runs import Run, Search, Source, Step, Watched, bound
from shared.domain.times import after, copenhagen_day, start_of, utc_text
from shared.ports.documents import NO_PARTITION, DueSearch, StoredDocument
from shared.ports.meter import Spent
from shared.ports.retention_runs import StoredRun, watch_key
from shared.services.context import Context
from shared.services.due import due_of_record, families
from shared.services.progress import Budget
from shared.services.retention_cases import consider, people_of
from shared.services.walking import PacedError
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
_A_DAY = timedelta(days=1)
_CLOCKS_APART_SECONDS = 600  # between ours and the database's


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
    run, goes_on = await _advanced(context)
    if goes_on:
        await context.queue.send([GoOnWithRun()])
    return run


async def daily(context: Context) -> Run:
    """Go on with the run of today, or begin it; return it as it was saved last.

    A run that is done stays done until the next day, and one that did not end on its day ends before the next
    begins. A clock that was set back begins nothing.
    """
    run, _ = await _advanced(context)
    return run


async def _advanced(context: Context) -> tuple[Run, bool]:
    """Do one message's work; return the run, and whether another message can go on at once."""
    stored = await _at_hand(context)
    budget = Budget(context)
    with context.meter.measured() as spent:
        while not stored.run.is_done and not budget.is_spent:
            try:
                run, goes_on = await _step(context, stored.run, budget)
                stored = await _saved(context, stored, run, spent)
            except (Conflict, PacedError):
                return stored.run, False
            if run.is_done:
                await _tell(context, run)
            if not goes_on:
                return stored.run, False
    return stored.run, not stored.run.is_done


async def _at_hand(context: Context) -> StoredRun:
    now = context.clock.now()
    today = copenhagen_day(now)
    stored = await context.retention_runs.latest()
    if stored is not None and (not stored.run.is_done or stored.run.day >= today):
        return stored
    last = None if stored is None else stored.run
    run = Run(
        day=today,
        started_at=now,
        sources=tuple(_sources(context.datamap, is_first=last is None)),
        bounds=_bounds(context.datamap, today, {} if last is None else last.bounds),
        old_bounds={} if last is None else last.bounds,
        written_since=None if last is None else last.started_at,
    )
    return StoredRun(run=run, etag=None)


async def _saved(context: Context, stored: StoredRun, run: Run, spent: Spent) -> StoredRun:
    run = run.model_copy(update={"request_units": round(run.request_units + spent.take(), 2)})
    etag = await context.retention_runs.write(StoredRun(run=run, etag=stored.etag))
    return StoredRun(run=run, etag=etag)


async def _step(context: Context, run: Run, budget: Budget) -> tuple[Run, bool]:
    """Do one page of what the run does now; return it, and whether there is more to do at once."""
    match run.step:
        case Step.FINDING:
            return await _find(context, run, budget), True
        case Step.WATCHING:
            return await _watch(context, run, budget), True
        case Step.SETTLING:
            return await _settle(context, run, budget)
        case Step.DONE:
            return run, False


# Finding


def _sources(datamap: DataMap, *, is_first: bool) -> Iterator[Source]:
    """Yield every search of a run. What was written late is for a run that follows another."""
    for rule, trigger in _triggers(datamap):
        of_rule = {"rule_id": rule.id, "store_id": trigger.store}
        if rule.period is None:
            yield Source(**of_rule, search=Search.OVER)
            continue
        for path in (*trigger.paths, *trigger.otherwise):
            yield Source(**of_rule, search=Search.NEWLY_OLD, path=path)
            if not is_first:
                yield Source(**of_rule, search=Search.WRITTEN_LATE, path=path)
            yield Source(**of_rule, search=Search.AHEAD, path=path)
        if trigger.ended_by is None:  # what was never suspended has no day of it
            yield Source(**of_rule, search=Search.UNDATED)


def _triggers(datamap: DataMap) -> Iterator[tuple[RetentionRule, Trigger]]:
    for family in families(datamap):
        for rule in family.rules:
            for trigger in rule.triggers:
                if trigger.directory:
                    yield rule, trigger


def _trigger(datamap: DataMap, source: Source) -> tuple[RetentionRule, Trigger]:
    for rule, trigger in _triggers(datamap):
        if (rule.id, trigger.store) == (source.rule_id, source.store_id):
            return rule, trigger
    raise Permanent("retention_rule_gone", source.rule_id)


def _bounds(datamap: DataMap, today: date, before: Mapping[str, str]) -> dict[str, str]:
    """Return up to where each path's days are searched; never less than by the last run."""
    found = dict(before)
    for rule, trigger in _triggers(datamap):
        for path in (*trigger.paths, *trigger.otherwise) if rule.period else ():
            key = f"{rule.id}:{trigger.store}:{path}"
            found[key] = max(bound(today, rule.period or ""), before.get(key, ""))
    return found


def _search(context: Context, run: Run, source: Source) -> DueSearch:
    """Return what to ask the database for."""
    _, trigger = _trigger(context.datamap, source)
    key = f"{source.rule_id}:{source.store_id}:{source.path}"
    without = trigger.paths if source.path in trigger.otherwise else ()
    match source.search:
        case Search.OVER:
            only = trigger.only
            if only is None:
                raise Permanent("retention_rule_unfit", source.rule_id)
            return DueSearch(state_path=only.path, states=only.values)
        case Search.NEWLY_OLD:
            since = run.old_bounds.get(key)
            return DueSearch(path=source.path, since=since, until=run.bounds[key], without=without)
        case Search.WRITTEN_LATE:
            since_at = run.written_since or run.started_at
            return DueSearch(
                path=source.path,
                until=run.old_bounds.get(key, ""),
                without=without,
                written_since=int(since_at.timestamp()) - _CLOCKS_APART_SECONDS,
            )
        case Search.AHEAD:
            tomorrow = utc_text(start_of(run.day + _A_DAY))
            return DueSearch(
                path=source.path, strange=True, ahead=None if trigger.planned else tomorrow, without=without
            )
        case Search.UNDATED:
            return DueSearch(without=(*trigger.paths, *trigger.otherwise))


async def _find(context: Context, run: Run, budget: Budget) -> Run:
    if not run.sources:
        return run.model_copy(update={"step": Step.WATCHING, "looked_until": "", "cursor": None})
    source = run.sources[0]
    store = _documents(context, source.store_id)
    wanted = _search(context, run, source)
    page = await context.documents.search(store, wanted, cursor=run.cursor, limit=_PAGE_RECORDS)
    budget.spend(len(page.documents))
    for document in page.documents:
        run = await _look_at(context, run, store, document, watched=None)
    run = run.model_copy(update={"seen": run.seen + len(page.documents), "cursor": page.cursor})
    return run if page.cursor is not None else run.model_copy(update={"sources": run.sources[1:]})


# Watching


async def _watch(context: Context, run: Run, budget: Budget) -> Run:
    today = copenhagen_day(context.clock.now())
    page = await context.retention_runs.due(today, after=run.looked_until, limit=_PAGE_RECORDS)
    budget.spend(len(page))
    for watched in page:
        store, document = await _of(context, watched)
        if document is None:
            await context.retention_runs.unwatch(watched)
            continue
        run = await _look_at(context, run, store, document, watched=watched)
    if len(page) < _PAGE_RECORDS:
        return run.model_copy(update={"step": Step.SETTLING, "looked_until": ""})
    return run.model_copy(update={"looked_until": watch_key(page[-1]), "seen": run.seen + len(page)})


async def _of(context: Context, watched: Watched) -> tuple[DocumentStore, StoredDocument | None]:
    store = _documents(context, watched.store_id)
    partition = json.loads(watched.partition) if watched.partition else NO_PARTITION
    return store, await context.documents.get(store, partition, watched.document_id)


# Looking closely


@dataclass
class _Found:
    """What the people of one record came to."""

    watched: list[Watched] = field(default_factory=list)
    states: Counter[DueState] = field(default_factory=Counter)
    by_rule: Counter[str] = field(default_factory=Counter)
    filed: int = 0
    unclear: int = 0
    oldest: list[date] = field(default_factory=list)


async def _look_at(
    context: Context, run: Run, store: DocumentStore, document: StoredDocument, *, watched: Watched | None
) -> Run:
    """Look closely at the people of one record if it says that it may be due.

    What is wrong with one record is told and counted; it stops none of the others, and is looked at again.

    Raises:
        PacedError: enough was filed in this hour.
        Retryable: a store did not answer; the page is done again.
    """
    today = copenhagen_day(context.clock.now())
    states = due_of_record(families(context.datamap), store, document.body, today=today)
    if DueState.DUE not in states:
        if watched is not None:
            await context.retention_runs.unwatch(watched)  # its own day finds it
        return run.model_copy(update={"undated": run.undated + (DueState.UNDATED in states)})
    found = _Found()
    try:
        for identifiers in people_of(context.datamap, store, document.body):
            await _consider(context, store, document, identifiers, found)
    except (Permanent, CannotTell, Invalid) as error:
        await context.operators.alarm("retention_record_failed", details=f"{store.id} {error.code}")
        return run.model_copy(update={"failed": run.failed + 1})
    for one in found.watched:
        await context.retention_runs.watch(one)
    if watched is not None and watch_key(watched) not in {watch_key(one) for one in found.watched}:
        await context.retention_runs.unwatch(watched)
    run = run.model_copy(
        update={
            "filed": run.filed + found.filed,
            "unclear": run.unclear + found.unclear,
            "oldest_overdue_on": min(
                (one for one in (run.oldest_overdue_on, *found.oldest) if one is not None), default=None
            ),
        }
    )
    kept = {state.value: found.states[state] for state in (DueState.HELD, DueState.RESTRICTED)}
    run = run.counting("kept", {state: number for state, number in kept.items() if number})
    return run.counting("by_rule", found.by_rule)


async def _consider(
    context: Context,
    store: DocumentStore,
    document: StoredDocument,
    identifiers: dict[str, tuple[str, ...]],
    found: _Found,
) -> None:
    keys = context.subject_keys(identifiers)
    if not keys:
        found.unclear += 1
        return
    considered = await consider(context, identifiers, today=copenhagen_day(context.clock.now()), paced=True)
    found.filed += len(considered.request_ids)
    found.states.update(considered.states)
    found.by_rule.update(considered.by_rule)
    if considered.oldest_on is not None:
        found.oldest.append(considered.oldest_on)
    if considered.look_on is not None:
        no_partition = document.partition is NO_PARTITION
        found.watched.append(
            Watched(
                subject_key=keys[0],
                store_id=store.id,
                document_id=document.document_id,
                partition="" if no_partition else json.dumps(document.partition),
                look_on=considered.look_on,
                request_ids=considered.request_ids,
            )
        )


# Settling


async def _settle(context: Context, run: Run, budget: Budget) -> tuple[Run, bool]:
    """Count what the cases of this run came to, and let go of whom they are done with."""
    now = context.clock.now()
    waited = after(run.started_at, seconds=context.limits.retention_settle_seconds) <= now
    page = await context.retention_runs.due(
        copenhagen_day(now) + _A_DAY, after=run.looked_until, limit=_PAGE_RECORDS
    )
    budget.spend(len(page))
    still_at_work = 0
    done: list[Watched] = []
    for watched in page:
        if not watched.request_ids:
            continue
        cases = [await _case_of(context, request_id) for request_id in watched.request_ids]
        if all(case is None or case.is_final for case in cases):
            done.append(watched)
            for case in cases:
                run = run if case is None else _counted(run, case)
        elif waited:
            run = run.counting("kept", {"at_work": 1})
        else:
            still_at_work += 1
    for watched in done:
        await _let_go(context, watched)
    if still_at_work:  # the timer looks again
        return run, False
    if len(page) == _PAGE_RECORDS:
        return run.model_copy(update={"looked_until": watch_key(page[-1])}), True
    return run.model_copy(update={"step": Step.DONE, "ended_at": now, "looked_until": ""}), False


@dataclass(frozen=True, kw_only=True)
class _Case:
    is_final: bool
    erased: Mapping[str, int]
    kept: int
    request_units: float


async def _case_of(context: Context, request_id: str) -> _Case | None:
    try:
        case = await context.cases.load(request_id)
    except NotFound:
        return None
    outcomes = tuple(case.request.outcomes.values())
    erased: Counter[str] = Counter()
    for outcome in outcomes:
        erased.update(outcome.by_store)
    return _Case(
        is_final=case.request.is_final,
        erased=erased,
        kept=sum(one.records for outcome in outcomes for one in outcome.kept),
        request_units=sum(task.request_units for task in case.tasks),
    )


def _counted(run: Run, case: _Case) -> Run:
    run = run.counting("erased", case.erased)
    if case.kept:
        run = run.counting("kept", {"by_duty": case.kept})
    return run.model_copy(update={"request_units": round(run.request_units + case.request_units, 2)})


async def _let_go(context: Context, watched: Watched) -> None:
    """Watch no more whose record is gone or names nobody who is due; look at the others tomorrow."""
    store, document = await _of(context, watched)
    if document is not None:
        today = copenhagen_day(context.clock.now())
        states = due_of_record(families(context.datamap), store, document.body, today=today)
        keys = {
            key
            for identifiers in people_of(context.datamap, store, document.body)
            for key in context.subject_keys(identifiers)
        }
        if DueState.DUE in states and watched.subject_key in keys:
            again = watched.model_copy(update={"request_ids": (), "look_on": today + _A_DAY})
            await context.retention_runs.watch(again)
            return
    await context.retention_runs.unwatch(watched)


async def _tell(context: Context, run: Run) -> None:
    """Alarm about what a person has to look at, and record the figures."""
    if run.undated or run.unclear or run.failed:
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


def _documents(context: Context, store_id: str) -> DocumentStore:
    _, store = context.datamap.store(store_id)
    if not isinstance(store, DocumentStore):
        raise Permanent("walk_not_documents", store_id)
    return store
