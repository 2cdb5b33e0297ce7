"""What one stored record says about the days on which periods of retention began. Pure.

What cannot be read, or is from before there were products, counts from when it was written: nothing is
deleted on doubt. Source: policy section 5.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from shared.datamap.models import DocumentStore, RetentionRule, Trigger
from shared.datamap.treatment import MISSING, value_at
from shared.domain.retention import (
    FIRST_CREDIBLE,
    NEVER,
    Fact,
    UseScope,
    event_day,
)
from shared.domain.times import copenhagen_day, moment_of

_ARRIVED = "_ts"  # when the database last wrote the record, in seconds: never before it came in


@dataclass
class Facts:
    """What the stored records say about one rule of one person, by group."""

    facts: list[Fact] = field(default_factory=list)
    collected: dict[str, date] = field(default_factory=dict)  # the oldest record of each group
    ended: dict[str, date] = field(default_factory=dict)
    undated: set[str] = field(default_factory=set)  # groups whose period began nobody knows when
    written: dict[str, date] = field(default_factory=dict)  # what is no use: when the latest was written
    is_begun: bool = False  # its oldest record may be erased already, which said the version


def condensed(facts: Sequence[Fact]) -> list[Fact]:
    """Return the latest fact of each group, so that memory does not grow with the person's data."""
    latest: dict[tuple[str, str], Fact] = {}
    for fact in facts:
        old = latest.get((fact.group, fact.customer_id))
        if old is None or old.on is None or (fact.on is not None and fact.on > old.on):
            latest[fact.group, fact.customer_id] = fact
    return list(latest.values())


def note(
    known: Facts,
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
