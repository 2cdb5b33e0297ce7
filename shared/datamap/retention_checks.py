"""Rules about retention rules: the days that start a period are stored, and no store is forgotten."""

from collections.abc import Iterator
from itertools import pairwise

from shared.datamap.decisions import rule_of
from shared.datamap.findings import Finding, Place, Way
from shared.datamap.models import (
    NOT_STATED,
    DataMap,
    DocumentDeletion,
    DocumentStore,
    LineStore,
    RetentionRule,
    Store,
    Taken,
    Trigger,
)
from shared.domain.retention import UseScope

_DATED = frozenset({"date", "datetime"})
_SOME_PERIOD = "P1Y"  # that of a decision to come


def rules_are_fed(datamap: DataMap) -> Iterator[Finding]:
    """Find rules without a stored day to start from, and stores an activity's rule would leave behind."""
    stores = {store.id: store for _, store in datamap.stores()}
    for index, rule in enumerate(datamap.policy.retention_rules):
        place: Way = ("retention_rules", index)
        for way, message in (*_rule(rule, stores), *_versions(rule)):
            yield Place(kind="policy", way=(*place, *way)).finding(message)
    yield from _created(datamap)
    yield from _countable(datamap, stores)
    for activity in datamap.activities:
        ids = (activity.retention.rule, *activity.retention.further_rules)
        named = [one for one in datamap.policy.retention_rules if one.id in ids and one.id != NOT_STATED]
        for rule in named:
            taken = {one.store for one in rule.takes}
            for number, store in enumerate(activity.stores):
                if store.id not in taken:
                    where = Place(kind="activity", entry_id=activity.id, way=("stores", number))
                    yield where.finding(f"retention rule {rule.id} leaves {store.id} behind")


def _created(datamap: DataMap) -> Iterator[Finding]:
    for activity in datamap.activities:
        for number, store in enumerate(activity.stores):
            described = _described(store)
            if store.created_path is not None and described.get(store.created_path) not in _DATED:
                where: Way = ("stores", number, "created_path")
                message = f"no field describes {store.created_path} as a date"
                yield Place(kind="activity", entry_id=activity.id, way=where).finding(message)


def own_data_is_there(datamap: DataMap) -> Iterator[Finding]:
    """Find own data that stands twice, or whose deletion would find no day to count from."""
    stores = {store.id: store for _, store in datamap.stores()}
    for index, one in enumerate(datamap.own_data):
        where = Place(kind="own_data", way=("own_data", index, "deletes"))
        if one.id in {other.id for other in datamap.own_data[:index]}:
            yield Place(kind="own_data", way=("own_data", index, "id")).finding(f"{one.id} stands twice")
        if isinstance(one.deletes, DocumentDeletion):
            store = stores.get(one.deletes.store)
            if not isinstance(store, DocumentStore) or store.database != "compliance":
                yield where.finding(f"no store of our own {one.deletes.store}")
            elif _described(store).get(one.deletes.path) not in _DATED:
                yield where.finding(f"no field describes {one.deletes.path} as a date")


def _countable(datamap: DataMap, stores: dict[str, Store]) -> Iterator[Finding]:
    """Find days that a decision could not count from, so that no decision fails by the map."""
    for activity in datamap.activities:
        if activity.retention.rule != NOT_STATED:
            continue
        for index, countable in enumerate(activity.retention.may_count_from):
            place: Way = ("retention", "may_count_from", index)
            where = Place(kind="activity", entry_id=activity.id, way=place)
            if any(one.id == countable.id for one in activity.retention.may_count_from[:index]):
                yield where.finding(f"{countable.id} stands twice")
            for store in activity.stores:
                if store.id not in {one.store for one in countable.takes}:
                    yield where.finding(f"{countable.id} leaves {store.id} behind")
            rule = rule_of(activity, countable).model_copy(update={"period": _SOME_PERIOD})
            for way, message in _rule(rule, stores):
                yield Place(kind="activity", entry_id=activity.id, way=(*place, *way)).finding(message)


def _versions(rule: RetentionRule) -> Iterator[tuple[Way, str]]:
    """Find versions of a rule that do not follow each other, or of which one is no period."""
    terms = rule.terms
    for index, (one, following) in enumerate(pairwise(terms)):
        way: Way = ("valid_from",) if index == len(terms) - 2 else ("earlier", index + 1, "valid_from")
        if following.valid_from is None:
            yield way, "a later version needs the day it holds from"
        elif one.valid_from is not None and following.valid_from <= one.valid_from:
            yield way, "it does not hold after the version before it"
    if len(terms) > 1 and any(one.period is None for one in terms):
        yield ("earlier",), "a version without a period cannot be followed or preceded by another"
    if terms[0].applies_to_existing:
        yield ("applies_to_existing",), "there is no earlier version that existing data would stay under"


def _rule(rule: RetentionRule, stores: dict[str, Store]) -> Iterator[tuple[Way, str]]:
    if not any(trigger.directory or _leads_to_people(rule, trigger, stores) for trigger in rule.triggers):
        yield ("triggers",), "no store is searched to find whose data falls due"
    if not rule.takes:
        yield ("takes",), "no store is emptied"
    for number, trigger in enumerate(rule.triggers):
        for key, message in _trigger(rule, trigger, stores.get(trigger.store)):
            yield ("triggers", number, key), message
    for number, taken in enumerate(rule.takes):
        for key, message in _taken(taken, stores.get(taken.store)):
            yield ("takes", number, key), message


def _leads_to_people(rule: RetentionRule, trigger: Trigger, stores: dict[str, Store]) -> bool:
    """Whether events alone lead to their people, and the latest keeps everything; no clock of ours does."""
    store = stores.get(trigger.store)
    is_readable = isinstance(store, DocumentStore) and store.database != "compliance"
    return is_readable and rule.scope is UseScope.PERSON and bool(trigger.paths) and not trigger.ended_by


def _trigger(rule: RetentionRule, trigger: Trigger, store: Store | None) -> Iterator[tuple[str, str]]:
    if not isinstance(store, DocumentStore):
        yield "store", f"no store of documents {trigger.store}"
        return
    if rule.period is not None and not trigger.paths:
        yield "paths", "a period needs a date to start from"
    described = _described(store)
    dates = [("paths", path) for path in trigger.paths]
    dates += [("otherwise", path) for path in trigger.otherwise]
    dates += [("ended_by", trigger.ended_by)] if trigger.ended_by else []
    for key, path in dates:
        if path not in described:
            yield key, f"no field describes {path}"
        elif described[path] is not None and described[path] not in _DATED:
            yield key, f"{path} is no date"
    others = [("group", trigger.group)]
    others += [("customer_path", trigger.customer_path)] if trigger.customer_path else []
    others += [("only", trigger.only.path)] if trigger.only else []
    for key, path in others:
        if path not in described:
            yield key, f"no field describes {path}"


def _taken(taken: Taken, store: Store | None) -> Iterator[tuple[str, str]]:
    if store is None:
        yield "store", f"no store {taken.store}"
    elif taken.by is not None and taken.by not in _described(store):
        yield "by", f"no field describes {taken.by}"


def _described(store: Store) -> dict[str, str | None]:
    """Return the paths of a record that the map knows; of what surrounds an element, no type is known."""
    surroundings = store.elements.surroundings if isinstance(store, DocumentStore) and store.elements else ()
    own = isinstance(store, LineStore) or not surroundings
    fields: dict[str, str | None] = {field.path: field.type for field in store.fields} if own else {}
    return {**fields, **dict.fromkeys(surroundings)}
