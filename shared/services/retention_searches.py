"""The searches of a run of scheduled deletion: which records of which store may be due. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from shared.datamap.falling_due import is_clock
from shared.datamap.models import DataMap, RetentionRule, Trigger
from shared.datamap.treatment import value_at
from shared.domain.errors import Permanent
from shared.domain.retention import Term, term_on
from shared.domain.retention_runs import Run, Search, Source, bound_by, parts_of
from shared.domain.times import start_of, utc_text
from shared.ports.documents import DueSearch

_A_DAY = timedelta(days=1)
_IN_PARTS = frozenset({Search.NEWLY_OLD, Search.OLD_EVENT})


def sources(datamap: DataMap, today: date, *, last: date | None) -> Iterator[Source]:
    """Yield a run's searches by the rules that hold, the longest overdue first; `last`: the run before.

    What was written late is for a run that follows another.
    """
    for number, (later_than, by) in enumerate(parts_of(last, today)):
        for source in _sources(datamap, today, is_first=last is None):
            if source.search in _IN_PARTS:
                yield source.model_copy(update={"later_than": later_than, "by": by})
            elif number == 0:
                yield source


def _sources(datamap: DataMap, today: date, *, is_first: bool) -> Iterator[Source]:
    for rule, trigger in triggers(datamap):
        if term_on(rule.terms, today) is None:
            continue
        of_rule = {"rule_id": rule.id, "store_id": trigger.store}
        if not trigger.directory:
            for path in trigger.paths:
                yield Source(**of_rule, search=Search.OLD_EVENT, path=path)
                if not is_first:  # of a device that was offline longer than the event may be kept
                    yield Source(**of_rule, search=Search.WRITTEN_LATE, path=path)
                yield Source(**of_rule, search=Search.AHEAD, path=path)
            yield Source(**of_rule, search=Search.UNDATED)
            continue
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


def leads_to_events(datamap: DataMap, source: Source) -> bool:
    """Whether a search finds single events, many of a person, and a directory leads to the person too.

    They are searched for last: most of them are gone by then with whom the directory leads to.
    """
    rule, trigger = trigger_of(datamap, source)
    return not trigger.directory and any(one.directory for one in rule.triggers)


def triggers(datamap: DataMap) -> Iterator[tuple[RetentionRule, Trigger]]:
    """Yield every rule with each store whose records start its period; our clocks lead to nobody."""
    for family in datamap.families:
        for rule in family.rules:
            for trigger in rule.triggers:
                if not is_clock(datamap, trigger):
                    yield rule, trigger


def uses_in(datamap: DataMap, store_id: str) -> Callable[[Mapping[str, Any]], bool]:
    """Return what tells whether a record of a store starts a period, by its kind: no heartbeat does."""
    kinds = [trigger.only for _, trigger in triggers(datamap) if trigger.store == store_id]

    def is_use(record: Mapping[str, Any]) -> bool:
        return any(kind is None or value_at(record, kind.path) in kind.values for kind in kinds)

    return is_use


def still_there(datamap: DataMap, source: Source) -> bool:
    """Whether the map still has the rule and the trigger of a search: a decision may have been withdrawn."""
    return (source.rule_id, source.store_id) in {(rule.id, one.store) for rule, one in triggers(datamap)}


def trigger_of(datamap: DataMap, source: Source) -> tuple[RetentionRule, Trigger]:
    """Return the rule and trigger of a search.

    Raises:
        Permanent: `retention_rule_gone`: the map changed since the run began; the next run is by the new one.
    """
    for rule, trigger in triggers(datamap):
        if (rule.id, trigger.store) == (source.rule_id, source.store_id):
            return rule, trigger
    raise Permanent("retention_rule_gone", source.rule_id)


def bounds(datamap: DataMap, today: date, before: Mapping[str, str]) -> dict[str, str]:
    """Return up to where each path's days are searched; never less than by the last run.

    A rule that does not hold yet is left out.
    """
    found = dict(before)
    for rule, trigger in triggers(datamap):
        until = bound_by(rule.terms, today)
        for path in (*trigger.paths, *trigger.otherwise) if until else ():
            key = f"{rule.id}:{trigger.store}:{path}"
            found[key] = max(until, before.get(key, ""))
    return found


def whole(datamap: DataMap, day: date, *, now: datetime) -> Run:
    """Return a run of a day that follows none, so that it searches everything that may be due by then."""
    return Run(
        day=day,
        started_at=now,
        sources=tuple(_sources(datamap, day, is_first=True)),
        bounds=bounds(datamap, day, {}),
    )


def versions(datamap: DataMap) -> dict[str, str]:
    """Return each rule's versions as text: where they change, whoever is watched is looked at again."""
    return {
        rule.id: " ".join(
            f"{one.period}@{one.valid_from}{'+' if one.applies_to_existing else ''}" for one in rule.terms
        )
        for family in datamap.families
        for rule in family.rules
    }


def search_of(datamap: DataMap, run: Run, source: Source) -> DueSearch:
    """Return what to ask the database for; of events only what leads to their person."""
    rule, trigger = trigger_of(datamap, source)
    found = _in_part(_search_of(run, source, trigger), source, rule.terms)
    if trigger.directory:
        return found
    if source.search in (Search.AHEAD, Search.UNDATED):  # it leads to its person once, who then is watched
        found = replace(found, written_since=run.written_since_seconds)
    _, store = datamap.store(source.store_id)
    own = (field.path for field in store.fields if field.identifier is not None)
    kind = () if trigger.only is None else (trigger.only.path,)
    return replace(found, paths=(*own, *trigger.paths, *kind))


def _in_part(wanted: DueSearch, source: Source, terms: Sequence[Term]) -> DueSearch:
    """Return the part of a search that a source is about; it reaches no further than the whole."""
    if source.search not in _IN_PARTS:
        return wanted
    since, until = wanted.since, wanted.until or ""
    if source.later_than is not None:
        since = max(since or "", bound_by(terms, source.later_than))
    if source.by is not None:
        until = max(since or "", min(until, bound_by(terms, source.by)))
    return replace(wanted, since=since, until=until)


def _search_of(run: Run, source: Source, trigger: Trigger) -> DueSearch:
    key = f"{source.rule_id}:{source.store_id}:{source.path}"
    without = trigger.paths if source.path in trigger.otherwise else ()
    match source.search:
        case Search.OVER:
            return over(source.rule_id, trigger)
        case Search.NEWLY_OLD | Search.OLD_EVENT:
            since = run.old_bounds.get(key)
            return DueSearch(path=source.path, since=since, until=run.bounds[key], without=without)
        case Search.WRITTEN_LATE:
            return DueSearch(
                path=source.path,
                until=run.old_bounds.get(key, ""),
                without=without,
                written_since=run.written_since_seconds or 0,
            )
        case Search.AHEAD:
            tomorrow = utc_text(start_of(run.day + _A_DAY))
            return DueSearch(
                path=source.path, strange=True, ahead=None if trigger.planned else tomorrow, without=without
            )
        case _:
            # what a run has looked at is on watch: of single events, only those written since are looked for
            return DueSearch(
                without=(*trigger.paths, *trigger.otherwise),
                written_since=None if trigger.directory else run.written_since_seconds,
            )


def over(rule_id: str, trigger: Trigger) -> DueSearch:
    """Return the search for records whose state says that it is over.

    Raises:
        Permanent: `retention_rule_unfit`: a rule without a period that names no state.
    """
    if trigger.only is None:
        raise Permanent("retention_rule_unfit", rule_id)
    return DueSearch(state_path=trigger.only.path, states=trigger.only.values)
