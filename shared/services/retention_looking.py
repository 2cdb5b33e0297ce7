"""Look closely at the people of records that may be due, and say who is looked at again, and when."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

from shared.datamap.falling_due import due_of_record
from shared.datamap.models import DataMap, DocumentStore
from shared.domain.errors import CannotTell, Invalid, Permanent
from shared.domain.identifiers import Identifiers
from shared.domain.retention import DueState
from shared.domain.retention_runs import Doubt, Run, Watched
from shared.domain.times import copenhagen_day
from shared.ports.documents import NO_PARTITION, StoredDocument
from shared.ports.retention_runs import Later, watch_key
from shared.services.context import Context
from shared.services.retention_cases import Considered, consider, people_of
from shared.services.retention_doubts import doubt, record_key
from shared.services.retention_searches import triggers, uses_in
from shared.services.side_by_side import all_of


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A record that may lead to people whose data is due. `watched`: why it is looked at again, if it is."""

    store: DocumentStore
    document: StoredDocument
    watched: Watched | None = None


@dataclass(kw_only=True)
class _Record:
    """A candidate while its people are considered."""

    candidate: Candidate
    states: Mapping[DueState, date | None]
    people: list[Identifiers] = field(default_factory=list)
    considered: list[Considered] = field(default_factory=list)
    unclear: int = 0
    problem: str | None = None

    @property
    def may_be_due(self) -> bool:
        """Whether its people have to be looked at closely."""
        return self.people != [] or self.unclear > 0 or self.problem is not None


async def look_at(context: Context, run: Run, candidates: Sequence[Candidate]) -> tuple[Run, bool]:
    """Look closely at the people of records that say that they may be due, all of them together.

    Returns the run, and whether some have to wait because enough was filed in this hour: the same records
    are to be looked at again then. What is wrong with one record is told and counted; it stops none of the
    others, and is looked at again.

    Raises:
        Retryable: a store did not answer; the page is done again.
    """
    records = [_read(context, one) for one in candidates]
    people = [identifiers for one in records for identifiers in one.people]
    considered = iter(await consider(context, people, since=run.started_at) if people else ())
    for one in records:
        one.considered = [next(considered) for _ in one.people]
        one.problem = one.problem or next((each.problem for each in one.considered if each.problem), None)
    await all_of(partial(_watch, context, one) for one in records)
    waits = any(each.waits for one in records for each in one.considered)
    for one in records:
        run = _counted(one, run, waits=waits)
    return run, waits


def _read(context: Context, candidate: Candidate) -> _Record:
    """Say what one record says of itself, and whom it is about if that has to be looked into."""
    store, body = candidate.store, candidate.document.body
    states = due_of_record(context.datamap.families, store, body, today=copenhagen_day(context.clock.now()))
    found = _Record(candidate=candidate, states=states)
    if DueState.DUE not in states and not holds_events(context.datamap, store):
        return found
    try:
        people = list(people_of(context.datamap, store, body))
    except (Permanent, CannotTell, Invalid) as error:
        found.problem = error.code
        return found
    found.people = [one for one in people if context.subject_keys(one)]
    found.unclear = len(people) - len(found.people)
    return found


async def _watch(context: Context, record: _Record) -> None:
    """Write down who is looked at again."""
    store, document, watched = record.candidate.store, record.candidate.document, record.candidate.watched
    if not record.may_be_due:
        if DueState.UNDATED in record.states:
            await _instead(context, watched, [await doubt(context, store, document, Doubt.UNDATED)])
        else:
            await _not_yet(context, store, document, record.states.get(DueState.NOT_DUE), watched)
        return
    rows = [
        _watched(
            store,
            document,
            context.subject_keys(identifiers)[0],
            one.look_on,
            for_all=holds_events(context.datamap, store),
            by_arrival=one.by_arrival,
            request_ids=one.request_ids,
        )
        for identifiers, one in zip(record.people, record.considered, strict=True)
        if one.look_on is not None and one.problem is None and (one.request_ids or not one.waits)
    ]
    rows = await _still_there(context, rows)
    for row in rows:
        await context.retention_runs.watch(row)
    if record.problem is not None:
        again = await doubt(context, store, document, Doubt.FAILED)
        await _tell(context, again, "retention_record_failed", f"{store.id} {record.problem}")
        return
    rows += await _unclear(context, record)
    if not any(one.waits for one in record.considered):
        await _instead(context, watched, rows)


async def _still_there(context: Context, rows: Sequence[Watched]) -> list[Watched]:
    """Leave out the record that is gone, unless it waits for the case that takes it.

    That case may be faster than who looked. What else the person has, has records of its own that lead there.
    """
    idle = [row for row in rows if not row.request_ids]
    if idle:
        _, document = await of_watched(context, idle[0])  # all are about one record
        if document is None:
            return [row for row in rows if row.request_ids]
    return list(rows)


