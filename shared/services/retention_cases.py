"""Scheduled deletion of people's data: what fell due is erased by a case, which nobody asked for.

The case is planned, erased, looked after and proved like any other, but it has no letters. Holds and
restrictions are asked for when it is filed, when it is planned and at the moment of destruction. People of
whom all records of the same rules go are put into one case, so that a blob they share is rewritten once; it
is split as soon as anything stands in the way of one of them.
Source: policy section 5; GDPR article 5(1)(e).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from shared.datamap.models import DataMap, DocumentStore
from shared.datamap.treatment import found_identifiers, value_at
from shared.domain.errors import CannotTell, Invalid, Permanent
from shared.domain.identifiers import Identifiers, merged
from shared.domain.retention import DueState
from shared.domain.times import copenhagen_day
from shared.services.context import Context
from shared.services.due import due_of_people
from shared.services.resolving import Resolved, resolve, resolve_people
from shared.services.retention_filing import AtWork, Looked, Want, file_all
from shared.services.walking import PacedError, paced

_A_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Considered:
    """What a look at one person came to.

    `request_ids`: erasures that are at work since the look began. `look_on`: the first day on which another
    look may come to something else. `states`: verdicts, each with how many kinds of data it is about.
    `by_rule`: what was filed, by the rule whose day came first. `oldest_on`: since when something is due that
    could not be filed; None: there is nothing. `problem`: the code of why it could not be looked at.
    `waits`: enough was filed in this hour. `by_arrival`: a use that is told later may make `look_on` earlier.
    """

    request_ids: tuple[str, ...] = ()
    filed: int = 0
    look_on: date | None = None
    states: Mapping[DueState, int] = field(default_factory=dict)
    by_rule: Mapping[str, int] = field(default_factory=dict)
    oldest_on: date | None = None
    problem: str | None = None
    unclear: str | None = None
    waits: bool = False
    by_arrival: bool = False


async def run_person(
    context: Context, identifiers: Identifiers, *, today: date | None = None, is_paced: bool = False
) -> int:
    """File an erasure for each part of a person's data that is due, and return how many were filed.

    What is held or restricted is left for a later run. A second call finds the open case, or nothing due.

    Raises:
        PacedError: where it is paced, enough was filed in this hour; the rest waits for the next.
        Permanent, CannotTell, Invalid: the person could not be looked at; nothing was filed.
    """
    looked = _looked(await resolve(context, identifiers))
    (considered,) = await _considered(context, [looked], today=today, is_paced=is_paced)
    if considered.unclear is not None:
        await context.operators.alarm("retention_person_unclear", details=considered.unclear)
    if considered.waits:
        raise PacedError
    return considered.filed


async def consider(context: Context, people: Sequence[Identifiers], *, since: datetime) -> list[Considered]:
    """Look at people closely, file what is due, and say of each what is left. At the pace of an hour.

    One who cannot be looked at stops none of the others. `since`: when the run began that asks; what was
    filed from then on is its own.

    Raises:
        Retryable: a store did not answer; consider them again.
    """
    return await _considered(context, await _look_at_all(context, people), is_paced=True, since=since)


async def _look_at_all(context: Context, people: Sequence[Identifiers]) -> list[Looked]:
    """Find out who they are; where one cannot be told, each is asked about alone."""
    try:
        return [_looked(one) for one in await resolve_people(context, people)]
    except (Permanent, CannotTell, Invalid) as error:
        if len(people) == 1:
            return [Looked(problem=error.code)]
        return [one for alone in people for one in await _look_at_all(context, [alone])]


def _looked(resolved: Resolved) -> Looked:
    if resolved.problem is None:
        return Looked(identifiers=resolved.identifiers)
    return Looked(unclear=resolved.problem)


async def _considered(
    context: Context,
    looked: Sequence[Looked],
    *,
    is_paced: bool,
    today: date | None = None,
    since: datetime | None = None,
) -> list[Considered]:
    day = today or copenhagen_day(context.clock.now())
    people = _different(looked)
    await _find_due(context, people, day, must=since is None)
    with_due = [one for one in people if one.due]
    await _find_at_work(context, with_due)
    wants = []
    for one in with_due:
        for due in one.due:
            at_work = one.at_work.get(due.rule_ids)
            if at_work is None:
                wants.append(Want(looked=one, due=due))
            elif since is not None and at_work.filed_at >= since:  # a worker of this run filed it and died
                one.request_ids.append(at_work.request_id)
    may = await paced(context, len(wants)) if is_paced else len(wants)
    for want in wants[may:]:
        want.looked.waits = True
    named_by = day if since is None else copenhagen_day(since)  # of two workers at one run past midnight, too
    await file_all(context, wants[:may], named_by)
    return [_said(one, day) for one in looked]


def _different(looked: Sequence[Looked]) -> list[Looked]:
    """Return those who are known and not the same as one before; the others are noted as twins.

    Of whom more or less is known is looked at too: stores find other records by that, though they share a
    pseudonym.
    """
    found: dict[frozenset[tuple[str, str]], Looked] = {}
    for one in looked:
        known_by = one.known_by
        one.twin = found.get(known_by)
        if one.keys and one.twin is None:
            found[known_by] = one
    return list(found.values())


def _said(looked: Looked, day: date) -> Considered:
    look_on: list[date] = []
    same = looked.twin or looked
    for one in same.found:
        if one.due.state is DueState.NOT_DUE and one.due.erase_on is not None:
            look_on.append(one.due.erase_on)
        elif one.due.state in (DueState.HELD, DueState.RESTRICTED, DueState.DUE):
            look_on.append(day + _A_DAY)
    overdue = [one.due.erase_on for one in looked.due if one.due.erase_on is not None]
    return Considered(
        request_ids=tuple(same.request_ids),
        filed=looked.by_rule.total(),
        look_on=min(look_on, default=None),
        states=Counter(one.due.state for one in looked.found),
        by_rule=dict(looked.by_rule),
        oldest_on=min(overdue, default=None),
        problem=same.problem,
        unclear=looked.unclear,
        waits=same.waits,
        by_arrival=any(one.due.by_arrival for one in same.found),
    )


async def _find_due(context: Context, people: Sequence[Looked], day: date, *, must: bool) -> None:
    """Find out what is due of each; where one cannot be told, each is asked about alone."""
    if not people:
        return
    stored = await context.controls.read([key for one in people for key in one.keys])
    by_key = {one.controls.subject_key: one.controls for one in stored}
    for one in people:
        one.controls = [by_key[key] for key in one.keys]
    try:
        found = await due_of_people(
            context, [one.identifiers for one in people], [one.controls for one in people], today=day
        )
    except (Permanent, CannotTell, Invalid) as error:
        if must:
            raise
        if len(people) == 1:
            people[0].problem = error.code
            return
        for one in people:
            await _find_due(context, [one], day, must=False)
        return
    for one, due in zip(people, found, strict=True):
        one.found = due


async def _find_at_work(context: Context, people: Sequence[Looked]) -> None:
    """Note the open cases of scheduled deletion about people, such as one that waits for an operator."""
    keys = [key for one in people for key in one.keys]
    for request_id in await context.cases.of_person(keys) if keys else ():
        request = (await context.cases.load(request_id)).request
        if not request.is_internal or request.is_final:
            continue
        for one in people:
            if set(one.keys) & set(request.subject_keys):
                one.at_work[request.scope.rule_ids] = AtWork(
                    request_id=request_id,
                    filed_at=request.filed_at or request.received_at,
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
