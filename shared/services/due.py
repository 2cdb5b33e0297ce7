"""What of one person's data is due today, read from the days that the data map says are stored.

A rule is asked for each group of records: a licence, a membership, an installation. What several rules take
runs on several clocks, of which the earliest counts. Nothing is changed here.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Any

from shared.datamap.models import NOT_STATED, DataMap, DocumentStore, RetentionRule, Taken, Trigger
from shared.datamap.treatment import MISSING, belongs, value_at
from shared.domain.controls import Controls
from shared.domain.errors import CannotTell
from shared.domain.identifiers import Identifiers, merged
from shared.domain.retention import (
    FIRST_CREDIBLE,
    NEVER,
    Due,
    DueState,
    Fact,
    RunningClock,
    UseScope,
    event_day,
    judge,
    latest_by_group,
)
from shared.domain.retention_runs import bound
from shared.domain.times import copenhagen_day, moment_of
from shared.domain.wishes import Scope
from shared.ports.documents import DueSearch
from shared.services.context import Context

_SLACK = timedelta(days=2)  # for times that are written with another offset
_ARRIVED = "_ts"  # when the database last wrote the record, in seconds: never before it came in


@dataclass(frozen=True, kw_only=True)
class Family:
    """The rules that take the same records, and the activity they belong to."""

    activity_id: str
    rules: tuple[RetentionRule, ...]
    takes: tuple[Taken, ...]

    @property
    def scope(self) -> UseScope:
        """Whose later use keeps whose data."""
        return self.rules[0].scope


@dataclass(frozen=True, kw_only=True)
class DueActivity:
    """The verdict on some groups of an activity's records: all those of one state.

    `rule_ids`, `groups` and `takes` are empty where the policy states no period. `is_whole`: the person has
    no group in another state, so that nothing of it stays.
    """

    activity_id: str
    due: Due
    rule_ids: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    takes: tuple[Taken, ...] = ()
    scope: UseScope = UseScope.PERSON
    is_whole: bool = False


class _Cost(Enum):
    """What a look at a trigger's store costs, the cheapest first. The later ones only make data due later."""

    DIRECTORY = "directory"
    CLOCK = "clock"  # our own, a few rows a person
    EVENTS = "events"


@dataclass
class _Facts:
    """What the stored records say about one rule of one person, by group."""

    facts: list[Fact] = field(default_factory=list)
    collected: dict[str, date] = field(default_factory=dict)  # the oldest record of each group
    ended: dict[str, date] = field(default_factory=dict)
    undated: set[str] = field(default_factory=set)  # groups whose period began nobody knows when
    written: dict[str, date] = field(default_factory=dict)  # what is no use: when the latest was written
    is_begun: bool = False  # its oldest record may be erased already, which said the version


def families(datamap: DataMap) -> tuple[Family, ...]:
    """Return the rules with a stored trigger, those that take the same records together."""
    taken: defaultdict[tuple[Taken, ...], list[RetentionRule]] = defaultdict(list)
    for rule in datamap.policy.retention_rules:
        if rule.triggers:
            taken[rule.takes].append(rule)
    found = []
    for takes, rules in taken.items():
        ids = {rule.id for rule in rules}
        activity = next(
            one for one in datamap.activities if ids & {one.retention.rule, *one.retention.further_rules}
        )
        found.append(Family(activity_id=activity.id, rules=tuple(rules), takes=takes))
    return tuple(found)


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
    for family in families(context.datamap):
        known = [{rule.id: _Facts(is_begun=is_begun) for rule in family.rules} for _ in people]
        has_directory = any(one.directory for rule in family.rules for one in rule.triggers)
        for cost in tuple(_Cost)[:-1] if directories_only and has_directory else _Cost:
            asked = [
                number
                for number, by_rule in enumerate(known)
                if cost is _Cost.DIRECTORY or _may_be_due(family, by_rule, day)
            ]
            for rule in family.rules:
                for trigger in rule.triggers:
                    if asked and _cost(context.datamap, trigger) is cost:
                        facts = {number: known[number][rule.id] for number in asked}
                        await _read(context, family, rule, trigger, people, facts, day)
        for number, by_rule in enumerate(known):
            found[number] += verdicts(family, by_rule, controls[number], today=day)
    stated = {one.activity_id for one in families(context.datamap)}
    not_stated = [
        DueActivity(activity_id=activity.id, due=Due(state=DueState.NOT_STATED))
        for activity in context.datamap.activities
        if activity.retention.rule == NOT_STATED and activity.id not in stated
    ]
    return [(*one, *not_stated) for one in found]


