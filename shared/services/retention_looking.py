"""Look closely at the people of a record that may be due, and say who is looked at again, and when."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from shared.datamap.models import DataMap, DocumentStore
from shared.domain.errors import CannotTell, Invalid, Permanent
from shared.domain.retention import DueState
from shared.domain.retention_runs import Doubt, Run, Watched
from shared.domain.times import copenhagen_day
from shared.ports.documents import NO_PARTITION, StoredDocument
from shared.ports.retention_runs import watch_key
from shared.services.context import Context
from shared.services.due import due_of_record, families
from shared.services.retention_cases import consider, people_of
from shared.services.retention_doubts import doubt, record_key
from shared.services.retention_searches import triggers


@dataclass
class _Found:
    """What the people of one record came to."""

    watched: list[Watched] = field(default_factory=list)
    states: Counter[DueState] = field(default_factory=Counter)
    by_rule: Counter[str] = field(default_factory=Counter)
    doubted: list[Watched] = field(default_factory=list)
    filed: int = 0
    oldest: list[date] = field(default_factory=list)


async def look_at(
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
    if DueState.DUE not in states and not holds_events(context.datamap, store):
        if DueState.UNDATED in states:
            await _instead(context, watched, [await doubt(context, store, document, Doubt.UNDATED)])
        else:
            await _not_yet(context, store, document, states.get(DueState.NOT_DUE), watched)
        return run
    found = _Found()
    try:
        for identifiers in people_of(context.datamap, store, document.body):
            await _consider(context, store, document, identifiers, found)
    except (Permanent, CannotTell, Invalid) as error:
        again = await doubt(context, store, document, Doubt.FAILED)
        if again.doubted_on == today:
            await context.operators.alarm("retention_record_failed", details=f"{store.id} {error.code}")
        return run
    for one in found.watched:
        await context.retention_runs.watch(one)
    await _instead(context, watched, [*found.watched, *found.doubted])
    run = run.model_copy(
        update={
            "filed": run.filed + found.filed,
            "oldest_overdue_on": min(
                (one for one in (run.oldest_overdue_on, *found.oldest) if one is not None), default=None
            ),
        }
    )
    kept = {state.value: found.states[state] for state in (DueState.HELD, DueState.RESTRICTED)}
    run = run.counting("kept", {state: number for state, number in kept.items() if number})
    return run.counting("by_rule", found.by_rule)


async def _instead(context: Context, watched: Watched | None, now: Iterable[Watched]) -> None:
    """Look no more for what was watched, unless it is among what is watched now."""
    if watched is not None and watch_key(watched) not in {watch_key(one) for one in now}:
        await context.retention_runs.unwatch(watched)


async def _not_yet(
    context: Context,
    store: DocumentStore,
    document: StoredDocument,
    erase_on: date | None,
    watched: Watched | None,
) -> None:
    """Watch a record that is not due by what it says itself, though some text in it is old.

    What it says may be no day at all, so that it counts from when it came; or another of its days is later.
    """
    if watched is not None:
        await context.retention_runs.unwatch(watched)
    if erase_on is None:
        return
    named = [context.subject_keys(one) for one in people_of(context.datamap, store, document.body)]
    for key in [keys[0] for keys in named if keys] or [record_key(context, store, document)]:
        await context.retention_runs.watch(_watched(store, document, key, erase_on))


def _watched(
    store: DocumentStore,
    document: StoredDocument,
    key: str,
    look_on: date,
    *,
    for_all: bool = False,
    request_ids: tuple[str, ...] = (),
) -> Watched:
    return Watched(
        subject_key=key,
        store_id=store.id,
        document_id=document.document_id,
        partition="" if document.partition is NO_PARTITION else json.dumps(document.partition),
        look_on=look_on,
        for_all=for_all,
        request_ids=request_ids,
    )


async def _consider(
    context: Context,
    store: DocumentStore,
    document: StoredDocument,
    identifiers: dict[str, tuple[str, ...]],
    found: _Found,
) -> None:
    keys = context.subject_keys(identifiers)
    if not keys:
        found.doubted.append(await doubt(context, store, document, Doubt.UNCLEAR))
        return
    considered = await consider(context, identifiers, today=copenhagen_day(context.clock.now()), paced=True)
    if considered.problem is not None:
        again = await doubt(context, store, document, Doubt.UNCLEAR, key=keys[0])
        found.doubted.append(again)
        if again.doubted_on == copenhagen_day(context.clock.now()):
            await context.operators.alarm("retention_person_unclear", details=considered.problem)
        return
    found.filed += len(considered.request_ids)
    found.states.update(considered.states)
    found.by_rule.update(considered.by_rule)
    if considered.oldest_on is not None:
        found.oldest.append(considered.oldest_on)
    if considered.look_on is not None:
        found.watched.append(
            _watched(
                store,
                document,
                keys[0],
                considered.look_on,
                for_all=holds_events(context.datamap, store),
                request_ids=considered.request_ids,
            )
        )


async def is_known(
    context: Context,
    store: DocumentStore,
    document: StoredDocument,
    looked_at: set[str],
    *,
    day: date | None = None,
) -> bool:
    """Whether the person of an event was looked at just now, or is watched until after a day (None: now)."""
    today = day or copenhagen_day(context.clock.now())
    keys = [
        key
        for identifiers in people_of(context.datamap, store, document.body)
        for key in context.subject_keys(identifiers)[:1]
    ]
    if not keys or keys[0] in looked_at:
        return bool(keys)
    looked_at.add(keys[0])
    together = {
        trigger.store
        for family in families(context.datamap)
        if any(trigger.store == store.id for rule in family.rules for trigger in rule.triggers)
        for rule in family.rules
        for trigger in rule.triggers
    }
    return await context.retention_runs.watched_later(keys[0], together, today)


async def of_watched(context: Context, watched: Watched) -> tuple[DocumentStore, StoredDocument | None]:
    """Return the watched record with its store. None: it is gone."""
    store = documents_of(context, watched.store_id)
    partition = json.loads(watched.partition) if watched.partition else NO_PARTITION
    return store, await context.documents.get(store, partition, watched.document_id)


def holds_events(datamap: DataMap, store: DocumentStore) -> bool:
    """Return whether a store has many records of a person, none of which says that its time is over."""
    return any(trigger.store == store.id and not trigger.directory for _, trigger in triggers(datamap))


def documents_of(context: Context, store_id: str) -> DocumentStore:
    """Return a store of documents by its id.

    Raises:
        Permanent: `walk_not_documents`: the map's rule names a store of another kind.
    """
    _, store = context.datamap.store(store_id)
    if not isinstance(store, DocumentStore):
        raise Permanent("walk_not_documents", store_id)
    return store
