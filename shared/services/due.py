"""What of one person's data is due today, read from the days that the data map says are stored.

A rule is asked for each group of records: a licence, a membership, an installation. What several rules take
runs on several clocks, of which the earliest counts. Nothing is changed here.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from shared.datamap.dating import Facts, condensed, note
from shared.datamap.falling_due import (
    Cost,
    DueActivity,
    cost_of,
    may_be_due,
    verdicts,
)
from shared.datamap.families import Family
from shared.datamap.models import NOT_STATED, DataMap, DocumentStore, RetentionRule, Trigger
from shared.datamap.treatment import belongs, value_at
from shared.domain.controls import Controls
from shared.domain.errors import CannotTell
from shared.domain.identifiers import Identifiers, merged
from shared.domain.retention import (
    Due,
    DueState,
    UseScope,
)
from shared.domain.retention_runs import bound
from shared.domain.times import copenhagen_day
from shared.domain.wishes import Scope
from shared.ports.documents import DueSearch
from shared.services.context import Context

_SLACK = timedelta(days=2)  # for times that are written with another offset


async def due_of_person(
    context: Context,
    identifiers: Identifiers,
    controls: Sequence[Controls],
    *,
    today: date | None = None,
    directories_only: bool = False,
) -> tuple[DueActivity, ...]:
    """Return what is due of a person, what is not, and what has no stated period. As `due_of_people`."""
    (found,) = await due_of_people(
        context, [identifiers], [controls], today=today, directories_only=directories_only
    )
    return found


async def due_of_people(
    context: Context,
    people: Sequence[Identifiers],
    controls: Sequence[Sequence[Controls]],
    *,
    today: date | None = None,
    directories_only: bool = False,
    is_begun: bool = False,
) -> list[tuple[DueActivity, ...]]:
    """Return what is due of each person, what is not, and what has no stated period. It changes nothing.

    Their records are read together, and each counts for whom it belongs to. `controls`: of each person.
    `directories_only`: leave out stores with one record an event, which can only make data due later, where
    there is anything else. `is_begun`: some may be erased already; of several versions the oldest counts.

    Raises:
        CannotTell: `record_of_nobody`: a record was found that is none of these people's; look at each alone.
    """
    day = today or copenhagen_day(context.clock.now())
    found: list[list[DueActivity]] = [[] for _ in people]
    for family in context.datamap.families:
        known = [{rule.id: Facts(is_begun=is_begun) for rule in family.rules} for _ in people]
        has_directory = any(one.directory for rule in family.rules for one in rule.triggers)
        for cost in tuple(Cost)[:-1] if directories_only and has_directory else Cost:
            asked = [
                number
                for number, by_rule in enumerate(known)
                if cost is Cost.DIRECTORY or may_be_due(family, by_rule, day)
            ]
            for rule in family.rules:
                for trigger in rule.triggers:
                    if asked and cost_of(context.datamap, trigger) is cost:
                        facts = {number: known[number][rule.id] for number in asked}
                        await _read(context, family, rule, trigger, people, facts, day)
        for number, by_rule in enumerate(known):
            found[number] += verdicts(family, by_rule, controls[number], today=day)
    stated = {one.activity_id for one in context.datamap.families}
    not_stated = [
        DueActivity(activity_id=activity.id, due=Due(state=DueState.NOT_STATED))
        for activity in context.datamap.activities
        if activity.retention.rule == NOT_STATED and activity.id not in stated
    ]
    return [(*one, *not_stated) for one in found]


async def is_still_due(
    context: Context, scope: Scope, people: Sequence[Identifiers], *, directories_only: bool
) -> bool:
    """Whether what a scheduled deletion is about has not been reset meanwhile, for any of its people.

    Records that are gone already say nothing; only a day that is there and not over says no, or that the rule
    is gone, as when a decision was withdrawn.

    Raises:
        CannotTell: as `due_of_people`.
    """
    if not scope.rule_ids:
        return True
    if not set(scope.rule_ids) <= {rule.id for rule in context.datamap.policy.retention_rules}:
        return False
    wanted = {value for one in scope.records for value in one.values}
    each = await due_of_people(
        context, people, [()] * len(people), directories_only=directories_only, is_begun=True
    )
    return not any(
        one.due.state is DueState.NOT_DUE
        and one.due.erase_on is not None
        and set(one.rule_ids) & set(scope.rule_ids)
        and (not wanted or wanted & set(one.groups))
        for found in each
        for one in found
    )


async def _read(
    context: Context,
    family: Family,
    rule: RetentionRule,
    trigger: Trigger,
    people: Sequence[Identifiers],
    facts: Mapping[int, Facts],
    today: date,
) -> None:
    """Note what the records of a trigger say of these people, by their number; those asked alike together."""
    _, store = context.datamap.store(trigger.store)
    if not isinstance(store, DocumentStore):
        return
    together: defaultdict[DueSearch | None, dict[int, Facts]] = defaultdict(dict)
    for number, known in facts.items():
        together[_recent(context.datamap, rule, known, trigger, today)][number] = known
    for among, some in together.items():
        cursor: str | None = None
        while True:
            page = await context.documents.page(
                store,
                _of_all(people, tuple(some)),
                cursor=cursor,
                limit=context.limits.page_documents,
                among=among,
            )
            for document in page.documents:
                for number in _owners(context.datamap, store, document.body, people, tuple(some)):
                    note(some[number], rule, trigger, store, document.body, today)
            for known in some.values():
                known.facts = condensed(known.facts)
            cursor = page.cursor
            # Of several versions, the oldest record says which it is: it may be on the next page.
            is_enough = not (trigger.directory or rule.earlier) and not any(
                may_be_due(family, {rule.id: known}, today) for known in some.values()
            )
            if cursor is None or is_enough:
                break


def _of_all(people: Sequence[Identifiers], numbers: Sequence[int]) -> Identifiers:
    """Return what identifies any of these people."""
    first, *others = (people[number] for number in numbers)
    found: Identifiers = first
    for one in others:
        found = merged(found, ((kind, value) for kind, values in one.items() for value in values))
    return found


def _owners(
    datamap: DataMap,
    store: DocumentStore,
    record: Mapping[str, Any],
    people: Sequence[Identifiers],
    numbers: Sequence[int],
) -> Sequence[int]:
    """Return the numbers of whose record it is, among those whose records were asked for."""
    if len(numbers) == 1:
        return numbers
    parts: Sequence[Any] = (record,)
    matches = store.matches
    if store.elements is not None:
        found, matches = value_at(record, store.elements.path), store.elements.matches
        parts = found if isinstance(found, list) else ()
    mine = [
        number for number in numbers if any(belongs(part, matches, datamap, people[number]) for part in parts)
    ]
    if not mine:
        raise CannotTell("record_of_nobody", store.id)
    return mine


def _recent(
    datamap: DataMap, rule: RetentionRule, known: Facts, trigger: Trigger, today: date
) -> DueSearch | None:
    """Return which events can make data go later: those that are not too old, or not clear. None: all count.

    Where the directory dates the person, and one use keeps everything, an event that is plainly older than
    the period changes nothing.
    """
    is_event = cost_of(datamap, trigger) is Cost.EVENTS and len(trigger.paths) == 1
    is_dated = any(fact.on is not None for fact in known.facts)
    if not (is_event and is_dated and rule.scope is UseScope.PERSON and rule.period) or rule.earlier:
        return None
    since = bound(today - _SLACK, rule.period)
    return DueSearch(path=trigger.paths[0], since=since, unclear_too=True)
