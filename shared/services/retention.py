"""Scheduled deletion: what fell due is erased through a case of its own, which nobody asked for.

The case is planned, erased, looked after and proved like any other, but it has no letters. Holds and
restrictions are asked for when it is filed, when it is planned and at the moment of destruction.
Source: policy section 5; GDPR article 5(1)(e).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from shared.datamap.models import DataMap, DocumentStore
from shared.datamap.treatment import found_identifiers, value_at
from shared.domain.errors import NotFound
from shared.domain.identifiers import SUBJECT_KEY, Identifiers, merged
from shared.domain.retention import DueState, UseScope
from shared.domain.rights import Right
from shared.domain.times import copenhagen_day
from shared.domain.walks import Walk
from shared.domain.wishes import RecordsOf, Requester, Scope
from shared.services.context import Context
from shared.services.due import DueActivity, Family, due_of_person, due_of_record, families
from shared.services.filing import Filing, put_on_file
from shared.services.resolving import resolve
from shared.services.walking import pace, proceed

WALK = "retention"
_MOST_OF_A_DAY = 20  # cases of one person and rule on one day, before something must be wrong


async def run_person(
    context: Context, identifiers: Identifiers, *, today: date | None = None, paced: bool = False
) -> int:
    """File an erasure for each part of a person's data that is due, and return how many were filed.

    What is held or restricted is left for a later run. A second call finds the open case, or nothing due.

    Raises:
        PacedError: where it is `paced`, enough was filed in this hour; the rest waits for the next.
    """
    day = today or copenhagen_day(context.clock.now())
    resolved = await resolve(context, identifiers)
    if resolved.problem is not None:
        await context.operators.alarm("retention_person_unclear", details=resolved.problem)
        return 0
    keys = resolved.identifiers[SUBJECT_KEY]
    controls = [one.controls for one in await context.controls.read(keys)]
    found = await due_of_person(context, resolved.identifiers, controls, today=day)
    filed = 0
    for one in found:
        if one.due.state is DueState.DUE and not await _is_at_work(context, keys, one):
            filed += await _file(context, resolved.identifiers, one, day, paced=paced)
    return filed


async def catch_up(context: Context, identifiers: Identifiers) -> int:
    """Erase at once what fell due while it was restricted, and return how many cases that took.

    A released hold needs no call: the next daily run finds what it kept.
    """
    return await run_person(context, identifiers)


async def daily(context: Context) -> Walk:
    """Go on with today's walk over everybody, or begin it; one call does one message's work.

    Which records name a person and a day is for the data map to say. The place in the walk is kept in our
    own database, because the database's cursor may tell a record's key; so no queue carries it, and the next
    call goes on. A walk that did not end on its day goes on before the next begins.
    """
    known = families(context.datamap)
    stores = {
        trigger.store: None
        for family in known
        for rule in family.rules
        for trigger in rule.triggers
        if trigger.directory
    }

    async def look(context: Context, walk: Walk, store: DocumentStore, record: Mapping[str, Any]) -> Walk:
        return await _look_at(context, known, walk, store, record)

    return await proceed(context, WALK, tuple(stores), look)


async def _look_at(
    context: Context,
    known: Sequence[Family],
    walk: Walk,
    store: DocumentStore,
    record: Mapping[str, Any],
) -> Walk:
    """File what is due of the people one record is about."""
    today = copenhagen_day(context.clock.now())
    states = due_of_record(known, store, record, today=today)
    filed = unclear = 0
    if DueState.DUE in states:
        for identifiers in people_of(context.datamap, store, record):
            if identifiers:
                filed += await run_person(context, identifiers, today=today, paced=True)
            else:
                unclear += 1
    return walk.model_copy(
        update={
            "filed": walk.filed + filed,
            "unclear": walk.unclear + unclear,
            "undated": walk.undated + (DueState.UNDATED in states),
        }
    )


def people_of(
    datamap: DataMap, store: DocumentStore, record: Mapping[str, Any]
) -> Iterator[dict[str, tuple[str, ...]]]:
    """Yield what identifies each person a record is about; empty where nothing does."""
    records: Sequence[Any] = (record,)
    if store.elements is not None:
        found = value_at(record, store.elements.path)
        records = found if isinstance(found, list) else ()
    for one in records:
        identifiers, wrong = found_identifiers(one, store.fields) if isinstance(one, Mapping) else ((), [""])
        own = [(kind, value) for kind, value in identifiers if not datamap.identifier(kind).shared]
        yield {} if wrong else merged({}, own)


async def _is_at_work(context: Context, keys: Sequence[str], due: DueActivity) -> bool:
    """Whether an open case is about the same already, such as one that waits for an operator."""
    for request_id in await context.cases.of_person(keys):
        request = (await context.cases.load(request_id)).request
        if request.is_internal and not request.is_final and request.scope.rule_ids == due.rule_ids:
            return True
    return False


async def _file(
    context: Context, identifiers: Identifiers, due: DueActivity, day: date, *, paced: bool
) -> int:
    """Put the erasure on file; 0: a twin has done it."""
    own = {kind: values for kind, values in identifiers.items() if kind != SUBJECT_KEY}
    parts = (day.isoformat(), *due.rule_ids, *due.groups, *identifiers[SUBJECT_KEY])
    for number in range(_MOST_OF_A_DAY):
        request_id = context.keys.sign("retention", *parts, str(number))[:32]
        try:
            case = await context.cases.load(request_id)
        except NotFound:
            break
        if not case.request.is_final:
            return 0
    else:
        await context.operators.alarm("retention_repeats", details=",".join(due.rule_ids))
        return 0
    if paced:
        await pace(context)
    return await put_on_file(
        context,
        Filing(
            request_id=request_id,
            rights=(Right.ERASURE,),
            language="en",
            channel="retention",
            email=None,
            received_at=context.clock.now(),
            identifiers=own,
            requester=Requester(kind="controller"),
            scope=_scope(due),
            is_known=True,
        ),
    )


def _scope(due: DueActivity) -> Scope:
    """Return the stores and records that go.

    Where each record has a period of its own only the due ones go, also if none else is there: one that comes
    meanwhile is a new record. What names no group goes with the last one.
    """
    single = due.scope is UseScope.RECORD or not due.is_whole
    taken = [one for one in due.takes if one.by is not None or due.is_whole]
    records = [
        RecordsOf(store_id=one.store, path=one.by, values=due.groups)
        for one in taken
        if single and one.by is not None
    ]
    return Scope(
        store_ids=tuple(one.store for one in taken),
        rule_ids=due.rule_ids,
        records=tuple(records),
        is_partial=not due.is_whole,
    )
