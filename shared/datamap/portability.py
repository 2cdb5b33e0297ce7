"""What of a record a person takes along: what was given or observed under contract or consent. Pure.

Source: GDPR article 20(1); Article 29 Working Party, WP242 rev.01 (provided includes observed, not derived).
"""

from collections.abc import Mapping
from typing import Any

from shared.datamap.models import Activity, DataMap, DocumentStore, Store
from shared.datamap.ownership import is_own
from shared.datamap.treatment import MISSING, value_at


def portable_part(store: DocumentStore) -> DocumentStore:
    """Return the store with its portable fields alone, for schemas and tables."""
    return store.model_copy(update={"fields": tuple(field for field in store.fields if field.portable)})


def is_portable(activity: Activity, store: Store) -> bool:
    """Whether article 20 covers something of the store."""
    return activity.portability.applies and any(field.portable for field in store.fields)


def portable_record(record: Mapping[str, Any], store: DocumentStore) -> dict[str, Any]:
    """Return the portable fields of a record in its own shape. Empty: there are none."""
    taken: dict[str, Any] = {}
    for field in store.fields:
        value = value_at(record, field.path)
        if not field.portable or value is MISSING:
            continue
        *parents, last = field.path.split("/")[1:]
        inner = taken
        for name in parents:
            inner = inner.setdefault(name, {})
        inner[last] = value
    return taken


def not_covered(datamap: DataMap) -> tuple[Activity, ...]:
    """Return the activities that portability does not cover, our own register left out."""
    return tuple(
        activity
        for activity in datamap.activities
        if not activity.portability.applies
        and not all(is_own(datamap, store.id) for store in activity.stores)
    )