def due_of_record(
    known: Iterable[Family], store: DocumentStore, record: Mapping[str, Any], *, today: date
) -> dict[DueState, date | None]:
    """Return what one record alone says, each state with its earliest day; None: it has none.

    It is enough to tell whose data is worth a closer look, and when.
    """
    states: dict[DueState, date | None] = {}
    for family in known:
        by_rule = {rule.id: _Facts() for rule in family.rules}
        for rule in family.rules:
            for trigger in rule.triggers:
                if trigger.directory and trigger.store == store.id:
                    _note(by_rule[rule.id], rule, trigger, store, record, today)
        for one in verdicts(family, by_rule, (), today=today):
            days = (one.due.erase_on, states.get(one.due.state))
            states[one.due.state] = min((day for day in days if day is not None), default=None)
    return states


def erase_day_of_record(
    family: Family, store: DocumentStore, record: Mapping[str, Any], *, today: date
) -> date | None:
    """Return the day from which one record goes if nothing else happens. None: no clock of it runs."""
    by_rule = {rule.id: _Facts() for rule in family.rules}
    for rule in family.rules:
        for trigger in rule.triggers:
            if trigger.directory and trigger.store == store.id:
                _note(by_rule[rule.id], rule, trigger, store, record, today)
    days = [one.due.erase_on for one in verdicts(family, by_rule, (), today=today)] if family.rules else []
    return min((day for day in days if day is not None), default=None)


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


def verdicts(
    family: Family, by_rule: Mapping[str, _Facts], controls: Iterable[Controls], *, today: date
) -> list[DueActivity]:
    """Return the verdict on every group, groups of one state together."""
    asked = tuple(controls)
    by_group = _judged(family, by_rule, asked, today)
    states: defaultdict[DueState, list[str]] = defaultdict(list)
    for group, due in sorted(by_group.items()):
        states[due.state].append(group)
    return [
        DueActivity(
            activity_id=family.activity_id,
            due=min((by_group[group] for group in groups), key=lambda one: one.erase_on or date.max),
            rule_ids=tuple(rule.id for rule in family.rules),
            groups=tuple(groups),
            takes=family.takes,
            scope=family.scope,
            is_whole=len(states) == 1,
        )
        for state, groups in states.items()
    ]


def _judged(
    family: Family, by_rule: Mapping[str, _Facts], controls: tuple[Controls, ...], today: date
) -> dict[str, Due]:
    """Return the verdict on every group. Where no use is known, it counts from when its last record came.

    No use can be shown to be earlier than that, so nothing goes before. Source: policy 5.1.
    """
    clocks: defaultdict[str, list[RunningClock]] = defaultdict(list)
    undated: set[str] = set()
    groups: set[str] = set()
    for rule in family.rules:
        known = by_rule[rule.id]
        undated |= known.undated
        groups |= {fact.group for fact in known.facts}
        for group, on in latest_by_group(known.facts, family.scope).items():
            clocks[group].append(
                RunningClock(
                    rule_id=rule.id,
                    trigger_on=on,
                    terms=rule.terms,
                    collected_on=date.min if known.is_begun else known.collected.get(group),
                    ended_on=known.ended.get(group),
                )
            )
        for group, on in known.written.items():
            if not clocks[group] and not known.is_begun:  # else the use may be erased already
                clocks[group].append(
                    RunningClock(
                        rule_id=rule.id,
                        trigger_on=on,
                        terms=rule.terms,
                        collected_on=date.min if known.is_begun else known.collected.get(group),
                    )
                )
    found = {}
    for group in groups:
        due = judge(clocks[group], today=today, activity_id=family.activity_id, controls=controls)
        if due.state is DueState.UNDATED and group not in undated:
            due = Due(state=DueState.NOT_DUE)
        found[group] = due
    return found


def is_clock(datamap: DataMap, trigger: Trigger) -> bool:
    """Whether a trigger is a store of our own: under pseudonyms, it leads to nobody."""
    _, store = datamap.store(trigger.store)
    return isinstance(store, DocumentStore) and store.database == "compliance" and not trigger.directory


def _cost(datamap: DataMap, trigger: Trigger) -> _Cost:
    if trigger.directory:
        return _Cost.DIRECTORY
    return _Cost.CLOCK if is_clock(datamap, trigger) else _Cost.EVENTS


def _may_be_due(family: Family, by_rule: Mapping[str, _Facts], today: date) -> bool:
    """Whether a look at more single events could matter: they only ever make data go later.

    They do where no use is known yet: one may be among them, and it may be an old one.
    """
    judged = _judged(
        family, {rule_id: replace(one, written={}) for rule_id, one in by_rule.items()}, (), today
    )
    return not judged or any(
        due.state is not DueState.NOT_DUE or due.erase_on is None for due in judged.values()
    )


