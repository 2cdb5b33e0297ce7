"""Rules about single fields: what an erasure leaves must be complete, explained and still a valid record."""

from collections.abc import Iterator

from shared.datamap.findings import Finding, Place, Way
from shared.datamap.models import (
    Activity,
    DataMap,
    DocumentStore,
    FieldRule,
    KeepUntil,
    OnErasure,
    Store,
)

_STAYS = frozenset({OnErasure.KEEP, OnErasure.FOLLOW})


def fields_hold(datamap: DataMap) -> Iterator[Finding]:
    """Find faults of the fields of every store."""
    for activity in datamap.activities:
        for index, store in enumerate(activity.stores):
            for way, message in _store(datamap, activity, store):
                place = Place(kind="activity", entry_id=activity.id, way=("stores", index, *way))
                yield place.finding(message)


def _store(datamap: DataMap, activity: Activity, store: Store) -> Iterator[tuple[Way, str]]:
    if store.kind != "files" and not store.fields:
        yield ("fields",), "no field is described"
    if store.kind == "files" and store.fields:
        yield ("fields",), "a file is erased whole and has no fields"
    paths = [field.path for field in store.fields]
    for index, field in enumerate(store.fields):
        way: Way = ("fields", index)
        if field.path in paths[:index]:
            yield (*way, "path"), f"{field.path} stands twice"
        outer = next((path for path in paths if field.path.startswith(f"{path}/")), None)
        if outer is not None:
            yield (*way, "path"), f"{outer} is described as one value already"
        for key, message in (*_words(datamap, field), *_treatment(activity, store, field)):
            yield (*way, key), message
    if store.consented_at_path is not None:
        given = next((field for field in store.fields if field.path == store.consented_at_path), None)
        if given is None or given.type != "datetime":
            yield ("consented_at_path",), f"no field describes {store.consented_at_path} as a datetime"
    if isinstance(store, DocumentStore):
        yield from _document(store)


def _words(datamap: DataMap, field: FieldRule) -> Iterator[tuple[str, str]]:
    if field.category not in datamap.policy.categories:
        yield "category", f"no category {field.category}"
    purpose_ids = {purpose.id for one in datamap.activities for purpose in one.purposes}
    if field.choice_of is not None and field.choice_of not in purpose_ids:
        yield "choice_of", f"no purpose {field.choice_of}"
    if field.identifier is None:
        return
    if field.identifier not in _identifiers(datamap):
        yield "identifier", f"no identifier {field.identifier}"
    if field.type != "string":
        yield "identifier", "only a string identifies a person"


def _treatment(activity: Activity, store: Store, field: FieldRule) -> Iterator[tuple[str, str]]:
    if (field.on_erasure is OnErasure.KEEP) != (field.keep is not None):
        yield "keep", "a field is kept if, and only if, there is a reason to"
    if (field.on_erasure is OnErasure.MASK) != (field.mask_with is not None):
        yield "mask_with", "a mask belongs to a masked field, and to no other"
    if field.mask_with is not None and field.type != "string":
        yield "mask_with", f"a mask is text and cannot stand in a field of type {field.type}"
    if field.about == "other" and field.on_erasure is not OnErasure.FOLLOW:
        yield "on_erasure", "another person's value is not this person's to erase, mask or keep"
    if field.own_when is not None and field.required:
        yield "own_when", "a value that is left out of some copies cannot be one every copy has"
    if field.own_when is not None and field.own_when.path.split("/")[1] not in {
        one.path.split("/")[1] for one in store.fields
    }:
        yield "own_when", f"no field describes {field.own_when.path}"
    if field.portable and not activity.portability.applies:
        yield "portable", f"portability does not apply to {activity.id}"
    if field.portable and field.source not in ("subject", "observed"):
        yield "portable", f"a value from {field.source} was not provided by the person"
    if field.keep is not None and isinstance(field.keep.until, KeepUntil):
        yield from _date_stays(store, field.keep.until)


def _date_stays(store: Store, until: KeepUntil) -> Iterator[tuple[str, str]]:
    dated = next((field for field in store.fields if field.path == until.path), None)
    if dated is None:
        yield "keep", f"the period counts from {until.path}, which no field describes"
    elif dated.type not in ("date", "datetime"):
        yield "keep", f"the period counts from {until.path}, which is no date"
    elif dated.on_erasure not in _STAYS:
        yield "keep", f"the period counts from {until.path}, which would be erased first"


def _document(store: DocumentStore) -> Iterator[tuple[Way, str]]:
    if (store.elements is None) != bool(store.matches):
        yield ("matches",), "a store has either matches or elements"
    if store.elements is not None:
        inside = store.elements.path
        for index, path in enumerate(store.elements.surroundings):
            if path == inside or path.startswith(f"{inside}/"):
                yield ("elements", "surroundings", index), "holds other people's elements"
        return
    stored = {field.path: field for field in store.fields}
    for key in dict.fromkeys(("/id", store.partition_key)):
        if key not in stored:
            yield ("fields",), f"the key {key} is not described"
        elif stored[key].on_erasure not in _STAYS:
            index = store.fields.index(stored[key])
            yield ("fields", index, "on_erasure"), f"without {key} no rest of the record could be written"


def _identifiers(datamap: DataMap) -> frozenset[str]:
    return frozenset(identifier.id for identifier in datamap.policy.identifiers)
