"""Rules across the entries of a map: nothing dangles, is out of reach, or stays without a reason.

Each check is a pure function from the map to findings; `check` runs them all.
"""

from collections import Counter
from collections.abc import Iterator

from shared.datamap.field_checks import fields_hold
from shared.datamap.findings import EntryKind, Finding, Place, Way
from shared.datamap.models import NOT_STATED, Activity, DataMap, Recipient, Store
from shared.datamap.reach import stores_are_reached
from shared.datamap.retention_checks import own_data_is_there, rules_are_fed
from shared.datamap.versions import versions_follow
from shared.domain.errors import Invalid
from shared.domain.identifiers import parse_email
from shared.domain.rights import Right

ROLE_CONTESTED = "role_contested"
_NAMED = ("activity", "recipient", "rule", "right", "module", "planned")


def check(datamap: DataMap) -> list[Finding]:
    """Return every fault of the map. Empty: it may be used."""
    return [
        *ids_are_unique(datamap),
        *references_are_known(datamap),
        *clauses_are_met(datamap),
        *clauses_cover(datamap),
        *containers_are_consistent(datamap),
        *fields_hold(datamap),
        *stores_are_reached(datamap),
        *rules_are_fed(datamap),
        *own_data_is_there(datamap),
        *versions_follow(datamap),
    ]


def ids_are_unique(datamap: DataMap) -> Iterator[Finding]:
    """Find ids that stand twice: two meanings of one name would be mixed up silently."""
    policy = datamap.policy
    versions = [f"{one.number} in {one.language}" for one in policy.versions]
    yield from _twice("policy", "versions", "number", versions)
    yield from _twice("policy", "clauses", "number", [one.number for one in policy.clauses])
    yield from _twice("policy", "retention_rules", "id", [one.id for one in policy.retention_rules])
    yield from _twice("policy", "identifiers", "id", [one.id for one in policy.identifiers])
    yield from _twice(
        "policy", "excused", "container", [f"{one.kind} {one.container}" for one in policy.excused]
    )
    yield from _twice("recipients", "recipients", "id", [one.id for one in datamap.recipients])
    stores = Counter(store.id for _, store in datamap.stores())
    for activity in datamap.activities:
        for way, store in _stores(activity):
            if stores[store.id] > 1:
                yield _in(activity, (*way, "id"), f"more than one store is called {store.id}")
        for index, purpose in enumerate(activity.purposes):
            if [one.id for one in activity.purposes[:index]].count(purpose.id):
                yield _in(activity, ("purposes", index, "id"), f"{purpose.id} stands twice")


def references_are_known(datamap: DataMap) -> Iterator[Finding]:
    """Find names of clauses, recipients, rules and flags that no entry explains."""
    clauses = {clause.number for clause in datamap.policy.clauses}
    recipients = {recipient.id for recipient in datamap.recipients}
    for place, number in _clauses_named(datamap):
        if number not in clauses:
            yield place.finding(f"no clause {number}")
    for place, flag in _flags_named(datamap):
        if flag not in datamap.policy.flag_meanings:
            yield place.finding(f"flag {flag} has no meaning in policy.yaml")
    for activity in datamap.activities:
        for index, name in enumerate(activity.recipients):
            if name not in recipients:
                yield _in(activity, ("recipients", index), f"no recipient {name}")
        yield from _rules_known(datamap, activity)
    yield from _recipients_known(datamap)


def _recipients_known(datamap: DataMap) -> Iterator[Finding]:
    """Find recipients that name a purpose of no activity that names them, an identifier or an address."""
    kinds = {one.id for one in datamap.policy.identifiers}
    for index, recipient in enumerate(datamap.recipients):
        place = ("recipients", index)
        theirs = {
            purpose.id
            for activity in datamap.activities
            for purpose in activity.purposes
            if recipient.id in activity.recipients
        }
        for number, name in enumerate(recipient.purposes):
            if name not in theirs:
                where = Place(kind="recipients", way=(*place, "purposes", number))
                yield where.finding(f"no activity that names {recipient.id} has a purpose {name}")
        for kind in recipient.identifiers:
            if kind not in kinds:
                where = Place(kind="recipients", way=(*place, "identifiers", kind))
                yield where.finding(f"no identifier {kind}")
        if recipient.contact != NOT_STATED and not _is_address(recipient.contact):
            where = Place(kind="recipients", way=(*place, "contact"))
            yield where.finding("no plain e-mail address")


def _is_address(text: str) -> bool:
    try:
        parse_email(text)
    except Invalid:
        return False
    return True


def clauses_are_met(datamap: DataMap) -> Iterator[Finding]:
    """Find clauses that point at something that is not there."""
    known: dict[str, set[str]] = {
        "activity": {activity.id for activity in datamap.activities},
        "recipient": {recipient.id for recipient in datamap.recipients},
        "rule": {rule.id for rule in datamap.policy.retention_rules},
        "right": {right.value for right in Right},
    }
    for index, clause in enumerate(datamap.policy.clauses):
        for number, met in enumerate(clause.met_by):
            way: Way = ("clauses", index, "met_by", number)
            kind, _, name = met.partition(":")
            if kind not in _NAMED or not name.strip():
                yield _policy(way, f"{met} is none of {', '.join(f'{one}:…' for one in _NAMED)}")
            elif kind in known and name not in known[kind]:
                yield _policy(way, f"no {kind} {name}")


