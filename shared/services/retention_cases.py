"""Scheduled deletion of one person's data: what fell due is erased by a case, which nobody asked for.

The case is planned, erased, looked after and proved like any other, but it has no letters. Holds and
restrictions are asked for when it is filed, when it is planned and at the moment of destruction.
Source: policy section 5; GDPR article 5(1)(e).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from shared.datamap.models import DataMap, DocumentStore
from shared.datamap.treatment import found_identifiers, value_at
from shared.domain.errors import NotFound
from shared.domain.identifiers import SUBJECT_KEY, Identifiers, merged
from shared.domain.retention import DueState, UseScope
from shared.domain.rights import Right
from shared.domain.times import copenhagen_day
from shared.domain.wishes import RecordsOf, Requester, Scope
from shared.services.context import Context
from shared.services.due import DueActivity, due_of_person
from shared.services.filing import Filing, put_on_file
from shared.services.resolving import resolve
from shared.services.walking import pace

_A_DAY = timedelta(days=1)
_MOST_OF_A_DAY = 20  # cases of one person and rule on one day, before something must be wrong


@dataclass(frozen=True, kw_only=True)
class Considered:
    """What a look at one person came to.

    `request_ids`: erasures filed. `look_on`: the first day on which another look may come to something else.
    `states`: verdicts, each with how many kinds of data it is about. `by_rule`: what was filed, by the rule
    whose day came first. `oldest_on`: since when something is due that could not be filed; None: there is
    nothing. `problem`: why it cannot be told whose data it is; None: it can.
    """

    request_ids: tuple[str, ...] = ()
    look_on: date | None = None
    states: Mapping[DueState, int] = field(default_factory=dict)
    by_rule: Mapping[str, int] = field(default_factory=dict)
    oldest_on: date | None = None
    problem: str | None = None


async def run_person(
    context: Context, identifiers: Identifiers, *, today: date | None = None, paced: bool = False
) -> int:
    """File an erasure for each part of a person's data that is due, and return how many were filed.

    What is held or restricted is left for a later run. A second call finds the open case, or nothing due.

    Raises:
        PacedError: where it is `paced`, enough was filed in this hour; the rest waits for the next.
    """
    considered = await consider(context, identifiers, today=today, paced=paced)
    if considered.problem is not None:
        await context.operators.alarm("retention_person_unclear", details=considered.problem)
    return len(considered.request_ids)


async def consider(
    context: Context, identifiers: Identifiers, *, today: date | None = None, paced: bool = False
) -> Considered:
    """Look at one person closely, file what is due, and say what is left. As `run_person`."""
    day = today or copenhagen_day(context.clock.now())
    resolved = await resolve(context, identifiers)
    if resolved.problem is not None:
        return Considered(look_on=day + _A_DAY, problem=resolved.problem)
    keys = resolved.identifiers[SUBJECT_KEY]
    controls = [one.controls for one in await context.controls.read(keys)]
    filed: list[str] = []
    by_rule: Counter[str] = Counter()
    look_on: list[date] = []
    overdue: list[date] = []
    found = await due_of_person(context, resolved.identifiers, controls, today=day)
    for one in found:
        if one.due.state is DueState.NOT_DUE and one.due.erase_on is not None:
            look_on.append(one.due.erase_on)
        elif one.due.state in (DueState.HELD, DueState.RESTRICTED):
            look_on.append(day + _A_DAY)
        elif one.due.state is DueState.DUE:
            look_on.append(day + _A_DAY)
            if not await _is_at_work(context, keys, one):
                new = await _file(context, resolved.identifiers, one, day, paced=paced)
                filed += new
                by_rule[one.due.rule_id or ""] += len(new)
            if one.due.erase_on is not None:
                overdue.append(one.due.erase_on)
    return Considered(
        request_ids=tuple(filed),
        look_on=min(look_on, default=None),
        states=Counter(one.due.state for one in found),
        by_rule={rule_id: number for rule_id, number in by_rule.items() if number},
        oldest_on=min(overdue, default=None),
    )


async def catch_up(context: Context, identifiers: Identifiers) -> int:
    """Erase at once what fell due while it was restricted, and return how many cases that took.

    A released hold needs no call: the next day's run looks again at everybody whose data it kept.
    """
    return await run_person(context, identifiers)


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
) -> list[str]:
    """Put the erasure on file, and return its id; empty: a twin has done it."""
    own = {kind: values for kind, values in identifiers.items() if kind != SUBJECT_KEY}
    parts = (day.isoformat(), *due.rule_ids, *due.groups, *identifiers[SUBJECT_KEY])
    for number in range(_MOST_OF_A_DAY):
        request_id = context.keys.sign("retention", *parts, str(number))[:32]
        try:
            case = await context.cases.load(request_id)
        except NotFound:
            break
        if not case.request.is_final:
            return []
    else:
        await context.operators.alarm("retention_repeats", details=",".join(due.rule_ids))
        return []
    if paced:
        await pace(context)
    is_new = await put_on_file(
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
    return [request_id] if is_new else []


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