async def _read(
    context: Context,
    family: Family,
    rule: RetentionRule,
    trigger: Trigger,
    people: Sequence[Identifiers],
    facts: Mapping[int, _Facts],
    today: date,
) -> None:
    """Note what the records of a trigger say of these people, by their number; those asked alike together."""
    _, store = context.datamap.store(trigger.store)
    if not isinstance(store, DocumentStore):
        return
    together: defaultdict[DueSearch | None, dict[int, _Facts]] = defaultdict(dict)
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
                    _note(some[number], rule, trigger, store, document.body, today)
            for known in some.values():
                known.facts = _condensed(known.facts)
            cursor = page.cursor
            # Of several versions, the oldest record says which it is: it may be on the next page.
            is_enough = not (trigger.directory or rule.earlier) and not any(
                _may_be_due(family, {rule.id: known}, today) for known in some.values()
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
    datamap: DataMap, rule: RetentionRule, known: _Facts, trigger: Trigger, today: date
) -> DueSearch | None:
    """Return which events can make data go later: those that are not too old, or not clear. None: all count.

    Where the directory dates the person, and one use keeps everything, an event that is plainly older than
    the period changes nothing.
    """
    is_event = _cost(datamap, trigger) is _Cost.EVENTS and len(trigger.paths) == 1
    is_dated = any(fact.on is not None for fact in known.facts)
    if not (is_event and is_dated and rule.scope is UseScope.PERSON and rule.period) or rule.earlier:
        return None
    since = bound(today - _SLACK, rule.period)
    return DueSearch(path=trigger.paths[0], since=since, unclear_too=True)


def _condensed(facts: Sequence[Fact]) -> list[Fact]:
    """Return the latest fact of each group, so that memory does not grow with the person's data."""
    latest: dict[tuple[str, str], Fact] = {}
    for fact in facts:
        old = latest.get((fact.group, fact.customer_id))
        if old is None or old.on is None or (fact.on is not None and fact.on > old.on):
            latest[fact.group, fact.customer_id] = fact
    return list(latest.values())


def _note(
    known: _Facts,
    rule: RetentionRule,
    trigger: Trigger,
    store: DocumentStore,
    record: Mapping[str, Any],
    today: date,
) -> None:
    """Note what one record says; where one use keeps all of a person's data, all of it is one group."""
    group = "" if rule.scope is UseScope.PERSON else _text(record, trigger.group)
    on: date | None = None
    if trigger.only is None or _text(record, trigger.only.path) in trigger.only.values:
        on = _latest(record, trigger, trigger.paths, today)
        on = on or _latest(record, trigger, trigger.otherwise, today)
        if on is None and rule.period is None:
            on = today  # the record says that it is over: no day is needed
        elif on is None and trigger.ended_by is None:  # a suspension without a day never happened
            on = None if trigger.planned else _arrived_on(record)
            if on is None:
                known.undated.add(group)
    elif not trigger.directory:  # what runs by itself tells that the last use was not after it came
        written_on = _arrived_on(record) or _latest(record, trigger, trigger.paths, today)
        if written_on is not None:
            known.written[group] = max(written_on, known.written.get(group, written_on))
    customer_id = _text(record, trigger.customer_path) if trigger.customer_path else ""
    known.facts.append(Fact(group=group, on=on, customer_id=customer_id))
    created_on = _day(record, store.created_path, today, planned=False) if store.created_path else None
    days = [day for day in (created_on, on, _arrived_on(record)) if day is not None]
    if days:
        known.collected[group] = min(*days, known.collected.get(group, days[0]))
    ended_on = _latest(record, trigger, (trigger.ended_by,), today) if trigger.ended_by else None
    if ended_on is not None:
        known.ended[group] = max(ended_on, known.ended.get(group, ended_on))


def _latest(record: Mapping[str, Any], trigger: Trigger, paths: Iterable[str], today: date) -> date | None:
    days = [_day(record, path, today, planned=trigger.planned) for path in paths]
    return max((day for day in days if day is not None), default=None)


def _day(record: Mapping[str, Any], path: str, today: date, *, planned: bool) -> date | None:
    """Return the day a value counts from; one in the future, of which nobody knows when it came, is none.

    What cannot be read, or is from before there were products, tells that something happened, at the latest
    when the record was written: it counts from then, so that nothing is deleted on doubt.
    """
    value = value_at(record, path)
    moment = moment_of(value)
    moment = None if moment is None else min(moment, NEVER)
    if moment is None or copenhagen_day(moment) < FIRST_CREDIBLE:
        is_there = not planned and value is not MISSING and value not in (None, "")
        return _arrived_on(record) if is_there else None
    if planned:
        return copenhagen_day(moment)
    arrived_at = _arrived_at(record)
    day = event_day(moment, arrived_at)
    return None if arrived_at is None and day > today else day


def _arrived_at(record: Mapping[str, Any]) -> datetime | None:
    seconds = record.get(_ARRIVED)
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) else None


def _arrived_on(record: Mapping[str, Any]) -> date | None:
    arrived_at = _arrived_at(record)
    return None if arrived_at is None else copenhagen_day(arrived_at)


def _text(record: Mapping[str, Any], path: str) -> str:
    value = value_at(record, path)
    return value if isinstance(value, str) else ""
