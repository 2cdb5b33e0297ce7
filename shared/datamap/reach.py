"""Rules about finding people: every store is reached from an e-mail address, and none reaches too far."""

import re
from collections.abc import Iterator, Mapping, Sequence

from shared.datamap.findings import Finding, Place, Way
from shared.datamap.models import DataMap, DocumentStore, FileStore, Identifier, LineStore, Match, Store
from shared.domain.identifiers import EMAIL, SUBJECT_KEY

_IN_PREFIX = re.compile(r"\{([a-z_]+)\}")


def stores_are_reached(datamap: DataMap) -> Iterator[Finding]:
    """Find stores and identifiers that a request by e-mail would never come to."""
    reached = reachable(datamap)
    known = {identifier.id: identifier for identifier in datamap.policy.identifiers}
    for activity in datamap.activities:
        for index, store in enumerate(activity.stores):
            for way, message in _store(store, known, reached):
                place = Place(kind="activity", entry_id=activity.id, way=("stores", index, *way))
                yield place.finding(message)


def reachable(datamap: DataMap) -> frozenset[str]:
    """Return the identifiers that following the locators from an e-mail address can yield.

    The keyed pseudonym is derived from the others and needs no locator. A shared identifier is found but
    not followed further.
    """
    shared = {identifier.id for identifier in datamap.policy.identifiers if identifier.shared}
    reached = {EMAIL, SUBJECT_KEY}
    locators = [store for _, store in datamap.stores() if isinstance(store, DocumentStore) and store.locator]
    while True:
        found = {
            field.identifier
            for store in locators
            if any(match.identifier in reached - shared for match in store.matches)
            for field in store.fields
            if field.identifier is not None
        }
        if found <= reached:
            return frozenset(reached)
        reached |= found


def _store(
    store: Store, known: Mapping[str, Identifier], reached: frozenset[str]
) -> Iterator[tuple[Way, str]]:
    for way, match in _matches(store):
        for message in _found(match.identifier, known, reached):
            yield (*way, "identifier"), message
        if match.identifier in known and known[match.identifier].shared:
            yield (*way, "identifier"), f"{match.identifier} belongs to several people and finds too many"
        for key, message in _field(store, match):
            yield (*way, key), message
    if isinstance(store, LineStore | FileStore):
        for message in _prefix(store, known, reached):
            yield ("prefix",), message
    if store.locator:
        yield from _locator(store)


def _prefix(
    store: LineStore | FileStore, known: Mapping[str, Identifier], reached: frozenset[str]
) -> Iterator[str]:
    names = _IN_PREFIX.findall(store.prefix)
    if len(names) > 1:
        yield "one identifier at most"
    for name in names:
        yield from _found(name, known, reached)
        if isinstance(store, FileStore) and name in known and known[name].shared:
            yield f"files under {name} are several people's"


def _found(name: str, known: Mapping[str, Identifier], reached: frozenset[str]) -> Iterator[str]:
    if name not in known:
        yield f"no identifier {name}"
    elif name not in reached:
        yield f"no locator leads from an e-mail address to {name}"


def _field(store: Store, match: Match) -> Iterator[tuple[str, str]]:
    field = next((one for one in store.fields if one.path == match.path), None)
    if field is None:
        yield "path", f"no field describes {match.path}"
    elif match.many != (field.type == "array"):
        yield "many", "many belongs to an array, and to nothing else"
    elif not match.many and field.identifier != match.identifier:
        yield "path", f"the field {match.path} is not marked as {match.identifier}"


def _locator(store: Store) -> Iterator[tuple[Way, str]]:
    if not isinstance(store, DocumentStore) or store.elements is not None:
        yield ("locator",), "only documents of one person lead on to more of that person"
        return
    asked = {match.identifier for match in store.matches}
    told = {field.identifier for field in store.fields if field.identifier is not None}
    if len(asked | told) < 2:  # noqa: PLR2004 - one to come by and one to go on with
        yield ("locator",), "a dead end: it yields nothing but what it is searched by"


def _matches(store: Store) -> Sequence[tuple[Way, Match]]:
    if isinstance(store, FileStore):
        return ()
    own = [(("matches", index), match) for index, match in enumerate(store.matches)]
    inner = store.elements.matches if isinstance(store, DocumentStore) and store.elements else ()
    return [*own, *((("elements", "matches", index), match) for index, match in enumerate(inner))]