def clauses_cover(datamap: DataMap) -> Iterator[Finding]:
    """Find rules and activities that the clauses they rest on do not name, and recipients no clause names."""
    met = {clause.number: clause.met_by for clause in datamap.policy.clauses}
    for index, rule in enumerate(datamap.policy.retention_rules):
        if not rule.decisions and f"rule:{rule.id}" not in met.get(rule.clause, ()):
            yield _policy(("retention_rules", index), f"clause {rule.clause} is not met by rule:{rule.id}")
    for activity in datamap.activities:
        for index, number in enumerate(activity.clauses):
            if number in met and f"activity:{activity.id}" not in met[number]:
                message = f"clause {number} is not met by activity:{activity.id}"
                yield _in(activity, ("clauses", index), message)
    for index, recipient in enumerate(datamap.recipients):
        if f"recipient:{recipient.id}" not in met.get(recipient.clause, ()):
            place = Place(kind="recipients", way=("recipients", index, "clause"))
            yield place.finding(f"clause {recipient.clause} is not met by recipient:{recipient.id}")


def containers_are_consistent(datamap: DataMap) -> Iterator[Finding]:
    """Find containers excused and mapped at once, and documents read with two partition keys."""
    mapped = {_container(store) for _, store in datamap.stores()}
    for index, excused in enumerate(datamap.policy.excused):
        if (excused.kind, excused.container) in mapped:
            yield _policy(("excused", index, "container"), f"{excused.container} is mapped too")
    keys: dict[tuple[str, str], str] = {}
    for activity in datamap.activities:
        for way, store in _stores(activity):
            if store.kind != "documents":
                continue
            first = keys.setdefault((store.database, store.container), store.partition_key)
            if first != store.partition_key:
                message = f"another store reads {store.container} by {first}"
                yield _in(activity, (*way, "partition_key"), message)


def planned(datamap: DataMap) -> dict[str, tuple[str, ...]]:
    """Return what is not built yet by clause, for the report that keeps it from being forgotten."""
    found = {
        clause.number: tuple(
            met.removeprefix("planned:") for met in clause.met_by if met.startswith("planned:")
        )
        for clause in datamap.policy.clauses
    }
    return {number: names for number, names in found.items() if names}


def only_planned(datamap: DataMap) -> frozenset[str]:
    """Return the clauses that nothing meets yet; all others need a test."""
    return frozenset(
        clause.number
        for clause in datamap.policy.clauses
        if all(met.startswith("planned:") for met in clause.met_by)
    )


def used_flags(owner: Activity | Recipient) -> tuple[str, ...]:
    """Return an entry's flags with the one its role contributes."""
    contested = isinstance(owner, Activity) and owner.role_contested
    return (ROLE_CONTESTED, *owner.flags) if contested else owner.flags


def _container(store: Store) -> tuple[str, str]:
    return ("cosmos" if store.kind == "documents" else "blob", store.container)


def _rules_known(datamap: DataMap, activity: Activity) -> Iterator[Finding]:
    rules = {rule.id for rule in datamap.policy.retention_rules}
    retention = activity.retention
    if retention.rule != NOT_STATED and retention.rule not in rules:
        yield _in(activity, ("retention", "rule"), f"no retention rule {retention.rule}")
    for index, name in enumerate(retention.further_rules):
        if name not in rules:
            yield _in(activity, ("retention", "further_rules", index), f"no retention rule {name}")


def _clauses_named(datamap: DataMap) -> Iterator[tuple[Place, str]]:
    for index, rule in enumerate(datamap.policy.retention_rules):
        yield Place(kind="policy", way=("retention_rules", index, "clause")), rule.clause
    for index, recipient in enumerate(datamap.recipients):
        yield Place(kind="recipients", way=("recipients", index, "clause")), recipient.clause
    for activity in datamap.activities:
        for index, number in enumerate(activity.clauses):
            yield _place(activity, ("clauses", index)), number
        for index, purpose in enumerate(activity.purposes):
            yield _place(activity, ("purposes", index, "clause")), purpose.clause


def _flags_named(datamap: DataMap) -> Iterator[tuple[Place, str]]:
    for index, version in enumerate(datamap.policy.versions):
        for number, flag in enumerate(version.flags):
            yield Place(kind="policy", way=("versions", index, "flags", number)), flag
    for index, recipient in enumerate(datamap.recipients):
        for number, flag in enumerate(recipient.flags):
            yield Place(kind="recipients", way=("recipients", index, "flags", number)), flag
    for activity in datamap.activities:
        for number, flag in enumerate(activity.flags):
            yield _place(activity, ("flags", number)), flag
        if activity.role_contested:
            yield _place(activity, ("role_contested",)), ROLE_CONTESTED


def _stores(activity: Activity) -> Iterator[tuple[Way, Store]]:
    for index, store in enumerate(activity.stores):
        yield ("stores", index), store


def _twice(kind: EntryKind, name: str, key: str, values: list[str]) -> Iterator[Finding]:
    for index, value in enumerate(values):
        if value in values[:index]:
            yield Place(kind=kind, way=(name, index, key)).finding(f"{value} stands twice")


def _place(activity: Activity, way: Way) -> Place:
    return Place(kind="activity", entry_id=activity.id, way=way)


def _in(activity: Activity, way: Way, message: str) -> Finding:
    return _place(activity, way).finding(message)


def _policy(way: Way, message: str) -> Finding:
    return Place(kind="policy", way=way).finding(message)