async def _unclear(context: Context, record: _Record) -> list[Watched]:
    """Note a record that names nobody, or somebody who may be several people."""
    store, document = record.candidate.store, record.candidate.document
    rows = [await doubt(context, store, document, Doubt.UNCLEAR)] if record.unclear else []
    for identifiers, one in zip(record.people, record.considered, strict=True):
        if one.unclear is not None:
            key = context.subject_keys(identifiers)[0]
            rows.append(await doubt(context, store, document, Doubt.UNCLEAR, key=key))
            await _tell(context, rows[-1], "retention_person_unclear", one.unclear)
    return rows


async def _tell(context: Context, doubted: Watched, code: str, details: str) -> None:
    """Alarm about one record on the first day of its doubt alone."""
    if doubted.doubted_on == copenhagen_day(context.clock.now()):
        await context.operators.alarm(code, details=details)


async def _instead(context: Context, watched: Watched | None, now: Iterable[Watched]) -> None:
    """Look no more for what was watched, unless it is among what is watched now."""
    if watched is not None and watch_key(watched) not in {watch_key(one) for one in now}:
        await context.retention_runs.unwatch(watched)


def _counted(record: _Record, run: Run, *, waits: bool) -> Run:
    """Count what was filed; the rest only if the record is not looked at once more in this run."""
    oldest = (run.oldest_overdue_on, *(one.oldest_on for one in record.considered))
    run = run.model_copy(
        update={
            "filed": run.filed + sum(one.filed for one in record.considered),
            "oldest_overdue_on": min((one for one in oldest if one is not None), default=None),
        }
    )
    for one in record.considered:
        run = run.counting("by_rule", one.by_rule)
    if waits:
        return run
    for one in record.considered:
        kept = {state.value: one.states.get(state, 0) for state in (DueState.HELD, DueState.RESTRICTED)}
        run = run.counting("kept", {state: number for state, number in kept.items() if number})
    return run


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
    by_arrival: bool = False,
    request_ids: tuple[str, ...] = (),
) -> Watched:
    return Watched(
        subject_key=key,
        store_id=store.id,
        document_id=document.document_id,
        partition="" if document.partition is NO_PARTITION else json.dumps(document.partition),
        look_on=look_on,
        for_all=for_all,
        by_arrival=by_arrival,
        request_ids=request_ids,
    )


async def unknown_of(
    context: Context, store: DocumentStore, documents: Iterable[StoredDocument], *, day: date | None = None
) -> list[StoredDocument]:
    """Return one event of each person who is not watched until after a day; None: today.

    Of whoever is watched by when records came in, it is one that tells of a use, if there is any: that may
    make the day earlier. An event that names nobody is returned too: it is unclear.
    """
    first: dict[str, StoredDocument] = {}
    uses: dict[str, StoredDocument] = {}
    nameless: list[StoredDocument] = []
    is_use = uses_in(context.datamap, store.id)
    for document in documents:
        keys = [
            key
            for identifiers in people_of(context.datamap, store, document.body)
            for key in context.subject_keys(identifiers)[:1]
        ]
        if keys:
            first.setdefault(keys[0], document)
        else:
            nameless.append(document)
        if keys and is_use(document.body):
            uses.setdefault(keys[0], document)
    together = {
        trigger.store
        for family in context.datamap.families
        if any(trigger.store == store.id for rule in family.rules for trigger in rule.triggers)
        for rule in family.rules
        for trigger in rule.triggers
    }
    today = day or copenhagen_day(context.clock.now())
    known = await context.retention_runs.watched_later(tuple(first), together, today) if first else {}
    unknown = [document for key, document in first.items() if key not in known]
    maybe_earlier = [document for key, document in uses.items() if known.get(key) is Later.BY_ARRIVAL]
    return [*nameless, *unknown, *maybe_earlier]


async def of_watched(context: Context, watched: Watched) -> tuple[DocumentStore, StoredDocument | None]:
    """Return the watched record with its store, or another of the person's that it stands for. None: gone."""
    store = documents_of(context, watched.store_id)
    partition = json.loads(watched.partition) if watched.partition else NO_PARTITION
    document = await context.documents.get(store, partition, watched.document_id)
    if document is None and watched.for_all:
        document = await _another(context, store, partition)
    return store, document


async def _another(context: Context, store: DocumentStore, partition: Any) -> StoredDocument | None:
    """Return any record of the person whose partition it is. None: none is left, or it is nobody's."""
    match = next((one for one in store.matches if one.path == store.partition_key), None)
    if match is None or store.elements is not None or not isinstance(partition, str):
        return None
    page = await context.documents.page(store, {match.identifier: (partition,)}, cursor=None, limit=1)
    return next(iter(page.documents), None)


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
