"""Which groups of records fall due when, by the rules of the map and what the records say. Pure.

What several rules take runs on several clocks, of which the earliest counts. Source: policy section 5.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from typing import Any

from shared.datamap.dating import Facts, note
from shared.datamap.families import Family
from shared.datamap.models import DataMap, DocumentStore, Taken, Trigger
from shared.domain.controls import Controls
from shared.domain.retention import (
    Due,
    DueState,
    RunningClock,
    UseScope,
    judge,
    latest_by_group,
)


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


class Cost(Enum):
    """What a look at a trigger's store costs, the cheapest first. The later ones only make data due later."""

    DIRECTORY = "directory"
    CLOCK = "clock"  # our own, a few rows a person
    EVENTS = "events"


def due_of_record(
    known: Iterable[Family], store: DocumentStore, record: Mapping[str, Any], *, today: date
) -> dict[DueState, date | None]:
    """Return what one record alone says, each state with its earliest day; None: it has none.

    It is enough to tell whose data is worth a closer look, and when.
    """
    states: dict[DueState, date | None] = {}
    for family in known:
        by_rule = {rule.id: Facts() for rule in family.rules}
        for rule in family.rules:
            for trigger in rule.triggers:
                if trigger.directory and trigger.store == store.id:
                    note(by_rule[rule.id], rule, trigger, store, record, today)
        for one in verdicts(family, by_rule, (), today=today):
            days = (one.due.erase_on, states.get(one.due.state))
            states[one.due.state] = min((day for day in days if day is not None), default=None)
    return states


def erase_day_of_record(
    family: Family, store: DocumentStore, record: Mapping[str, Any], *, today: date
) -> date | None:
    """Return the day from which one record goes if nothing else happens. None: no clock of it runs."""
    by_rule = {rule.id: Facts() for rule in family.rules}
    for rule in family.rules:
        for trigger in rule.triggers:
            if trigger.directory and trigger.store == store.id:
                note(by_rule[rule.id], rule, trigger, store, record, today)
    days = [one.due.erase_on for one in verdicts(family, by_rule, (), today=today)] if family.rules else []
    return min((day for day in days if day is not None), default=None)


def verdicts(
    family: Family, by_rule: Mapping[str, Facts], controls: Iterable[Controls], *, today: date
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
    family: Family, by_rule: Mapping[str, Facts], controls: tuple[Controls, ...], today: date
) -> dict[str, Due]:
    """Return the verdict on every group. Where no use is known, it counts from when its last record came.

    No use can be shown to be earlier than that, so nothing goes before. Source: policy 5.1.
    """
    clocks: defaultdict[str, list[RunningClock]] = defaultdict(list)
    undated: set[str] = set()
    groups: set[str] = set()
    by_arrival: set[str] = set()
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
                by_arrival.add(group)
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
        found[group] = replace(due, by_arrival=group in by_arrival)
    return found


def is_clock(datamap: DataMap, trigger: Trigger) -> bool:
    """Whether a trigger is a store of our own: under pseudonyms, it leads to nobody."""
    _, store = datamap.store(trigger.store)
    return isinstance(store, DocumentStore) and store.database == "compliance" and not trigger.directory


def cost_of(datamap: DataMap, trigger: Trigger) -> Cost:
    """Return what a look at a trigger's store costs."""
    if trigger.directory:
        return Cost.DIRECTORY
    return Cost.CLOCK if is_clock(datamap, trigger) else Cost.EVENTS


def may_be_due(family: Family, by_rule: Mapping[str, Facts], today: date) -> bool:
    """Whether a look at more single events could matter: they only ever make data go later.

    They do where no use is known yet: one may be among them, and it may be an old one.
    """
    judged = _judged(
        family, {rule_id: replace(one, written={}) for rule_id, one in by_rule.items()}, (), today
    )
    return not judged or any(
        due.state is not DueState.NOT_DUE or due.erase_on is None for due in judged.values()
    )
